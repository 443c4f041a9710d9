# SPDX-License-Identifier: Apache-2.0
"""Measure a'': the click job, which learns, beside a frozen model on Spark, which does not."""
from lib.job import compare

ID = "a''"
TITLE = "The click job, learning and exactly once, beside a frozen model on Spark, at least once"
MUST = "5 times its rows a second"
AIM = "10 times"


def run(bench):
    for peer in bench.peers("spark_sql"):
        compare(bench, peer, must=5, aim=10)
