/* SPDX-License-Identifier: Apache-2.0
 *
 * protocol_sim: runs schedules for a time or a number, in several processes, and says what it saw. A failure prints the
 * seed and the schedule, and the schedule's trace.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sim.h"

struct options {
    uint64_t seed;
    int64_t seconds;   /* 0: no limit */
    int64_t schedules; /* 0: no limit */
    int64_t only;      /* one schedule, with its trace; −1: none */
    int jobs;
    bool bugs; /* each planted bug must be found */
};

/* What a process reports to the one that started it. */
struct report {
    int64_t schedules;
    int64_t steps;
    int64_t batches;
    int64_t starts;
    int64_t failed; /* schedule, −1: none */
    char failure[2048];
    uint64_t reached[SIM_STEP_COUNT][2][SIM_FAULT_COUNT];
    uint64_t actions[8];
    uint64_t lineages;
};

static struct sim_world world;
static struct report result;
static uint64_t running_seed;
static int64_t running_schedule;

/* An assertion of the engine is a finding like any other: say which schedule it was. */
static void on_abort(int signal_number)
{
    char text[160];
    int length = snprintf(text, sizeof(text), "protocol_sim: signal %d; again: --seed %llu --schedule %lld%s%s\n",
                          signal_number, (unsigned long long)running_seed, (long long)running_schedule,
                          sim_planted != SIM_BUG_NONE ? " --bug " : "",
                          sim_planted != SIM_BUG_NONE ? sim_bug_names[sim_planted] : "");
    if (write(STDERR_FILENO, text, (size_t)length) < 0) {
        _exit(2);
    }
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

/* Schedules first, first + stride, … until one fails or the limits are reached. */
static void run_range(const struct options *options, int64_t first, int64_t stride)
{
    int64_t end_ns = hr_clock_monotonic_ns(&hr_clock_system) + options->seconds * 1000000000;
    result.failed = -1;
    for (int64_t i = first; options->schedules == 0 || i < options->schedules; i += stride) {
        if (options->seconds > 0 && hr_clock_monotonic_ns(&hr_clock_system) > end_ns) {
            break;
        }
        running_schedule = i;
        bool good = sim_run_schedule(&world, options->seed, i, false);
        result.schedules++;
        result.steps += world.step;
        result.batches += world.batches;
        result.starts += world.instance_count;
        if (!good) {
            result.failed = i;
            memcpy(result.failure, world.failure, sizeof(result.failure));
            break;
        }
    }
    memcpy(result.reached, sim_reached, sizeof(sim_reached));
    memcpy(result.actions, sim_actions, sizeof(sim_actions));
    result.lineages = sim_lineages;
}

static void finish(void)
{
    sim_check_free();
    sim_world_release(&world);
    sim_plans_free();
}

/* Starts a process for one share; returns where its report comes from. */
static int start_job(const struct options *options, int64_t first, int64_t stride)
{
    int ends[2];
    if (pipe(ends) != 0) {
        perror("pipe");
        exit(2);
    }
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid != 0) {
        (void)close(ends[1]);
        return ends[0];
    }
    run_range(options, first, stride);
    const char *bytes = (const char *)&result;
    for (size_t done = 0; done < sizeof(result);) {
        ssize_t got = write(ends[1], bytes + done, sizeof(result) - done);
        if (got <= 0) {
            _exit(2);
        }
        done += (size_t)got;
    }
    finish();
    (void)fflush(stdout);
    _exit(0);
}

static bool read_report(int fd, struct report *out)
{
    char *bytes = (char *)out;
    size_t done = 0;
    ssize_t got;
    while (done < sizeof(*out) && (got = read(fd, bytes + done, sizeof(*out) - done)) > 0) {
        done += (size_t)got;
    }
    (void)close(fd);
    return done == sizeof(*out);
}

