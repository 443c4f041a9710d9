#!/usr/bin/env python3
"""Kills a query at random instants and proves that nothing was lost and nothing doubled.

    kill_kafka.py --headrace PATH --tool PATH --bootstrap HOST:PORT [--kills N] [--records N] [--partitions N] [--seed N]

Topic `in` gets N records, one in a hundred of them bad. The query (Kafka, a pipeline that learns, a model that learns, Kafka,
dead letters in Kafka, exactly once) runs with availableNow, is killed with SIGKILL after a random time, and started
again, until it was killed as often as asked; then it runs to its end. An independent reader (tests/kafka/kafka_tool, plain
librdkafka, read_committed) must then see each good record once in `out` and each bad one once in the dead letters, with
the partition and offset that it had. With one partition, `checkpoint inspect` must print the same bytes as after a run
that was never killed (its random lineage aside). The output says what the kills hit.

Exit status 0 when all of it holds. The last line is "N passed, N failed".
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import (KAFKA_DEAD_LETTERS, KAFKA_SINK, KAFKA_SOURCE, Failure, Kafka, Kills, add_kafka_options, conclude, inspect,
                    query, random_wait)


class Case:
    """One topic set, one query, one folder."""

    def __init__(self, options, folder, prefix):
        self.options = options
        self.folder = Path(folder) / prefix
        self.folder.mkdir()
        self.prefix = prefix
        self.query = self.folder / "query.yaml"
        self.query.write_text(query(prefix, KAFKA_SOURCE, KAFKA_SINK, KAFKA_DEAD_LETTERS, checkpoint="{ location: checkpoint }",
                                    PREFIX=prefix, BATCH=options.batch, BOOTSTRAP=options.bootstrap))
        self.kills = Kills(self.folder / "log")

    def consume(self, suffix):
        return self.options.kafka.consume("%s-%s" % (self.prefix, suffix))

    def start(self):
        return self.kills.start([self.options.headrace, "--log-level", "debug", "run", str(self.query)])

    def run_to_end(self):
        status = self.start().wait(timeout=600)
        if status != 0:
            raise Failure("the last run ended with %d; its log is %s" % (status, self.folder / "log"))

    def inspect(self):
        return inspect(self.options.headrace, self.folder / "checkpoint", self.prefix)


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
    for hits in range(kills):
        process = case.start()
        try:
            status = process.wait(timeout=random_wait(draw, hits, seconds))
        except subprocess.TimeoutExpired:
            case.kills.kill(process)
            continue
        if status != 0:
            raise Failure("a start after a kill ended with %d; its log is %s" % (status, case.folder / "log"))
        return hits
    return kills


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
    options.kafka.make_topics(name, partitions)
    options.kafka.produce(name + "-in", lines)
    plain = None
    started = time.monotonic()
    if partitions == 1:
        plain = Case(options, folder, name + "-plain")
        options.kafka.make_topics(plain.prefix, partitions)
        options.kafka.produce(plain.prefix + "-in", lines)
        plain.run_to_end()
        check_output(plain, good, bad)
    hits = kill_at_random(case, kills, draw, options.span)
    case.run_to_end()
    check_output(case, good, bad)
    if plain is not None and case.inspect() != plain.inspect():
        raise Failure("checkpoint inspect differs from the run that was never killed")
    print("%s: %d records, %d partitions, %d kills, %.1f s: each good record once, each bad one once%s" % (
        name, records, partitions, hits, time.monotonic() - started, ", same state" if plain else ""))
    print(case.kills.text())
    if hits < kills:
        raise Failure("only %d of %d kills hit before the input was read: use more records or a smaller batch" % (hits, kills))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_kafka_options(parser)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--records", type=int, default=200000)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--span", type=float, default=0.5, help="seconds within which a run is killed")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    options.headrace = str(Path(options.headrace).resolve())
    options.kafka = Kafka(options.tool, options.bootstrap)
    print("seed %d" % options.seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="headrace-kill-") as folder:
        run = "%x" % time.time_ns()
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
    return conclude(passed, failed)


if __name__ == "__main__":
    sys.exit(main())
