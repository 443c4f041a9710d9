/* SPDX-License-Identifier: Apache-2.0
 *
 * A jansson tree as our own JSON text: doubles in their shortest round-trip form, keys in the order they were set. Used
 * where two runs must print the same bytes.
 */
#ifndef HR_SERVICE_DOCUMENT_H
#define HR_SERVICE_DOCUMENT_H

#include <jansson.h>

#include "base/json_writer.h"

/* Writes one value; NULL is null. */
void hr_document_write(struct hr_json *json, const json_t *value);

#endif