/* All jobs; false: one of them did not come to its end. */
static bool run_jobs(const struct options *options, struct report *total)
{
    static struct report part;
    int fds[64];
    bool whole = true;
    *total = (struct report){.failed = -1};
    for (int i = 0; i < options->jobs; i++) {
        fds[i] = start_job(options, i, options->jobs);
    }
    for (int i = 0; i < options->jobs; i++) {
        if (!read_report(fds[i], &part)) {
            whole = false; /* it said why */
            continue;
        }
        total->schedules += part.schedules;
        total->steps += part.steps;
        total->batches += part.batches;
        total->starts += part.starts;
        total->lineages += part.lineages;
        if (part.failed >= 0 && (total->failed < 0 || part.failed < total->failed)) {
            total->failed = part.failed;
            memcpy(total->failure, part.failure, sizeof(part.failure));
        }
        for (size_t k = 0; k < sizeof(sim_reached) / sizeof(uint64_t); k++) {
            ((uint64_t *)total->reached)[k] += ((uint64_t *)part.reached)[k];
        }
        for (size_t k = 0; k < HR_ARRAY_LEN(sim_actions); k++) {
            total->actions[k] += part.actions[k];
        }
    }
    int status;
    while (wait(&status) > 0) {
        whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return whole;
}

/* ---- what was seen ------------------------------------------------------------------------------------------ */

/* Prints how often each step got each fault; returns how many combinations were never reached. */
static int print_reached(const struct report *report)
{
    int missing = 0;
    printf("%-26s %9s %9s %9s   %9s %9s %9s\n", "", "crash", "error", "pause", "crash", "error", "pause");
    printf("%-26s %29s   %29s\n", "step", "before its effect", "after its effect");
    for (int step = 0; step < SIM_STEP_COUNT; step++) {
        if (step == SIM_SINK_LEDGER) {
            continue; /* only with a planted bug */
        }
        printf("%-26s", sim_step_names[step]);
        for (int after = 0; after < 2; after++) {
            for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
                uint64_t count = report->reached[step][after][fault];
                /* What returns nothing cannot fail; a start cannot sleep before it has its sinks. */
                bool possible = (fault != SIM_ERROR || sim_step_fails[step]) &&
                                (fault != SIM_PAUSE || (step != SIM_SINK_OPEN || after));
                missing += possible && count == 0;
                printf(" %9llu", (unsigned long long)count);
            }
            printf("  ");
        }
        putchar('\n');
    }
    return missing;
}

static int simulate(const struct options *options)
{
    static struct report total;
    int64_t start_ns = hr_clock_monotonic_ns(&hr_clock_system);
    printf("seed %llu, %d jobs\n", (unsigned long long)options->seed, options->jobs);
    bool whole = run_jobs(options, &total);
    double seconds = (double)(hr_clock_monotonic_ns(&hr_clock_system) - start_ns) / 1e9;
    if (total.failed >= 0) {
        printf("FAILED: schedule %lld: %s\nagain: protocol_sim --seed %llu --schedule %lld\n", (long long)total.failed,
               total.failure, (unsigned long long)options->seed, (long long)total.failed);
        running_schedule = total.failed;
        (void)sim_run_schedule(&world, options->seed, total.failed, true);
        finish();
        return 1;
    }
    int missing = print_reached(&total);
    printf("recovery: %llu went on, %llu dropped, %llu committed, %llu replayed, %llu refused; %llu new lineages\n",
           (unsigned long long)total.actions[0], (unsigned long long)total.actions[1],
           (unsigned long long)total.actions[2], (unsigned long long)total.actions[3],
           (unsigned long long)total.actions[4], (unsigned long long)total.lineages);
    printf("%lld schedules, %lld starts, %lld batches, %lld steps in %.1f s: %.0f schedules a minute, 0 failures\n",
           (long long)total.schedules, (long long)total.starts, (long long)total.batches, (long long)total.steps,
           seconds, (double)total.schedules * 60 / seconds);
    if (!whole) {
        printf("FAILED: a job did not come to its end\n");
        return 1;
    }
    /* A short run need not reach everything. */
    if (missing > 0 && total.schedules >= 50000) {
        printf("FAILED: %d faults were never reached\n", missing);
        return 1;
    }
    return 0;
}

