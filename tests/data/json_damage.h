/* SPDX-License-Identifier: Apache-2.0
 *
 * Damage to a JSON record: one change of a byte, a span, a token, drawn from the maker's state.
 */
#ifndef HR_TESTS_DATA_JSON_DAMAGE_H
#define HR_TESTS_DATA_JSON_DAMAGE_H

#include "json_maker.h"

void maker_damage(struct maker *maker);

#endif
