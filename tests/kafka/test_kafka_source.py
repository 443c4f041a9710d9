# SPDX-License-Identifier: Apache-2.0
#
# The Kafka source: where a query starts, which partitions it finds, how much a batch takes, what becomes a row.
import base64
import time
import unittest

from kafka_case import KafkaCase, lines


class StartingOffsets(KafkaCase):
    def test_earliest(self):
        topic = self.topic("in")
        self.produce(topic, lines(range(5)))
        self.write_query(source=self.source([topic]))
        self.run_query()
        self.assertEqual(self.ids(), [0, 1, 2, 3, 4])

    def test_latest_is_the_default_and_holds_from_the_first_start(self):
        topic = self.topic("in")
        self.produce(topic, lines(range(5)))
        self.write_query(source=self.source([topic], start=None))
        self.run_query()
        self.assertEqual(self.ids(), [])
        self.produce(topic, lines(range(5, 8)))
        self.run_query()
        self.assertEqual(self.ids(), [5, 6, 7])

    def test_a_map(self):
        topic = self.topic("in", 3)
        for partition in range(3):
            self.produce(topic, lines(range(partition * 10, partition * 10 + 4), partition))
        self.write_query(source=self.source([topic], start=f"{{ {topic}: {{ 0: -2, 1: -1, 2: 3 }} }}"))
        self.run_query()
        self.assertEqual(sorted(self.ids()), [0, 1, 2, 3, 23])
        self.produce(topic, lines([14], 1))
        self.run_query()
        self.assertEqual(sorted(self.ids()), [0, 1, 2, 3, 14, 23])

    def test_a_map_that_lacks_a_partition(self):
        topic = self.topic("in", 2)
        self.write_query(source=self.source([topic], start=f"{{ {topic}: {{ 0: -2 }} }}"))
        for command in ("lint", "run"):
            done = self.run_program(command, "query.yaml", expect=78)
            self.assertRegex(done.stdout + done.stderr, f"topic '{topic}', partition 1")

    def test_an_offset_beyond_the_end(self):
        topic = self.topic("in")
        self.produce(topic, lines(range(3)))
        self.write_query(source=self.source([topic], start=f"{{ {topic}: {{ 0: 30 }} }}"))
        done = self.run_query(expect=78)
        self.assertRegex(done.stderr, f"topic '{topic}', partition 0.*30")

    def test_a_time(self):
        topic = self.topic("in", 2)
        now = int(time.time()) * 1000
        self.tool("send", topic, input="".join(f'{i % 2}\t{now + 1000 * i}\t\t\t{{"id": {i}}}\n' for i in range(-9, 0)))
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now // 1000 - 3))
        for text in (f'"{clock}"', f'"{now - 3000}"'):
            with self.subTest(text):
                self.write_query(source=self.source([topic], start=None, extra=f"startingTimestamp: {text}"),
                                 checkpoint=f"checkpoint: {{ location: state-{len(text)} }}\n",
                                 sinks=f"sinks:\n  - {{ type: file, path: out-{len(text)} }}\n")
                self.run_query()
                self.assertEqual(sorted(self.ids(f"out-{len(text)}")), [-3, -2, -1])

    def test_a_time_to_come_is_the_end(self):
        topic = self.topic("in")
        self.produce(topic, lines(range(3)))
        self.write_query(source=self.source([topic], start=None, extra="startingTimestamp: 2100-01-01T00:00:00Z"))
        self.run_query()
        self.produce(topic, lines([7]))
        self.run_query()
        self.assertEqual(self.ids(), [7])


class Partitions(KafkaCase):
    def test_assign(self):
        topic = self.topic("in", 3)
        for partition in range(3):
            self.produce(topic, lines([partition], partition))
        self.write_query(source=self.source(f"assign: {{ {topic}: [0, 2] }}"))
        self.run_query()
        self.assertEqual(sorted(self.ids()), [0, 2])

    def test_assign_names_a_partition_that_is_none(self):
        topic = self.topic("in", 2)
        self.write_query(source=self.source(f"assign: {{ {topic}: [2] }}"))
        for command in ("lint", "run"):
            done = self.run_program(command, "query.yaml", expect=78)
            self.assertRegex(done.stdout + done.stderr, f"topic '{topic}' has 2 partitions, assign names 2")

    def test_several_topics(self):
        topics = [self.topic("a"), self.topic("b", 2)]
        self.produce(topics[0], lines([1]))
        self.produce(topics[1], lines([2], 1))
        self.write_query(source=self.source(topics))
        self.run_query()
        self.assertEqual(sorted(self.ids()), [1, 2])

    def test_a_topic_that_does_not_exist(self):
        topic = self.topic("clicks")
        self.write_query(source=self.source([topic[:-1]]))
        for command in ("lint", "run"):
            done = self.run_program(command, "query.yaml", expect=78)
            self.assertRegex(done.stdout + done.stderr, f"topic '{topic[:-1]}' does not exist(.|\n)*'{topic}'")

    def test_new_topics_of_a_pattern_and_new_partitions_are_found_while_running(self):
        topic = self.topic("in-a")
        self.topic("other")
        self.produce(topic, lines([1]))
        # latest: what is new is read from its first offset all the same.
        self.write_query(trigger=None, source=self.source(f"subscribePattern: {self.name}-in-.*", start="latest"))
        process = self.start_query()
        self.wait_for_log(process, "starts at batch 0")
        self.produce(topic, lines([2]))
        self.wait_ids([2])
        self.tool("grow", topic, 2)
        self.produce(topic, lines([3], 1))
        self.produce(self.topic("in-b"), lines([4]))
        self.produce(f"{self.name}-other", lines([99]))
        seconds = self.wait_ids([2, 3, 4], timeout=25)
        self.assertLess(seconds, 14)
        self.end_query(process)
        self.tool("grow", topic, 3)
        self.produce(topic, lines([5], 2) + lines([6], 0))
        process = self.start_query()
        self.wait_ids([2, 3, 4, 5, 6])
        self.end_query(process)


