/* SPDX-License-Identifier: Apache-2.0
 *
 * Planted bugs: where the ports ask for them. The others are put in by the linker (--wrap), see sim_bug.c.
 */
#ifndef HR_TESTS_SIM_BUG_H
#define HR_TESTS_SIM_BUG_H

#include "sim.h"

/* A write has reached the store. */
void sim_bug_after_write(struct sim_instance *instance, const struct hr_store_batch *batch);

#endif
