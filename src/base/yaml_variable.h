/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of the environment in YAML values: ${NAME}, ${NAME:-default} (also when empty), ${NAME:?message}; $${ is a
 * literal ${. Part of the YAML reader.
 */
#ifndef HR_BASE_YAML_VARIABLE_H
#define HR_BASE_YAML_VARIABLE_H

#include "base/yaml.h"

/* Expands the text of a scalar in place and marks it secret when a variable was in it. What cannot be expanded is a
 * finding that names the variable and never shows a value; the node is then unusable. */
void hr_yaml_expand(struct hr_arena *arena, struct hr_yaml *node, struct hr_findings *findings);

#endif
