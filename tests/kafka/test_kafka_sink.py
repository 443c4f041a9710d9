# SPDX-License-Identifier: Apache-2.0
#
# The Kafka sink: keys, contents, guarantees, records that are too large, and what readers see after an end.
import json
import time
import unittest

from kafka_case import KafkaCase, lines


class Records(KafkaCase):
    def run_rows(self, rows, schema, sink, **sections):
        self.write("in/a.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        self.write_query(source=f'source:\n  type: file\n  path: in\n  schema: "{schema}"\n', sinks=sink, **sections)
        return self.run_query()

    def test_keys(self):
        rows = [{"id": 7, "text": "sieben"}, {"id": -9223372036854775808, "text": "grün"}, {"id": None, "text": None}]
        for column, keys in (("id", ["7", "-9223372036854775808", None]), ("text", ["sieben", "grün", None])):
            with self.subTest(column):
                topic = self.topic(column)
                self.run_rows(rows, "id long, text string", self.sink(topic, f"keyCol: {column}"),
                              checkpoint=f"checkpoint: {{ location: state-{column} }}\n",
                              name=f"name: {self.name}-{column}\n")
                found = self.consume(topic)
                self.assertEqual([record["key"] for record in found], keys)
                self.assertEqual([json.loads(record["value"]) for record in found], rows)

    def test_one_key_goes_to_one_partition_in_order(self):
        topic = self.topic("out", 4)
        rows = [{"id": i, "text": f"k{i % 5}"} for i in range(2000)]
        self.run_rows(rows, "id long, text string", self.sink(topic, "keyCol: text"))
        places = {}
        for record in self.consume(topic):
            places.setdefault(record["key"], []).append((record["partition"], json.loads(record["value"])["id"]))
        for key, found in places.items():
            self.assertEqual(len({partition for partition, _ in found}), 1, key)
            self.assertEqual([number for _, number in found], [i for i in range(2000) if f"k{i % 5}" == key])

    def test_rows_without_a_key_go_to_one_partition_for_a_while_then_to_the_next(self):
        topic = self.topic("out", 4)
        self.run_rows([{"id": i} for i in range(17000)], "id long", self.sink(topic))
        runs = {}
        for record in self.consume(topic):
            runs.setdefault(record["partition"], []).append(json.loads(record["value"])["id"])
        # A quarter of the first chunk each, so that all are part of the transaction at once; then 4,000 in turn.
        self.assertEqual(sorted(len(found) for found in runs.values()), [512 + 2952] + 3 * [512 + 4000])
        self.assertEqual(sorted(sum(runs.values(), [])), list(range(17000)))
        for found in runs.values():
            self.assertEqual(found, sorted(found))
            self.assertEqual(found[511] - found[0], 511)
            self.assertEqual(found[-1] - found[512], len(found) - 513)

    def test_a_partitioner_of_the_user_decides(self):
        topic = self.topic("out", 4)
        self.run_rows([{"id": i} for i in range(5000)], "id long", self.sink(topic, properties="partitioner: consistent"))
        self.assertEqual(len({record["partition"] for record in self.consume(topic)}), 1)

    def test_columns(self):
        topic = self.topic("out")
        self.run_rows([{"id": 1, "text": "a"}], "id long, text string", self.sink(topic, "columns: [text]"))
        self.assertEqual(self.values(topic), [{"text": "a"}])

    def test_metrics(self):
        rows, metrics = self.topic("rows"), self.topic("metrics")
        sinks = (self.sink(rows, "id: rows") + self.sink(metrics, "id: numbers\ncontent: metrics").replace("sinks:\n", ""))
        self.write("in/a.ndjson", "".join(f'{{"id": {i}}}\n' for i in range(25)))
        self.write_query(source='source:\n  type: file\n  path: in\n  maxRowsPerTrigger: 10\n  schema: "id long"\n',
                         sinks=sinks)
        self.run_query()
        documents = self.values(metrics)
        self.assertEqual([document["batchId"] for document in documents], [0, 1, 2])
        self.assertEqual([document["numInputRows"] for document in documents], [10, 10, 5])
        self.assertEqual([row["id"] for row in self.values(rows)], list(range(25)))

    def test_at_least_once_has_no_transactions_and_no_ledger(self):
        topic = self.topic("out")
        extra = f"deliveryGuarantee: at_least_once\nledger: {{ topic: {self.name}-ledger }}"
        self.run_rows([{"id": i} for i in range(3)], "id long", self.sink(topic, extra))
        # A transaction's marker would have offset 3.
        self.produce(topic, lines([3]))
        self.assertEqual([(record["offset"], json.loads(record["value"])["id"]) for record in self.consume(topic)],
                         [(0, 0), (1, 1), (2, 2), (3, 3)])
        self.topic("ledger")  # fails if it is there

    def test_a_record_that_is_too_large(self):
        topic = self.topic("out", 1, "max.message.bytes=2000")
        self.write("in/a.ndjson", json.dumps({"id": 1, "text": "x" * 5000}) + "\n")
        self.write_query(source='source:\n  type: file\n  path: in\n  schema: "id long, text string"\n',
                         sinks=self.sink(topic))
        error = self.run_query(expect=78).stderr
        self.assertNotRegex(error, "too large.*starts again")
        self.assertIn(f"topic '{topic}'", error)
        self.assertIn("max.message.bytes", error)
        # Nobody is left waiting, and the query goes on when it is mended.
        self.assertEqual(self.consume(topic), [])

    def test_a_record_that_is_too_large_for_the_client(self):
        topic = self.topic("out")
        self.write("in/a.ndjson", json.dumps({"id": 1, "text": "x" * 3000}) + "\n")
        self.write_query(source='source:\n  type: file\n  path: in\n  schema: "id long, text string"\n',
                         sinks=self.sink(topic, properties="message.max.bytes: 2000"))
        error = self.run_query(expect=78).stderr
        self.assertIn(f"topic '{topic}'", error)
        self.assertIn("message.max.bytes", error)

    def test_a_topic_that_does_not_exist(self):
        topic = self.topic("predictions")
        self.write("in/a.ndjson", '{"id": 1}\n')
        self.write_query(sinks=self.sink(topic[:-1]))
        for command in ("lint", "run"):
            done = self.run_program(command, "query.yaml", expect=78)
            self.assertRegex(done.stdout + done.stderr, f"topic '{topic[:-1]}' does not exist(.|\n)*'{topic}'")

    def test_a_transaction_timeout_above_the_brokers(self):
        topic = self.topic("out")
        self.write("in/a.ndjson", '{"id": 1}\n')
        self.write_query(sinks=self.sink(topic, properties="transaction.timeout.ms: 2000000"))
        error = self.run_query(expect=78).stderr
        self.assertIn("transaction.max.timeout.ms", error)

    def test_a_dead_letter_topic(self):
        topic, dead = self.topic("in"), self.topic("dead")
        self.produce(topic, "0\tkey\tno json\n" + lines([1]))
        self.write_query(source=self.source([topic]),
                         deadLetter=f"deadLetter: {{ type: kafka, topic: {dead}, properties: {{ bootstrap.servers: "
                                    f"\"{self.bootstrap}\" }} }}\n")
        self.run_query()
        self.assertEqual(self.ids(), [1])
        letter, = self.consume(dead)
        self.assertEqual(letter["value"], "no json")
        headers = letter["headers"]
        self.assertEqual([headers["headrace.error." + name] for name in ("topic", "partition", "offset", "query", "batch")],
                         [topic, "0", "0", self.name, "0"])
        self.assertTrue(headers["headrace.error.reason"] and headers["headrace.error.message"])


class Ends(KafkaCase):
    def start_load(self, rate=20000):
        topic = self.topic("out")
        self.write_query(trigger=None, source=f"source: {{ type: rate, rowsPerSecond: {rate} }}\n",
                         sinks=self.sink(topic, properties="transaction.timeout.ms: 60000"))
        process = self.start_query()
        self.wait_until(lambda: len(self.progress()) > 5, "batches")
        return topic, process

    def check_once(self, topic):
        values = sorted(row["value"] for row in self.values(topic))
        self.assertEqual(values, list(range(len(values))))
        return len(values)

    def test_sigterm_under_load_leaves_nothing_open(self):
        topic, process = self.start_load()
        self.end_query(process)
        self.assertLess(self.stop_seconds, 10)
        start = time.monotonic()
        first = self.check_once(topic)
        # An open transaction would keep the reader at it for its time-out, 60 s.
        self.produce(topic, '0\t{"value": %d}\n' % first)
        self.assertEqual(self.check_once(topic), first + 1)
        self.assertLess(time.monotonic() - start, 25)
        inspected = json.loads(self.run_program("checkpoint", "inspect", "state", "--format", "json", expect=0).stdout)
        self.assertIsNone(inspected["prepared"])

    def test_the_start_after_sigterm_is_clean(self):
        topic, process = self.start_load()
        self.end_query(process)
        process = self.start_query()
        count = len(self.progress())
        self.wait_for_log(process, "(clean)")
        self.wait_until(lambda: len(self.progress()) > count + 3, "batches")
        self.end_query(process)
        self.check_once(topic)

    def test_a_kill_leaves_readers_waiting_only_until_the_next_start(self):
        topic, process = self.start_load()
        process.kill()
        process.wait()
        process = self.start_query()
        count = len(self.progress())
        self.wait_until(lambda: len(self.progress()) > count + 1, "batches")
        self.end_query(process)
        self.check_once(topic)


if __name__ == "__main__":
    unittest.main()
