#!/usr/bin/env python3
"""What exactly once costs, and how long a start after a kill -9 takes. Prints the tables of docs/performance.md.

    recovery.py --headrace PATH --tool PATH --bootstrap HOST:PORT [--features 16,23,26] [--repeat N] [--only reader|state|cost]

reader  A query is killed with its transaction open. How long until a read_committed reader gets past it, counted from the
        start of the next process and from its first rd_kafka_init_transactions (transaction_times.c, preloaded)?
state   OnlineLogisticRegression (adagrad) over FeatureHasher with 2^N features, filled with random rows, is killed after a
        commit, with the transaction open, and delivered but not committed. From the start of the next process until its first new row is readable.
        In a virtual machine the first touch of memory that the host has taken back costs seconds a GiB, so that as much
        is touched and freed before each start (not with --cold-memory).
cost    200,000 rows in batches of 500: time of a batch, bytes and syncs, with exactly_once and at_least_once.

The binary: a release build with -DHEADRACE_FAULTS=ON.
"""
import argparse
import datetime
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/crash"))
from common import (KAFKA_SINK, KAFKA_SOURCE, LEARNING, Failure, Kafka, add_kafka_options,  # noqa: E402
                    query, record)

WORDS = 20  # columns of a hashed row
SMALL_BATCH = 100
COST_BATCH = 500
HASHED = """
pipeline:
  stages:
    - { type: FeatureHasher, inputCols: [%s], outputCol: features, numFeatures: FEATURES }
model: { type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1 }
""" % ", ".join("c%d" % i for i in range(WORDS))
HASHED_SCHEMA = '"id long, label int, %s"' % ", ".join("c%d string" % i for i in range(WORDS))


