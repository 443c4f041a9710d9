# SPDX-License-Identifier: Apache-2.0
#
# A checkpoint and a Kafka sink that went apart: refused, and `headrace checkpoint take-over` goes on with what was learned.
import json
import shutil
import unittest

from kafka_case import KafkaCase, lines


class TakeOver(KafkaCase):
    def setUp(self):
        super().setUp()
        self.input, self.output = self.topic("in"), self.topic("out")
        self.write_query(source=self.source([self.input], extra="maxOffsetsPerTrigger: 10"),
                         checkpoint="checkpoint: { location: state }\n",
                         sinks=self.sink(self.output, f"ledger: {{ topic: {self.name}-ledger }}"))

    def batches(self, first, end):
        self.produce(self.input, lines(range(first, end)))
        self.run_query()

    def inspect(self):
        return json.loads(self.run_program("checkpoint", "inspect", "state", "--format", "json").stdout)

    def ids_out(self):
        return [row["id"] for row in self.values(self.output)]

    def test_older_copy(self):
        self.batches(0, 20)
        shutil.copytree(self.path("state"), self.path("copy"))
        self.batches(20, 40)
        newest = self.inspect()
        shutil.rmtree(self.path("state"))
        shutil.copytree(self.path("copy"), self.path("state"))
        error = self.run_query(expect=78).stderr
        self.assertIn("is at batch 3, the checkpoint is at batch 1", error)
        self.assertIn("headrace checkpoint take-over", error)
        self.assertEqual(self.ids_out(), list(range(40)))
        self.run_program("checkpoint", "take-over", "state")
        self.batches(40, 50)
        self.assertEqual(self.ids_out(), list(range(40)) + list(range(20, 50)))
        self.assertEqual(self.inspect()["batchId"], 4)
        self.assertEqual(self.inspect()["query"], newest["query"])
        self.run_query()
        self.assertEqual(len(self.ids_out()), 70)
        # The lineage before is refused from now on.
        shutil.rmtree(self.path("state"))
        shutil.copytree(self.path("copy"), self.path("state"))
        self.assertIn("was written by another checkpoint", self.run_query(expect=78).stderr)
        self.assertEqual(len(self.ids_out()), 70)

    def test_lost_ledger(self):
        self.batches(0, 20)
        self.tool("delete", f"{self.name}-ledger")
        self.wait_until(lambda: self.run_query_status() == 78, "the ledger topic to be gone", 30)
        self.run_program("checkpoint", "take-over", "state")
        self.batches(20, 30)
        self.assertEqual(self.ids_out(), list(range(30)))

    def run_query_status(self):
        process = self.start_query()
        process.communicate(timeout=60)
        return process.returncode


if __name__ == "__main__":
    unittest.main()
