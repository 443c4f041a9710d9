# SPDX-License-Identifier: Apache-2.0
"""The click job on Spark Structured Streaming, the fitted pipeline and a frozen model written as one SQL expression.

    click_job.py BOOTSTRAP IN OUT FOLDER PIPELINE MODEL JARS BATCH

MODEL is what freeze.py wrote. Labels become array places by the digits that they end with, which no general pipeline could do:
looking 200 labels up in a map costs Spark more, and a peer gets the best that can be had.
"""
import json
import sys

from pyspark.sql import SparkSession

bootstrap, source, target, folder, pipeline, model, jars, batch = sys.argv[1:9]
SCHEMA = ("session_id string, user_id string, page string, country string, ts long, device int, clicks int, dwell double, "
          "price double, label int")


def array(weights):
    return "array(%s)" % ", ".join("%rD" % weight for weight in weights)


def margin():
    """The regression's sum as SQL over the parsed record r."""
    frozen = json.load(open(model))
    terms = ["%rD" % frozen["intercept"],
             "element_at(%s, cast(substring(r.page, 10) as int) + 1)" % array(frozen["page"]),
             "element_at(%s, cast(substring(r.country, 2) as int) + 1)" % array(frozen["country"]),
             "element_at(%s, r.device + 1)" % array(frozen["device"])]
    terms += ["r.%s * %rD" % (name, frozen[name]) for name in ("clicks", "dwell", "price")]
    return " + ".join(terms)


spark = (SparkSession.builder.master("local[2]").appName("click-job")
         .config("spark.jars", jars)
         .config("spark.driver.memory", "2g")
         .config("spark.driver.extraJavaOptions", "-XX:+UseParallelGC")
         .config("spark.sql.shuffle.partitions", "2")
         .config("spark.ui.enabled", "false")
         .config("spark.ui.showConsoleProgress", "false")
         .config("spark.sql.streaming.metricsEnabled", "false")
         .getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
read = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", source)
        .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", batch).load())
scored = (read.selectExpr("from_json(cast(value as string), '%s') as r" % SCHEMA)
          .selectExpr("r", "1 / (1 + exp(-(%s))) as p" % margin()))
rows = scored.selectExpr("to_json(struct(r.session_id, r.user_id, r.label, array(1 - p, p) as probability, "
                         "if(p > 0.5, 1D, 0D) as prediction)) as value")
query = (rows.writeStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("topic", target)
         .option("checkpointLocation", folder + "/checkpoint").trigger(availableNow=True).start())
query.awaitTermination()
spark.stop()
