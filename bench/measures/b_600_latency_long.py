# SPDX-License-Identifier: Apache-2.0
"""Measure b over as long as its bounds are meant for; one run of ours, for a peer would take as long again."""
from lib.latency import measure

ID = "b-600"
TITLE = "Latency at 1000 records a second over ten minutes, at least once"
MUST = "p50, p99, most: 2, 5, 60 ms"
AIM = "1, 3, 25 ms"
SECONDS = 600


def run(bench):
    measure(bench, 1000, guarantees=("at_least_once",), peers=(), seconds=SECONDS, pairs=1)
