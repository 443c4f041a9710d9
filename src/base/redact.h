/* SPDX-License-Identifier: Apache-2.0
 *
 * What came from environment variables, so that no message shows it. A query file may take any value from a variable,
 * and messages are made in many places from parts of such values; so the values are remembered here, and findings,
 * errors and log lines pass through a sieve on their way out. Thread: any.
 */
#ifndef HR_BASE_REDACT_H
#define HR_BASE_REDACT_H

#include <stddef.h>

#include "base/buf.h"

#define HR_REDACTED "<from a variable>"

/* Remembers a value until the process ends. */
void hr_redact_add(const char *value);
/* The text itself when no value is in it, else a copy in `out` (cleared first) with HR_REDACTED in their place. A value
 * of 8 bytes and more is found anywhere, one of 5 bytes as a word, a shorter one where quotes, '/' or the text's ends
 * say that it is a value. */
const char *hr_redact(const char *text, struct hr_buf *out);

#endif
