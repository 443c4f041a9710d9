# SPDX-License-Identifier: Apache-2.0
"""Measure a: the click job beside the limit, a bare transactional copy by the same Kafka client."""
from lib.job import compare

ID = "a"
TITLE = "Kafka JSON to online logistic regression to Kafka JSON, exactly once, beside a bare copy"
MUST = "0.8 million rows a second and core of client processor time, that is at most 1.25 µs a row"
AIM = "the throughput of the bare copy"


def run(bench):
    for peer in bench.peers("copy"):
        ours, _ = compare(bench, peer, aim=1)
        bench.figure("client processor time against the bound", "µs a row", [sample["cpu_us"] for sample in ours],
                     better="lower", of="value", must=1.25, aim=0.33)
