# SPDX-License-Identifier: Apache-2.0
"""Spark Structured Streaming with its own Kafka connector, local[2]: a frozen model, at least once, nothing is learned.

Batches of 500,000, for which Spark is fastest here; 2 GB of heap, the parallel collector.
"""
import sys

from lib.job import SAMPLE, fitted
from lib.spark import connector

VERSIONS = {"pyspark": "4.2.0"}
BATCH = 500000


class SparkSql:
    name, learns, ends, warm = "spark_sql", True, True, 0.3

    def __init__(self, bench, folder, python):
        self.sources = bench.root / "bench/peers/spark"
        self.folder, self.python = folder, python
        self.jars = connector(bench)

    def command(self, job):
        return [self.python, self.sources / "click_job.py", job.bootstrap, job.source, job.target, job.folder, job.pipeline,
                self.folder / "model.json", self.jars, BATCH], {"SPARK_LOCAL_IP": "127.0.0.1"}


def setup(bench, folder):
    for name, value in VERSIONS.items():
        bench.version(name, value)
    python = bench.venv(folder, *("%s==%s" % pair for pair in VERSIONS.items()))
    bench.setup_command([sys.executable, bench.root / "bench/peers/spark/freeze.py", bench.clicks(SAMPLE, seed=7),
                         fitted(bench), folder / "model.json"])
    return SparkSql(bench, folder, python)
