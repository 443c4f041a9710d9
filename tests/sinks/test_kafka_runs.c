/* SPDX-License-Identifier: Apache-2.0
 *
 * Which partition rows without a key go to: runs, and the partitions of one transaction.
 */
#include "test.h"

#include <string.h>

#include "data/chunk.h"
#include "sinks/kafka_runs.h"

#define PARTITIONS_MAX 16

/* What went where, with partitions answered in turn as librdkafka would be told. */
struct sent {
    int partitions;
    size_t messages[PARTITIONS_MAX];
    size_t runs;  /* of neighbours to one partition */
    size_t joins; /* hand-overs in which a partition had its first message */
    int32_t last;
};

static void hand_over(struct hr_kafka_runs *runs, struct sent *sent, size_t count)
{
    bool joined = false;
    for (size_t done = 0; done < count;) {
        int32_t partition;
        size_t part = hr_kafka_runs_next(runs, count, count - done, &partition);
        CU_ASSERT_TRUE_FATAL(part >= 1 && part <= count - done);
        if (partition == RD_KAFKA_PARTITION_UA) {
            CU_ASSERT_EQUAL(part, 1);
            partition = (atomic_load(&runs->answer) + 1) % sent->partitions;
            atomic_store(&runs->answer, partition);
        }
        joined = joined || sent->messages[partition] == 0;
        sent->runs += partition != sent->last;
        sent->last = partition;
        sent->messages[partition] += part;
        done += part;
    }
    sent->joins += joined;
}

static size_t used(const struct sent *sent)
{
    size_t count = 0;
    for (int i = 0; i < sent->partitions; i++) {
        count += sent->messages[i] > 0;
    }
    return count;
}

static struct sent batch(struct hr_kafka_runs *runs, int partitions, size_t rows)
{
    struct sent sent = {.partitions = partitions, .last = -1};
    hr_kafka_runs_begin(runs);
    for (size_t done = 0; done < rows; done += HR_CHUNK_ROWS) {
        hand_over(runs, &sent, rows - done < HR_CHUNK_ROWS ? rows - done : HR_CHUNK_ROWS);
    }
    size_t total = 0;
    for (int i = 0; i < partitions; i++) {
        total += sent.messages[i];
    }
    CU_ASSERT_EQUAL(total, rows);
    return sent;
}

static void test_without_transactions(void)
{
    struct hr_kafka_runs runs = {0};
    hr_kafka_runs_open(&runs, false, 16);
    struct sent sent = batch(&runs, 16, 100000);
    CU_ASSERT_EQUAL(sent.runs, 25);
    CU_ASSERT_EQUAL(used(&sent), 16);
}

static void test_small_batches_have_one_partition_each(void)
{
    struct hr_kafka_runs runs = {0};
    hr_kafka_runs_open(&runs, true, 4);
    struct sent all = {.partitions = 4};
    for (int i = 0; i < 8; i++) {
        struct sent sent = batch(&runs, 4, 500);
        CU_ASSERT_EQUAL(used(&sent), 1);
        for (int k = 0; k < 4; k++) {
            all.messages[k] += sent.messages[k];
        }
    }
    CU_ASSERT_EQUAL(used(&all), 4);
    CU_ASSERT_EQUAL(all.messages[0], 1000);
}

static void test_large_batches_join_at_once(void)
{
    for (int partitions = 1; partitions <= PARTITIONS_MAX; partitions++) {
        struct hr_kafka_runs runs = {0};
        hr_kafka_runs_open(&runs, true, partitions);
        struct sent all = {.partitions = partitions};
        for (int i = 0; i < partitions; i++) {
            struct sent sent = batch(&runs, partitions, 100000);
            CU_ASSERT_EQUAL(sent.joins, 1);
            CU_ASSERT_EQUAL(used(&sent), partitions < 4 ? (size_t)partitions : 4);
            CU_ASSERT_TRUE(sent.runs <= 30);
            for (int k = 0; k < partitions; k++) {
                all.messages[k] += sent.messages[k];
            }
        }
        for (int k = 0; k < partitions; k++) {
            CU_ASSERT_EQUAL(all.messages[k], 100000);
        }
    }
}

/* Whatever a batch's size, each partition has its turn at being the one with most of it. */
static void test_shares_are_equal(void)
{
    static const size_t sizes[] = {1, 700, 1536, 2048, 2100, 3999, 6048, 10000, 20000, 50001};
    for (size_t s = 0; s < HR_ARRAY_LEN(sizes); s++) {
        for (int partitions = 1; partitions <= PARTITIONS_MAX; partitions++) {
            struct hr_kafka_runs runs = {0};
            hr_kafka_runs_open(&runs, true, partitions);
            struct sent all = {.partitions = partitions};
            for (int i = 0; i < partitions; i++) {
                struct sent sent = batch(&runs, partitions, sizes[s]);
                for (int k = 0; k < partitions; k++) {
                    all.messages[k] += sent.messages[k];
                }
            }
            for (int k = 0; k < partitions; k++) {
                CU_ASSERT_EQUAL(all.messages[k], sizes[s]);
            }
        }
    }
}

/* What begins small and grows is at first one partition's. */
static void test_a_batch_that_grows(void)
{
    struct hr_kafka_runs runs = {0};
    hr_kafka_runs_open(&runs, true, 4);
    struct sent sent = {.partitions = 4, .last = -1};
    hr_kafka_runs_begin(&runs);
    hand_over(&runs, &sent, 100);
    for (int i = 0; i < 20; i++) {
        hand_over(&runs, &sent, HR_CHUNK_ROWS);
    }
    CU_ASSERT_EQUAL(used(&sent), 4);
    CU_ASSERT_TRUE(sent.joins <= 3);
}

TEST_MAIN("kafka_runs", {"without transactions", test_without_transactions},
          {"small batches have one partition each", test_small_batches_have_one_partition_each},
          {"large batches join at once", test_large_batches_join_at_once}, {"shares are equal", test_shares_are_equal},
          {"a batch that grows", test_a_batch_that_grows})
