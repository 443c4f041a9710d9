#!/usr/bin/env python3
"""Crashes a query at each fault point, in each of three batches, lets each fail and lets each wait, and proves that output
and state come out the same.

    fault_points.py --headrace PATH [--kills N] [--seed S] [--tool PATH --bootstrap HOST:PORT]

File to file with dead letters in files; with --bootstrap also Kafka to Kafka, Kafka to Kafka and file, socket to Kafka, each
with dead letters in Kafka. The binary must be built with -DHEADRACE_FAULTS=ON. Each run: HEADRACE_FAULT=<point>:<pass>:crash,
then the same command again without it, until it ends; and with <point>:2:error, after which the query starts again by itself,
and a delay at all points at once. Visible parts, records, dead letters and `checkpoint inspect` (its random lineage aside)
must equal those of a run that was never killed. The lines of a socket come only once: there, what the journal held at the
crash must come out, in order, each once. A table of the points says how often each was reached; one that a kind of query
should pass and did not reach at each of three passes fails. The last line is "N passed, N failed".
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from common import (FORMAT, KAFKA_DEAD_LETTERS, KAFKA_SINK, KAFKA_SOURCE, Failure, Kafka, Server, add_kafka_options, conclude,
                    fault_points, inspect, query, record)

ROWS = 900
BATCH = 200
SOCKET_BATCH = 100  # a first look may see less than all that the server sent
ATTEMPTS = 5        # at rows of a socket that are divided into batches as they were in the run without a crash
PASSES = (1, 2, 3)

FILE_SOURCE = """
source:
  type: file
  path: in
  maxRowsPerTrigger: BATCH
""" + FORMAT.lstrip("\n")
FILE_SINKS = """
  - { id: out, type: file, path: out, columns: [id, prediction, probability] }
  - { id: packed, type: file, path: packed, format: { type: csv, compression: zstd }, columns: [id, prediction] }
"""
FILE_DEAD_LETTERS = "deadLetter: { type: file, path: dead }\n"
SOCKET_SOURCE = """
source:
  type: socket
  host: 127.0.0.1
  port: PORT
  maxRowsPerTrigger: BATCH