class Case:
    """A query, its topics, its folder."""

    def __init__(self, options, folder, name, source=KAFKA_SOURCE, learning=LEARNING, batch=SMALL_BATCH, guarantee=None):
        self.options = options
        self.kafka = options.kafka
        self.name = "%s-%x" % (name, time.time_ns())
        self.folder = Path(folder) / self.name
        self.folder.mkdir()
        text = query(self.name, source.replace("deadLetter", "drop"), KAFKA_SINK, "", trigger="{ processingTime: 0s }",
                     learning=learning, PREFIX=self.name, BATCH=batch, BOOTSTRAP=self.kafka.bootstrap)
        (self.folder / "query.yaml").write_text(text + ("deliveryGuarantee: %s\n" % guarantee if guarantee else ""))
        self.kafka.make_topics(self.name)

    def produce(self, lines):
        self.kafka.produce(self.name + "-in", ["0\t%s\n" % line for line in lines])

    def start(self, *arguments, **environment):
        log = open(self.folder / "log", "w+b")
        return subprocess.Popen([self.options.headrace, *arguments, "query.yaml"], cwd=self.folder,
                                env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def run_to_end(self, *arguments):
        status = self.start(*arguments, "run", "--once").wait(timeout=1200)
        if status != 0:
            raise Failure("it ended with %d: %s" % (status, self.log()[-1500:]))

    def crash(self, fault):
        status = self.start("run", HEADRACE_FAULT=fault + ":crash").wait(timeout=600)
        if status != -9:
            raise Failure("not killed at %s, but ended with %d: %s" % (fault, status, self.log()[-1500:]))

    def resumed_at(self):
        """Seconds since 1970 of the line that says that recovery is over."""
        found = re.search(r"^(\S+) .*(resumes|starts) at batch", self.log(), re.M)
        return datetime.datetime.fromisoformat(found.group(1).replace("Z", "+00:00")).timestamp()


def reader_of(kafka, topic):
    """A read_committed reader at the end of what it may see."""
    process = kafka.start("first", topic)
    if process.stdout.readline() != "ready\n":
        raise Failure("no reader")
    return process


def first_row(reader):
    return float(reader.communicate(timeout=120)[0]) / 1000


def end(process):
    process.terminate()
    if process.wait(timeout=60) != 0:
        raise Failure("it ended with %d" % process.returncode)


def spread(values):
    return "%.2f (%.2f to %.2f)" % (statistics.median(values), min(values), max(values))


# ---- a reader behind an open transaction -----------------------------------------------------------------------------

def preload(folder):
    library = os.path.join(folder, "transaction_times.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, str(HERE / "transaction_times.c"), "-ldl"], check=True)
    return library


def measure_reader(options, folder):
    library = preload(folder)
    since_start, since_call, call = [], [], []
    for _ in range(options.repeat):
        case = Case(options, folder, "reader")
        case.produce(record(i) for i in range(10 * SMALL_BATCH))
        case.crash("deliver.kafka.sent:4")
        out = case.name + "-out"
        reader = reader_of(case.kafka, out)
        case.kafka.produce(out, ["0\tbehind the open transaction\n"])
        began = time.time()
        process = case.start("run", LD_PRELOAD=library)
        read = first_row(reader)
        end(process)
        calls = [tuple(map(float, pair)) for pair in re.findall(r"init_transactions ([\d.]+) ([\d.]+)", case.log())]
        since_start.append(read - began)
        since_call.append(read - calls[0][0])
        call.append(calls[0][1] - calls[0][0])
    print("a read_committed reader gets past the open transaction of a killed instance, seconds (median, least, most):")
    print("  after the start of the next process      " + spread(since_start))
    print("  after the start of init_transactions     " + spread(since_call))
    print("  init_transactions itself                 " + spread(call), flush=True)


# ---- recovery against size -------------------------------------------------------------------------------------------

def hashed_rows(draw, first, count):
    for i in range(first, first + count):
        words = ", ".join('"c%d": "%x"' % (c, draw.getrandbits(40)) for c in range(WORDS))
        yield '{"id": %d, "label": %d, %s}' % (i, draw.getrandbits(1), words)


def rows_that_fill(features):
    """So many that one page in a hundred stays empty: 256 coordinates a page."""
    return int(features / 256 * 4.6 / WORDS) + 1


def touch_memory(size):
    """In huge pages, which is what the state lies in."""
    code = ("import mmap; memory = mmap.mmap(-1, %d, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); "
            "memory.madvise(mmap.MADV_HUGEPAGE); memory[::4096] = b'x' * %d" % (size, size // 4096))
    subprocess.run([sys.executable, "-c", code], check=True)


def measure_state(options, folder):
    source = re.sub(r'schema: ".*"', "schema: " + HASHED_SCHEMA, KAFKA_SOURCE)
    print("%8s %12s %10s  %-25s %-24s %-24s" % ("features", "state, MiB", "fill, s", "", "resumes, s", "first new row, s"))
    for power in options.features:
        features = 1 << power
        draw = random.Random(power)
        case = Case(options, folder, "state", source, HASHED.replace("FEATURES", str(features)))
        rows = rows_that_fill(features)
        case.produce(hashed_rows(draw, 0, rows))
        began = time.monotonic()
        case.run_to_end("--set", "source.maxOffsetsPerTrigger=%d" % max(SMALL_BATCH, rows // options.fill_batches))
        filled = time.monotonic() - began
        case.produce(hashed_rows(draw, rows, 5 * SMALL_BATCH))
        case.run_to_end()
        for what, fault in (("no open transaction", "commit.after:1"), ("open transaction", "deliver.kafka.sent:1"),
                            ("delivered, not committed", "commit.before:1")):
            resumed, readable = [], []
            for _ in range(options.repeat):
                case.produce(hashed_rows(draw, rows, 3 * SMALL_BATCH))
                case.crash(fault)
                if options.cold:
                    subprocess.run(["sync"], check=True)
                    Path("/proc/sys/vm/drop_caches").write_text("1\n")
                reader = reader_of(case.kafka, case.name + "-out")
                if not options.cold_memory:
                    touch_memory(features * 32)
                began = time.time()
                process = case.start("run")
                readable.append(first_row(reader) - began)
                resumed.append(case.resumed_at() - began)
                end(process)
            print("2^%-6d %12.1f %10.1f  %-25s %-24s %-24s" % (
                power, features * 16 / 2 ** 20, filled, what, spread(resumed), spread(readable)), flush=True)
        size = sum(path.stat().st_size for path in (case.folder / "checkpoint").rglob("*") if path.is_file())
        print("         the checkpoint directory has %.1f MiB" % (size / 2 ** 20), flush=True)
        subprocess.run(["rm", "-rf", str(case.folder)], check=True)


# ---- cost ------------------------------------------------------------------------------------------------------------

def count_syncs(options, folder, guarantee, lines, batches):
    case = Case(options, folder, "syncs", batch=COST_BATCH, guarantee=guarantee)
    case.produce(lines[:batches * COST_BATCH])
    subprocess.run(["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", "syncs", options.headrace,
                    "run", "--once", "query.yaml"], cwd=case.folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    counts = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*sync", (case.folder / "syncs").read_text(), re.M)
    return sum(map(int, counts))


def measure_cost(options, folder):
    rows, batch = 200000, COST_BATCH
    lines = [record(i) for i in range(rows)]
    print("%-14s %10s %10s %10s %14s %12s" % ("guarantee", "batch ms", "p99 ms", "rows/s", "KiB a batch", "syncs a batch"))
    for guarantee in ("exactly_once", "at_least_once"):
        case = Case(options, folder, "cost", batch=batch, guarantee=guarantee)
        case.produce(lines)
        began = time.monotonic()
        process = case.start("--progress", "progress", "run", "--once")
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status != 0:
            raise Failure("it ended with %d: %s" % (status, case.log()[-1500:]))
        documents = [json.loads(line) for line in (case.folder / "progress").read_text().splitlines()]
        times = sorted(document["durationMs"]["triggerExecution"] for document in documents)
        syncs = (count_syncs(options, folder, guarantee, lines, 80) - count_syncs(options, folder, guarantee, lines, 40)) / 40
        print("%-14s %10.2f %10.2f %10.0f %14.1f %12.2f" % (
            guarantee, statistics.median(times), times[len(times) * 99 // 100], rows / seconds,
            usage.ru_oublock / 2 / len(documents), syncs), flush=True)
        steps = {}
        for document in documents:
            for step, ms in document["durationMs"].items():
                steps.setdefault(step, []).append(ms)
        print("    median ms: " + ", ".join("%s %.2f" % (step, statistics.median(ms)) for step, ms in steps.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_kafka_options(parser)
    parser.add_argument("--features", type=lambda text: [int(n) for n in text.split(",")], default=[16, 23, 26],
                        help="powers of two: 16 is 1 MiB of state, 23 is 128 MiB, 26 is 1 GiB")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--fill-batches", type=int, default=4)
    parser.add_argument("--cold", action="store_true", help="empty the page cache of files before each start (root)")
    parser.add_argument("--cold-memory", action="store_true", help="take memory as it comes")
    parser.add_argument("--only", choices=("reader", "state", "cost"))
    parser.add_argument("--folder", help="where checkpoints go; default: the temporary directory")
    options = parser.parse_args()
    options.headrace = str(Path(options.headrace).resolve())
    options.kafka = Kafka(options.tool, options.bootstrap)
    with tempfile.TemporaryDirectory(prefix="headrace-recovery-", dir=options.folder) as folder:
        for name, measure in (("reader", measure_reader), ("cost", measure_cost), ("state", measure_state)):
            if options.only in (None, name):
                measure(options, folder)


if __name__ == "__main__":
    main()
