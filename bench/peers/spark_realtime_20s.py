# SPDX-License-Identifier: Apache-2.0
"""spark_realtime with batches of 20 seconds: the latency of the ends of batches is in the run, a crash repeats 20 seconds."""
from lib.spark import Waiting


def setup(bench, _):
    return Waiting(bench, "spark_realtime_20s", "20 seconds")
