#!/usr/bin/env python3
"""Kills a query at random instants and proves that nothing was lost and nothing doubled.

    kill_kafka.py --headrace PATH --tool PATH --bootstrap HOST:PORT [--kills N] [--records N] [--partitions N] [--seed N]

Topic `in` gets N records, one in a hundred of them bad. The query (Kafka, a pipeline that learns, a model that learns, Kafka,
dead letters in Kafka, exactly once) runs with availableNow, is killed with SIGKILL after a random time, and started
again, until it was killed as often as asked; then it runs to its end. An independent reader (tests/kafka/kafka_tool, plain
librdkafka, read_committed) must then see each good record once in `out` and each bad one once in the dead letters, with
the partition and offset that it had. With one partition, `checkpoint inspect` must print the same bytes as after a run
that was never killed (its random lineage aside).

Exit status 0 when all of it holds. The last line is "N passed, N failed".
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUERY = """
apiVersion: headrace/v1
kind: Query
name: {name}
trigger: {{ availableNow: true }}
checkpoint: {{ location: {folder}/checkpoint }}
deliveryGuarantee: exactly_once
source:
  type: kafka
  subscribe: [{prefix}-in]
  startingOffsets: earliest
  maxOffsetsPerTrigger: {batch}
  properties: {{ bootstrap.servers: "{bootstrap}" }}
  format: {{ type: json, mode: deadLetter }}
  schema: "id long, a double, b double, label int"
pipeline:
  stages:
    - {{ type: VectorAssembler, inputCols: [a, b], outputCol: raw }}
    - {{ type: OnlineStandardScaler, inputCol: raw, outputCol: features }}
model: {{ type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1 }}
evaluation: {{ metrics: [accuracy, logLoss, auc], windows: {{ cumulative: true, slidingRows: 1000, fadingFactor: 0.999 }} }}
sinks:
  - id: out
    type: kafka
    topic: {prefix}-out
    keyCol: id
    columns: [id, prediction, probability]
    properties: {{ bootstrap.servers: "{bootstrap}" }}
deadLetter:
  type: kafka
  topic: {prefix}-dead
  properties: {{ bootstrap.servers: "{bootstrap}" }}
