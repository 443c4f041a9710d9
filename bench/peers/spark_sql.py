# SPDX-License-Identifier: Apache-2.0
"""Spark Structured Streaming with its own Kafka connector, local[2]: a frozen model, at least once, nothing is learned.

Batches of 500,000, for which Spark is fastest here; 2 GB of heap, the parallel collector.
"""
from lib.spark import Frozen

BATCH = 500000


def setup(bench, _):
    return Frozen(bench, "spark_sql", "click_job.py", BATCH)