""" + FORMAT.lstrip("\n")


class OtherBatches(Exception):
    """The rows of a socket came in other pieces, so that they were divided into other batches: nothing can be said of state."""


def run(headrace, folder, fault=None):
    """One run; None when it was killed by its fault, else its exit status."""
    environment = dict(os.environ)
    environment.pop("HEADRACE_FAULT", None)
    if fault:
        environment["HEADRACE_FAULT"] = fault
    result = subprocess.run([headrace, "run", "query.yaml"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if result.returncode == -signal.SIGKILL:
        return None
    if result.returncode != 0:
        raise Failure("%s: exit status %d: %s" % (fault or "after the crash", result.returncode, result.stdout[-1500:]))
    return 0


def files(folder):
    """Visible parts by name; nothing unfinished may be left in sight."""
    found = {}
    for name in ("out", "packed", "dead"):
        for path in sorted((folder / name).glob("*")):
            if path.name.startswith("part-"):
                found[name + "/" + path.name] = path.read_bytes()
            elif not path.name.startswith((".", "_")):
                raise Failure("unexpected file %s" % path)
    return found


class FileCase:
    """File to file."""
    name = "file to file"
    passes_not = "deliver.kafka"

    def __init__(self, options, folder, index):
        self.options = options
        self.folder = Path(folder) / ("file-%d" % index)
        (self.folder / "in").mkdir(parents=True)
        (self.folder / "query.yaml").write_text(query("crash-file", FILE_SOURCE, FILE_SINKS, FILE_DEAD_LETTERS, BATCH=BATCH))
        (self.folder / "in" / "rows.ndjson").write_text("".join(record(i) + "\n" for i in range(ROWS)))

    def crashed(self):
        pass

    def result(self):
        return files(self.folder), inspect(self.options.headrace, self.folder / "checkpoint")

    def check_batches(self, result):
        pass

    def check(self, expected):
        if self.result() != expected:
            raise Failure("output or state differ from the run that was never killed")

    def close(self):
        pass


class KafkaCase(FileCase):
    """Kafka to Kafka, dead letters in Kafka."""
    name = "Kafka to Kafka"
    passes_not = "deliver.file"
    sinks = KAFKA_SINK

    def __init__(self, options, folder, index):
        self.options = options
        self.prefix = "crash-%d-%s-%d" % (os.getpid(), type(self).__name__.lower(), index)
        self.folder = Path(folder) / self.prefix
        self.folder.mkdir()
        self.make()
        (self.folder / "query.yaml").write_text(self.text())

    def make(self):
        self.options.kafka.make_topics(self.prefix)
        self.options.kafka.produce(self.prefix + "-in", ["0\t%s\n" % record(i) for i in range(ROWS)])

    def text(self):
        return query(self.prefix, KAFKA_SOURCE, self.sinks, KAFKA_DEAD_LETTERS, PREFIX=self.prefix, BATCH=BATCH,
                     BOOTSTRAP=self.options.kafka.bootstrap)

    def read(self, suffix):
        rows = self.options.kafka.consume("%s-%s" % (self.prefix, suffix))
        return [(row["key"], row["value"].replace(self.prefix, "PREFIX"),
                 [(name, value.replace(self.prefix, "PREFIX")) for name, value in sorted(row["headers"].items())])
                for row in rows]

    def result(self):
        return (files(self.folder), self.read("out"), self.read("dead"),
                inspect(self.options.headrace, self.folder / "checkpoint", self.prefix))


class KafkaFileCase(KafkaCase):
    """Kafka to Kafka and file, dead letters in Kafka."""
    name = "Kafka to Kafka and file"
    passes_not = "deliver.none"
    sinks = KAFKA_SINK + "  - { id: out, type: file, path: out, columns: [id, prediction, probability] }\n"


class SocketCase(KafkaCase):
    """Socket to Kafka, dead letters in Kafka."""
    name = "socket to Kafka"
    journaled = ROWS

    def make(self):
        self.options.kafka.make_topics(self.prefix, suffixes=("out", "dead"))
        self.server = Server(ROWS)

    def text(self):
        return query(self.prefix, SOCKET_SOURCE, self.sinks, KAFKA_DEAD_LETTERS, PREFIX=self.prefix, BATCH=SOCKET_BATCH,
                     BOOTSTRAP=self.options.kafka.bootstrap, PORT=self.server.port)

    def crashed(self):
        """Lines in the journal, read without our code: they must be the first ones of the server."""
        found = []
        for path in sorted((self.folder / "checkpoint").glob("journal-*/*.journal")):
            found += [int(number) for number in re.findall(rb'{"id": (\d+), "a"', path.read_bytes())]
        if found != list(range(len(found))) or not found:
            raise Failure("the journal holds %s" % found)
        self.journaled = len(found)

    def check(self, expected):
        good = [i for i in range(self.journaled) if i % 50 != 7]
        result = self.result()
        if [int(key) for key, _, _ in result[1]] != good:
            raise Failure("rows 0 to %d were in the journal, and %s came out" % (
                self.journaled - 1, [key for key, _, _ in result[1]]))
        if [value for _, value, _ in result[2]] != [record(i) for i in range(self.journaled) if i % 50 == 7]:
            raise Failure("rows 0 to %d were in the journal, and the dead letters are %s" % (
                self.journaled - 1, [value for _, value, _ in result[2]]))
        if self.journaled == ROWS:
            self.check_batches(result)
        if result[1] != expected[1][:len(good)]:
            raise Failure("rows differ from those of the run that was never killed")
        if self.journaled == ROWS and result[3] != expected[3]:
            raise Failure("the state differs from that of the run that was never killed")

    def check_batches(self, result):
        """The last batch's number says how the rows were divided, for no batch has more than SOCKET_BATCH."""
        if json.loads(result[3])["batchId"] != ROWS // SOCKET_BATCH - 1:
            raise OtherBatches()

    def close(self):
        self.server.close()


def repeated(one, options, folder, make, index, *arguments):
    """Once, or again where the rows came in other pieces."""
    for attempt in range(ATTEMPTS):
        try:
            return one(options, folder, make, index + 1000 * attempt, *arguments)
        except OtherBatches:
            continue
    raise Failure("%s: rows came in other pieces in each of %d runs" % (make.name, ATTEMPTS))


def plain(options, folder, make, index):
    """What a run without a fault comes to."""
    case = make(options, folder, index)
    try:
        run(options.headrace, case.folder)
        result = case.result()
        case.check_batches(result)
        return result
    finally:
        case.close()


def crash(options, folder, make, index, point, number, expected):
    """One crash and what comes after; did it happen?"""
    case = make(options, folder, index)
    try:
        if run(options.headrace, case.folder, "%s:%d:crash" % (point, number)) is not None:
            case.check_batches(case.result())
            return False
        case.crashed()
        run(options.headrace, case.folder)
        case.check(expected)
        return True
    except (Failure, subprocess.SubprocessError) as error:
        raise Failure("%s, %s at pass %d: %s" % (make.name, point, number, error))
    finally:
        case.close()


