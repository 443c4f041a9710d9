/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call came to, and what to do about it. A status is a class of outcomes that are treated alike: it decides the
 * exit code, and whether the engine retries, refuses or stops. The text says what happened and where; the hint says
 * what the user can do. The X-list is the only place that knows names and exit codes (sysexits.h).
 *
 * Convention: a function that can fail returns `enum hr_status` and takes `struct hr_error *err` as its last
 * parameter (never NULL unless said). On failure outputs are unchanged and err is filled.
 */
#ifndef HR_BASE_STATUS_H
#define HR_BASE_STATUS_H

#include "base/base.h"

/* name, exit code, meaning */
#define HR_STATUS_LIST(X) \
    X(OK, 0, "success") \
    X(AGAIN, 75, "nothing to do yet; call again") \
    X(END, 0, "the end of a bounded input") \
    X(USAGE, 64, "wrong use of the command line") \
    X(BAD_DATA, 65, "input data that cannot be used") \
    X(NO_INPUT, 66, "an input file is missing") \
    X(UNAVAILABLE, 69, "a service outside (a broker) cannot be reached") \
    X(BUG, 70, "an internal error") \
    X(CANNOT_CREATE, 73, "an output or state directory cannot be made") \
    X(IO, 74, "an I/O error; the outcome of the write is unknown until reopened") \
    X(CORRUPT, 74, "stored bytes are damaged; nothing is overwritten") \
    X(LOCKED, 75, "the state directory is in use") \
    X(FENCED, 75, "another instance took over, or this one was too slow") \
    X(PERMISSION, 77, "not permitted") \
    X(BAD_CONFIG, 78, "the configuration is wrong") \
    X(MISMATCH, 78, "the checkpoint does not fit the query, or a ledger is foreign") \
    X(DATA_LOSS, 78, "the source no longer holds rows that were not read yet") \
    X(INTERRUPTED, 0, "stopped on request")

enum hr_status {
#define HR_STATUS_MEMBER(name, exit_code, text) HR_##name,
    HR_STATUS_LIST(HR_STATUS_MEMBER)
#undef HR_STATUS_MEMBER
};

/* An error as the caller keeps it, usually on its stack. Thread: the caller's. */
struct hr_error {
    enum hr_status status;
    char text[1024];
    char hint[512];
};

const char *hr_status_name(enum hr_status status);
int hr_status_exit_code(enum hr_status status);

/* Fills err (text truncated at its size, hint cleared) and returns status, so that `return hr_fail(err, …)` works.
 * err may be NULL: then only the status is returned. */
enum hr_status hr_fail(struct hr_error *err, enum hr_status status, const char *format, ...) HR_PRINTF(3, 4) HR_COLD;
/* Puts "<context>: " before the text; returns err->status. For callers on the way up. */
enum hr_status hr_fail_context(struct hr_error *err, const char *format, ...) HR_PRINTF(2, 3) HR_COLD;
/* Sets the remedy, a sentence that a user can follow; returns err->status. */
enum hr_status hr_fail_hint(struct hr_error *err, const char *format, ...) HR_PRINTF(2, 3) HR_COLD;
/* A failed start, on the way up: a full disk becomes HR_CANNOT_CREATE, for nothing was taken on yet. Returns
 * err->status. */
enum hr_status hr_fail_at_start(struct hr_error *err) HR_COLD;
/* The hint; where none was set, what there is to say of its status; else "". */
const char *hr_error_hint(const struct hr_error *err);
/* As hr_fail, with ": <strerror(errno)>" at the end. A full disk, a failing one and a lack of descriptors get a hint.
 */
enum hr_status hr_fail_errno(struct hr_error *err, enum hr_status status, const char *format, ...)
    HR_PRINTF(3, 4) HR_COLD;

/* The one macro that changes the flow: returns the status to the caller when it is not HR_OK. Locals own through
 * HR_CLEANUP, so early return leaks nothing. */
#define HR_TRY(expression) \
    do { \
        enum hr_status hr_try_status = (expression); \
        if (HR_UNLIKELY(hr_try_status != HR_OK)) { \
            return hr_try_status; \
        } \
    } while (0)

#endif
