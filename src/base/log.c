/* SPDX-License-Identifier: Apache-2.0
 *
 * One line an event, made in one buffer and written by one write(2), so that lines of several threads do not mix.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/redact.h"

#define LOG_REPEATS_MAX 10
#define LOG_WINDOW_MS 10000
#define LOG_LINE_MAX 8192

static enum hr_log_level log_level = HR_LOG_INFO;
static enum hr_log_format log_format = HR_LOG_TEXT;
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = {"DEBUG", "INFO", "WARN", "ERROR"};

void hr_log_configure(enum hr_log_level level, enum hr_log_format format)
{
    __atomic_store_n(&log_level, level, __ATOMIC_RELAXED);
    __atomic_store_n(&log_format, format, __ATOMIC_RELAXED);
}

bool hr_log_level_parse(const char *text, enum hr_log_level *out)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "off"};
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum hr_log_level)i;
            return true;
        }
    }
    return false;
}

bool hr_log_enabled(enum hr_log_level level)
{
    return level >= __atomic_load_n(&log_level, __ATOMIC_RELAXED);
}

static void log_emit(enum hr_log_level level, const char *query, const char *text)
{
    struct hr_buf shown HR_CLEANUP(hr_buf_release);
    hr_buf_init(&shown, LOG_LINE_MAX);
    const char *message = hr_redact(text, &shown);
    char timestamp[40];
    (void)hr_clock_format_utc_ms(hr_clock_wall_us(&hr_clock_system), timestamp);
    struct hr_buf line;
    hr_buf_init(&line, LOG_LINE_MAX);
    if (__atomic_load_n(&log_format, __ATOMIC_RELAXED) == HR_LOG_JSON) {
        struct hr_json json;
        hr_json_init(&json, &line);
        hr_json_object_begin(&json);
        hr_json_key(&json, "ts");
        hr_json_text(&json, timestamp);
        hr_json_key(&json, "level");
        hr_json_text(&json, level_names[level]);
        if (query != NULL) {
            hr_json_key(&json, "query");
            hr_json_text(&json, query);
        }
        hr_json_key(&json, "msg");
        hr_json_text(&json, message);
        hr_json_object_end(&json);
    } else {
        hr_buf_printf(&line, "%s %s %s%s%s", timestamp, level_names[level], query != NULL ? query : "",
                      query != NULL ? ": " : "", message);
    }
    hr_buf_append_char(&line, '\n');
    ssize_t written = write(STDERR_FILENO, line.data, line.length);
    (void)written; /* a closed standard error is no reason to stop */
    hr_buf_release(&line);
}

/* true: the line is to be written; *suppressed: how many were left out before it. */
static bool site_admits(struct hr_log_site *site, int *suppressed)
{
    long long now_ms = hr_clock_monotonic_ns(&hr_clock_system) / 1000000;
    *suppressed = 0;
    if (site->count == 0 || now_ms - site->window_start_ms >= LOG_WINDOW_MS) {
        *suppressed = site->suppressed;
        *site = (struct hr_log_site){.window_start_ms = now_ms};
    }
    if (site->count >= LOG_REPEATS_MAX) {
        site->suppressed++;
        return false;
    }
    site->count++;
    return true;
}

void hr_log_write(struct hr_log_site *site, enum hr_log_level level, const char *query, const char *format, ...)
{
    pthread_mutex_lock(&log_mutex);
    int suppressed;
    if (site_admits(site, &suppressed)) {
        char message[4096];
        if (suppressed > 0) {
            (void)snprintf(message, sizeof(message),
                           "%d log lines like the next one were left out (records are not affected)", suppressed);
            log_emit(level, query, message);
        }
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        log_emit(level, query, message);
    }
    pthread_mutex_unlock(&log_mutex);
}
