# SPDX-License-Identifier: Apache-2.0
"""Measures b, b': latency at 1000 records a second."""
from lib.latency import measure

ID = "b"
TITLE = "Latency at 1000 records a second, intended send to a read_committed reader"
MUST = "p50, p99, most: 2, 5, 60 ms at least once; 14, 35, 150 ms exactly once"
AIM = "1, 3, 25 ms; 8, 20, 60 ms"


def run(bench):
    measure(bench, 1000)
