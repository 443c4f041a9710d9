# SPDX-License-Identifier: Apache-2.0
"""What Spark's peers share: its Kafka connector, from Maven Central, once."""

CONNECTOR = ("spark-sql-kafka", "spark-token-provider-kafka", "kafka-clients", "commons-pool2")


def connector(bench):
    """The jars that PySpark does not bring, with commas between them."""
    folder = bench.folder / "peers/spark-jars"
    if not folder.is_dir():
        bench.setup_command(["mvn", "-q", "-B", "-f", bench.root / "bench/peers/spark/pom.xml",
                             "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=%s" % folder])
    return ",".join(str(jar) for jar in sorted(folder.glob("*.jar")) if jar.name.startswith(CONNECTOR))
