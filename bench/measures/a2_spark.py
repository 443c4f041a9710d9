# SPDX-License-Identifier: Apache-2.0
"""Measure a'': the click job, which learns, beside Spark: with a frozen model, and with learning in foreachBatch."""
from lib.job import compare

ID = "a''"
TITLE = "The click job beside Spark, at least once: a frozen model, and learning in foreachBatch"
MUST = "5 times its rows a second"
AIM = "10 times"


def run(bench):
    for peer in bench.peers("spark_sql", "spark_learning"):
        compare(bench, peer, must=5, aim=10)
