# SPDX-License-Identifier: Apache-2.0
"""The click job on Spark that waits for records and answers each as soon as it can; the record's time is written on.

    steady_job.py BOOTSTRAP IN OUT FOLDER MODEL JARS TRIGGER LINGER_MS

TRIGGER is how long a batch of real-time mode lasts ("5 minutes"), or "micro-batch": one batch after another. Real-time mode
has a task for each partition that runs as long as the batch: a thread each, however few processors there are.
"""
import sys

from frozen import scored, session

PARTITIONS = 4
FETCH_WAIT_MS = 10

bootstrap, source, target, folder, model, jars, trigger, linger_ms = sys.argv[1:9]
spark = session(jars, PARTITIONS)
read = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", source)
        .option("startingOffsets", "earliest").option("kafka.fetch.max.wait.ms", FETCH_WAIT_MS).load())
write = (scored(read, model, "ts").writeStream.format("kafka").option("kafka.bootstrap.servers", bootstrap)
         .option("topic", target).option("kafka.linger.ms", linger_ms).option("checkpointLocation", folder + "/checkpoint")
         .outputMode("update"))
if trigger == "micro-batch":
    write = write.option("asyncProgressTrackingEnabled", "true").trigger(processingTime="0 seconds")
else:
    write = write.trigger(realTime=trigger)
write.start().awaitTermination()
