/* SPDX-License-Identifier: Apache-2.0
 *
 * getopt_long does the cutting; what it does not know, and what a value may be, is said here. See command_flags.h.
 */
#include "service/command_flags.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* getopt_long's answer for row i of the flags, beyond all letters. */
#define FLAG_BASE 1000

/* ---- flags -------------------------------------------------------------------------------------------------- */

void hr_flag_set_add(struct hr_flag_set *set, const struct hr_flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        HR_ASSERT(set->count < HR_FLAGS_MAX);
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

static const struct hr_flag *flag_set_find(const struct hr_flag_set *set, int answer)
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

void hr_flag_value_add(struct hr_arguments *arguments, const struct hr_flag *flag, const char *value)
{
    HR_ASSERT(arguments->value_count < HR_FLAG_VALUES_MAX);
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
            hr_flag_value_add(arguments, flag, "");
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
        if (length > 0 && arguments->value_count >= HR_FLAG_VALUES_MAX / 2) {
            return hr_fail(err, HR_USAGE, "HEADRACE_SET holds more than %d lines", HR_FLAG_VALUES_MAX / 2);
        }
        if (length > 0) {
            hr_flag_value_add(arguments, flag, hr_arena_strndup(&arguments->arena, text, length));
        }
        text += length + (text[length] == '\n');
    }
    return HR_OK;
}

enum hr_status hr_flag_set_read_environment(struct hr_arguments *arguments, const struct hr_flag_set *set,
                                            struct hr_error *err)
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
            hr_flag_value_add(arguments, flag, text);
        }
    }
    return HR_OK;
}

/* ---- command line ------------------------------------------------------------------------------------------- */

static enum hr_status fail_unknown(const struct hr_flag_set *set, const char *text, struct hr_error *err)
{
    const char *names[HR_FLAGS_MAX];
    char word[64];
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, "="), text);
    for (size_t i = 0; i < set->count; i++) {
        names[i] = set->flags[i]->name;
    }
    const char *near = hr_str_nearest(word + strspn(word, "-"), names, set->count);
    (void)hr_fail(err, HR_USAGE, "unknown flag '%s'", word);
    return near != NULL ? hr_fail_hint(err, "did you mean --%s?", near) : hr_fail_hint(err, "see headrace --help");
}

enum hr_status hr_flag_set_read(struct hr_arguments *arguments, const struct hr_flag_set *set, int argc, char **argv,
                                bool stop_at_operand, struct hr_error *err)
{
    char letters[2 * HR_FLAGS_MAX + 5];
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
        if (arguments->value_count == HR_FLAG_VALUES_MAX) {
            return hr_fail(err, HR_USAGE, "more than %d flags", HR_FLAG_VALUES_MAX);
        }
        hr_flag_value_add(arguments, flag, value);
    }
}
