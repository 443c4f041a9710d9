# SPDX-License-Identifier: Apache-2.0
"""Measure h: processor time a row against the size of a batch, the number of partitions and the number of features.

The job stays what it is in measure a; one thing varies at a time. Processor time is that of the whole run, less that of a
run over next to nothing: what start and stop cost is not a row's.
"""
import random
import statistics
import subprocess

from lib import process
from lib.bench import Failure
from lib.job import Headrace, Job

ID = "h"
TITLE = "Processor time a row against batch, partitions and features"
MUST = "within 25 %: batches of 256 to 100,000 rows, 1 to 256 partitions, 5 to 500 features (a feature)"
AIM = "within 10 %"
BATCHES = (256, 1000, 4000, 16000, 100000)
PARTITIONS = (1, 4, 16, 64, 256)
FEATURES = (5, 20, 100, 500)
RECORDS = 1000000     # of which a run over small batches takes a part
VALUES = 2000000      # numbers in a topic, whatever their number in a record
SMALL_BATCHES = 400   # batches of a run, at most
POOL = 10000          # numbers that records are made of


def costs(bench, engine, source, records, partitions=4):
    """Processor time a row of each run, µs."""
    empty = bench.broker().topic("empty", partitions)
    bench.broker().produce_clicks(empty, partitions, 1)
    gathered = []
    for _ in range(bench.options.pairs):
        nothing = used(bench, engine, empty, partitions)
        gathered.append((used(bench, engine, source, partitions, records) - nothing) / records * 1e6)
    bench.broker().drop(empty)
    return gathered


def used(bench, engine, source, partitions, records=None):
    job = Job(bench, engine, source, records, partitions)
    bench.touch_memory()
    command, environment = engine.command(job)
    sample = process.run(command, environment, folder=job.folder, log=job.log, timeout=300)
    seen = job.broker.count(job.target) if sample["status"] == 0 else 0
    job.drop()
    if sample["status"] != 0 or (records is not None and seen != records):
        raise Failure("headrace ended with %d after %d of %s rows; its log: %s" % (sample["status"], seen, records, job.log))
    return sample.cpu


def sweep(bench, name, points):
    """One row a point, and how far the points are apart."""
    medians = []
    for at, values in points:
        bench.figure("%s: %s" % (name, "{:,}".format(at)), "µs a row", values, better="lower", series=name, at=at)
        medians.append(statistics.median(values))
    return medians


def batches(bench):
    for batch in BATCHES:
        records = min(RECORDS, bench.options.records, batch * SMALL_BATCHES)
        yield batch, costs(bench, Headrace(bench, batch=batch), bench.broker().clicks_topic(records), records)


def copies(bench, peer):
    """The bare copy with transactions of as many records: what of a small batch's cost is the client's."""
    for batch in BATCHES:
        records = min(RECORDS, bench.options.records, batch * SMALL_BATCHES)
        engine = type(peer)(peer.program, batch)
        yield batch, costs(bench, engine, bench.broker().clicks_topic(records), records)


def partitions(bench):
    records = min(RECORDS, bench.options.records)
    for count in PARTITIONS:
        source = bench.broker().clicks_topic(records, count)
        yield count, costs(bench, Headrace(bench), source, records, count)


class Numbers(Headrace):
    """The same regression over so many numbers, assembled and scaled."""

    def __init__(self, bench, count):
        names = ["f%d" % i for i in range(count)]
        schema = "id long, label int, " + ", ".join(name + " double" for name in names)
        text = (bench.root / "bench/kafka/numbers.yaml.in").read_text()
        query = bench.folder / "data" / ("numbers-%d.yaml" % count)
        query.write_text(text.replace("@SCHEMA@", schema).replace("@COLUMNS@", ", ".join(names)))
        super().__init__(bench, query=query)


def numbers_topic(bench, count, records):
    """Records of so many numbers with four digits, made of a pool so that making them takes no longer than sending them."""
    draw = random.Random(count)
    pool = ["%.4f" % draw.gauss(0, 1) for _ in range(POOL)]
    topic = bench.broker().topic("numbers", 4)
    lines = []
    for i in range(records):
        first = draw.randrange(POOL)
        values = ",".join('"f%d":%s' % (k, pool[(first + k) % POOL]) for k in range(count))
        lines.append('%d\t{"id":%d,"label":%d,%s}\n' % (i % 4, i, draw.getrandbits(1), values))
    bench.broker().tool("produce", topic, input="".join(lines))
    return topic


def features(bench):
    for count in FEATURES:
        records = min(bench.options.records, VALUES // count)
        source = numbers_topic(bench, count, records)
        yield count, costs(bench, Numbers(bench, count), source, records)
        bench.broker().drop(source)


def run(bench):
    by_batch = sweep(bench, "rows a batch", batches(bench))
    bench.figure("most over least of the batches", "times", max(by_batch) / min(by_batch), better="lower", of="value",
                 must=1.25, aim=1.1)
    for peer in bench.peers("copy"):
        sweep(bench, "rows a transaction of the bare copy", copies(bench, peer))
    by_partition = sweep(bench, "partitions", partitions(bench))
    bench.figure("256 partitions over 4", "times", by_partition[-1] / by_partition[1], better="lower", of="value", must=1.25,
                 aim=1.1)
    by_feature = sweep(bench, "numbers a record", features(bench))
    slope = statistics.linear_regression(FEATURES, by_feature).slope * 1000
    bench.figure("a number more", "ns", slope, better="lower", of="value")
    per_feature = [cost / count for cost, count in zip(by_feature, FEATURES)]
    bench.figure("most over least a number, 5 to 500", "times", max(per_feature) / min(per_feature), better="lower",
                 of="value", must=1.25, aim=1.1)
