# SPDX-License-Identifier: Apache-2.0
"""The click job as a River loop: score one record, learn it, write it; a Kafka transaction for so many records.

    click_job.py BOOTSTRAP IN OUT NAME PIPELINE RECORDS BATCH MODEL

MODEL is a function of models.py.
"""
import json
import sys

import models
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

bootstrap, source, target, name, pipeline = sys.argv[1:6]
records, batch = int(sys.argv[6]), int(sys.argv[7])
features, model = getattr(models, sys.argv[8])(pipeline)

consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": name, "enable.auto.commit": False})
consumer.assign([TopicPartition(source, partition, OFFSET_BEGINNING) for partition in range(4)])
producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": name, "linger.ms": 50})
producer.init_transactions()

done = 0
while done < records:
    producer.begin_transaction()
    taken = 0
    while taken < batch and done + taken < records:
        for message in consumer.consume(min(1000, batch - taken), 1.0):
            if message.error():
                raise SystemExit(message.error())
            row = json.loads(message.value())
            x = features(row)
            probability = model.predict_proba_one(x)[True]
            model.learn_one(x, row["label"] == 1)
            out = {"session_id": row["session_id"], "user_id": row["user_id"], "label": row["label"],
                   "probability": [1 - probability, probability], "prediction": 1.0 if probability > 0.5 else 0.0}
            producer.produce(target, json.dumps(out, separators=(",", ":")))
            taken += 1
        producer.poll(0)
    positions = [TopicPartition(place.topic, place.partition, place.offset) for place in
                 consumer.position(consumer.assignment()) if place.offset >= 0]
    producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata())
    producer.commit_transaction()
    done += taken
consumer.close()
