# SPDX-License-Identifier: Apache-2.0
"""The real broker of a run of measures (scripts/kafka), and topics that do not outlive their use."""
import subprocess
import time

TRIES = 50


class Broker:
    def __init__(self, root, folder, tool, clicks):
        self.script = [str(root / "scripts/kafka"), "--dir", str(folder)]
        self.tool_path = tool
        self.clicks = clicks
        self.topics = set()
        self.filled = {}
        lines = subprocess.run(self.script + ["start"], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
        settings = dict(line.replace("export ", "").split("=", 1) for line in lines)
        self.bootstrap = settings["KAFKA_BOOTSTRAP"]

    def tool(self, command, topic, *arguments, **keywords):
        """A command of tests/kafka/kafka_tool.c; its output."""
        return subprocess.run([self.tool_path, command, self.bootstrap, topic, *map(str, arguments)], check=True, text=True,
                              stdout=subprocess.PIPE, **keywords).stdout

    def start_tool(self, command, topic, *arguments):
        return subprocess.Popen([self.tool_path, command, self.bootstrap, topic, *map(str, arguments)], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def topic(self, name, partitions, *settings):
        """A new topic with a name that was never used before."""
        full = "%s-%x" % (name, time.time_ns())
        self.tool("create", full, partitions, *settings)
        self.topics.add(full)
        for _ in range(TRIES):  # the broker answers before it knows of all partitions
            if subprocess.run([self.tool_path, "count", self.bootstrap, full], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.2)
        return full

    def drop(self, *topics):
        """Benchmarks fill disks: a topic goes as soon as its run has been looked at."""
        for topic in topics:
            self.tool("delete", topic)
            self.topics.discard(topic)

    def count(self, topic):
        """How many records a read_committed reader sees."""
        return int(self.tool("count", topic))

    def produce_clicks(self, topic, partitions, count, first=0):
        subprocess.run([self.clicks, str(count), "--first", str(first), "--kafka", self.bootstrap, topic, str(partitions)],
                       check=True, stderr=subprocess.DEVNULL)

    def clicks_topic(self, count, partitions=4):
        """A topic with so many click records that all runs read."""
        if (count, partitions) not in self.filled:
            topic = self.topic("clicks", partitions)
            self.produce_clicks(topic, partitions, count)
            self.filled[count, partitions] = topic
        return self.filled[count, partitions]

    def close(self):
        subprocess.run(self.script + ["clean"], check=False, stderr=subprocess.DEVNULL)
