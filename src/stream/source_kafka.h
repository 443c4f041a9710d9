/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Kafka source share: source_kafka.c (options, life, read), source_kafka_plan.c,
 * source_kafka_check.c (plan-time checks), source_kafka_find.c (which partitions), source_kafka_position.c (where to
 * start, whether a position can still be read) and source_kafka_fetch.c (messages from librdkafka into a queue a
 * partition). Invariant: `partitions` and base.position are sorted alike and have the same entries.
 */
#ifndef HR_STREAM_SOURCE_KAFKA_H
#define HR_STREAM_SOURCE_KAFKA_H

#include "base/clock.h"
#include "base/kafka.h"
#include "stream/source.h"

/* How long one question to the brokers may take. */
#define HR_KAFKA_ASK_MS 5000

struct hr_kafka_source_options {
    struct hr_string_list topics;
    const char *pattern;
    struct hr_yaml *assign;
    struct hr_yaml *starting_offsets;
    const char *starting_timestamp;
    int64_t rows_per_trigger_min;
    int64_t trigger_delay_max_us;
    bool fail_on_data_loss;
    bool include_headers;
    struct hr_properties properties;
};

/* One assigned partition. Messages wait in a ring of pointers, in the order of their offsets. */
struct hr_kafka_partition {
    struct hr_str topic; /* terminated; in name_arena */
    int32_t number;
    int64_t low;  /* first offset that the broker has, as last asked */
    int64_t end;  /* what readers may see, as last asked */
    int64_t next; /* everything below was fetched, or does not exist */
    bool verify;  /* the first message to come is the anchor */
    rd_kafka_message_t **ring;
    size_t capacity; /* a power of two */
    size_t head;
    size_t count;
};

struct hr_kafka_source {
    struct hr_source base;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    struct hr_kafka_watch watch;
    struct hr_kafka_partition *partitions;
    size_t partition_count;
    size_t last;                   /* index of the partition that the last message was of */
    rd_kafka_message_t **incoming; /* what one call to librdkafka gave */
    rd_kafka_message_t **handed;   /* that of each record of the last read; NULL: not needed any more */
    size_t handed_count;
    size_t handed_capacity;
    struct hr_arena name_arena; /* topics of partitions: not the query's arena, for plan may run on another thread */
    struct hr_arena header_arena;
    uint64_t waiting_bytes;  /* of values in all rings */
    int64_t waiting_count;   /* messages in all rings */
    int64_t got_ns;          /* when the last message came, or a range was chosen */
    struct hr_offsets range; /* chosen by plan, not complete yet */
    bool has_range;
    int64_t asked_ns;      /* when the ends were asked for last */
    int64_t discovered_ns; /* when partitions were looked for last */
    int64_t entered_ns;    /* the last plan: it began, it returned */
    int64_t returned_ns;
    int64_t published_ns;        /* when positions were published to the group last */
    int64_t waiting_ns;          /* minOffsetsPerTrigger: since when something waits; 0: nothing */
    struct hr_offsets committed; /* end of the last committed batch */
    bool unpublished;            /* and the group does not know of it */
    bool assigned_anew;          /* by one of the messages that were taken together */
    bool missing;                /* a partition was not to be found when they were looked for last */
    bool moved; /* a position was moved over a gap: the next batch makes that durable, even when it is empty */
};

static inline const struct hr_kafka_source_options *hr_kafka_options_of(const struct hr_kafka_source *source)
{
    return source->base.options;
}
static inline bool hr_kafka_stopping(const struct hr_kafka_source *source)
{
    return source->base.stop != NULL && hr_stop_level(source->base.stop) > 0;
}
static inline int64_t hr_kafka_now_ns(void)
{
    return hr_clock_monotonic_ns(&hr_clock_system);
}

/* ---- source_kafka_check.c, source_kafka_position.c ------------------------------------------------------------- */

