/* SPDX-License-Identifier: Apache-2.0
 *
 * Planning a batch of the Kafka source: a range up to what was fetched or asked for, shared fairly over the partitions,
 * then fetching until all of it is here.
 */
#include <stdio.h>

#include "base/clock.h"
#include "stream/source_kafka.h"

/* librdkafka's fetcher sleeps up to a second after its queue was full, as it is after a long batch. Asking for the ends
 * wakes it, and says how much there is; not more often than this. */
#define LONG_BATCH_NS INT64_C(50000000)
#define ASK_AGAIN_NS INT64_C(20000000)
#define LOOK_AGAIN_NS INT64_C(1000000000)
#define CUT_AFTER_NS INT64_C(1000000000)
#define WAITING_LEAST 16384
#define WAITING_SHARES 4
#define WAITING_BYTES_MAX ((uint64_t)128 << 20)
#define VERIFY_NS INT64_C(200000000)
#define CAUSE_NS INT64_C(1000000000)
#define FETCH_SLICE_US 20000

static bool reached(const struct hr_offsets *position, const struct hr_offsets *target)
{
    for (size_t i = 0; i < target->count; i++) {
        const struct hr_offset *wanted = &target->items[i];
        const struct hr_offset *offset = hr_offsets_find(position, wanted->name, wanted->partition);
        if (offset != NULL && offset->position < wanted->position) {
            return false;
        }
    }
    return true;
}

/* How far a range may go now. Returns the number of offsets up to there. */
int64_t hr_kafka_available(const struct hr_kafka_source *source, const struct hr_offsets *target, struct hr_offsets *to)
{
    int64_t total = 0;
    hr_offsets_copy(to, &source->base.position);
    for (size_t i = 0; i < to->count; i++) {
        struct hr_offset *offset = &to->items[i];
        const struct hr_kafka_partition *partition = &source->partitions[i];
        int64_t end = partition->end > partition->next ? partition->end : partition->next;
        if (target != NULL) {
            const struct hr_offset *last = hr_offsets_find(target, offset->name, offset->partition);
            end = last == NULL ? offset->position : last->position < end ? last->position : end;
        }
        if (end > offset->position) {
            total += end - offset->position;
            offset->position = end;
        }
    }
    return total;
}

/* minOffsetsPerTrigger: too little waits, and not for too long. */
static bool wait_for_more(struct hr_kafka_source *source, int64_t total, const struct hr_source_limit *limit)
{
    const struct hr_kafka_source_options *options = hr_kafka_options_of(source);
    if (limit->target != NULL || total >= options->rows_per_trigger_min) {
        source->waiting_ns = 0;
        return false;
    }
    int64_t now = hr_kafka_now_ns();
    if (source->waiting_ns == 0) {
        source->waiting_ns = now;
    }
    if ((now - source->waiting_ns) / 1000 >= options->trigger_delay_max_us) {
        source->waiting_ns = 0;
        return false;
    }
    return true;
}

/* Chooses source->range, or leaves has_range false: nothing is there. */
static void choose_range(struct hr_kafka_source *source, const struct hr_source_limit *limit)
{
    struct hr_offsets to = {0};
    int64_t total = hr_kafka_available(source, limit->target, &to);
    int64_t since_asked = hr_kafka_now_ns() - source->asked_ns;
    bool was_full = source->returned_ns != 0 && source->entered_ns - source->returned_ns > LONG_BATCH_NS;
    if (total > 0 ? total < limit->rows && since_asked > ASK_AGAIN_NS && was_full && limit->target == NULL
                  : source->watch.down && since_asked > LOOK_AGAIN_NS) {
        source->asked_ns = hr_kafka_now_ns();
        (void)hr_kafka_position_ends(source, 500, NULL);
        total = hr_kafka_available(source, limit->target, &to);
    }
    if (total > 0 ? !wait_for_more(source, total, limit) : source->moved) {
        hr_offsets_limit(&source->base.position, &to, limit->rows, &source->range);
        source->has_range = true;
        source->got_ns = hr_kafka_now_ns();
        source->moved = false;
    }
    hr_offsets_release(&to);
}

/* Takes what librdkafka holds already, as much as a batch may have; it fetches as much again in its place. Messages
 * come in runs of one partition: small batches look beyond their own for the others, but not without end. */
static enum hr_status take_waiting(struct hr_kafka_source *source, int64_t rows, struct hr_error *err)
{
    const int64_t share = rows > WAITING_LEAST ? rows : WAITING_LEAST;
    int64_t taken = 0;
    size_t got = 1;
    while (got > 0 && taken < share && source->waiting_count / WAITING_SHARES < share &&
           source->waiting_bytes < WAITING_BYTES_MAX) {
        HR_TRY(hr_kafka_fetch(source, 0, &got, err));
        taken += (int64_t)got;
    }
    return HR_OK;
}

