# SPDX-License-Identifier: Apache-2.0
"""Measure a-river: the click job beside a River loop."""
from lib.job import compare

ID = "a-river"
TITLE = "The click job beside a River loop, learning row by row"
MUST = "30 times its rows a second"
AIM = "100 times"


def run(bench):
    for peer in bench.peers("river"):
        compare(bench, peer, must=30, aim=100)
