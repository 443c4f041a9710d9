/* SPDX-License-Identifier: Apache-2.0
 *
 * The flags of a command line, read from the environment and from argv: rows of struct hr_flag in, values out.
 */
#ifndef HR_SERVICE_COMMAND_FLAGS_H
#define HR_SERVICE_COMMAND_FLAGS_H

#include <getopt.h>

#include "service/command.h"

#define HR_FLAGS_MAX 32
/* Room in hr_arguments.values. */
#define HR_FLAG_VALUES_MAX 512

/* The flags that a command line may have, and what getopt_long needs to know of them. */
struct hr_flag_set {
    const struct hr_flag *flags[HR_FLAGS_MAX];
    size_t count;
    struct option options[HR_FLAGS_MAX + 1];
    char letters[2 * HR_FLAGS_MAX + 3];
};

/* There is room. */
void hr_flag_value_add(struct hr_arguments *arguments, const struct hr_flag *flag, const char *value);
void hr_flag_set_add(struct hr_flag_set *set, const struct hr_flag *flags, size_t count);
/* HEADRACE_<FLAG>, for all flags that have such a variable. */
enum hr_status hr_flag_set_read_environment(struct hr_arguments *arguments, const struct hr_flag_set *set,
                                            struct hr_error *err);
/* argv from its second word on; optind is then the first operand. */
enum hr_status hr_flag_set_read(struct hr_arguments *arguments, const struct hr_flag_set *set, int argc, char **argv,
                                bool stop_at_operand, struct hr_error *err);

#endif
