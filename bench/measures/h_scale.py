# SPDX-License-Identifier: Apache-2.0
"""Measure h: processor time a row against the size of a batch, the number of partitions and the number of features.

The job stays what it is in measure a; one thing varies at a time. Processor time is that of the whole run, less that of a
run over next to nothing: what start and stop cost is not a row's. Most of what a row of a small batch costs is its share of a
transaction, which the client and the broker make: the bare copy with transactions of as many records stands beside it.
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
PAIRS = 3             # at most: there are many points
VALUES = 2000000      # numbers in a topic, whatever their number in a record
SMALL_BATCHES = 400   # batches of a run, at most
POOL = 10000          # numbers that records are made of


def costs(bench, engines, source, records, partitions=4):
    """Processor time a row of each run, µs, of each engine; in turns."""
    empty = bench.broker().topic("empty", partitions)
    bench.broker().produce_clicks(empty, partitions, 1)

    def once(engine):
        nothing = used(bench, engine, empty, partitions)
        bench.touch_memory()
        return (used(bench, engine, source, partitions, records) - nothing) / records * 1e6

    gathered = bench.in_turns(*(lambda engine=engine: once(engine) for engine in engines),
                              pairs=min(bench.options.pairs, PAIRS))
    bench.broker().drop(empty)
    return gathered


def used(bench, engine, source, partitions, records=None):
    """Processor seconds of a run, start and stop included. Without records: over one, whatever becomes of it."""
    job = Job(bench, engine, source, records or 1, partitions)
    command, environment = engine.command(job)
    sample = process.run(command, environment, folder=job.folder, log=job.log, timeout=300)
    if sample["status"] != 0:
        raise Failure("%s ended with %d; its log: %s" % (engine.name, sample["status"], job.log))
    if records is None:
        job.drop()
    else:
        job.done()
    return sample.cpu


def sweep(bench, name, points, peers=()):
    """One row a point, or one a peer; the median of each point, ours first, then each peer's."""
    medians = []
    for at, (ours, *others) in points:
        label = "%s: %s" % (name, "{:,}".format(at))
        if not others:
            bench.figure(label, "µs a row", ours, better="lower", series=name, at=at)
        for peer, theirs in zip(peers, others):
            bench.figure(label, "µs a row", ours, peer.name, theirs, better="lower", series=name, at=at)
        medians.append([statistics.median(values) for values in (ours, *others)])
    return list(zip(*medians))


def batches(bench, peers):
    for batch in BATCHES:
        records = min(RECORDS, bench.options.records, batch * SMALL_BATCHES)
        engines = [Headrace(bench, batch=batch), *(type(peer)(peer.program, batch) for peer in peers)]
        yield batch, costs(bench, engines, bench.broker().clicks_topic(records), records)


def partitions(bench, peers):
    records = min(RECORDS, bench.options.records)
    for count in PARTITIONS:
        source = bench.broker().clicks_topic(records, count)
        yield count, costs(bench, [Headrace(bench), *peers], source, records, count)


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
        yield count, costs(bench, [Numbers(bench, count)], source, records)
        bench.broker().drop(source)


def apart(bench, label, ours, peer=None, theirs=None):
    """How many times the least the most is."""
    bench.figure(label, "times", max(ours) / min(ours), peer, theirs and max(theirs) / min(theirs), better="lower", of="value",
                 must=1.25, aim=1.1)


def run(bench):
    peers = bench.peers("copy")
    by_batch, *copies = sweep(bench, "rows a batch", batches(bench, peers), peers)
    for peer, theirs in zip(peers, copies):
        apart(bench, "most over least of the batches", by_batch, peer.name, theirs)
    if not peers:
        apart(bench, "most over least of the batches", by_batch)
    by_partition, *copies = sweep(bench, "partitions", partitions(bench, peers), peers)
    over_four = [costs[-1] / costs[PARTITIONS.index(4)] for costs in (by_partition, *copies)]
    bench.figure("256 partitions over 4", "times", over_four[0], *(peers and (peers[0].name, over_four[1])), better="lower",
                 of="value", must=1.25, aim=1.1)
    (by_feature,) = sweep(bench, "numbers a record", features(bench))
    apart(bench, "most over least a number, 5 to 500", [cost / count for cost, count in zip(by_feature, FEATURES)])
    points = list(zip(FEATURES, by_feature))
    steps = [(high[1] - low[1]) / (high[0] - low[0]) * 1000 for low, high in zip(points, points[1:])]
    bench.figure("a number more", "ns", steps, better="lower")
    apart(bench, "most over least a number more, between the points", steps)
