# SPDX-License-Identifier: Apache-2.0
"""Spark's micro-batches, one after another, with a frozen model: at least once, nothing is learned.

Offsets are written down beside the batches, not between them (asyncProgressTrackingEnabled): p50 halved.
"""
from lib.spark import Waiting


def setup(bench, _):
    return Waiting(bench, "spark_micro_batch", "micro-batch")
