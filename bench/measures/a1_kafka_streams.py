# SPDX-License-Identifier: Apache-2.0
"""Measure a': the click job beside Kafka Streams, which is exactly once and learns the same."""
from lib.job import compare

ID = "a'"
TITLE = "The click job beside Kafka Streams, exactly once and learning"
MUST = "2 times its rows a second"
AIM = "4 times"


def run(bench):
    for peer in bench.peers("kafka_streams"):
        compare(bench, peer, must=2, aim=4)
