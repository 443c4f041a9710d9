# SPDX-License-Identifier: Apache-2.0
"""Spark Structured Streaming that learns: foreachBatch and stochastic gradient descent that goes on from the last batch's model.

At least once, and the model is lost at a crash. Batches of 500,000; the check, which has 200,000 records, has smaller ones.
"""
from lib.job import CHECKED
from lib.spark import connector

VERSIONS = {"pyspark": "4.2.0", "pyarrow": "21.0.0", "numpy": "2.3.2", "pandas": "2.3.1"}
BATCH = 500000
CHECK_BATCH = 20000


class SparkLearning:
    name, learns, ends, warm = "spark_learning", True, True, 0.3
    tolerance = 0.05  # a batch is scored by the model before it, the first one by none

    def __init__(self, bench, python, jars):
        self.script = bench.root / "bench/peers/spark/learning_job.py"
        self.python, self.jars = python, jars

    def command(self, job):
        batch = CHECK_BATCH if job.records == CHECKED else BATCH
        return [self.python, self.script, job.bootstrap, job.source, job.target, job.folder, job.pipeline, self.jars,
                batch], {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": str(self.python)}


def setup(bench, folder):
    for name, value in VERSIONS.items():
        bench.version(name, value)
    python = bench.venv(folder, *("%s==%s" % pair for pair in VERSIONS.items()))
    return SparkLearning(bench, python, connector(bench))
