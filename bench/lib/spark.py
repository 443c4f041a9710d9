# SPDX-License-Identifier: Apache-2.0
"""What Spark's peers share: its Kafka connector, from Maven Central, once; PySpark and the frozen model."""
import copy
import sys

from .job import SAMPLE, fitted

VERSIONS = {"pyspark": "4.2.0"}
CONNECTOR = ("spark-sql-kafka", "spark-token-provider-kafka", "kafka-clients", "commons-pool2")
BUSY_RATE = 5000  # records a second
LOCAL = {"SPARK_LOCAL_IP": "127.0.0.1"}


def connector(bench):
    """The jars that PySpark does not bring, with commas between them."""
    folder = bench.folder / "peers/spark-jars"
    if not folder.is_dir():
        bench.setup_command(["mvn", "-q", "-B", "-f", bench.root / "bench/peers/spark/pom.xml",
                             "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=%s" % folder])
    return ",".join(str(jar) for jar in sorted(folder.glob("*.jar")) if jar.name.startswith(CONNECTOR))


class Frozen:
    """A job of bench/peers/spark with a frozen model, and what it takes beyond the usual; learns: it has probabilities."""
    learns, ends, warm = True, True, 0.3

    def __init__(self, bench, name, job, *arguments):
        for package, version in VERSIONS.items():
            bench.version(package, version)
        self.name, self.arguments = name, arguments
        sources, folder = bench.root / "bench/peers/spark", bench.folder / "peers/spark_sql"
        folder.mkdir(parents=True, exist_ok=True)
        self.script = sources / job
        self.python = bench.venv(folder, *("%s==%s" % pair for pair in VERSIONS.items()))
        self.model = folder / "model.json"
        bench.setup_command([sys.executable, sources / "freeze.py", bench.clicks(SAMPLE, seed=7), fitted(bench), self.model])
        self.jars = connector(bench)

    def command(self, job):
        return [self.python, self.script, job.bootstrap, job.source, job.target, job.folder, self.model, self.jars,
                *self.arguments], LOCAL


class Waiting(Frozen):
    """steady_job.py: waits for records; trigger as there."""
    ends, warm = False, 0

    def __init__(self, bench, name, trigger):
        super().__init__(bench, name, "steady_job.py", trigger)

    def steady(self, guarantee, rate):
        """Spark's sink for Kafka is at least once. A request a record is too much for the broker at higher rates: at 10,000/s a
        linger of 1 ms halved p99, at 1,000/s it is only a millisecond more."""
        if guarantee != "at_least_once":
            return None
        engine = copy.copy(self)
        engine.arguments = (*self.arguments, 0 if rate < BUSY_RATE else 1)
        return engine
