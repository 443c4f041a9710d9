/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and exit codes out of the one list, and the text of errors.
 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *hr_status_name(enum hr_status status)
{
    static const char *const names[] = {
#define STATUS_NAME(name, exit_code, text) [HR_##name] = #name,
        HR_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    };
    return (size_t)status < HR_ARRAY_LEN(names) ? names[status] : "UNKNOWN";
}

int hr_status_exit_code(enum hr_status status)
{
    static const int codes[] = {
#define STATUS_CODE(name, exit_code, text) [HR_##name] = (exit_code),
        HR_STATUS_LIST(STATUS_CODE)
#undef STATUS_CODE
    };
    return (size_t)status < HR_ARRAY_LEN(codes) ? codes[status] : 70;
}

enum hr_status hr_fail(struct hr_error *err, enum hr_status status, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(err->text, sizeof(err->text), format, arguments);
        va_end(arguments);
        err->status = status;
        err->hint[0] = '\0';
    }
    return status;
}

enum hr_status hr_fail_context(struct hr_error *err, const char *format, ...)
{
    char text[sizeof(err->text)];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof(text)) {
        (void)snprintf(text + length, sizeof(text) - (size_t)length, ": %s", err->text);
        memcpy(err->text, text, sizeof(err->text));
    }
    return err->status;
}

enum hr_status hr_fail_hint(struct hr_error *err, const char *format, ...)
{
    if (err == NULL) {
        return HR_BUG;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->hint, sizeof(err->hint), format, arguments);
    va_end(arguments);
    return err->status;
}

const char *hr_error_hint(const struct hr_error *err)
{
    if (err->hint[0] != '\0') {
        return err->hint;
    }
    switch (err->status) {
    case HR_CORRUPT:
        return "restore the checkpoint directory as a whole from a copy; docs/recovery.md says how to go on without "
               "one";
    case HR_IO:
    case HR_MISMATCH:
    case HR_DATA_LOSS:
    case HR_LOCKED:
    case HR_FENCED:
        return "docs/recovery.md says what it means and what to do";
    default:
        return "";
    }
}

enum hr_status hr_fail_errno(struct hr_error *err, enum hr_status status, const char *format, ...)
{
    int number = errno;
    if (err == NULL) {
        return status;
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof(err->text)) {
        (void)snprintf(err->text + length, sizeof(err->text) - (size_t)length, ": %s", strerror(number));
    }
    err->status = status;
    err->hint[0] = '\0';
    if (number == ENOSPC || number == EDQUOT) {
        (void)hr_fail_hint(err, "the disk is full: free space and start again, nothing is lost");
    } else if (number == EMFILE || number == ENFILE) {
        (void)hr_fail_hint(err, "no file descriptor is left: raise the limit (ulimit -n) and start again");
    } else if (number == EFBIG) {
        (void)hr_fail_hint(err, "a file may not grow that long: see the limit of the process (ulimit -f) and the file "
                                "system, then start again: nothing is lost");
    } else if (number == EIO) {
        (void)hr_fail_hint(err,
                           "the disk failed: see the kernel's log (dmesg), then start again: the start looks at what "
                           "reached it");
    }
    return status;
}

enum hr_status hr_fail_at_start(struct hr_error *err)
{
    bool full = strstr(err->text, strerror(ENOSPC)) != NULL || strstr(err->text, strerror(EDQUOT)) != NULL;
    if (err->status == HR_IO && full) {
        err->status = HR_CANNOT_CREATE;
    }
    return err->status;
}
