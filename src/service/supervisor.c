/* SPDX-License-Identifier: Apache-2.0
 *
 * Two threads beside the queries': the caller's, which waits for queries to end, and one that waits for signals. No
 * work is done in a signal handler: the signals are blocked and taken with sigtimedwait.
 *
 *     running --SIGTERM--> finishing --second signal or 30 s--> aborting --5 s--> the process is given up
 */
#include "service/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "service/command.h"

#define FINISH_SECONDS 30
/* Wrappers such as timeout signal a process and its group: that is one request. */
#define SAME_SIGNAL_NS INT64_C(300000000)
#define ABORT_SECONDS 5
#define EXIT_ABORTED 1
/* With several queries running: how long to wait for one before the next is looked at. */
#define TURN_US 20000

struct supervisor {
    struct hr_query *const *queries;
    size_t count;
    int level;     /* of stop, as asked for so far; written by the signal thread */
    bool finished; /* all queries have ended: the signal thread goes home */
};

static void signals_of_interest(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void hr_supervisor_hold_signals(void)
{
    sigset_t set;
    signals_of_interest(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a limit of file sizes (ulimit -f) is then an error of the write */
}

static void supervisor_stop(struct supervisor *supervisor, int level)
{
    __atomic_store_n(&supervisor->level, level, __ATOMIC_RELEASE);
    for (size_t i = 0; i < supervisor->count; i++) {
        hr_query_stop(supervisor->queries[i], level);
    }
}

/* Waits for a signal, 0 seconds: for ever. 0: time is up. */
static int next_signal(time_t seconds)
{
    sigset_t set;
    signals_of_interest(&set);
    struct timespec timeout = {.tv_sec = seconds};
    int signal_number;
    do {
        signal_number = sigtimedwait(&set, NULL, seconds > 0 ? &timeout : NULL);
    } while (signal_number < 0 && errno == EINTR);
    return signal_number > 0 ? signal_number : 0;
}

static bool is_finished(const struct supervisor *supervisor)
{
    return __atomic_load_n(&supervisor->finished, __ATOMIC_ACQUIRE);
}

static void *signals_main(void *argument)
{
    struct supervisor *supervisor = argument;
    int signal_number = next_signal(0);
    if (is_finished(supervisor)) {
        return NULL;
    }
    hr_log_info(NULL, "%s: finishing the batch, then stopping; a second signal aborts it",
                signal_number == SIGINT ? "SIGINT" : "SIGTERM");
    supervisor_stop(supervisor, 1);
    int first = signal_number;
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    do {
        signal_number = next_signal(FINISH_SECONDS);
    } while (signal_number == first && hr_clock_monotonic_ns(&hr_clock_system) - begin < SAME_SIGNAL_NS &&
             !is_finished(supervisor));
    if (is_finished(supervisor)) {
        return NULL;
    }
    if (signal_number == 0) {
        hr_log_warn(NULL, "not stopped after %d s: the batch is aborted; it runs again at the next start",
                    FINISH_SECONDS);
    } else {
        hr_log_warn(NULL, "second signal: the batch is aborted; it runs again at the next start");
    }
    supervisor_stop(supervisor, 2);
    do {
        signal_number = next_signal(ABORT_SECONDS);
    } while (signal_number != 0 && !is_finished(supervisor));
    if (!is_finished(supervisor)) {
        hr_log_error(NULL, "not stopped %d s after the abort: the process is given up; the checkpoint is safe",
                     ABORT_SECONDS);
        hr_process_abandon(EXIT_ABORTED);
    }
    return NULL;
}

/* Reports an ended query once; returns its exit code. */
static int query_finish(const struct hr_query *query)
{
    const struct hr_error *err;
    enum hr_status status = hr_query_result(query, &err);
    if (status == HR_OK) {
        return 0;
    }
    hr_log_error(hr_query_name(query), "%s", err->text);
    if (hr_error_hint(err)[0] != '\0') {
        hr_log_error(hr_query_name(query), "hint: %s", hr_error_hint(err));
    }
    return hr_status_exit_code(status);
}

static int queries_wait(const struct supervisor *supervisor)
{
    bool *ended = hr_calloc(supervisor->count, sizeof(*ended));
    size_t running = supervisor->count;
    int worst = 0;
    while (running > 0) {
        for (size_t i = 0; i < supervisor->count; i++) {
            if (ended[i] || !hr_query_wait(supervisor->queries[i], running > 1 ? TURN_US : -1)) {
                continue;
            }
            ended[i] = true;
            running--;
            int exit_code = query_finish(supervisor->queries[i]);
            worst = exit_code > worst ? exit_code : worst;
            if (exit_code != 0 && running > 0) {
                hr_log_warn(hr_query_name(supervisor->queries[i]), "failed; %zu other queries go on", running);
            }
        }
    }
    hr_free(ended);
    return worst;
}

int hr_supervisor_run(struct hr_query *const *queries, size_t count)
{
    struct supervisor supervisor = {.queries = queries, .count = count};
    pthread_t signals = hr_thread_start("signals", signals_main, &supervisor);
    for (size_t i = 0; i < count; i++) {
        hr_query_start(queries[i]);
    }
    int exit_code = queries_wait(&supervisor);
    __atomic_store_n(&supervisor.finished, true, __ATOMIC_RELEASE);
    pthread_kill(signals, SIGTERM);
    pthread_join(signals, NULL);
    int level = __atomic_load_n(&supervisor.level, __ATOMIC_ACQUIRE);
    return level >= 2 && exit_code == 0 ? EXIT_ABORTED : exit_code;
}
