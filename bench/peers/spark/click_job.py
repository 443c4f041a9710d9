# SPDX-License-Identifier: Apache-2.0
"""The click job on Spark Structured Streaming: what the topic has, in batches, scored by a frozen model.

    click_job.py BOOTSTRAP IN OUT FOLDER MODEL JARS BATCH

MODEL is what freeze.py wrote.
"""
import sys

from frozen import scored, session

bootstrap, source, target, folder, model, jars, batch = sys.argv[1:8]
spark = session(jars)
read = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", source)
        .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", batch).load())
query = (scored(read, model).writeStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("topic", target)
         .option("checkpointLocation", folder + "/checkpoint").trigger(availableNow=True).start())
query.awaitTermination()
spark.stop()
