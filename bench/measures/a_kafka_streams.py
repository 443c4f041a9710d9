# SPDX-License-Identifier: Apache-2.0
"""Measures a, a': the click job beside Kafka Streams, which is exactly once and learns the same."""
from lib.job import compare

ID = "a-streams"
TITLE = "The click job beside Kafka Streams, exactly once and learning"
MUST = "a quarter of its processor time a row, 1.5 times its rows a second"
AIM = "5.5 times less, 2.2 times"


def run(bench):
    for peer in bench.peers("kafka_streams"):
        compare(bench, peer, rows=(1.5, 2.2), cpu=(4, 5.5), limit=bench.peers("copy"))
