# SPDX-License-Identifier: Apache-2.0
#
# What the real-broker tests share: topics with names of their own, an independent client (kafka_tool), query files, and
# progress documents. The broker is that of `scripts/kafka env`; without one every test fails.
import json
import os
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))
from headrace import PROGRAM, ROOT, Case, query  # noqa: E402

TOOL = os.path.abspath(os.environ.get("KAFKA_TOOL", os.path.join(ROOT, "build/dev/tests/kafka/kafka_tool")))
BROKER_SCRIPT = os.path.join(ROOT, "scripts/kafka")
ONCE = "trigger: { availableNow: true }\n"


def lines(numbers, partition=0, key=None):
    """Lines of `kafka_tool produce` for records {"id": number}."""
    start = f"{partition}\t" + (f"{key}\t" if key is not None else "")
    return "".join(f'{start}{{"id": {number}}}\n' for number in numbers)


class KafkaCase(Case):
    def setUp(self):
        super().setUp()
        self.assertIn("KAFKA_BOOTSTRAP", os.environ, "no broker: eval \"$(scripts/kafka start)\" first")
        self.bootstrap = os.environ["KAFKA_BOOTSTRAP"]
        self.name = "t" + uuid.uuid4().hex[:10]
        self.file = "query.yaml"

    # ---- the broker --------------------------------------------------------------------------------------------------

    def tool(self, command, topic, *arguments, input=None, bootstrap=None, properties=""):
        done = subprocess.run([TOOL, command, bootstrap or self.bootstrap, topic, *map(str, arguments)], input=input,
                              capture_output=True, text=True, timeout=60,
                              env={**os.environ, "KAFKA_PROPERTIES": properties})
        self.assertEqual(done.returncode, 0, f"kafka_tool {command} {topic} {arguments}: {done.stderr}")
        return done.stdout

    def topic(self, suffix, partitions=1, *settings, bootstrap=None):
        name = f"{self.name}-{suffix}"
        self.tool("create", name, partitions, *settings, bootstrap=bootstrap)
        return name

    def produce(self, topic, text, properties=""):
        self.tool("produce", topic, input=text, properties=properties)

    def consume(self, topic, bootstrap=None):
        return [json.loads(line) for line in self.tool("consume", topic, bootstrap=bootstrap).splitlines()]

    def values(self, topic, bootstrap=None):
        return [json.loads(record["value"]) for record in self.consume(topic, bootstrap=bootstrap)]

    def hang(self, topic, transactional_id, timeout_ms, text):
        """A process with an open transaction that holds these records."""
        process = subprocess.Popen([TOOL, "hang", self.bootstrap, topic, transactional_id, str(timeout_ms)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        process.stdin.write(text)
        process.stdin.close()
        self.assertEqual(process.stdout.readline(), "open\n")
        return process

    # ---- queries -----------------------------------------------------------------------------------------------------

    def source(self, topics, start="earliest", extra="", schema="id long", properties="", bootstrap=None):
        """topics: a list to subscribe to, or a line of YAML."""
        if not isinstance(topics, str):
            topics = "subscribe: [" + ", ".join(topics) + "]"
        text = f"source:\n  type: kafka\n  {topics}\n"
        text += f"  startingOffsets: {start}\n" if start else ""
        text += "".join(f"  {line}\n" for line in extra.splitlines())
        text += f"  properties: {{ bootstrap.servers: \"{bootstrap or self.bootstrap}\", {properties} }}\n"
        return text + f"  schema: \"{schema}\"\n"

    def sink(self, topic, extra="", properties="", bootstrap=None):
        text = f"sinks:\n  - type: kafka\n    topic: {topic}\n"
        text += "".join(f"    {line}\n" for line in extra.splitlines())
        return text + f"    properties: {{ bootstrap.servers: \"{bootstrap or self.bootstrap}\", {properties} }}\n"

    def write_query(self, trigger=ONCE, **sections):
        return self.write(self.file, query(**{"name": f"name: {self.name}\n", "trigger": trigger, **sections}))

    def run_query(self, *arguments, expect=0, env=None, timeout=60):
        return self.run_program("run", "--progress", "progress", *arguments, self.file, expect=expect, env=env,
                                timeout=timeout)

    def start_query(self, *arguments, env=None):
        return self.start_program("run", "--progress", "progress", *arguments, self.file, env=env)

    def end_query(self, process, expect=0, timeout=20):
        """SIGTERM; returns the standard error. Seconds that it took: self.stop_seconds."""
        start = time.monotonic()
        process.terminate()
        error = process.communicate(timeout=timeout)[1]
        self.stop_seconds = time.monotonic() - start
        self.assertEqual(process.returncode, expect, error)
        return error

    def progress(self):
        """The progress documents of all runs so far."""
        if not os.path.exists(self.path("progress")):
            return []
        return [json.loads(line) for line in self.read("progress").splitlines() if line.endswith("}")]

    def ids(self, folder="out"):
        return [row["id"] for row in self.rows_of(folder)] if os.path.isdir(self.path(folder)) else []

    def wait_until(self, condition, what, timeout=20):
        """Until condition() is true; returns the seconds it took."""
        start = time.monotonic()
        while not condition():
            self.assertLess(time.monotonic() - start, timeout, f"not within {timeout} s: {what}")
            time.sleep(0.02)
        return time.monotonic() - start

    def wait_ids(self, expected, timeout=20, folder="out"):
        expected = sorted(expected)
        return self.wait_until(lambda: sorted(self.ids(folder)) == expected, f"the rows {expected[:20]}; there are "
                               "others", timeout)
