# SPDX-License-Identifier: Apache-2.0
"""The click job: every engine reads the same topic and writes the same rows; how fast is seen from outside.

An engine is what a peer's setup() returns, or HEADRACE below:

    name, learns         learns: its probabilities are compared with ours
    ends                 whether it ends by itself once the input is read; others get SIGTERM when all rows are there
    warm                 the share of rows that are left out as warm-up (a JVM compiles while it runs)
    command(job)         the command line and the environment

and a Job has: bootstrap, source, target (topics), records, name (unused before), pipeline (fitted, a file), folder.
"""
import json
import math
import select
import shutil
import signal
import statistics
import subprocess
import time

from .bench import Failure

SAMPLE = 100000  # records that the pipeline is fitted on
QUIET = 1.0      # seconds without a change after which all rows are there
LATE = 5         # seconds without a change after which an engine that has ended has not done its work
PATIENCE = 120   # seconds without a change after which an engine is stuck
CHECKED = 200000
TOLERANCE = 0.02 # of the log loss; a peer that learns later than we do has a tolerance of its own


class Headrace:
    name, learns, ends, warm = "headrace", True, True, 0.3

    def __init__(self, bench, guarantee="exactly_once", batch=100000, query="clicks_indexed.yaml", **environment):
        self.bench, self.guarantee, self.batch, self.query, self.environment = bench, guarantee, batch, query, environment

    def command(self, job):
        return ([self.bench.headrace, "run", self.bench.root / "bench/kafka" / self.query],
                {"NAME": job.name, "TOPIC": job.source, "OUT": job.target, "KAFKA_BOOTSTRAP": job.bootstrap,
                 "PIPELINE": str(job.pipeline), "BATCH": str(self.batch), "GUARANTEE": self.guarantee,
                 "HEADRACE_DATA_DIR": str(job.folder), **self.environment})


