/* SPDX-License-Identifier: Apache-2.0
 *
 * The process's log on standard error: one event a line, text (`2026-01-31T10:00:00.123Z INFO weather: message`) or
 * JSON
 * (`{"ts","level","query","msg"}`). Only stream and service log above DEBUG; lower layers return errors. The same call
 * site repeats at most 10 times in 10 s, then one line says how many log lines (not records) were left out. Record
 * contents and secrets are never logged. Thread: any; lines are written whole.
 */
#ifndef HR_BASE_LOG_H
#define HR_BASE_LOG_H

#include <stdbool.h>

#include "base/base.h"

enum hr_log_level { HR_LOG_DEBUG, HR_LOG_INFO, HR_LOG_WARN, HR_LOG_ERROR, HR_LOG_OFF };
enum hr_log_format { HR_LOG_TEXT, HR_LOG_JSON };

void hr_log_configure(enum hr_log_level level, enum hr_log_format format);
bool hr_log_level_parse(const char *text, enum hr_log_level *out);
bool hr_log_enabled(enum hr_log_level level);

/* State of one call site, for the rate limit. */
struct hr_log_site {
    long long window_start_ms;
    int count;
    int suppressed;
};

void hr_log_write(struct hr_log_site *site, enum hr_log_level level, const char *query, const char *format, ...)
    HR_PRINTF(4, 5);

/* query may be NULL. */
#define hr_log(level, query, ...) \
    do { \
        if (hr_log_enabled(level)) { \
            static struct hr_log_site hr_log_site_here; \
            hr_log_write(&hr_log_site_here, level, query, __VA_ARGS__); \
        } \
    } while (0)
#define hr_log_debug(query, ...) hr_log(HR_LOG_DEBUG, query, __VA_ARGS__)
#define hr_log_info(query, ...) hr_log(HR_LOG_INFO, query, __VA_ARGS__)
#define hr_log_warn(query, ...) hr_log(HR_LOG_WARN, query, __VA_ARGS__)
#define hr_log_error(query, ...) hr_log(HR_LOG_ERROR, query, __VA_ARGS__)

#endif
