# SPDX-License-Identifier: Apache-2.0
#
# A broker that is away: at the start, at lint, in the middle of a run. This broker belongs to the test alone. And a broker
# that asks for a password.
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from kafka_case import BROKER_SCRIPT, KafkaCase, lines


class Outage(KafkaCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="headrace-broker-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.addClassCleanup(cls.broker, "clean")
        cls.broker("start")
        text = cls.broker("env")
        cls.own_bootstrap = next(line.split("=")[1] for line in text.splitlines() if "KAFKA_BOOTSTRAP" in line)

    @classmethod
    def broker(cls, *arguments):
        return subprocess.run([BROKER_SCRIPT, *arguments, "--dir", cls.directory], check=True, capture_output=True, text=True,
                              timeout=90).stdout

    def setUp(self):
        super().setUp()
        self.bootstrap = self.own_bootstrap
        self.addCleanup(self.broker, "start")
        self.broker("start")

    def test_killed_and_restarted_in_the_middle_of_a_run(self):
        topic, output, dead = self.topic("in", 2), self.topic("out"), self.topic("dead")
        self.produce(topic, "".join(lines(range(p * 20000, p * 20000 + 20000), p) for p in range(2)) + "0\tbad\n")
        self.write_query(trigger=None, source=self.source([topic], extra="maxOffsetsPerTrigger: 100"),
                         sinks=self.sink(output), deadLetter=f"deadLetter: {{ type: kafka, topic: {dead}, properties: {{ "
                                                             f"bootstrap.servers: \"{self.bootstrap}\" }} }}\n")
        process = self.start_query()
        self.wait_until(lambda: len(self.progress()) > 20, "batches")
        self.broker("stop", "--now")
        self.assertLess(len(self.progress()), 390, "all was read before the broker was killed")
        time.sleep(1)
        self.broker("start")
        self.wait_until(lambda: sum(d["numInputRows"] for d in self.progress()) == 40001, "the rest", 60)
        self.end_query(process)
        self.assertEqual(sorted(row["id"] for row in self.values(output)), list(range(40000)))
        self.assertEqual([record["value"] for record in self.consume(dead)], ["bad"])

    def test_away_at_the_start(self):
        topic, output = self.topic("in"), self.topic("out")
        self.produce(topic, lines(range(3)))
        self.write_query(trigger=None, source=self.source([topic]), sinks=self.sink(output))
        self.broker("stop")
        done = self.run_program("lint", "query.yaml", expect=69)
        self.assertIn(self.bootstrap, done.stdout)
        process = self.start_query()
        self.wait_for_log(process, self.bootstrap)
        self.assertIn("Connection refused", self.seen)
        self.assertNotIn("SASL", self.seen)
        self.broker("start")
        self.wait_for_log(process, "starts at batch 0", 10)
        self.wait_until(lambda: [row["id"] for row in self.values(output)] == [0, 1, 2], "the rows")
        self.end_query(process)

    def test_sigterm_while_the_broker_is_away(self):
        topic, output = self.topic("in"), self.topic("out")
        self.produce(topic, lines(range(3)))
        self.write_query(trigger=None, source=self.source([topic]), sinks=self.sink(output))
        process = self.start_query()
        self.wait_until(lambda: len(self.progress()) == 1, "a batch")
        self.broker("stop", "--now")
        self.wait_for_log(process, "waits for the broker")
        self.assertRegex(self.seen, f"waits for the broker {self.bootstrap} \\(.*(Disconnected|Connect to .* failed: .*)\\)")
        self.end_query(process)
        self.assertLess(self.stop_seconds, 10)
        self.broker("start")
        self.produce(topic, lines([3]))
        process = self.start_query()
        self.wait_until(lambda: [row["id"] for row in self.values(output)] == [0, 1, 2, 3], "the rows", 40)
        self.end_query(process)

    def freeze(self):
        """The broker keeps its connections and answers nothing; undone by the return value, or at the end."""
        with open(os.path.join(self.directory, "pid")) as file:
            pid = int(file.read())
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        return lambda: os.kill(pid, signal.SIGCONT)

    def test_sigterm_while_the_broker_is_frozen(self):
        topic, output = self.topic("in"), self.topic("out")
        self.produce(topic, lines(range(1000)))
        self.write_query(trigger=None, source=self.source([topic], extra="maxOffsetsPerTrigger: 2"), sinks=self.sink(output))
        process = self.start_query()
        self.wait_until(lambda: len(self.progress()) > 3, "batches")
        thaw = self.freeze()
        self.assertLess(len(self.progress()), 490, "all was read before the broker was frozen")
        time.sleep(1)  # the batch that was about to end has ended; the next one is in the broker's hands
        error = self.end_query(process, timeout=60)
        self.assertLess(self.stop_seconds, 12)
        self.assertIn("stopped: the next start goes on from what is committed", error)
        thaw()
        process = self.start_query()
        self.wait_until(lambda: len(self.values(output)) >= 1000, "the rest", 60)
        self.end_query(process)
        self.assertEqual([row["id"] for row in self.values(output)], list(range(1000)))


class Password(KafkaCase):
    def sasl(self):
        return ("security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: \"${KAFKA_SASL_USER}\", "
                "sasl.password: \"${KAFKA_SASL_PASSWORD}\", ssl.ca.location: \"${KAFKA_CA}\"")

    def write_sasl(self, trigger):
        topic, output, dead = self.topic("in"), self.topic("out"), self.topic("dead")
        self.produce(topic, lines([1, 2]) + "0\tbad\n")
        bootstrap = os.environ["KAFKA_SASL_BOOTSTRAP"]
        self.write_query(trigger=trigger, source=self.source([topic], properties=self.sasl(), bootstrap=bootstrap),
                         sinks=self.sink(output, properties=self.sasl(), bootstrap=bootstrap),
                         deadLetter=f"deadLetter: {{ type: kafka, topic: {dead}, properties: {{ bootstrap.servers: "
                                    f"\"{bootstrap}\", {self.sasl()} }} }}\n")
        return output, dead

    def test_right(self):
        output, dead = self.write_sasl("trigger: { availableNow: true }\n")
        password = os.environ["KAFKA_SASL_PASSWORD"]
        seen = ""
        for arguments in (["lint"], ["explain"], ["run", "--progress", "-"]):
            done = self.run_program(*arguments, "--log-level", "debug", "query.yaml", expect=0)
            seen += done.stdout + done.stderr
        self.assertEqual([row["id"] for row in self.values(output)], [1, 2])
        self.assertEqual(len(self.consume(dead)), 1)
        self.assertNotIn(password, seen)
        for folder, _, names in os.walk(self.path("state")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(password.encode(), file.read(), name)

    def test_wrong(self):
        self.write_sasl(None)
        wrong = {"KAFKA_SASL_PASSWORD": "wrong-s3cret"}
        done = self.run_program("lint", "query.yaml", env=wrong, expect=77)
        self.assertRegex(done.stdout, "(?i)authentication")
        process = self.start_program("run", "--log-level", "debug", "query.yaml", env=wrong)
        error = process.communicate(timeout=30)[1]
        self.assertEqual(process.returncode, 77, error)
        self.assertRegex(error, "(?i)ERROR.*authentication")
        self.assertNotIn("wrong-s3cret", done.stdout + done.stderr + error)


if __name__ == "__main__":
    unittest.main()
