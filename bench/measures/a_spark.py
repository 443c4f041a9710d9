# SPDX-License-Identifier: Apache-2.0
"""Measures a, a': the click job, which learns, beside Spark: with a frozen model, and with learning in foreachBatch."""
from lib.job import compare

ID = "a-spark"
TITLE = "The click job beside Spark, at least once: a frozen model, and learning in foreachBatch"
MUST = "a frozen model: 6 times less processor time a row, 3 times the rows a second; learning: 12 and 6 times"
AIM = "9 and 4.5 times; 18 and 9 times"


def run(bench):
    for peer in bench.peers("spark_sql"):
        compare(bench, peer, rows=(3, 4.5), cpu=(6, 9))
    for peer in bench.peers("spark_learning"):
        compare(bench, peer, rows=(6, 9), cpu=(12, 18), limit=bench.peers("copy"))
