# SPDX-License-Identifier: Apache-2.0
"""Measures a, a': the click job beside River: only its regression, its pipeline tuned, its pipeline as it comes."""
from lib.job import compare

ID = "a-river"
TITLE = "The click job beside a River loop, learning row by row"
MUST = "60 times less processor time a row, 60 times the rows a second"
AIM = "90 times, 100 times"


def run(bench):
    for peer in bench.peers("river", "river_pipeline", "river_default"):
        compare(bench, peer, rows=(60, 100), cpu=(60, 90), limit=bench.peers("copy"))