class Limits(KafkaCase):
    def offsets(self, document, topic, key):
        return document["sources"][0][key][topic]

    def test_a_limit_is_shared_in_proportion(self):
        topic = self.topic("in", 4)
        for partition, count in enumerate((300, 100, 1, 0)):
            self.produce(topic, lines(range(partition * 1000, partition * 1000 + count), partition))
        for name in ("maxOffsetsPerTrigger", "maxRowsPerTrigger"):
            with self.subTest(name):
                self.write("progress", "")
                self.write_query(source=self.source([topic], extra=f"{name}: 40"),
                                 checkpoint=f"checkpoint: {{ location: state-{name} }}\n",
                                 sinks=f"sinks:\n  - {{ type: file, path: out-{name} }}\n")
                self.run_query()
                documents = self.progress()
                first, second = documents[:2]
                self.assertEqual(self.offsets(first, topic, "startOffset"), {"0": 0, "1": 0, "2": 0, "3": 0})
                # Of 401 rows: 40 * 300 / 401 = 29.9, 40 * 100 / 401 = 9.98, and one at least.
                self.assertEqual(self.offsets(first, topic, "endOffset"), {"0": 29, "1": 9, "2": 1, "3": 0})
                self.assertEqual(self.offsets(second, topic, "startOffset"), self.offsets(first, topic, "endOffset"))
                self.assertEqual(self.offsets(documents[-1], topic, "endOffset"), {"0": 300, "1": 100, "2": 1, "3": 0})
                self.assertTrue(all(document["numInputRows"] <= 41 for document in documents))
                self.assertEqual(sum(document["numInputRows"] for document in documents), 401)
                self.assertEqual(len(set(self.ids(f"out-{name}"))), 401)

    def test_a_batch_waits_until_there_is_enough_but_not_for_ever(self):
        topic = self.topic("in", 2)
        self.write_query(trigger=None, source=self.source([topic], extra="minOffsetsPerTrigger: 10\nmaxTriggerDelay: 5s"))
        process = self.start_query()
        self.wait_for_log(process, "starts at batch 0")
        self.produce(topic, lines(range(4)))
        time.sleep(0.7)
        self.assertEqual(self.ids(), [])
        self.produce(topic, lines(range(4, 10), 1))
        self.assertLess(self.wait_ids(range(10)), 4)
        self.wait_until(self.progress, "the progress of a batch whose rows are there")
        self.assertEqual(len(self.progress()), 1)
        start = time.monotonic()
        self.produce(topic, lines(range(10, 13)))
        self.wait_ids(range(13))
        self.assertGreater(time.monotonic() - start, 4.5)
        self.end_query(process)


