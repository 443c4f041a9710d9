/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command is: a name, its flags as data, and a function. The same rows of flags give parsing (getopt_long), the
 * environment twin HEADRACE_<FLAG> of each flag, and the help text. Data goes to standard output, talk to standard
 * error; a command returns the exit code, and only main.c ends the process.
 *
 * Adding one: cmd_<name>.c with a `const struct hr_command hr_command_<name>`, a line in HR_COMMANDS, one in
 * CMakeLists.txt.
 */
#ifndef HR_SERVICE_COMMAND_H
#define HR_SERVICE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "stream/plan.h"

struct hr_flag {
    const char *name;           /* "data-dir"; the environment twin is HEADRACE_DATA_DIR */
    char letter;                /* 0: none */
    const char *value;          /* what help calls the value; NULL: a switch */
    const char *const *choices; /* allowed values, NULL-terminated; NULL: any */
    const char *help;
};

struct hr_flag_value {
    const struct hr_flag *flag;
    const char *value; /* "" of a switch that is on */
};

struct hr_command;

/* A parsed command line. */
struct hr_arguments {
    struct hr_arena arena; /* of the process */
    const struct hr_command *command;
    struct hr_flag_value *values; /* environment first, then the command line: the last one counts */
    size_t value_count;
    const char **operands;
    size_t operand_count;
};

struct hr_command {
    const char *name;
    const char *operands; /* as in the usage line */
    const char *summary;
    const char *doc; /* paragraphs for `headrace NAME --help` */
    const struct hr_flag *flags;
    size_t flag_count;
    size_t operands_min;
    size_t operands_max;
    /* Returns the exit code. */
    int (*run)(struct hr_arguments *arguments);
};

#define HR_COMMANDS(X) X(run) X(lint) X(fit) X(eval) X(score) X(explain) X(list) X(schema) X(checkpoint) X(version)

#define HR_COMMAND_EXTERN(name) extern const struct hr_command hr_command_##name;
HR_COMMANDS(HR_COMMAND_EXTERN)
#undef HR_COMMAND_EXTERN

/* Parses, runs, and returns the exit code. */
int hr_command_line_run(const struct hr_command *const *commands, size_t count, int argc, char **argv);

/* The value of a flag: of the command line, else of the environment, else NULL. */
const char *hr_arguments_get(const struct hr_arguments *arguments, const char *flag);
/* A switch. */
bool hr_arguments_has(const struct hr_arguments *arguments, const char *flag);
/* True when the flag's value is this one. */
bool hr_arguments_is(const struct hr_arguments *arguments, const char *flag, const char *value);
/* Settings of a plan from --set and --data-dir. */
void hr_arguments_plan_settings(struct hr_arguments *arguments, enum hr_plan_purpose purpose,
                                struct hr_plan_settings *out);

/* Prints the error and its hint on standard error; returns its exit code. */
int hr_command_fail(const struct hr_error *err);
/* Ends the process at once while threads may still run. In main.c, as all that ends the process. */
void hr_process_abandon(int exit_code) __attribute__((noreturn));

extern const char *const hr_text_or_json[]; /* choices of --format */

#endif
