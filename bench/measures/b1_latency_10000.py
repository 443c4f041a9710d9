# SPDX-License-Identifier: Apache-2.0
"""Measure b': latency at 10000 records a second."""
from lib.latency import measure

ID = "b'"
TITLE = "Latency at 10000 records a second, intended send to a read_committed reader"
MUST = "p99 of 10 ms at least once, of 40 ms exactly once"
AIM = "p50 of 1.5 ms and p99 of 4 ms at least once; 13 ms and 25 ms exactly once"


def run(bench):
    measure(bench, 10000)
