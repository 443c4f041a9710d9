/* SPDX-License-Identifier: Apache-2.0
 *
 * The random numbers that Spark's Scala code draws, bit for bit: java.util.Random's linear congruence for the seeds of
 * partitions, and org.apache.spark.util.random.XORShiftRandom for samples and random centres. Seeded by the caller,
 * so what a batch computes is a function of the batch. Thread: one at a time.
 */
#ifndef HR_ML_SPARK_RANDOM_H
#define HR_ML_SPARK_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct hr_spark_random {
    uint64_t state;
    bool has_next_gaussian;
    double next_gaussian;
};

void hr_spark_random_init(struct hr_spark_random *random, int64_t seed);
/* Uniform in [0, 1), 53 bits. */
double hr_spark_random_double(struct hr_spark_random *random);
/* Normal with mean 0 and variance 1, by the polar method; java.util.Random.nextGaussian of JDK 17. */
double hr_spark_random_gaussian(struct hr_spark_random *random);
/* The first nextLong of java.util.Random(seed): the seed that RDD.sample gives to partition 0. */
int64_t hr_spark_random_partition_seed(int64_t seed);

/* Bernoulli sample without replacement, as RDD.sample takes it: by the gaps between taken rows where the fraction is at
 * most 0.4, else a draw a row. */
struct hr_spark_sampler {
    struct hr_spark_random random;
    double fraction; /* (0, 1]; 1 takes every row */
    double log_keep; /* ln(1 − fraction) */
    int64_t skip;    /* rows to leave out before the next one, gap sampling only */
};

void hr_spark_sampler_init(struct hr_spark_sampler *sampler, double fraction, int64_t seed);
/* Whether the next row is in the sample. */
bool hr_spark_sampler_take(struct hr_spark_sampler *sampler);

#endif