class Job:
    def __init__(self, bench, engine, source, records, partitions=4):
        self.bench, self.engine, self.source, self.records, self.partitions = bench, engine, source, records, partitions
        self.broker = bench.broker()
        self.bootstrap = self.broker.bootstrap
        self.name = "bench-%s-%x" % (engine.name.replace("_", "-"), time.time_ns())
        self.target = self.broker.topic("out", partitions)
        self.pipeline = fitted(bench)
        self.folder = bench.folder / "run" / self.name
        self.folder.mkdir(parents=True)
        self.log = bench.logs / ("%s.log" % engine.name)

    def start(self):
        """The engine as a measured program."""
        from .process import Running
        command, environment = self.engine.command(self)
        self.log.write_text("$ %s\n" % " ".join(map(str, command)))
        return Running(command, environment, folder=self.folder, log=self.log)

    def run(self):
        """One timed run: the Sample with rows_s and cpu_us of the window after warm-up."""
        self.bench.touch_memory()
        watch = subprocess.Popen([self.bench.program("bench_watch"), self.bootstrap, self.target, "50"], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        running = self.start()
        try:
            points = self.follow(running, watch)
        finally:
            watch.terminate()
            watch.wait()
            if not self.engine.ends:
                running.signal(signal.SIGTERM)
            sample = running.wait(timeout=60)
        if self.engine.ends and sample["status"] != 0:
            raise Failure("%s ended with %d; its log: %s" % (self.engine.name, sample["status"], self.log))
        sample.update(self.window(points, sample))
        return sample

    def follow(self, running, watch):
        """(seconds, rows, processor seconds) each time that more rows can be read, until all can."""
        points, changed = [], time.monotonic()
        while True:
            if select.select([watch.stdout], [], [], 0.1)[0]:
                at, rows = watch.stdout.readline().split()
                points.append((float(at), int(rows), running.used()))
                changed = time.monotonic()
            quiet = time.monotonic() - changed
            if points and points[-1][1] >= self.records and quiet > QUIET:
                return points
            if running.over() and quiet > LATE:
                raise Failure("%s ended after %d of %d rows; its log: %s" % (
                    self.engine.name, points[-1][1] if points else 0, self.records, self.log))
            if quiet > PATIENCE:
                raise Failure("%s has written nothing for %d s; its log: %s" % (self.engine.name, PATIENCE, self.log))

    def window(self, points, sample):
        first = next(point for point in points if point[1] >= self.records * self.engine.warm and point[1] > 0)
        last = next(point for point in points if point[1] >= self.records)
        rows = last[1] - first[1]
        whole = {"whole_cpu_us": sample.cpu / self.records * 1e6}
        if rows <= 0:
            raise Failure("%s wrote all rows at once: use more --records" % self.engine.name)
        return {"rows_s": rows / (last[0] - first[0]), "cpu_us": (last[2] - first[2]) / rows * 1e6, **whole}

    def done(self):
        """Counts what a reader sees, then takes the topic and the folder away.

        A commit is over once the coordinator has decided; its markers reach the partitions, up to 256, a little later.
        """
        limit = time.monotonic() + LATE
        while (seen := self.broker.count(self.target)) < self.records and time.monotonic() < limit:
            time.sleep(0.1)
        self.drop()
        if seen != self.records:
            raise Failure("%s: a read_committed reader sees %d of %d rows" % (self.engine.name, seen, self.records))

    def drop(self, *topics):
        """Takes the output topic, the others that are named, and the folder away."""
        self.broker.drop(self.target, *topics)
        shutil.rmtree(self.folder, ignore_errors=True)


def fitted(bench):
    """The pipeline of clicks_fit.yaml, fitted on a sample that no run reads (another seed)."""
    path = bench.folder / "data/clicks-pipeline.json"
    if not path.exists():
        sample = bench.clicks(SAMPLE, seed=7)
        command = [bench.headrace, "fit", bench.root / "bench/kafka/clicks_fit.yaml", "-o", path,
                   "--data-dir", bench.folder / "data/fit"]
        subprocess.run([str(word) for word in command], check=True, env={"SAMPLE": str(sample)}, stderr=subprocess.DEVNULL)
    return path


# ---- whether two engines wrote the same ----------------------------------------------------------------------------------


def output(broker, topic):
    """Rows by session: (user, label, probability, prediction)."""
    rows = {}
    for line in broker.tool("consume", topic).splitlines():
        row = json.loads(json.loads(line)["value"])
        rows[row["session_id"]] = (row["user_id"], row["label"], row["probability"][1], row["prediction"])
    return rows


def log_loss(rows):
    total = 0.0
    for _, label, probability, _ in rows.values():
        probability = min(max(probability if label == 1 else 1 - probability, 1e-15), 1)
        total -= math.log(probability)
    return total / len(rows)


def check(bench, engine):
    """Runs ours and a peer over a smaller topic; Failure unless rows are the same and, if it learns, it learns as well."""
    source = bench.broker().clicks_topic(CHECKED)
    results = []
    for side in (Headrace(bench), engine):
        job = Job(bench, side, source, CHECKED)
        running = job.start()
        wait_for(job, running)
        results.append(output(job.broker, job.target) if side.learns else None)
        job.done()
    ours, theirs = results
    if not engine.learns:
        return
    if {key: row[:2] for key, row in ours.items()} != {key: row[:2] for key, row in theirs.items()}:
        raise Failure("%s does not write the rows that headrace writes" % engine.name)
    for _, _, probability, prediction in theirs.values():
        if prediction != (probability > 0.5) and abs(probability - 0.5) > 1e-6:
            raise Failure("%s predicts %s at probability %s" % (engine.name, prediction, probability))
    losses = log_loss(ours), log_loss(theirs)
    bench.note("check over %d records: the same rows; log loss of headrace %.4f, of %s %.4f" % (
        CHECKED, losses[0], engine.name, losses[1]))
    if abs(losses[1] - losses[0]) > getattr(engine, "tolerance", TOLERANCE):
        raise Failure("%s does not learn what headrace learns" % engine.name)


def wait_for(job, running):
    """Until the engine has written all; one that does not end is ended."""
    watch = subprocess.Popen([job.bench.program("bench_watch"), job.bootstrap, job.target], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    try:
        job.follow(running, watch)
    finally:
        watch.terminate()
        watch.wait()
        if not job.engine.ends:
            running.signal(signal.SIGTERM)
        running.wait(timeout=60)


def records_of(bench, engine):
    """A slow peer reads fewer, and has records(wanted)."""
    return engine.records(bench.options.records) if hasattr(engine, "records") else bench.options.records


def compare(bench, engine, rows=(None, None), cpu=(None, None), limit=()):
    """The table rows of one peer, in turns: rows a second and processor time a row with (must, aim) each, peak memory.

    limit   engines that do the least that there is to do; a note says how far the peer is from them in the same rounds
    """
    check(bench, engine)
    broker = bench.broker()

    def once(side):
        records = records_of(bench, side)
        source = broker.clicks_topic(records)

        def call():
            job = Job(bench, side, source, records)
            sample = job.run()
            job.done()
            return sample
        return call

    ours, theirs, *least = bench.in_turns(once(Headrace(bench)), once(engine), *map(once, limit))

    def of(samples, key):
        return [sample[key] for sample in samples]

    name = engine.name
    bench.figure("throughput", "rows/s", of(ours, "rows_s"), name, of(theirs, "rows_s"), must=rows[0], aim=rows[1])
    bench.figure("client processor time", "µs a row", of(ours, "cpu_us"), name, of(theirs, "cpu_us"), better="lower",
                 must=cpu[0], aim=cpu[1])
    bench.figure("the same from start to end", "µs a row", of(ours, "whole_cpu_us"), name, of(theirs, "whole_cpu_us"),
                 better="lower")
    if records_of(bench, engine) == bench.options.records:
        bench.figure("wall from exec to exit", "s", of(ours, "wall"), name, of(theirs, "wall"), better="lower")
    bench.figure("peak memory", "MB", of(ours, "peak_mb"), name, of(theirs, "peak_mb"), better="lower")
    for bare, samples in zip(limit, least):
        used, peers = (statistics.median(of(side, "cpu_us")) for side in (samples, theirs))
        bench.note("%s, which only moves the records, in the same rounds: %.3g µs a row, %.3g rows/s; %s takes %.2f times as "
                   "much processor time as that" % (bare.name, used, statistics.median(of(samples, "rows_s")), name, peers / used))
    return ours, theirs
