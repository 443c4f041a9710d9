# SPDX-License-Identifier: Apache-2.0
"""The fitted pipeline and a frozen model as one SQL expression, and a Spark session with the settings that suit it here.

Labels become array places by the digits that they end with, which no general pipeline could do: looking 200 labels up in a map
costs Spark more, and a peer gets the best that can be had.
"""
import json

from pyspark.sql import SparkSession

SCHEMA = ("session_id string, user_id string, page string, country string, ts long, device int, clicks int, dwell double, "
          "price double, label int")
COLUMNS = ("session_id", "user_id", "label")


def session(jars, threads=2):
    builder = (SparkSession.builder.master("local[%d]" % threads).appName("click-job")
               .config("spark.jars", jars)
               .config("spark.driver.memory", "2g")
               .config("spark.driver.extraJavaOptions", "-XX:+UseParallelGC")
               .config("spark.sql.shuffle.partitions", "2")
               .config("spark.ui.enabled", "false")
               .config("spark.ui.showConsoleProgress", "false")
               .config("spark.sql.streaming.metricsEnabled", "false"))
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def array(weights):
    return "array(%s)" % ", ".join("%rD" % weight for weight in weights)


def margin(model):
    """The regression's sum as SQL over the parsed record r; model: the file that freeze.py wrote."""
    frozen = json.load(open(model))
    terms = ["%rD" % frozen["intercept"],
             "element_at(%s, cast(substring(r.page, 10) as int) + 1)" % array(frozen["page"]),
             "element_at(%s, cast(substring(r.country, 2) as int) + 1)" % array(frozen["country"]),
             "element_at(%s, r.device + 1)" % array(frozen["device"])]
    terms += ["r.%s * %rD" % (name, frozen[name]) for name in ("clicks", "dwell", "price")]
    return " + ".join(terms)


def scored(records, model, *further):
    """Kafka records in, records out: what is known of a row, further columns of it, probability and prediction."""
    columns = ["r." + name for name in COLUMNS]
    columns += ["array(1 - p, p) as probability", "if(p > 0.5, 1D, 0D) as prediction"] + ["r." + name for name in further]
    return (records.selectExpr("from_json(cast(value as string), '%s') as r" % SCHEMA)
            .selectExpr("r", "1 / (1 + exp(-(%s))) as p" % margin(model))
            .selectExpr("to_json(struct(%s)) as value" % ", ".join(columns)))
