/* SPDX-License-Identifier: Apache-2.0
 *
 * From argv to a command: global flags may stand before or after the command's name. getopt_long does the cutting; the
 * rows of struct hr_flag say what there is. The environment is read first, so that the command line overrides it.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/redact.h"
#include "base/str.h"
#include "service/command.h"

#define FLAGS_MAX 32
#define MESSAGE_MAX (64u << 10)
#define VALUES_MAX 512
/* getopt_long's answer for row i of the flags, beyond all letters. */
#define FLAG_BASE 1000

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

/* The flags that a command line may have, and what getopt_long needs to know of them. */
struct flag_set {
    const struct hr_flag *flags[FLAGS_MAX];
    size_t count;
    struct option options[FLAGS_MAX + 1];
    char letters[2 * FLAGS_MAX + 3];
};

/* ---- flags -------------------------------------------------------------------------------------------------- */

static void flag_set_add(struct flag_set *set, const struct hr_flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        HR_ASSERT(set->count < FLAGS_MAX);
        const struct hr_flag *flag = &flags[i];
        set->options[set->count] = (struct option){
            .name = flag->name,
            .has_arg = flag->value != NULL ? required_argument : no_argument,
            .val = FLAG_BASE + (int)set->count,
        };
        set->flags[set->count++] = flag;
        if (flag->letter != '\0') {
            size_t length = strlen(set->letters);
            set->letters[length] = flag->letter;
            set->letters[length + 1] = flag->value != NULL ? ':' : '\0';
        }
    }
}

static const struct hr_flag *flag_set_find(const struct flag_set *set, int answer)
{
    if (answer >= FLAG_BASE) {
        return set->flags[answer - FLAG_BASE];
    }
    for (size_t i = 0; i < set->count; i++) {
        if (set->flags[i]->letter == answer) {
            return set->flags[i];
        }
    }
    return NULL;
}

static enum hr_status flag_check(const struct hr_flag *flag, const char *origin, const char *value,
                                 struct hr_error *err)
{
    size_t count = 0;
    for (; flag->choices != NULL && flag->choices[count] != NULL; count++) {
        if (strcmp(flag->choices[count], value) == 0) {
            return HR_OK;
        }
    }
    if (count == 0) {
        return HR_OK;
    }
    char allowed[128] = "";
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(allowed);
        snprintf(allowed + length, sizeof(allowed) - length, "%s%s", i > 0 ? ", " : "", flag->choices[i]);
    }
    (void)hr_fail(err, HR_USAGE, "%s does not take '%s'", origin, value);
    return hr_fail_hint(err, "one of: %s", allowed);
}

static void value_add(struct hr_arguments *arguments, const struct hr_flag *flag, const char *value)
{
    HR_ASSERT(arguments->value_count < VALUES_MAX);
    arguments->values[arguments->value_count++] = (struct hr_flag_value){flag, value};
}

/* ---- environment -------------------------------------------------------------------------------------------- */

static void flag_environment_name(const struct hr_flag *flag, char out[64])
{
    int length = snprintf(out, 64, "HEADRACE_%s", flag->name);
    for (int i = 0; i < length; i++) {
        out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
    }
}

static enum hr_status environment_switch(struct hr_arguments *arguments, const struct hr_flag *flag, const char *name,
                                         const char *text, struct hr_error *err)
{
    static const char *const on[] = {"1", "true", "yes", "on"};
    static const char *const off[] = {"", "0", "false", "no", "off"};
    for (size_t i = 0; i < HR_ARRAY_LEN(on); i++) {
        if (strcmp(text, on[i]) == 0) {
            value_add(arguments, flag, "");
            return HR_OK;
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(off); i++) {
        if (strcmp(text, off[i]) == 0) {
            return HR_OK;
        }
    }
    (void)hr_fail(err, HR_USAGE, "environment variable %s does not take '%s'", name, text);
    return hr_fail_hint(err, "write true or false");
}

/* --help and --version ask about one call; a variable of that name (HEADRACE_VERSION) is somebody else's. */
static bool flag_is_question(const struct hr_flag *flag)
{
    return strcmp(flag->name, "help") == 0 || strcmp(flag->name, "version") == 0;
}

/* HEADRACE_SET holds one assignment a line. */
static enum hr_status environment_lines(struct hr_arguments *arguments, const struct hr_flag *flag, const char *text,
                                        struct hr_error *err)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length > 0 && arguments->value_count >= VALUES_MAX / 2) {
            return hr_fail(err, HR_USAGE, "HEADRACE_SET holds more than %d lines", VALUES_MAX / 2);
        }
        if (length > 0) {
            value_add(arguments, flag, hr_arena_strndup(&arguments->arena, text, length));
        }
        text += length + (text[length] == '\n');
    }
    return HR_OK;
}