/* `assign`, `startingOffsets`, `startingTimestamp` and the pattern are well-formed. */
void hr_kafka_position_check(struct hr_kafka_source *source, struct hr_findings *findings);
/* Finds all partitions and their positions, and takes them: committed ones, those of the starting options (committed
 * NULL), the earliest offset for partitions that are new. HR_BAD_CONFIG: a topic is missing; HR_DATA_LOSS;
 * HR_UNAVAILABLE. */
enum hr_status hr_kafka_position_open(struct hr_kafka_source *source, const struct hr_offsets *committed,
                                      struct hr_error *err);
/* A partition is gone for good: HR_DATA_LOSS, or, with failOnDataLoss false, HR_UNAVAILABLE: the next start goes on
 * without it. */
enum hr_status hr_kafka_position_gone(const struct hr_kafka_source *source, struct hr_str topic, int32_t partition,
                                      struct hr_error *err);
/* Looks for partitions that are new, at most every ten seconds; takes them at their first offset. *changed: there were
 * some. No answer is no error; a partition that is missing twice in a row is gone. */
enum hr_status hr_kafka_position_discover(struct hr_kafka_source *source, bool *changed, struct hr_error *err);
/* Asks for the end of each partition (the last stable offset). HR_UNAVAILABLE: no answer; the ends stay. */
enum hr_status hr_kafka_position_ends(struct hr_kafka_source *source, int timeout_ms, struct hr_error *err);
/* A position cannot be read: HR_DATA_LOSS with the gap in the text, or, with failOnDataLoss false, moves the position
 * to the first offset that there is, counts and logs what is lost. remade: the topic is another one of that name. */
enum hr_status hr_kafka_position_lost(struct hr_kafka_source *source, size_t partition, bool remade,
                                      struct hr_error *err);
/* Publishes the committed positions to the consumer group, for tools that show lag. wait_ms 0: does not wait. Never
 * fails. */
void hr_kafka_position_publish(struct hr_kafka_source *source, int wait_ms);

/* ---- source_kafka_plan.c ------------------------------------------------------------------------------------- */

/* How far a range may go now, and how many offsets that is. target NULL: no such end. */
int64_t hr_kafka_available(const struct hr_kafka_source *source, const struct hr_offsets *target,
                           struct hr_offsets *to);
enum hr_status hr_kafka_plan(struct hr_source *base, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                             struct hr_error *err);

/* ---- source_kafka_fetch.c ------------------------------------------------------------------------------------ */

/* Assigns all partitions at what is still wanted of each, or one before it to see the anchor. */
enum hr_status hr_kafka_fetch_assign(struct hr_kafka_source *source, struct hr_error *err);
/* Takes what librdkafka has into the partitions' rings, waiting up to wait_us for the first. *got: messages taken. */
enum hr_status hr_kafka_fetch(struct hr_kafka_source *source, int64_t wait_us, size_t *got, struct hr_error *err);
/* No anchor is still to be seen. */
bool hr_kafka_fetch_verified(const struct hr_kafka_source *source);
/* Everything below each end was fetched. */
bool hr_kafka_fetch_complete(const struct hr_kafka_source *source, const struct hr_offsets *end);
/* The first message of a partition below end, taken out of its ring, now the caller's; NULL: none. */
rd_kafka_message_t *hr_kafka_fetch_take(struct hr_kafka_source *source, struct hr_kafka_partition *partition,
                                        int64_t end);
/* Keeps a message that the next record points into, until one of the two below. */
void hr_kafka_fetch_keep(struct hr_kafka_source *source, rd_kafka_message_t *message);
/* Frees those of records [first, first + count). */
void hr_kafka_fetch_release(struct hr_kafka_source *source, size_t first, size_t count);
void hr_kafka_fetch_free_handed(struct hr_kafka_source *source);
/* Frees all messages of a partition's ring. */
void hr_kafka_fetch_forget(struct hr_kafka_source *source, struct hr_kafka_partition *partition);
/* CRC32C of key and value: the anchor. */
uint32_t hr_kafka_message_crc(const rd_kafka_message_t *message);
int64_t hr_kafka_message_time_us(const rd_kafka_message_t *message, bool *known);

#endif