/* A lost connection gives no cause; the attempts to have it back, which follow at once, do. */
static void say_waiting(struct hr_kafka_source *source)
{
    const struct hr_kafka_watch *watch = &source->watch;
    source->base.waiting_for[0] = '\0';
    if (watch->down && (watch->cause != 0 || hr_kafka_now_ns() - watch->down_ns > CAUSE_NS)) {
        (void)snprintf(source->base.waiting_for, sizeof(source->base.waiting_for), "the broker %.120s (%s)",
                       hr_kafka_bootstrap(&hr_kafka_options_of(source)->properties), watch->text);
    }
}

/* A partition whose leader is away must not hold up the others, and large records must not fill the memory: the range
 * is cut to what is here. */
static void cut_range(struct hr_kafka_source *source)
{
    for (size_t i = 0; i < source->partition_count; i++) {
        const struct hr_kafka_partition *partition = &source->partitions[i];
        struct hr_offset *end = hr_offsets_find(&source->range, partition->topic, partition->number);
        int64_t position = source->base.position.items[i].position;
        if (end != NULL && end->position > partition->next) {
            end->position = partition->next > position && !partition->verify ? partition->next : position;
        }
    }
    source->has_range = !hr_offsets_equal(&source->range, &source->base.position);
}

/* Fetches until the range is complete, and chooses one where there is none. HR_AGAIN after wait_us. */
static enum hr_status plan_until(struct hr_kafka_source *source, const struct hr_source_limit *limit,
                                 struct hr_error *err)
{
    int64_t begin = hr_kafka_now_ns();
    for (;;) {
        if (!source->has_range) {
            choose_range(source, limit);
            source->base.waited_ns = hr_kafka_now_ns() - begin;
        }
        if (source->has_range && hr_kafka_fetch_complete(source, &source->range)) {
            return HR_OK;
        }
        if (source->has_range &&
            (source->waiting_bytes >= WAITING_BYTES_MAX || hr_kafka_now_ns() - source->got_ns > CUT_AFTER_NS)) {
            cut_range(source);
            if (source->has_range) {
                return HR_OK;
            }
        }
        int64_t left_us = limit->wait_us - (hr_kafka_now_ns() - begin) / 1000;
        if (left_us <= 0 && !(source->has_range && limit->wait_us == 0)) {
            return HR_AGAIN;
        }
        size_t got = 0;
        int64_t slice = source->has_range || source->waiting_ns > 0 ? FETCH_SLICE_US : left_us;
        HR_TRY(hr_kafka_fetch(source, slice, &got, err));
        if (got > 0 && !source->has_range) {
            HR_TRY(take_waiting(source, limit->rows, err)); /* what came with the first one */
        }
        if (got == 0 && source->has_range) {
            if (hr_kafka_now_ns() - source->asked_ns > ASK_AGAIN_NS) {
                source->asked_ns = hr_kafka_now_ns();
                (void)hr_kafka_position_ends(source, 500, NULL);
            }
            if (limit->wait_us == 0) {
                return HR_AGAIN;
            }
        }
    }
}

/* Before anything is concluded from positions: the topics are still those that they were read of. */
static enum hr_status verify_anchors(struct hr_kafka_source *source, struct hr_error *err)
{
    int64_t begin = hr_kafka_now_ns();
    while (!hr_kafka_fetch_verified(source)) {
        size_t got;
        HR_TRY(hr_kafka_fetch(source, FETCH_SLICE_US, &got, err));
        if (source->watch.down || hr_kafka_now_ns() - begin > VERIFY_NS) {
            say_waiting(source);
            return hr_kafka_fetch_verified(source) ? HR_OK : HR_AGAIN;
        }
    }
    return HR_OK;
}

enum hr_status hr_kafka_plan(struct hr_source *base, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                             struct hr_error *err)
{
    struct hr_kafka_source *source = (struct hr_kafka_source *)base;
    source->entered_ns = hr_kafka_now_ns();
    hr_kafka_fetch_free_handed(source);     /* before others are taken */
    (void)rd_kafka_poll(source->client, 0); /* error callbacks, also where enough waits */
    /* First of all: a topic that is gone never shows its anchors. */
    bool changed;
    HR_TRY(hr_kafka_position_discover(source, &changed, err));
    if (changed) {
        HR_TRY(hr_kafka_fetch_assign(source, err));
    }
    HR_TRY(verify_anchors(source, err));
    if (limit->target != NULL && !source->has_range && !source->moved && reached(&base->position, limit->target)) {
        return HR_END;
    }
    HR_TRY(take_waiting(source, limit->rows, err));
    enum hr_status status = plan_until(source, limit, err);
    say_waiting(source);
    source->returned_ns = hr_kafka_now_ns();
    if (status == HR_OK) {
        hr_offsets_copy(out_end, &source->range);
        source->has_range = false;
    }
    return status;
}
