# SPDX-License-Identifier: Apache-2.0
"""The click job on Spark with learning: foreachBatch scores a batch with the model so far, then learns it, warm-started.

    learning_job.py BOOTSTRAP IN OUT FOLDER PIPELINE JARS BATCH

Each partition of the batch goes on from the model so far by stochastic gradient descent, row by row in vectors of
VECTOR rows with NumPy over Arrow, and the partitions' models are averaged: Spark has no online logistic regression of
its own for Structured Streaming. The model lives in this process only: a crash loses it.
"""
import json
import sys

import numpy
import pyarrow
from pyspark.sql import SparkSession

bootstrap, source, target, folder, pipeline, jars, batch = sys.argv[1:8]
SCHEMA = ("session_id string, user_id string, page string, country string, ts long, device int, clicks int, dwell double, "
          "price double, label int")
PAGES, COUNTRIES, DEVICES = 200, 40, 4
RATE = 0.05
VECTOR = 32
NUMBERS = ("clicks", "dwell", "price")
DEVIATIONS = numpy.array(json.load(open(pipeline))["stages"][3]["fitted"]["std"])
FIRST = PAGES + COUNTRIES + DEVICES
SIZE = FIRST + len(NUMBERS) + 1

spark = (SparkSession.builder.master("local[2]").appName("click-job")
         .config("spark.jars", jars)
         .config("spark.driver.memory", "2g")
         .config("spark.driver.extraJavaOptions", "-XX:+UseParallelGC")
         .config("spark.sql.shuffle.partitions", "2")
         .config("spark.sql.execution.arrow.maxRecordsPerBatch", "20000")
         .config("spark.ui.enabled", "false")
         .config("spark.ui.showConsoleProgress", "false")
         .getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
model = numpy.zeros(SIZE)


def array(weights):
    return "array(%s)" % ", ".join("%rD" % float(weight) for weight in weights)


def probability():
    """The model so far as SQL over the columns of places and numbers."""
    terms = ["%rD" % float(model[-1])] + ["element_at(%s, %s)" % (array(model[begin:end]), place) for begin, end, place in (
        (0, PAGES, "page + 1"), (PAGES, PAGES + COUNTRIES, "country + 1"), (PAGES + COUNTRIES, FIRST, "device + 1"))]
    terms += ["%s * %rD" % (name, float(model[FIRST + i] / DEVIATIONS[i])) for i, name in enumerate(NUMBERS)]
    return "1 / (1 + exp(-(%s)))" % " + ".join(terms)


def learn_partition(start):
    """What mapInArrow calls: the partition's model after its rows, and their number."""
    def learn(chunks):
        weights, rows = start.copy(), 0
        for chunk in chunks:
            column = {name: chunk.column(i).to_numpy() for i, name in enumerate(chunk.schema.names)}
            places = numpy.stack([column["page"], PAGES + column["country"], PAGES + COUNTRIES + column["device"]], 1)
            numbers = numpy.stack([column[name] / deviation for name, deviation in zip(NUMBERS, DEVIATIONS)] +
                                  [numpy.ones(chunk.num_rows)], 1)
            for begin in range(0, chunk.num_rows, VECTOR):
                part = slice(begin, begin + VECTOR)
                margin = weights[places[part]].sum(1) + numbers[part] @ weights[FIRST:]
                error = 1 / (1 + numpy.exp(-margin)) - column["label"][part]
                numpy.subtract.at(weights, places[part], RATE * error[:, None])
                weights[FIRST:] -= RATE * (error @ numbers[part])
            rows += chunk.num_rows
        yield pyarrow.RecordBatch.from_pydict({"weights": [weights.tolist()], "rows": [rows]})
    return learn


def one_batch(frame, _):
    global model
    rows = frame.selectExpr("from_json(cast(value as string), '%s') as r" % SCHEMA).selectExpr(
        "r.session_id", "r.user_id", "r.label", "cast(substring(r.page, 10) as int) as page",
        "cast(substring(r.country, 2) as int) as country", "r.device", "r.clicks", "r.dwell", "r.price").persist()
    (rows.selectExpr("session_id", "user_id", "label", probability() + " as p")
     .selectExpr("to_json(struct(session_id, user_id, label, array(1 - p, p) as probability, "
                 "if(p > 0.5, 1D, 0D) as prediction)) as value")
     .write.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("topic", target).save())
    parts = (rows.select("page", "country", "device", *NUMBERS, "label")
             .mapInArrow(learn_partition(model), "weights array<double>, rows long").collect())
    rows.unpersist()
    model = numpy.average([part.weights for part in parts], axis=0, weights=[max(part.rows, 1e-9) for part in parts])


read = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", source)
        .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", batch).load())
query = (read.writeStream.foreachBatch(one_batch).option("checkpointLocation", folder + "/checkpoint")
         .trigger(availableNow=True).start())
query.awaitTermination()
spark.stop()
