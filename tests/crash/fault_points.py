#!/usr/bin/env python3
"""Crashes a query at each fault point, in each of three batches, lets each fail and lets each wait, and proves that output
and state come out the same.

    fault_points.py --headrace PATH [--kills N] [--seed S] [--tool PATH --bootstrap HOST:PORT]

File to file with dead letters in files; with --bootstrap also Kafka to Kafka, file and dead letters. The binary must be
built with -DHEADRACE_FAULTS=ON. Each run: HEADRACE_FAULT=<point>:<pass>:crash, then the same command again without it,
until it ends; and with <point>:2:error, after which the query starts again by itself, and a delay at all points at once.
Visible parts, dead letters and `checkpoint inspect` (its random lineage aside) must equal those of a run that
was never killed. A table of the points says how often each was reached; a point of the list that no run reached fails.
The last line is "N passed, N failed".
"""
import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 900
BATCH = 200

FILE_QUERY = """
apiVersion: headrace/v1
kind: Query
name: crash-file
trigger: {{ availableNow: true }}
checkpoint: {{ location: checkpoint, keep: 3 }}
source:
  type: file
  path: in
  maxRowsPerTrigger: {batch}
  format: {{ type: json, mode: deadLetter }}
  schema: "id long, a double, b double, label int"
pipeline:
  stages:
    - {{ type: VectorAssembler, inputCols: [a, b], outputCol: raw }}
    - {{ type: OnlineStandardScaler, inputCol: raw, outputCol: features }}
model: {{ type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1 }}
evaluation: {{ metrics: [accuracy, logLoss, auc], windows: {{ cumulative: true, slidingRows: 100, fadingFactor: 0.99 }} }}
sinks:
  - {{ id: out, type: file, path: out, columns: [id, prediction, probability] }}
  - {{ id: packed, type: file, path: packed, format: {{ type: csv, compression: zstd }}, columns: [id, prediction] }}
deadLetter: {{ type: file, path: dead }}
"""

KAFKA_QUERY = """
apiVersion: headrace/v1
kind: Query
name: {prefix}
trigger: {{ availableNow: true }}
checkpoint: {{ location: checkpoint, keep: 3 }}
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
sinks:
  - id: rows
    type: kafka
    topic: {prefix}-out
    keyCol: id
    columns: [id, prediction, probability]
    properties: {{ bootstrap.servers: "{bootstrap}" }}
  - {{ id: out, type: file, path: out, columns: [id, prediction, probability] }}
deadLetter:
  type: kafka
  topic: {prefix}-dead
  properties: {{ bootstrap.servers: "{bootstrap}" }}
"""


class Failure(Exception):
    """What did not hold."""


def record(i):
    if i % 50 == 7:
        return '{"id": %d, "a": "bad"' % i
    return '{"id": %d, "a": %.3f, "b": %.3f, "label": %d}' % (i, (i * 37 % 101) / 50 - 1, (i * 53 % 97) / 40, i * 37 % 101 > 50)


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


