/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of fault points, and HEADRACE_FAULT=NAME:N:ACTION[,…] read once.
 */
#include "base/fault.h"

#ifdef HEADRACE_FAULTS
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/units.h"
#endif

const struct hr_fault_point hr_fault_points[] = {
#define FAULT_POINT(point_name, point_meaning) {point_name, point_meaning},
    HR_FAULT_POINTS(FAULT_POINT)
#undef FAULT_POINT
};
const size_t hr_fault_point_count = HR_ARRAY_LEN(hr_fault_points);

#ifdef HEADRACE_FAULTS

enum fault_action { FAULT_CRASH, FAULT_ERROR, FAULT_DELAY };

struct fault {
    char name[64];
    int64_t pass; /* fires at this pass, from 1 */
    int64_t seen;
    enum fault_action action;
    int64_t delay_us;
};

#define FAULTS_MAX 16

static struct fault faults[FAULTS_MAX];
static size_t fault_count;
static pthread_once_t faults_read = PTHREAD_ONCE_INIT;

static void fault_refuse(const char *text)
{
    fprintf(stderr, "headrace: HEADRACE_FAULT: '%s' is not NAME:N:crash|error|delay=DURATION with a known NAME\n",
            text);
    abort();
}

static void fault_parse(char *text)
{
    char whole[128];
    (void)snprintf(whole, sizeof(whole), "%s", text);
    char *rest = text;
    const char *name = strsep(&rest, ":");
    const char *pass = strsep(&rest, ":");
    const char *action = rest;
    struct fault *fault = &faults[fault_count];
    bool known = false;
    for (size_t i = 0; i < hr_fault_point_count; i++) {
        known = known || strcmp(name, hr_fault_points[i].name) == 0;
    }
    if (fault_count == FAULTS_MAX || !known || pass == NULL || action == NULL ||
        !hr_number_parse_int64(pass, strlen(pass), &fault->pass)) {
        fault_refuse(whole);
    }
    (void)snprintf(fault->name, sizeof(fault->name), "%s", name);
    if (strcmp(action, "crash") == 0) {
        fault->action = FAULT_CRASH;
    } else if (strcmp(action, "error") == 0) {
        fault->action = FAULT_ERROR;
    } else if (strncmp(action, "delay=", 6) == 0 && hr_units_parse_duration(action + 6, &fault->delay_us)) {
        fault->action = FAULT_DELAY;
    } else {
        fault_refuse(whole);
    }
    fault_count++;
}

static void faults_read_environment(void)
{
    const char *setting = getenv("HEADRACE_FAULT");
    if (setting == NULL) {
        return;
    }
    char copy[1024];
    (void)snprintf(copy, sizeof(copy), "%s", setting);
    char *rest = copy;
    for (char *one = strsep(&rest, ","); one != NULL; one = strsep(&rest, ",")) {
        if (*one != '\0') {
            fault_parse(one);
        }
    }
}

enum hr_status hr_fault(const char *name, struct hr_error *err)
{
    pthread_once(&faults_read, faults_read_environment);
    for (size_t i = 0; i < fault_count; i++) {
        struct fault *fault = &faults[i];
        if (strcmp(fault->name, name) != 0 || __atomic_add_fetch(&fault->seen, 1, __ATOMIC_RELAXED) != fault->pass) {
            continue;
        }
        switch (fault->action) {
        case FAULT_CRASH:
            (void)kill(getpid(), SIGKILL); /* as hard as it gets: no handler, no flush */
            pause();
            break;
        case FAULT_ERROR:
            return hr_fail(err, HR_UNAVAILABLE, "fault '%s' at pass %lld", name, (long long)fault->pass);
        case FAULT_DELAY:
            hr_clock_system.sleep_us(NULL, fault->delay_us);
            break;
        }
    }
    return HR_OK;
}

#endif
