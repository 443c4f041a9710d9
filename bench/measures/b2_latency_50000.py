# SPDX-License-Identifier: Apache-2.0
"""Measure b'': latency at 50000 records a second."""
from lib.latency import measure

ID = "b''-50000"
TITLE = "Latency at 50000 records a second, intended send to a read_committed reader"
MUST = "p99 of 20 ms at least once, of 60 ms exactly once"
AIM = "8 ms, 30 ms"


def run(bench):
    measure(bench, 50000)
