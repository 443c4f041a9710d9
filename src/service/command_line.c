/* SPDX-License-Identifier: Apache-2.0
 *
 * From argv to a command: global flags may stand before or after the command's name. The environment is read first, so
 * that the command line overrides it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/redact.h"
#include "base/str.h"
#include "service/command_flags.h"

#define MESSAGE_MAX (64u << 10)

const char *const hr_text_or_json[] = {"text", "json", NULL};

static const char *const log_levels[] = {"debug", "info", "warn", "error", "off", NULL};

static const struct hr_flag global_flags[] = {
    {.name = "set", .value = "PATH=VALUE", .help = "override a key of the query file; may be repeated"},
    {.name = "data-dir", .value = "DIR", .help = "default checkpoints go below it (default ./headrace-data)"},
    {.name = "log-level", .value = "LEVEL", .choices = log_levels, .help = "default info"},
    {.name = "log-format", .value = "FORMAT", .choices = hr_text_or_json, .help = "default text"},
    {.name = "progress", .value = "FILE|-", .help = "append one progress document a batch; - is standard output"},
    {.name = "help", .letter = 'h', .help = "what the program or a command does"},
    {.name = "version", .letter = 'V', .help = "print the version"},
};

/* ---- operands and commands ---------------------------------------------------------------------------------- */

static enum hr_status operands_read(struct hr_arguments *arguments, int argc, char **argv, struct hr_error *err)
{
    const struct hr_command *command = arguments->command;
    arguments->operand_count = (size_t)(argc - optind);
    arguments->operands = (const char **)argv + optind;
    if (hr_arguments_has(arguments, "help")) {
        return HR_OK;
    }
    if (arguments->operand_count < command->operands_min || arguments->operand_count > command->operands_max) {
        (void)hr_fail(err, HR_USAGE, "%s: %s", command->name,
                      arguments->operand_count < command->operands_min ? "an argument is missing"
                                                                       : "there are too many arguments");
        return hr_fail_hint(err, "usage: headrace %s %s", command->name, command->operands);
    }
    return HR_OK;
}

static const struct hr_command *command_find(const struct hr_command *const *commands, size_t count, const char *name,
                                             struct hr_error *err)
{
    const char *names[32];
    HR_ASSERT(count <= HR_ARRAY_LEN(names));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
        names[i] = commands[i]->name;
    }
    const char *near = hr_str_nearest(name, names, count);
    (void)hr_fail(err, HR_USAGE, "there is no command '%s'", name);
    if (near != NULL) {
        (void)hr_fail_hint(err, "did you mean 'headrace %s'?", near);
    } else {
        (void)hr_fail_hint(err, "headrace --help lists the commands");
    }
    return NULL;
}

/* ---- help --------------------------------------------------------------------------------------------------- */

static void help_flags(FILE *out, const struct hr_flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[64];
        char letter[5] = "    ";
        if (flags[i].letter != '\0') {
            snprintf(letter, sizeof(letter), "-%c, ", flags[i].letter);
        }
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, flags[i].name, flags[i].value != NULL ? " " : "",
                 flags[i].value != NULL ? flags[i].value : "");
        fprintf(out, "  %-26s %s", left, flags[i].help);
        for (size_t j = 0; flags[i].choices != NULL && flags[i].choices[j] != NULL; j++) {
            fprintf(out, "%s%s", j == 0 ? " (" : "|", flags[i].choices[j]);
        }
        fprintf(out, "%s\n", flags[i].choices != NULL ? ")" : "");
    }
}

static void help_command(const struct hr_command *command)
{
    printf("usage: headrace %s%s%s%s\n\n%s\n", command->name, command->flag_count > 0 ? " [FLAGS]" : "",
           command->operands[0] != '\0' ? " " : "", command->operands, command->summary);
    if (command->doc != NULL) {
        printf("\n%s\n", command->doc);
    }
    if (command->flag_count > 0) {
        printf("\nflags:\n");
        help_flags(stdout, command->flags, command->flag_count);
    }
    printf("\nglobal flags:\n");
    help_flags(stdout, global_flags, HR_ARRAY_LEN(global_flags));
    printf("\nA flag --some-flag that is not given is taken from the environment variable HEADRACE_SOME_FLAG.\n");
}

