# SPDX-License-Identifier: Apache-2.0
"""Spark's real-time mode with a frozen model: stateless, at least once, nothing is learned.

The settings of Spark's own benchmark of this mode: batches of 5 minutes, which is when offsets are written down, fetches that
wait 10 ms. A run of seconds sees no end of a batch so, and after a crash up to 5 minutes are written again:
spark_realtime_20s has both in measure.
"""
from lib.spark import Waiting


def setup(bench, _):
    return Waiting(bench, "spark_realtime", "5 minutes")