/* Each planted bug must be found. Schedules run in order and in one process, so that the number means something. */
static int find_bugs(const struct options *options)
{
    int unfound = 0;
    printf("seed %llu\n%-24s %10s  %s\n", (unsigned long long)options->seed, "planted bug", "schedules", "found as");
    for (int bug = SIM_BUG_NONE + 1; bug < SIM_BUG_COUNT; bug++) {
        sim_planted = (enum sim_bug)bug;
        result = (struct report){0};
        run_range(options, 0, 1);
        if (result.failed < 0) {
            unfound++;
            printf("%-24s %10lld  NOT FOUND\n", sim_bug_names[bug], (long long)result.schedules);
        } else {
            printf("%-24s %10lld  %s\n", sim_bug_names[bug], (long long)result.schedules, result.failure);
        }
        (void)fflush(stdout);
    }
    sim_planted = SIM_BUG_NONE;
    printf("%d of %d planted bugs found\n", SIM_BUG_COUNT - 1 - unfound, SIM_BUG_COUNT - 1);
    finish();
    return unfound > 0;
}

static int replay(const struct options *options)
{
    running_schedule = options->only;
    bool good = sim_run_schedule(&world, options->seed, options->only, true);
    printf("%s%s\n", good ? "ok" : "FAILED: ", world.failure);
    finish();
    return !good;
}

/* ---- the command line --------------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: protocol_sim [--seed N] [--seconds N] [--schedules N] [--jobs N]\n"
    "       protocol_sim --bugs [--seed N] [--schedules N]   each planted bug must be found\n"
    "       protocol_sim --seed N --schedule N [--bug NAME]  one schedule again, with its trace\n";

static void plant(const char *name)
{
    for (int bug = 0; bug < SIM_BUG_COUNT; bug++) {
        if (strcmp(name, sim_bug_names[bug]) == 0) {
            sim_planted = (enum sim_bug)bug;
            return;
        }
    }
    (void)fprintf(stderr, "protocol_sim: no bug is called '%s'\n", name);
    exit(64);
}

int main(int argc, char **argv)
{
    static const struct option rows[] = {
        {"seed", required_argument, NULL, 's'},      {"seconds", required_argument, NULL, 't'},
        {"schedules", required_argument, NULL, 'n'}, {"schedule", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},      {"bugs", no_argument, NULL, 'B'},
        {"bug", required_argument, NULL, 'b'},       {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = 1, .only = -1, .jobs = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        switch (option) {
        case 's':
            options.seed = strtoull(optarg, NULL, 10);
            break;
        case 't':
            options.seconds = strtoll(optarg, NULL, 10);
            break;
        case 'n':
            options.schedules = strtoll(optarg, NULL, 10);
            break;
        case 'o':
            options.only = strtoll(optarg, NULL, 10);
            break;
        case 'j':
            options.jobs = (int)strtol(optarg, NULL, 10);
            break;
        case 'B':
            options.bugs = true;
            break;
        case 'b':
            plant(optarg);
            break;
        default:
            (void)fputs(usage, stderr);
            return 64;
        }
    }
    if (options.jobs < 1 || options.jobs > 64) {
        (void)fputs(usage, stderr);
        return 64;
    }
    if (options.schedules == 0 && options.seconds == 0) {
        options.schedules = 100000;
    }
    hr_log_configure(HR_LOG_OFF, HR_LOG_TEXT);
    (void)signal(SIGABRT, on_abort);
    (void)signal(SIGSEGV, on_abort);
    running_seed = options.seed;
    if (options.only >= 0) {
        return replay(&options);
    }
    return options.bugs ? find_bugs(&options) : simulate(&options);
}