def inspect(headrace, folder):
    text = subprocess.run([headrace, "checkpoint", "inspect", "checkpoint", "--format", "json"], cwd=folder, check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return text.replace(json.loads(text)["lineage"], "LINEAGE")


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

    def __init__(self, options, folder, index):
        self.options = options
        self.folder = Path(folder) / ("file-%d" % index)
        (self.folder / "in").mkdir(parents=True)
        (self.folder / "query.yaml").write_text(FILE_QUERY.format(batch=BATCH))
        (self.folder / "in" / "rows.ndjson").write_text("".join(record(i) + "\n" for i in range(ROWS)))

    def result(self):
        return files(self.folder), inspect(self.options.headrace, self.folder)


class KafkaCase:
    """Kafka to Kafka and file, dead letters in Kafka."""
    name = "kafka to kafka and file"

    def __init__(self, options, folder, index):
        self.options = options
        self.prefix = "crash-%d-%d" % (os.getpid(), index)
        self.folder = Path(folder) / self.prefix
        self.folder.mkdir()
        (self.folder / "query.yaml").write_text(
            KAFKA_QUERY.format(prefix=self.prefix, batch=BATCH, bootstrap=options.bootstrap))
        for suffix in ("in", "out", "dead"):
            subprocess.run([options.tool, "create", options.bootstrap, "%s-%s" % (self.prefix, suffix), "1"], check=True,
                           stdout=subprocess.DEVNULL)
        subprocess.run([options.tool, "produce", options.bootstrap, self.prefix + "-in"], check=True, text=True,
                       input="".join("0\t%s\n" % record(i) for i in range(ROWS)), stdout=subprocess.DEVNULL)

    def read(self, suffix):
        text = subprocess.run([self.options.tool, "consume", self.options.bootstrap, "%s-%s" % (self.prefix, suffix)],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        rows = [json.loads(line) for line in text.split("\n") if line]
        return [(row["key"], row["value"], sorted((row.get("headers") or {}).items())) for row in rows]

    def result(self):
        def plain(value):
            return json.loads(json.dumps(value).replace(self.prefix, "PREFIX"))
        return (files(self.folder), plain(self.read("out")), plain(self.read("dead")),
                inspect(self.options.headrace, self.folder).replace(self.prefix, "PREFIX"))


def fault_points():
    """Name and meaning of each row of HR_FAULT_POINTS."""
    text = (Path(__file__).resolve().parents[2] / "src/base/fault.h").read_text()
    return re.findall(r'^\s*X\("([a-z.]+)", "([^"]*)"\)', text, re.M)


def run_case(options, folder, make, points, reached):
    failures = 0
    passes = 0
    plain = make(options, folder, 0)
    run(options.headrace, plain.folder)
    expected = plain.result()
    index = 0
    for point, _ in points:
        for number in (1, 2, 3):
            index += 1
            case = make(options, folder, index)
            try:
                killed = run(options.headrace, case.folder, "%s:%d:crash" % (point, number)) is None
                if killed:
                    reached[point] = reached.get(point, 0) + 1
                    run(options.headrace, case.folder)
                    if case.result() != expected:
                        raise Failure("output or state differ from the run that was never killed")
                    passes += 1
            except (Failure, subprocess.SubprocessError) as error:
                print("FAILED %s, %s at pass %d: %s" % (case.name, point, number, error))
                failures += 1
    passed, failed = run_errors(options, folder, make, points, expected)
    return passes + passed, failures + failed


def run_error(options, folder, make, point, index, expected):
    """An error at a fault point: the same process goes on from the checkpoint. False when the point was not reached."""
    case = make(options, folder, index)
    environment = dict(os.environ, HEADRACE_FAULT="%s:2:error" % point)
    result = subprocess.run([options.headrace, "run", "query.yaml"], cwd=case.folder, env=environment, timeout=120,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise Failure("exit status %d: %s" % (result.returncode, result.stdout[-1500:]))
    if case.result() != expected:
        raise Failure("output or state differ from the run that had no error")
    return "starts again from the checkpoint" in result.stdout


def run_errors(options, folder, make, points, expected):
    """Errors one by one, then a delay at every point."""
    passed = failed = 0
    for index, (point, _) in enumerate(points):
        try:
            passed += run_error(options, folder, make, point, 500 + index, expected)
        except (Failure, subprocess.SubprocessError) as error:
            print("FAILED %s, error in %s: %s" % (make.name, point, error))
            failed += 1
    if passed + failed < len([point for point, _ in points if make is not FileCase or "kafka" not in point]):
        print("FAILED %s: not every error was reached" % make.name)
        failed += 1
    case = make(options, folder, 599)
    try:
        run(options.headrace, case.folder, ",".join("%s:2:delay=100ms" % point for point, _ in points))
        if case.result() != expected:
            raise Failure("output or state differ from the run that had no delay")
        passed += 1
    except (Failure, subprocess.SubprocessError) as error:
        print("FAILED %s, delays: %s" % (make.name, error))
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
    plain = FileCase(options, folder, 1000)
    start = time.monotonic()
    run(options.headrace, plain.folder)
    seconds = time.monotonic() - start + 0.05
    expected = plain.result()
    kills = passed = failed = 0
    while kills < options.kills and not failed:
        case = FileCase(options, folder, 1001 + passed)
        try:
            while kills < options.kills and killed_at_random(options, case.folder, points, rng, seconds):
                kills += 1
            run(options.headrace, case.folder)
            if case.result() != expected:
                raise Failure("output or state differ from the run that was never killed")
            passed += 1
        except (Failure, subprocess.SubprocessError) as error:
            print("FAILED %s, random kills, seed %d, after %d kills: %s" % (case.name, options.seed, kills, error))
            failed += 1
    print("random kills: %d in %d runs to the end" % (kills, passed + failed))
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--tool")
    parser.add_argument("--bootstrap", default=os.environ.get("KAFKA_BOOTSTRAP"))
    options = parser.parse_args()
    options.headrace = str(Path(options.headrace).resolve())
    points = fault_points()
    reached = {}
    passed = failed = 0
    makers = [FileCase]
    if options.bootstrap and options.tool:
        options.tool = str(Path(options.tool).resolve())
        makers.append(KafkaCase)
    with tempfile.TemporaryDirectory(prefix="headrace-crash-") as folder:
        for make in makers:
            done = run_case(options, folder, make, points, reached)
            passed += done[0]
            failed += done[1]
        if options.kills > 0:
            done = random_kills(options, folder, points)
            passed += done[0]
            failed += done[1]
    print("%-26s %-7s %s" % ("fault point", "crashes", "meaning"))
    for point, meaning in points:
        print("%-26s %-7d %s" % (point, reached.get(point, 0), meaning))
        if point not in reached and (KafkaCase in makers or not point.startswith("deliver.kafka")):
            print("FAILED: no run reached %s" % point)
            failed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
