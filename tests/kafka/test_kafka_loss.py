# SPDX-License-Identifier: Apache-2.0
#
# Records that are gone before they were read, and topics that were deleted and made anew: failOnDataLoss. And what a query
# tells its consumer group.
import unittest

from kafka_case import KafkaCase, lines


class Loss(KafkaCase):
    def start_with(self, count, partitions=1, extra=""):
        """A query that has read `count` rows of partition 0 of a topic, and was stopped."""
        topic = self.topic("in", partitions)
        self.produce(topic, lines(range(count)))
        self.write_query(source=self.source([topic], extra=extra))
        self.run_query()
        self.assertEqual(self.ids(), list(range(count)))
        return topic

    def go_on_loosely(self, topic):
        self.write_query(source=self.source([topic], extra="failOnDataLoss: false"))
        return self.run_query().stderr

    def strict_start_is_clean(self, topic, *more):
        before = self.ids()
        self.write_query(source=self.source([topic]))
        self.run_query()
        self.produce(topic, lines(more))
        self.run_query()
        self.assertEqual(self.ids(), before + list(more))


class Truncated(Loss):
    def test_is_refused_with_both_offsets(self):
        topic = self.start_with(5)
        self.produce(topic, lines(range(5, 12)))
        self.tool("truncate", topic, 0, 9)
        for _ in range(2):
            error = self.run_query(expect=78).stderr
            self.assertRegex(error, f"topic '{topic}', partition 0: offsets 5 to 8 \\(4 rows\\) are gone")
            self.assertIn("failOnDataLoss: false", error)
        self.assertEqual(self.ids(), list(range(5)))

    def test_is_passed_over_when_allowed(self):
        topic = self.start_with(5)
        self.produce(topic, lines(range(5, 12)))
        self.tool("truncate", topic, 0, 9)
        self.assertRegex(self.go_on_loosely(topic), "offsets 5 to 8 \\(4 rows\\) are lost")
        self.assertEqual(self.ids(), [0, 1, 2, 3, 4, 9, 10, 11])
        self.assertEqual(self.progress()[-1]["sources"][0]["lostRows"], 4)
        self.strict_start_is_clean(topic, 12)

    def test_to_its_very_end(self):
        topic = self.start_with(5)
        self.produce(topic, lines(range(5, 12)))
        self.tool("truncate", topic, 0, 12)
        self.assertRegex(self.run_query(expect=78).stderr, "offsets 5 to 11 \\(7 rows\\) are gone")
        self.assertRegex(self.go_on_loosely(topic), "offsets 5 to 11 \\(7 rows\\) are lost")
        self.strict_start_is_clean(topic, 12, 13)

    def test_what_was_read_already_may_go(self):
        topic = self.start_with(5)
        self.tool("truncate", topic, 0, 5)
        self.strict_start_is_clean(topic, 5, 6)

    def run_behind(self, extra):
        """A query that reads a row at a time, and fetches hardly ahead, when what it has not reached is cut off."""
        topic = self.topic("in")
        pad = "x" * 600
        self.produce(topic, "".join(f'0\t{{"id": {i}, "pad": "{pad}"}}\n' for i in range(400)),
                     properties="batch.num.messages=2")
        small = "queued.min.messages: 1, queued.max.messages.kbytes: 1, fetch.message.max.bytes: 1000"
        self.write_query(trigger="trigger: { processingTime: 100ms }\n",
                         source=self.source([topic], extra="maxOffsetsPerTrigger: 1\n" + extra,
                                            properties=small))
        process = self.start_query()
        self.wait_until(lambda: len(self.ids()) >= 3, "rows")
        self.tool("truncate", topic, 0, 390)
        return topic, process

    def test_while_the_query_runs(self):
        topic, process = self.run_behind("")
        error = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 78, error)
        read = self.ids()
        self.assertEqual(read, list(range(len(read))))
        self.assertIn(f"topic '{topic}', partition 0: offsets {len(read)} to 389 ({390 - len(read)} rows) are gone", error)

    def test_while_a_query_runs_that_takes_losses(self):
        topic, process = self.run_behind("failOnDataLoss: false")
        self.wait_until(lambda: 399 in self.ids(), "the rows after the gap", 60)
        error = self.end_query(process)
        read = self.ids()
        count = len(read) - 10
        self.assertEqual(read, list(range(count)) + list(range(390, 400)))
        self.assertIn(f"offsets {count} to 389 ({390 - count} rows) are lost", error)
        self.assertEqual(self.progress()[-1]["sources"][0]["lostRows"], 390 - count)


