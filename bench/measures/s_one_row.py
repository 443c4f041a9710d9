# SPDX-License-Identifier: Apache-2.0
"""Measure s: one row at a time through pipeline and model, in process."""
from lib.local import printed

ID = "s"
TITLE = "Pipeline and prediction of one row, in process"
MUST = "1 µs a row"
AIM = "0.4 µs a row"


def run(bench):
    rounds = max(bench.options.pairs, 3)
    times = printed([bench.program("bench_row"), rounds])
    bench.figure("stages and prediction", "ns a row", times["score"], better="lower", of="value", must=1000, aim=400)
    bench.figure("record to record: JSON, stages, prediction, JSON", "ns a row", times["all"], better="lower", of="value")
    for peer in bench.peers("scikit_learn"):
        theirs = printed(peer.row(bench.clicks(20000), rounds))
        bench.figure("stages and prediction", "ns a row", times["score"], peer.name, theirs["score"], better="lower")
    bench.note("Buckets of three columns, ten columns hashed to 2^18 features, logistic regression; chunks of one row. "
               "Published for comparison: MLeap 6.2 µs")
