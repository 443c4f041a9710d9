# SPDX-License-Identifier: Apache-2.0
"""Measure a'': the click job beside the limit, a bare transactional copy by the same Kafka client."""
from lib.job import compare

ID = "a''"
TITLE = "Kafka JSON to online logistic regression to Kafka JSON, exactly once, beside a bare copy by librdkafka"
MUST = "at most 1.6 times its processor time a row, at least half of its rows a second"
AIM = "1.3 times, 0.7"


def run(bench):
    for peer in bench.peers("copy"):
        compare(bench, peer, rows=(0.5, 0.7), cpu=(1 / 1.6, 1 / 1.3))
