# SPDX-License-Identifier: Apache-2.0
"""Kafka Streams: exactly_once_v2, the same regression, a model for each partition in a store with a changelog.

The settings that were found to suit it: two threads for four partitions, commits every 100 ms, a store whose cache writes
the model to the changelog once a commit, batches of 128 KiB, 5,000 records a poll, the parallel collector.
"""
VERSIONS = {"kafka_streams": "4.1.1", "jackson": "2.19.0"}
JAVA = ["-Xms512m", "-Xmx768m", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
THREADS = 2
COMMIT_MS = 100
GUARANTEES = {"exactly_once": "exactly_once_v2", "at_least_once": "at_least_once"}


class KafkaStreams:
    name, learns, ends, warm = "kafka_streams", True, False, 0.3

    def __init__(self, folder):
        self.folder = folder

    def command(self, job, guarantee="exactly_once_v2", extra=()):
        return ["java", *JAVA, "-cp", "%s/classes:%s/jars/*" % (self.folder, self.folder), "bench.Main", job.bootstrap,
                job.source, job.target, job.name, job.folder, job.pipeline, THREADS, COMMIT_MS, guarantee, *extra], {}

    def steady(self, guarantee, _):
        return WithTime(self, guarantee)


class WithTime:
    """The same, which writes the record's time on."""
    name, ends, learns, warm = KafkaStreams.name, False, True, 0

    def __init__(self, streams, guarantee):
        self.streams, self.guarantee = streams, GUARANTEES[guarantee]

    def command(self, job):
        return self.streams.command(job, self.guarantee, ("with-time",))


def setup(bench, folder):
    for name, value in VERSIONS.items():
        bench.version(name, value)
    sources = bench.root / "bench/peers/kafka_streams"
    if not (folder / "jars").is_dir():
        bench.setup_command(["mvn", "-q", "-B", "-f", sources / "pom.xml", "dependency:copy-dependencies",
                             "-DoutputDirectory=%s/jars" % folder])
    bench.setup_command(["javac", "-d", folder / "classes", "-cp", "%s/jars/*" % folder,
                         *sorted(sources.glob("src/main/java/bench/*.java"))])
    return KafkaStreams(folder)