static void help_program(FILE *out, const struct hr_command *const *commands, size_t count)
{
    fprintf(out, "headrace " HEADRACE_VERSION ", a streaming machine-learning engine\n\n"
                 "usage: headrace [GLOBAL FLAGS] COMMAND [FLAGS] …\n\ncommands:\n");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    }
    fprintf(out, "\nglobal flags:\n");
    help_flags(out, global_flags, HR_ARRAY_LEN(global_flags));
    fprintf(out, "\nheadrace COMMAND --help says more. headrace list shows what a query can be made of.\n");
}

/* ---- all together ------------------------------------------------------------------------------------------- */

const char *hr_arguments_get(const struct hr_arguments *arguments, const char *flag)
{
    for (size_t i = arguments->value_count; i-- > 0;) {
        if (strcmp(arguments->values[i].flag->name, flag) == 0) {
            return arguments->values[i].value;
        }
    }
    return NULL;
}

bool hr_arguments_has(const struct hr_arguments *arguments, const char *flag)
{
    return hr_arguments_get(arguments, flag) != NULL;
}

bool hr_arguments_is(const struct hr_arguments *arguments, const char *flag, const char *value)
{
    const char *given = hr_arguments_get(arguments, flag);
    return given != NULL && strcmp(given, value) == 0;
}

void hr_arguments_plan_settings(struct hr_arguments *arguments, enum hr_plan_purpose purpose,
                                struct hr_plan_settings *out)
{
    const char **assignments = hr_arena_array(&arguments->arena, arguments->value_count, const char *);
    size_t count = 0;
    for (size_t i = 0; i < arguments->value_count; i++) {
        if (strcmp(arguments->values[i].flag->name, "set") == 0) {
            assignments[count++] = arguments->values[i].value;
        }
    }
    const char *data_dir = hr_arguments_get(arguments, "data-dir");
    *out = (struct hr_plan_settings){
        .purpose = purpose,
        .data_dir = data_dir != NULL ? data_dir : "headrace-data",
        .set = assignments,
        .set_count = count,
        .once = hr_arguments_has(arguments, "once"),
    };
}

int hr_command_fail(const struct hr_error *err)
{
    struct hr_buf shown HR_CLEANUP(hr_buf_release);
    hr_buf_init(&shown, MESSAGE_MAX);
    fflush(stdout);
    fprintf(stderr, "headrace: error: %s\n", hr_redact(err->text, &shown));
    if (hr_error_hint(err)[0] != '\0') {
        fprintf(stderr, "  hint: %s\n", hr_redact(hr_error_hint(err), &shown));
    }
    return hr_status_exit_code(err->status);
}

static void log_configure(const struct hr_arguments *arguments)
{
    enum hr_log_level level = HR_LOG_INFO;
    const char *text = hr_arguments_get(arguments, "log-level");
    if (text != NULL) {
        (void)hr_log_level_parse(text, &level);
    }
    hr_log_configure(level, hr_arguments_is(arguments, "log-format", "json") ? HR_LOG_JSON : HR_LOG_TEXT);
}

/* Standard output may be a full disk: what was printed counts only when it arrived. */
static int finish_output(int exit_code)
{
    errno = 0;
    bool failed = fflush(stdout) != 0;
    if (!failed && !ferror(stdout)) {
        return exit_code;
    }
    struct hr_error err;
    if (failed && errno != 0) {
        (void)hr_fail_errno(&err, HR_IO, "standard output cannot be written");
    } else {
        (void)hr_fail(&err, HR_IO, "not all of the output could be written to standard output");
    }
    return hr_command_fail(&err);
}

