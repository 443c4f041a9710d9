/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging rejects, and the window of maxRatio: one bit for each of the last 10,000 records, in paged memory, so that a
 * restart neither forgets nor repeats.
 */
#include "stream/bad_records.h"

#include <stdlib.h>

#define WINDOW_RECORDS 10000u

struct bad_window {
    uint64_t seen;
    uint64_t bad; /* among the last WINDOW_RECORDS */
    uint8_t bits[(WINDOW_RECORDS + 7) / 8];
};

static bool reject_is_of_row(enum hr_reason reason)
{
    return reason == HR_REASON_STAGE || reason == HR_REASON_MODEL;
}

static enum hr_status reject_fail(const struct hr_run *run, const struct hr_reject *reject, struct hr_error *err)
{
    const struct hr_record *record = &run->records.items[reject->record];
    char place[400];
    hr_record_place(record, place, sizeof(place));
    (void)hr_fail(err, HR_BAD_DATA, "%s%s%s", place, place[0] != '\0' ? ": " : "", reject->message);
    return hr_fail_hint(err, "set deadLetter: to put such records aside%s",
                        reject_is_of_row(reject->reason) ? "" : ", or format: {mode: drop} to leave them out");
}

enum hr_status hr_bad_records_judge(struct hr_run *run, struct hr_error *err)
{
    struct hr_rejects *rejects = &run->rejects;
    if (rejects->count == run->judged_rejects) {
        return HR_OK;
    }
    bool dead_letter = run->plan->dead_letter != NULL || run->discards_rejects;
    enum hr_bad_record_mode mode = run->plan->format->mode;
    size_t kept = run->judged_rejects;
    for (size_t i = run->judged_rejects; i < rejects->count; i++) {
        struct hr_reject *reject = &rejects->items[i];
        if (run->records.items[reject->record].flags & HR_RECORD_TOMBSTONE) {
            /* Decoders only see that there is nothing. */
            reject->reason = HR_REASON_TOMBSTONE;
            reject->message = "the record has no value (a tombstone)";
        }
        if (reject_is_of_row(reject->reason)) {
            if (!dead_letter) {
                return reject_fail(run, reject, err);
            }
        } else if (mode == HR_MODE_DROP && reject->reason != HR_REASON_TOMBSTONE) {
            run->record.dead_letters++;
            continue;
        } else if (reject->reason != HR_REASON_TOMBSTONE && (mode == HR_MODE_FAIL_FAST || !dead_letter)) {
            return reject_fail(run, reject, err);
        }
        rejects->items[kept++] = *reject;
    }
    rejects->count = run->judged_rejects = kept;
    return HR_OK;
}

static int reject_order(const void *a, const void *b)
{
    uint32_t left = ((const struct hr_reject *)a)->record;
    uint32_t right = ((const struct hr_reject *)b)->record;
    return left < right ? -1 : left > right;
}

/* Takes one record into the window; returns the share of bad ones, 0 before the window is full. */
static double window_take(struct bad_window *window, bool bad)
{
    size_t slot = window->seen % WINDOW_RECORDS;
    uint8_t mask = (uint8_t)(1u << (slot % 8));
    if (window->bits[slot / 8] & mask) {
        window->bad--;
    }
    window->bits[slot / 8] = (uint8_t)(bad ? window->bits[slot / 8] | mask : window->bits[slot / 8] & ~mask);
    window->bad += bad;
    window->seen++;
    return window->seen < WINDOW_RECORDS ? 0.0 : (double)window->bad / WINDOW_RECORDS;
}

static enum hr_status window_check(struct hr_run *run, struct hr_error *err)
{
    HR_TRY(hr_paged_resize(&run->bad_records, sizeof(struct bad_window), err));
    struct bad_window *window = (struct bad_window *)run->bad_records.data;
    hr_paged_mark_range(&run->bad_records, 0, sizeof(*window));
    double limit = run->plan->dead_letter->max_ratio;
    size_t next = 0;
    for (uint32_t i = 0; i < run->records.count; i++) {
        if (run->records.items[i].flags & HR_RECORD_HEADER) {
            continue;
        }
        bool bad = next < run->rejects.count && run->rejects.items[next].record == i;
        next += bad;
        double ratio = window_take(window, bad);
        if (ratio > limit) {
            (void)hr_fail(err, HR_BAD_DATA,
                          "%.2f %% of the last %u records are bad, deadLetter.maxRatio allows %.2f %%", ratio * 100,
                          WINDOW_RECORDS, limit * 100);
            return next == 0 ? HR_BAD_DATA
                             : hr_fail_hint(err, "the last one: %s", run->rejects.items[next - 1].message);
        }
    }
    return HR_OK;
}

enum hr_status hr_bad_records_write(struct hr_run *run, struct hr_error *err)
{
    struct hr_dead_letter *dead_letter = run->plan->dead_letter;
    if (dead_letter == NULL) {
        return HR_OK;
    }
    if (run->rejects.count > 1) {
        qsort(run->rejects.items, run->rejects.count, sizeof(*run->rejects.items), reject_order);
    }
    if (dead_letter->max_ratio > 0) {
        HR_TRY(window_check(run, err));
    }
    run->record.dead_letters += run->rejects.count;
    if (run->rejects.count == 0 || run->sinks[run->sink_count - 1].delivered) {
        return HR_OK;
    }
    return hr_dead_letter_write(dead_letter, &run->rejects, run->records.items, run->batch, err);
}