"""


class Failure(Exception):
    """What did not hold."""


class Case:
    """One topic set, one query, one folder."""

    def __init__(self, options, folder, prefix):
        self.options = options
        self.folder = Path(folder) / prefix
        self.folder.mkdir()
        self.prefix = prefix
        self.query = self.folder / "query.yaml"
        self.query.write_text(QUERY.format(name=prefix, folder=self.folder, prefix=prefix, batch=options.batch,
                                           bootstrap=options.bootstrap))

    def tool(self, *arguments, **keywords):
        return subprocess.run([self.options.tool, *arguments], check=True, text=True, stdout=subprocess.PIPE, **keywords).stdout

    def make_topics(self, partitions):
        for suffix, count in (("in", partitions), ("out", partitions), ("dead", 1)):
            self.tool("create", self.options.bootstrap, "%s-%s" % (self.prefix, suffix), str(count))

    def produce(self, lines):
        self.tool("produce", self.options.bootstrap, self.prefix + "-in", input="".join(lines))

    def consume(self, suffix):
        text = self.tool("consume", self.options.bootstrap, "%s-%s" % (self.prefix, suffix))
        return [json.loads(line) for line in text.split("\n") if line]

    def start(self):
        log = open(self.folder / "log", "ab")
        return subprocess.Popen([self.options.headrace, "run", str(self.query)], stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL)

    def run_to_end(self):
        status = self.start().wait(timeout=600)
        if status != 0:
            raise Failure("the last run ended with %d; its log is %s" % (status, self.folder / "log"))

    def inspect(self):
        text = subprocess.run([self.options.headrace, "checkpoint", "inspect", str(self.folder / "checkpoint"), "--format",
                               "json"], check=True, stdout=subprocess.PIPE, text=True).stdout
        lineage = json.loads(text)["lineage"]
        return text.replace(lineage, "LINEAGE").replace(self.prefix, "PREFIX")


def make_records(count, partitions, seed):
    """Lines `partition TAB value` for the tool; ids of good ones; bad values."""
    draw = random.Random(seed)
    lines, good, bad = [], set(), {}
    for i in range(count):
        if i % 100 == 37:
            value = draw.choice(['{"id": %d, "a": ', '{"id": %d, "a": "x", "b": 1, "label": 0}', 'no json %d', '[%d]',
                                 '{"id": %d, "a": 1, "b": 2, "label": 0} tail']) % i
            bad[value] = i
        else:
            a, b = draw.gauss(0, 1), draw.gauss(2, 3)
            label = int(a + 0.3 * b > 0.5)
            value = '{"id": %d, "a": %.6f, "b": %.6f, "label": %d}' % (i, a, b, label)
            good.add(i)
        lines.append("%d\t%s\n" % (i % partitions, value))
    return lines, good, bad


def kill_at_random(case, kills, draw, seconds):
    """Uniform and log-uniform instants in turn, so that start-up and recovery are hit as well. Returns kills that hit."""
    hits = 0
    while hits < kills:
        process = case.start()
        wait = draw.uniform(0, seconds) if hits % 2 else 0.002 * (seconds / 0.002) ** draw.random()
        try:
            status = process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            hits += 1
            continue
        if status != 0:
            raise Failure("a start after a kill ended with %d; its log is %s" % (status, case.folder / "log"))
        return hits
    return hits


def check_output(case, good, bad):
    seen = {}
    for record in case.consume("out"):
        number = json.loads(record["value"])["id"]
        seen[number] = seen.get(number, 0) + 1
    lost = [i for i in good if i not in seen]
    doubled = [i for i, n in seen.items() if n > 1]
    foreign = [i for i in seen if i not in good]
    if lost or doubled or foreign:
        raise Failure("out: %d lost %s, %d doubled %s, %d unknown" % (len(lost), lost[:5], len(doubled), doubled[:5], len(foreign)))
    letters = {}
    for record in case.consume("dead"):
        headers = record["headers"]
        for name in ("reason", "message", "topic", "partition", "offset", "query", "batch"):
            if "headrace.error." + name not in headers:
                raise Failure("dead letter without header %s: %s" % (name, record))
        if headers["headrace.error.topic"] != case.prefix + "-in":
            raise Failure("dead letter names topic %s" % headers["headrace.error.topic"])
        letters.setdefault(record["value"], []).append(
            (int(headers["headrace.error.partition"]), int(headers["headrace.error.offset"])))
    for value, number in bad.items():
        partitions = case.options.partitions_now
        origin = (number % partitions, number // partitions)
        if letters.get(value) != [origin]:
            raise Failure("bad record %s: in the dead letters %s, expected once, from %s" % (value, letters.get(value), origin))
    if len(letters) != len(bad):
        raise Failure("%d dead letters, %d bad records" % (len(letters), len(bad)))


def run_case(options, folder, name, partitions, kills, records):
    """A killed run; with one partition also one that was not, for the state."""
    draw = random.Random(options.seed)
    options.partitions_now = partitions
    lines, good, bad = make_records(records, partitions, options.seed)
    case = Case(options, folder, name)
    case.make_topics(partitions)
    case.produce(lines)
    plain = None
    started = time.monotonic()
    if partitions == 1:
        plain = Case(options, folder, name + "-plain")
        plain.make_topics(partitions)
        plain.produce(lines)
        plain.run_to_end()
        check_output(plain, good, bad)
    hits = kill_at_random(case, kills, draw, options.span)
    case.run_to_end()
    check_output(case, good, bad)
    if plain is not None and case.inspect() != plain.inspect():
        raise Failure("checkpoint inspect differs from the run that was never killed")
    print("%s: %d records, %d partitions, %d kills, %.1f s: each good record once, each bad one once%s" % (
        name, records, partitions, hits, time.monotonic() - started, ", same state" if plain else ""))
    if hits < kills:
        raise Failure("only %d of %d kills hit before the input was read: use more records or a smaller batch" % (hits, kills))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--bootstrap", default=os.environ.get("KAFKA_BOOTSTRAP"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--records", type=int, default=200000)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--span", type=float, default=0.5, help="seconds within which a run is killed")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print("seed %d" % options.seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="headrace-kill-") as folder:
        run = str(os.getpid())
        for name, partitions in (("four-" + run, 4), ("one-" + run, 1)):
            try:
                run_case(options, folder, name, partitions, options.kills, options.records)
                passed += 1
            except (Failure, subprocess.SubprocessError) as error:
                print("%s: FAILED: %s" % (name, error))
                log = Path(folder) / name / "log"
                if log.exists():
                    print(log.read_text(errors="replace")[-3000:])
                failed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
