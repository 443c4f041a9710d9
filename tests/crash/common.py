"""What the crash tests share: records, the learning part of a query, a Kafka client that is none of ours, a server of lines."""
import json
import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

# Learns in a stage and in the model, so that the state is worth comparing.
LEARNING = """
pipeline:
  stages:
    - { type: VectorAssembler, inputCols: [a, b], outputCol: raw }
    - { type: OnlineStandardScaler, inputCol: raw, outputCol: features }
model: { type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1 }
evaluation: { metrics: [accuracy, logLoss, auc], windows: { cumulative: true, slidingRows: 100, fadingFactor: 0.99 } }
"""
FORMAT = """
  format: { type: json, mode: deadLetter }
  schema: "id long, a double, b double, label int"
"""
KAFKA_SOURCE = """
source:
  type: kafka
  subscribe: [PREFIX-in]
  startingOffsets: earliest
  maxOffsetsPerTrigger: BATCH
  properties: { bootstrap.servers: "BOOTSTRAP" }
""" + FORMAT.lstrip("\n")
KAFKA_SINK = """
  - id: rows
    type: kafka
    topic: PREFIX-out
    keyCol: id
    columns: [id, prediction, probability]
    properties: { bootstrap.servers: "BOOTSTRAP" }
"""
KAFKA_DEAD_LETTERS = """
deadLetter:
  type: kafka
  topic: PREFIX-dead
  properties: { bootstrap.servers: "BOOTSTRAP" }
"""
TOPICS = ("in", "out", "dead")


class Failure(Exception):
    """What did not hold."""


def query(name, source, sinks, dead_letters, trigger="{ availableNow: true }", checkpoint="{ location: checkpoint, keep: 3 }",
          learning=LEARNING, **words):
    """The text of a query; PREFIX and the like in it become what `words` says."""
    text = "apiVersion: headrace/v1\nkind: Query\nname: %s\ntrigger: %s\ncheckpoint: %s\n" % (name, trigger, checkpoint)
    text += source.lstrip("\n") + learning.lstrip("\n") + "sinks:\n" + sinks.lstrip("\n") + dead_letters.lstrip("\n")
    for word, value in words.items():
        text = text.replace(word, str(value))
    return text


def record(i):
    """Record number i; one in fifty cannot be read."""
    if i % 50 == 7:
        return '{"id": %d, "a": "bad"' % i
    return '{"id": %d, "a": %.3f, "b": %.3f, "label": %d}' % (i, (i * 37 % 101) / 50 - 1, (i * 53 % 97) / 40, i * 37 % 101 > 50)


def fault_points():
    """Name and meaning of each row of HR_FAULT_POINTS."""
    text = (Path(__file__).resolve().parents[2] / "src/base/fault.h").read_text()
    return re.findall(r'^\s*X\("([a-z.]+)", "([^"]*)"\)', text, re.M)


def without_lineage(text):
    """`checkpoint inspect --format json` less its one random part."""
    return text.replace(json.loads(text)["lineage"], "LINEAGE")


def inspect(headrace, checkpoint, prefix=None):
    text = without_lineage(subprocess.run([headrace, "checkpoint", "inspect", str(checkpoint), "--format", "json"], check=True,
                                          stdout=subprocess.PIPE, text=True).stdout)
    return text.replace(prefix, "PREFIX") if prefix else text


def holds_lock(pid):
    """Does the process hold a lock on a file, which is to say: is its checkpoint open?"""
    return re.search(r"FLOCK .* %d " % pid, Path("/proc/locks").read_text()) is not None


