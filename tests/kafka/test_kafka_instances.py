# SPDX-License-Identifier: Apache-2.0
#
# One query, one writer: the ledger, lineages, copies of the state directory, second instances, instances that wake up late.
import shutil
import signal
import time
import unittest
from pathlib import Path

from kafka_case import ONCE, KafkaCase, lines


class Instances(KafkaCase):
    def setUp(self):
        super().setUp()
        self.input = self.topic("in")
        self.output = self.topic("out")
        self.ledger = f"{self.name}-ledger"

    def write_it(self, trigger=ONCE, state="state", extra="", properties=""):
        ledger = f"ledger: {{ topic: {self.ledger} }}"
        self.write_query(trigger=trigger, source=self.source([self.input], extra=extra),
                         sinks=self.sink(self.output, ledger, properties=properties),
                         checkpoint=f"checkpoint: {{ location: {state} }}\n")

    def copy_state(self):
        """From now on, the query file is another one, with a copy of the state. The first instance keeps its own."""
        shutil.copytree(self.path("state"), self.path("copy"))
        self.file = "copy.yaml"

    def written(self):
        return [row["id"] for row in self.values(self.output)]


class Ledger(Instances):
    def test_is_made_and_compacted(self):
        self.produce(self.input, lines(range(3)))
        self.write_it()
        self.run_query()
        self.assertEqual(self.tool("describe", self.ledger, "cleanup.policy"), "compact\n")
        self.assertEqual(self.written(), [0, 1, 2])

    def test_that_was_deleted_is_missed(self):
        self.produce(self.input, lines(range(3)))
        self.write_it()
        self.run_query()
        self.tool("delete", self.ledger)
        self.produce(self.input, lines([3]))
        for _ in range(2):
            error = self.run_query(expect=78).stderr
            self.assertIn("ledger", error)
            self.assertIn("--new-lineage", error)
        self.assertEqual(self.written(), [0, 1, 2])

    def test_of_another_lineage_is_refused_until_told(self):
        self.produce(self.input, lines(range(3)))
        self.write_it()
        self.run_query()
        shutil.rmtree(self.path("state"))
        for _ in range(2):
            error = self.run_query(expect=78).stderr
            self.assertIn("lineage", error)
            self.assertIn("--new-lineage", error)
        self.assertEqual(self.written(), [0, 1, 2])
        self.assertIn("written again", self.run_query("--new-lineage").stderr)
        self.assertEqual(self.written(), [0, 1, 2, 0, 1, 2])
        self.produce(self.input, lines([3]))
        self.run_query()
        self.assertEqual(self.written(), [0, 1, 2, 0, 1, 2, 3])

    def test_an_older_copy_of_the_state_is_refused(self):
        self.produce(self.input, lines(range(3)))
        self.write_it()
        self.run_query()
        shutil.copytree(self.path("state"), self.path("copy"))
        self.produce(self.input, lines([3]))
        self.run_query()
        self.write_it(state="copy")
        self.assertRegex(self.run_query(expect=78).stderr, "is at batch 1, the checkpoint is at batch 0")
        self.assertEqual(self.written(), [0, 1, 2, 3])

    def test_another_querys_open_transaction_hides_nothing(self):
        self.produce(self.input, lines(range(3)))
        self.write_it(trigger=None)
        # Killed when its second batch was committed: only the ledger knows, behind the transaction that is open.
        process = self.start_query(env={"HEADRACE_FAULT": "deliver.kafka.committed:2:crash"})
        self.wait_until(lambda: len(self.progress()) == 1, "a batch")
        self.hang(self.ledger, self.name + "-other", 3000, "0\tother/kafka\t{}\n")
        self.produce(self.input, lines(range(3, 6)))
        self.assertEqual(process.wait(timeout=20), -signal.SIGKILL)
        self.write_it()
        start = time.monotonic()
        error = self.run_query().stderr
        self.assertIn("delivered: committed", error)
        self.assertGreater(time.monotonic() - start, 0.5, "the transaction was not open any more: nothing was tested")
        self.assertEqual(self.written(), list(range(6)))


class Second(Instances):
    def freeze(self, process):
        """Until one thread has had the processor to take the signal, the others go on."""
        process.send_signal(signal.SIGSTOP)
        self.wait_until(lambda: all(path.read_text().rpartition(")")[2].split()[0] == "T"
                                    for path in Path(f"/proc/{process.pid}/task").glob("*/stat")), "all threads stop")

    def test_in_the_same_folder_is_refused(self):
        self.write_it(trigger=None)
        process = self.start_query()
        self.wait_for_log(process, "starts at batch 0")
        done = self.run_query(expect=75)
        self.assertIn("state", done.stderr)
        self.produce(self.input, lines([1]))
        self.wait_until(lambda: self.written() == [1], "the first instance goes on")
        self.end_query(process)

    def test_on_a_copy_of_the_state_fences_the_first(self):
        self.produce(self.input, lines(range(3)))
        self.write_it(trigger=None)
        first = self.start_query()
        self.wait_until(lambda: self.written() == [0, 1, 2], "the first instance writes")
        self.freeze(first)
        self.copy_state()
        self.write_it(trigger=None, state="copy")
        second = self.start_query()
        self.wait_for_log(second, "resumes at batch 1")
        self.produce(self.input, lines(range(3, 6)))
        self.wait_until(lambda: self.written() == list(range(6)), "the second instance writes")
        first.send_signal(signal.SIGCONT)
        error = first.communicate(timeout=30)[1]
        self.assertEqual(first.returncode, 75, error)
        self.assertRegex(error, "another instance.*, or this one was too slow")
        self.assertEqual(self.written(), list(range(6)))
        self.produce(self.input, lines([6]))
        self.wait_until(lambda: self.written() == list(range(7)), "the second instance goes on")
        self.end_query(second)

    def test_that_stopped_inside_a_transaction_writes_nothing_when_it_wakes_up(self):
        self.produce(self.input, lines(range(20000)))
        self.write_it(trigger=None, extra="maxOffsetsPerTrigger: 50")
        first = self.start_query()
        self.wait_until(lambda: len(self.progress()) > 3, "batches")
        self.freeze(first)
        batches = len(self.progress())
        self.copy_state()
        self.write_it(state="copy")
        self.run_query()
        self.assertEqual(self.written(), list(range(20000)))
        first.send_signal(signal.SIGCONT)
        error = first.communicate(timeout=30)[1]
        self.assertEqual(first.returncode, 75, error)
        self.assertEqual(self.written(), list(range(20000)))
        self.assertGreater(len(self.progress()), batches)

    def test_slower_than_its_transaction(self):
        self.produce(self.input, lines(range(20000)))
        self.write_it(trigger=None, extra="maxOffsetsPerTrigger: 10", properties="transaction.timeout.ms: 1000")
        process = self.start_query()
        self.wait_until(lambda: len(self.progress()) > 3, "batches")
        # Stopped at any place: most of a batch's time is inside of its transaction, but not all.
        process.send_signal(signal.SIGSTOP)
        time.sleep(4.5)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        process.terminate()  # it may have ended, or be about to
        error = process.communicate(timeout=30)[1]
        self.assertIn(process.returncode, (0, 75), error)
        if process.returncode == 75:
            self.assertRegex(error, "too slow .*transaction.timeout.ms")
        self.write_it()
        self.run_query()
        self.assertEqual(self.written(), list(range(20000)))


if __name__ == "__main__":
    unittest.main()
