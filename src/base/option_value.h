/* SPDX-License-Identifier: Apache-2.0
 *
 * One option's value: from a YAML node into the field that its row names. Shared by reading files and by defaults, so
 * that a default is what a user could have written.
 */
#ifndef HR_BASE_OPTION_VALUE_H
#define HR_BASE_OPTION_VALUE_H

#include "base/option.h"

/* Adds a finding at the value when it has the wrong type or is out of range; the field is then unchanged. */
void hr_option_value_read(const struct hr_option *row, const struct hr_yaml *node, void *options,
                          struct hr_arena *arena, struct hr_findings *findings);
/* The field as JSON; NULL when it is not set. A new reference. */
json_t *hr_option_value_to_json(const struct hr_option *row, const void *options);

#endif