def wait_until(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure("waited %d s for %s" % (seconds, what))
        time.sleep(0.01)


def random_wait(draw, number, seconds):
    """Uniform and log-uniform in turn, so that start-up and recovery are hit as well."""
    return draw.uniform(0, seconds) if number % 2 else 0.002 * (seconds / 0.002) ** draw.random()


class Kills:
    """Starts and kills a query; counts what the kills hit and what the starts after them found, from the log (debug)."""
    moments = ("at start-up", "in recovery", "before the end of the first batch", "in later batches")

    def __init__(self, log):
        self.log = log
        self.hit = dict.fromkeys(self.moments, 0)
        self.begin = 0
        self.count = 0

    def start(self, command):
        with open(self.log, "ab") as log:
            self.begin = log.tell()
            return subprocess.Popen(command, cwd=self.log.parent, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self, process):
        open_checkpoint = holds_lock(process.pid)
        process.kill()
        process.wait()
        with open(self.log, "rb") as log:
            log.seek(self.begin)
            text = log.read().decode(errors="replace")
        if not re.search(r"(starts|resumes) at batch", text):
            moment = self.moments[1 if open_checkpoint else 0]
        else:
            moment = self.moments[3 if re.search(r"batch \d+: \d+ rows in", text) else 2]
        self.hit[moment] += 1
        self.count += 1

    def text(self):
        log = self.log.read_text(errors="replace")
        found = {}
        for why in re.findall(r"resumes at batch \d+, lineage \S+ \(([^)]*)\)", log):
            found[why] = found.get(why, 0) + 1
        return "kills: %s\nstarts that came through found: %s" % (
            ", ".join("%d %s" % (number, moment) for moment, number in self.hit.items()),
            "; ".join("%d x %s" % (number, why) for why, number in sorted(found.items())))


class Kafka:
    """kafka_tool: plain librdkafka, read_committed."""

    def __init__(self, tool, bootstrap):
        self.tool = str(Path(tool).resolve())
        self.bootstrap = bootstrap

    def run(self, command, topic, *arguments, **keywords):
        return subprocess.run([self.tool, command, self.bootstrap, topic, *map(str, arguments)], check=True, text=True,
                              stdout=subprocess.PIPE, **keywords).stdout

    def start(self, command, topic, *arguments):
        return subprocess.Popen([self.tool, command, self.bootstrap, topic, *map(str, arguments)], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def make_topics(self, prefix, partitions=1, suffixes=TOPICS):
        for suffix in suffixes:
            self.run("create", "%s-%s" % (prefix, suffix), 1 if suffix == "dead" else partitions)

    def produce(self, topic, lines):
        self.run("produce", topic, input="".join(lines))

    def consume(self, topic):
        return [json.loads(line) for line in self.run("consume", topic).split("\n") if line]


class Broker:
    """A broker that belongs to one test, which may kill it."""

    script = Path(__file__).resolve().parents[2] / "scripts/kafka"

    def __init__(self, directory):
        self.directory = str(directory)
        self.start()
        self.bootstrap = re.search(r"KAFKA_BOOTSTRAP=(\S+)", self.command("env")).group(1)

    def command(self, *arguments):
        return subprocess.run([str(self.script), *arguments, "--dir", self.directory], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=120).stdout

    def start(self):
        self.command("start")

    def kill(self):
        self.command("stop", "--now")

    def stop(self):
        self.command("stop")

    def clean(self):
        self.command("clean")


class Server:
    """On a port of its own: sends rows to the first connection, in so many goes, and nothing to later ones."""

    def __init__(self, rows, goes=1):
        self.goes = goes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.rows = rows
        self.closing = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            connection = self.listener.accept()[0]
            for go in range(self.goes):
                rows = range(go * self.rows // self.goes, (go + 1) * self.rows // self.goes)
                connection.sendall("".join(record(i) + "\n" for i in rows).encode())
                self.closing.wait(0.4)
            self.closing.wait(60)
            connection.close()
        except OSError:
            pass

    def close(self):
        self.closing.set()
        self.listener.close()


def add_kafka_options(parser, required=True):
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--tool", required=required, help="build/dev/tests/kafka/kafka_tool")
    parser.add_argument("--bootstrap", default=os.environ.get("KAFKA_BOOTSTRAP"))


def conclude(passed, failed):
    """The last line, and the exit status."""
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0