/* Before any file is read: what is wrong with an assignment itself is said once, not for each file. */
static enum hr_status assignments_check(struct hr_arguments *arguments, struct hr_error *err)
{
    for (size_t i = 0; i < arguments->value_count; i++) {
        if (strcmp(arguments->values[i].flag->name, "set") == 0) {
            HR_TRY(hr_yaml_set_check(&arguments->arena, arguments->values[i].value, err));
        }
    }
    return HR_OK;
}

/* `headrace help` and `headrace help COMMAND` are --help. */
static enum hr_status help_parse(struct hr_arguments *arguments, const struct hr_command *const *commands, size_t count,
                                 int argc, char **argv, struct hr_error *err)
{
    if (argc > 1) {
        arguments->command = command_find(commands, count, argv[1], err);
        if (arguments->command == NULL) {
            return HR_USAGE;
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(global_flags); i++) {
        if (strcmp(global_flags[i].name, "help") == 0) {
            hr_flag_value_add(arguments, &global_flags[i], "");
        }
    }
    return HR_OK;
}

static enum hr_status command_line_parse(struct hr_arguments *arguments, const struct hr_command *const *commands,
                                         size_t count, int argc, char **argv, struct hr_error *err)
{
    struct hr_flag_set set = {.count = 0};
    hr_flag_set_add(&set, global_flags, HR_ARRAY_LEN(global_flags));
    arguments->values = hr_arena_array(&arguments->arena, HR_FLAG_VALUES_MAX, struct hr_flag_value);
    HR_TRY(hr_flag_set_read_environment(arguments, &set, err));
    HR_TRY(hr_flag_set_read(arguments, &set, argc, argv, true, err));
    if (optind >= argc) {
        return HR_OK;
    }
    int command_at = optind;
    if (strcmp(argv[command_at], "help") == 0) {
        return help_parse(arguments, commands, count, argc - command_at, argv + command_at, err);
    }
    arguments->command = command_find(commands, count, argv[command_at], err);
    if (arguments->command == NULL) {
        return HR_USAGE;
    }
    struct hr_flag_set own = {.count = 0};
    hr_flag_set_add(&own, arguments->command->flags, arguments->command->flag_count);
    HR_TRY(hr_flag_set_read_environment(arguments, &own, err));
    hr_flag_set_add(&own, global_flags, HR_ARRAY_LEN(global_flags));
    HR_TRY(hr_flag_set_read(arguments, &own, argc - command_at, argv + command_at, false, err));
    HR_TRY(assignments_check(arguments, err));
    return operands_read(arguments, argc - command_at, argv + command_at, err);
}

static int command_line_dispatch(struct hr_arguments *arguments, const struct hr_command *const *commands, size_t count)
{
    if (hr_arguments_has(arguments, "version")) {
        printf("headrace " HEADRACE_VERSION "\n");
        return 0;
    }
    if (hr_arguments_has(arguments, "help") && arguments->command != NULL) {
        help_command(arguments->command);
        return 0;
    }
    if (arguments->command == NULL) {
        bool asked = hr_arguments_has(arguments, "help");
        help_program(asked ? stdout : stderr, commands, count);
        return asked ? 0 : hr_status_exit_code(HR_USAGE);
    }
    log_configure(arguments);
    return arguments->command->run(arguments);
}

int hr_command_line_run(const struct hr_command *const *commands, size_t count, int argc, char **argv)
{
    struct hr_arguments arguments = {.command = NULL};
    struct hr_error err;
    hr_arena_init(&arguments.arena, 0);
    int exit_code;
    if (command_line_parse(&arguments, commands, count, argc, argv, &err) == HR_OK) {
        exit_code = finish_output(command_line_dispatch(&arguments, commands, count));
    } else {
        exit_code = hr_command_fail(&err);
    }
    hr_arena_release(&arguments.arena);
    return exit_code;
}