static enum hr_status environment_read(struct hr_arguments *arguments, const struct flag_set *set, struct hr_error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct hr_flag *flag = set->flags[i];
        char name[64];
        flag_environment_name(flag, name);
        const char *text = getenv(name);
        if (text == NULL || flag_is_question(flag)) {
            continue;
        }
        if (flag->value == NULL) {
            HR_TRY(environment_switch(arguments, flag, name, text, err));
        } else if (strcmp(flag->name, "set") == 0) {
            HR_TRY(environment_lines(arguments, flag, text, err));
        } else if (text[0] != '\0') {
            HR_TRY(flag_check(flag, name, text, err));
            value_add(arguments, flag, text);
        }
    }
    return HR_OK;
}

/* ---- command line ------------------------------------------------------------------------------------------- */

static enum hr_status fail_unknown(const struct flag_set *set, const char *text, struct hr_error *err)
{
    const char *names[FLAGS_MAX];
    char word[64];
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, "="), text);
    for (size_t i = 0; i < set->count; i++) {
        names[i] = set->flags[i]->name;
    }
    const char *near = hr_str_nearest(word + strspn(word, "-"), names, set->count);
    (void)hr_fail(err, HR_USAGE, "unknown flag '%s'", word);
    return near != NULL ? hr_fail_hint(err, "did you mean --%s?", near) : hr_fail_hint(err, "see headrace --help");
}

static enum hr_status flags_read(struct hr_arguments *arguments, const struct flag_set *set, int argc, char **argv,
                                 bool stop_at_operand, struct hr_error *err)
{
    char letters[2 * FLAGS_MAX + 5];
    snprintf(letters, sizeof(letters), "%s:%s", stop_at_operand ? "+" : "", set->letters);
    opterr = 0;
    optind = 0; /* glibc: start anew, also with other letters */
    for (;;) {
        int at = optind > 0 ? optind : 1;
        int answer = getopt_long(argc, argv, letters, set->options, NULL);
        if (answer == -1) {
            return HR_OK;
        }
        if (answer == ':') {
            (void)hr_fail(err, HR_USAGE, "flag '%s' needs a value", argv[optind - 1]);
            return hr_fail_hint(err, "write it behind the flag; --help says what it is");
        }
        const struct hr_flag *flag = flag_set_find(set, answer);
        if (answer == '?' && optopt >= FLAG_BASE) {
            (void)hr_fail(err, HR_USAGE, "flag '--%s' takes no value", set->flags[optopt - FLAG_BASE]->name);
            return hr_fail_hint(err, "write --%s alone, or leave it out", set->flags[optopt - FLAG_BASE]->name);
        }
        if (flag == NULL) {
            return fail_unknown(set, argv[optind - 1 > at ? optind - 1 : at], err);
        }
        const char *value = optarg != NULL ? optarg : "";
        char origin[64];
        snprintf(origin, sizeof(origin), "--%s", flag->name);
        if (flag->value != NULL) {
            HR_TRY(flag_check(flag, origin, value, err));
        }
        if (arguments->value_count == VALUES_MAX) {
            return hr_fail(err, HR_USAGE, "more than %d flags", VALUES_MAX);
        }
        value_add(arguments, flag, value);
    }
}

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
            value_add(arguments, &global_flags[i], "");
        }
    }
    return HR_OK;
}

static enum hr_status command_line_parse(struct hr_arguments *arguments, const struct hr_command *const *commands,
                                         size_t count, int argc, char **argv, struct hr_error *err)
{
    struct flag_set set = {.count = 0};
    flag_set_add(&set, global_flags, HR_ARRAY_LEN(global_flags));
    arguments->values = hr_arena_array(&arguments->arena, VALUES_MAX, struct hr_flag_value);
    HR_TRY(environment_read(arguments, &set, err));
    HR_TRY(flags_read(arguments, &set, argc, argv, true, err));
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
    struct flag_set own = {.count = 0};
    flag_set_add(&own, arguments->command->flags, arguments->command->flag_count);
    HR_TRY(environment_read(arguments, &own, err));
    flag_set_add(&own, global_flags, HR_ARRAY_LEN(global_flags));
    HR_TRY(flags_read(arguments, &own, argc - command_at, argv + command_at, false, err));
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