class Records(KafkaCase):
    def test_tombstones_are_counted_and_ignored(self):
        topic = self.topic("in")
        self.produce(topic, lines([1], key="a") + "0\ta\t\\N\n" + lines([2], key="a") + "0\tb\t\\N\n")
        self.write_query(source=self.source([topic]), deadLetter="deadLetter: { type: file, path: dead }\n")
        self.run_query()
        self.assertEqual(self.ids(), [1, 2])
        self.assertEqual(self.progress()[0]["sources"][0]["tombstones"], 2)
        self.assertEqual(self.progress()[0]["deadLetters"], 0)

    def test_tombstones_as_dead_letters(self):
        topic = self.topic("in")
        self.produce(topic, lines([1], key="a") + "0\ta\t\\N\n" + lines([2], key="a"))
        self.write_query(source=self.source([topic], extra="format: { type: json, tombstones: deadLetter }"),
                         deadLetter="deadLetter: { type: file, path: dead }\n")
        self.run_query()
        self.assertEqual(self.ids(), [1, 2])
        letters = self.rows_of("dead")
        self.assertEqual([(letter["partition"], letter["offset"]) for letter in letters], [(0, 1)])
        self.assertEqual(letters[0]["reason"], "tombstone")

    def test_only_tombstones(self):
        topic = self.topic("in")
        self.produce(topic, "0\ta\t\\N\n" * 3)
        self.write_query(source=self.source([topic]))
        self.run_query()
        self.produce(topic, lines([1]))
        self.run_query()
        self.assertEqual(self.ids(), [1])

    def test_dead_letters_quote_records_of_a_batch_of_several_chunks(self):
        topic = self.topic("in", 2)
        bad = {100: "null", 2047: "[2047]", 5000: '{"id": "x5000"}', 12000: '{"id": 12000'}
        self.produce(topic, "".join(f"{i % 2}\t" + bad.get(i, f'{{"id": {i}}}') + "\n" for i in range(20000)))
        self.write_query(source=self.source([topic]), deadLetter="deadLetter: { type: file, path: dead }\n")
        self.run_query()
        self.assertEqual(sorted(self.ids()), [i for i in range(20000) if i not in bad])
        letters = {letter["partition"] + 2 * letter["offset"]: letter["raw"] for letter in self.rows_of("dead")}
        self.assertEqual(letters, bad)

    def test_where_a_record_came_from_and_its_headers(self):
        topic = self.topic("in", 2)
        milliseconds = int(time.time()) * 1000 - 12345
        self.tool("send", topic, input=f'1\t{milliseconds}\ttrace=a"b,empty\tkey-1\t{{"id": 1}}\n'
                                       f'1\t{milliseconds + 1}\t\t\t{{"id": 2}}\n')
        columns = "[id, __topic, __partition, __offset, __timestamp, __key, __headers]"
        self.write_query(source=self.source([topic], extra="includeHeaders: true"),
                         sinks=f"sinks:\n  - {{ type: file, path: out, columns: {columns} }}\n")
        self.run_query()
        first, second = self.rows_of("out")
        self.assertEqual([first[name] for name in ("id", "__topic", "__partition", "__offset", "__key")],
                         [1, topic, 1, 0, base64.b64encode(b"key-1").decode()])
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
        self.assertEqual(first["__timestamp"], f"{seconds}.{milliseconds % 1000:03d}Z")
        self.assertEqual(first["__headers"], '{"trace":"a\\"b","empty":null}')
        self.assertEqual([second["__offset"], second["__key"], second["__headers"]], [1, None, "{}"])


class Gaps(KafkaCase):
    def test_a_compacted_topic(self):
        topic = self.topic("in", 1, "cleanup.policy=compact", "segment.ms=200", "min.cleanable.dirty.ratio=0.01",
                           "delete.retention.ms=0")
        for round in range(3):
            self.produce(topic, "".join(lines([round * 10 + i], key=f"k{i}") for i in range(5)))
            time.sleep(0.3)
        self.produce(topic, lines([99], key="end"))
        # Five keys and the end: before that the cleaner may remove more at any moment.
        self.wait_until(lambda: int(self.tool("count", topic)) == 6, "compaction", 60)
        expected = [row["id"] for row in self.values(topic)]
        self.write_query(source=self.source([topic], extra="maxOffsetsPerTrigger: 3"))
        self.run_query()
        self.assertEqual(self.ids(), expected)
        self.produce(topic, lines([100], key="k1"))
        self.run_query()
        self.assertEqual(self.ids(), expected + [100])

    def test_aborted_transactions_and_their_markers(self):
        topic = self.topic("in", 2)
        text = ""
        kept = []
        for i in range(12):
            commit = i % 3 != 1
            text += lines([i * 10, i * 10 + 1], i % 2) + ("commit\n" if commit else "abort\n")
            kept += [i * 10, i * 10 + 1] if commit else []
        self.tool("transact", topic, self.name, input=text + lines([901]) + "abort\n" + lines([902], 1) + "abort\n")
        self.write_query(source=self.source([topic], extra="maxOffsetsPerTrigger: 3"))
        start = time.monotonic()
        self.run_query()
        self.assertEqual(sorted(self.ids()), kept)
        self.assertLess(time.monotonic() - start, 15, "the query waited at a marker")
        self.tool("transact", topic, self.name, input=lines([500], 1) + "commit\n")
        self.run_query()
        self.assertEqual(sorted(self.ids()), sorted(kept + [500]))

    def test_only_aborted_transactions(self):
        topic = self.topic("in")
        self.tool("transact", topic, self.name, input=(lines([1]) + "abort\n") * 3)
        self.write_query(source=self.source([topic]))
        self.run_query(timeout=30)
        self.assertEqual(self.ids(), [])

    def test_an_open_transaction_is_not_waited_for_and_read_when_it_ends(self):
        topic = self.topic("in")
        self.produce(topic, lines([1]))
        writer = self.hang(topic, self.name, 60000, lines([2]))
        self.produce(topic, lines([3]))
        self.write_query(source=self.source([topic]))
        self.run_query(timeout=30)
        self.assertEqual(self.ids(), [1])
        self.write_query(trigger=None, source=self.source([topic]))
        process = self.start_query()
        self.wait_for_log(process, "resumes at batch")
        writer.kill()
        # The next one with this transactional.id ends what the killed one left open.
        self.tool("transact", topic, self.name, input=lines([4]) + "commit\n")
        self.wait_ids([1, 3, 4])
        self.end_query(process)


if __name__ == "__main__":
    unittest.main()