def fail_and_go_on(options, folder, make, index, point, expected):
    """An error: the same process goes on from the checkpoint. False when the point was not reached."""
    case = make(options, folder, index)
    try:
        environment = dict(os.environ, HEADRACE_FAULT="%s:2:error" % point)
        result = subprocess.run([options.headrace, "run", "query.yaml"], cwd=case.folder, env=environment, timeout=120,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise Failure("exit status %d: %s" % (result.returncode, result.stdout[-1500:]))
        case.crashed()
        reached = "starts again from the checkpoint" in result.stdout
        if not reached:
            case.check_batches(case.result())
        case.check(expected)
        return reached
    except (Failure, subprocess.SubprocessError) as error:
        raise Failure("%s, error in %s: %s" % (make.name, point, error))
    finally:
        case.close()


def delay(options, folder, make, index, points, expected):
    """A delay at every point."""
    case = make(options, folder, index)
    try:
        run(options.headrace, case.folder, ",".join("%s:2:delay=100ms" % point for point in points))
        case.crashed()
        case.check(expected)
        return True
    except (Failure, subprocess.SubprocessError) as error:
        raise Failure("%s, delays: %s" % (make.name, error))
    finally:
        case.close()


def run_case(options, folder, make, points, reached):
    """All of one kind of query, four at a time, for most of it is waiting."""
    expected = repeated(plain, options, folder, make, 0)
    passed = failed = 0
    points = [point for point, _ in points if not point.startswith(make.passes_not)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        started = []
        for index, point in enumerate(points):
            for number in PASSES:
                started.append((point, "pass %d" % number, pool.submit(
                    repeated, crash, options, folder, make, 10 * index + number, point, number, expected)))
            started.append((point, "error", pool.submit(
                repeated, fail_and_go_on, options, folder, make, 10 * index + 9, point, expected)))
        started.append(("all points", "delay", pool.submit(repeated, delay, options, folder, make, 999, points, expected)))
        for point, what, one in started:
            try:
                if not one.result():
                    raise Failure("%s, %s: not reached (%s)" % (make.name, point, what))
                reached[make.name, point] = reached.get((make.name, point), 0) + what.startswith("pass")
                passed += 1
            except Failure as error:
                print("FAILED", error)
                failed += 1
            except Exception:  # a fault of the test itself fails one case and says where
                print("FAILED %s, %s (%s): %s" % (make.name, point, what, traceback.format_exc()))
                failed += 1
    return passed, failed


def killed_at_random(options, folder, points, rng, seconds):
    """One run that dies at a random moment within `seconds`; False when it ended before."""
    environment = dict(os.environ)
    environment["HEADRACE_FAULT"] = "%s:%d:delay=50ms" % (rng.choice(points)[0], rng.randint(1, 3))
    process = subprocess.Popen([options.headrace, "run", "query.yaml"], cwd=folder, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(rng.uniform(0, seconds))
    process.kill()
    output = process.communicate(timeout=60)[0]
    if process.returncode not in (0, -signal.SIGKILL):
        raise Failure("after a kill: exit status %d: %s" % (process.returncode, output[-1500:]))
    return process.returncode != 0


def random_kills(options, folder, points):
    """Kills, in as many cases as that takes; the number of cases that passed and that failed."""
    print("random kills: seed %d" % options.seed)
    rng = random.Random(options.seed)
    points = [point for point in points if not point[0].startswith("deliver.kafka")]
    start = time.monotonic()
    expected = plain(options, folder, FileCase, 10000)
    seconds = time.monotonic() - start + 0.05
    kills = passed = failed = 0
    while kills < options.kills and not failed:
        case = FileCase(options, folder, 10001 + passed)
        try:
            while kills < options.kills and killed_at_random(options, case.folder, points, rng, seconds):
                kills += 1
            run(options.headrace, case.folder)
            case.check(expected)
            passed += 1
        except (Failure, subprocess.SubprocessError) as error:
            print("FAILED %s, random kills, seed %d, after %d kills: %s" % (case.name, options.seed, kills, error))
            failed += 1
    print("random kills: %d in %d runs to the end" % (kills, passed + failed))
    return passed, failed


def print_table(points, makers, reached):
    """How often each point was reached, by kind of query; - where it cannot be."""
    print("crashes at each fault point: " + ", ".join("(%d) %s" % (i + 1, make.name) for i, make in enumerate(makers)))
    print("%-26s %s  meaning" % ("fault point", " ".join("(%d)" % (i + 1) for i in range(len(makers)))))
    for point, meaning in points:
        counts = ["-" if point.startswith(make.passes_not) else str(reached.get((make.name, point), 0)) for make in makers]
        print("%-26s %s  %s" % (point, " ".join("%3s" % count for count in counts), meaning))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_kafka_options(parser, required=False)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    options.headrace = str(Path(options.headrace).resolve())
    points = fault_points()
    reached = {}
    passed = failed = 0
    makers = [FileCase]
    if options.bootstrap and options.tool:
        options.kafka = Kafka(options.tool, options.bootstrap)
        makers += [KafkaCase, KafkaFileCase, SocketCase]
    with tempfile.TemporaryDirectory(prefix="headrace-crash-") as folder:
        for make in makers:
            start = time.monotonic()
            done = run_case(options, folder, make, points, reached)
            print("%s: %d runs with a fault, %.1f s" % (make.name, sum(done), time.monotonic() - start), flush=True)
            passed += done[0]
            failed += done[1]
        if options.kills > 0:
            done = random_kills(options, folder, points)
            passed += done[0]
            failed += done[1]
    print_table(points, makers, reached)
    return conclude(passed, failed)


if __name__ == "__main__":
    sys.exit(main())