class MadeAnew(Loss):
    def remade(self, count, rows, extra=""):
        topic = self.start_with(count, extra=extra)
        self.tool("delete", topic)
        self.topic("in")
        self.produce(topic, lines(rows))
        return topic

    def check(self, count, rows):
        topic = self.remade(count, rows)
        for _ in range(2):
            error = self.run_query(expect=78).stderr
            self.assertRegex(error, f"topic '{topic}', partition 0: .*{count}.*made anew")
            self.assertIn(f"offsets 0 to {len(rows)}", error)
        self.assertRegex(self.go_on_loosely(topic), f"topic '{topic}', partition 0 was made anew")
        self.assertEqual(self.ids(), list(range(count)) + list(rows))
        self.strict_start_is_clean(topic, 777)

    def test_with_fewer_records(self):
        self.check(5, range(100, 103))

    def test_with_as_many(self):
        self.check(5, range(100, 105))

    def test_with_more(self):
        self.check(5, range(100, 112))

    def test_empty(self):
        self.check(5, [])

    def test_with_fewer_partitions(self):
        topic = self.start_with(3, partitions=2)
        self.tool("delete", topic)
        self.topic("in")
        self.produce(topic, lines(range(9)))
        error = self.run_query(expect=78).stderr
        self.assertRegex(error, f"topic '{topic}'.*partition 1")

    def test_not_at_all(self):
        topic = self.start_with(3)
        self.tool("delete", topic)
        self.assertRegex(self.run_query(expect=78).stderr, f"topic '{topic}' does not exist")

    def test_new_lineage_starts_anew(self):
        topic = self.remade(3, range(100, 102))
        self.run_query(expect=78)
        self.run_query("--new-lineage")
        self.assertEqual(self.ids()[-2:], [100, 101])
        self.strict_start_is_clean(topic, 7)

    def test_deleted_while_two_queries_read_it(self):
        """A strict one ends; one that takes losses goes on with the other topics of its pattern."""
        topic, other = self.topic("in-a"), self.topic("in-b")
        self.produce(topic, lines([1]))
        self.produce(other, lines([2]))
        self.write_query(trigger=None, source=self.source([topic]), name=f"name: {self.name}-strict\n",
                         checkpoint="checkpoint: { location: strict }\n",
                         sinks="sinks:\n  - { type: file, path: out-strict }\n")
        strict = self.start_query()
        self.wait_ids([1], folder="out-strict")
        self.write_query(trigger=None, source=self.source(f"subscribePattern: {self.name}-in-.*",
                                                          extra="failOnDataLoss: false"))
        loose = self.start_query()
        self.wait_ids([1, 2])
        self.tool("delete", topic)
        self.wait_for_log(loose, f"topic '{topic}', partition 0 is gone")
        self.produce(other, lines([3]))
        self.wait_ids([1, 2, 3])
        self.end_query(loose)
        error = strict.communicate(timeout=30)[1]
        self.assertEqual(strict.returncode, 78, error)
        self.assertRegex(error, f"topic '{topic}'.*any more")
        self.run_query("--once")
        self.produce(self.topic("in-a"), lines([4]))
        self.run_query("--once")
        self.assertEqual(sorted(self.ids()), [1, 2, 3, 4])

    def remade_while_it_runs(self, extra, rows):
        """A running query has read 4 rows; then its topic is another one, with these rows."""
        topic = self.start_with(3)
        self.write_query(trigger=None, source=self.source([topic], extra=extra))
        process = self.start_query("--log-level", "debug")
        self.produce(topic, lines([3]))
        self.wait_ids(range(4))
        self.tool("delete", topic)
        # librdkafka must have seen that it is away; from one that is back at once, nothing tells it.
        self.wait_for_log(process, "UNKNOWN_TOPIC_OR_PART", 15)
        self.topic("in")
        self.produce(topic, lines(rows))
        return topic, process

    def check_remade_while_it_runs(self, rows):
        topic, process = self.remade_while_it_runs("", rows)
        error = process.communicate(timeout=30)[1]
        self.assertEqual(process.returncode, 78, error)
        self.assertRegex(error, f"topic '{topic}', partition 0: .* up to offset 4, .*\\(offsets 0 to \\d+\\)")
        self.assertEqual(self.ids(), list(range(4)))

    def test_with_fewer_records_while_the_query_runs(self):
        self.check_remade_while_it_runs(range(200, 202))

    def test_with_as_many_while_the_query_runs(self):
        self.check_remade_while_it_runs(range(200, 204))

    def test_with_more_while_the_query_runs(self):
        self.check_remade_while_it_runs(range(200, 212))

    def test_made_anew_while_a_query_runs_that_takes_losses(self):
        topic, process = self.remade_while_it_runs("failOnDataLoss: false", range(200, 212))
        self.wait_ids(list(range(4)) + list(range(200, 212)))
        self.end_query(process)
        self.strict_start_is_clean(topic, 300)


class Group(Loss):
    def test_a_clean_stop_publishes_positions(self):
        topic = self.topic("in", 2)
        self.produce(topic, lines(range(4)) + lines(range(10, 13), 1))
        self.write_query(trigger=None, source=self.source([topic]))
        process = self.start_query()
        self.wait_ids([0, 1, 2, 3, 10, 11, 12])
        self.end_query(process)
        self.assertEqual(self.tool("committed", topic, f"headrace-{self.name}"), "0 4\n1 3\n")

    def test_a_stop_in_a_backlog_publishes_what_is_committed(self):
        # The next batch is read already while one is delivered: its end is not published.
        topic = self.topic("in")
        self.produce(topic, lines(range(40000)))
        self.write_query(trigger=None, source=self.source([topic], extra="maxOffsetsPerTrigger: 100"))
        process = self.start_query()
        self.wait_until(lambda: len(self.ids()) >= 500, "500 rows")
        self.end_query(process)
        ids = self.ids()
        self.assertEqual(ids, list(range(len(ids))))
        self.assertLess(len(ids), 40000)
        self.assertEqual(self.tool("committed", topic, f"headrace-{self.name}"), f"0 {len(ids)}\n")

    def test_a_bounded_run_too_under_a_group_of_ones_own(self):
        topic = self.topic("in")
        self.produce(topic, lines(range(4)))
        self.write_query(source=self.source([topic], properties=f"group.id: {self.name}-mine"))
        self.run_query()
        self.assertEqual(self.tool("committed", topic, f"{self.name}-mine"), "0 4\n")


if __name__ == "__main__":
    unittest.main()
