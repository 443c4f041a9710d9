# SPDX-License-Identifier: Apache-2.0
"""Measures b, b', b'': from when a record was meant to be sent to when a read_committed reader has its prediction.

The generator (bench/kafka/latency.c) sends at a steady rate whatever comes back, so that a slow engine cannot slow its own
test down. Every side has SKIP seconds to warm up in. The broker is a JVM, too: before the first run that counts it has what
the runs give it, for WARM seconds at WARM_RATE and with each guarantee, from a relay that is none of the sides; otherwise the
first side in a round would pay for its compiling (p99 at 10,000 a second: 223 ms just started, 12 to 24 afterwards).

A peer has steady(guarantee, rate): an engine that waits for records and writes their time on, or None if it cannot. The peer
"relay" is the floor: what generator, broker and reader take on this machine when nothing is computed between them.
"""
import re
import signal
import subprocess
import time

from .bench import Failure
from .job import Headrace, Job, check
from .relay import Relay

SKIP = 10      # seconds at the start that do not count
READY = 60     # seconds within which an engine must be up
WARM = 30      # seconds of load that a broker has had, of each guarantee, before a run counts
WARM_RATE = 10000
SHARES = ("p50", "p95", "p99", "p99.9", "max")
SPARK = ("spark_realtime", "spark_realtime_20s", "spark_micro_batch")
PEERS = {1000: ("relay", "kafka_streams", *SPARK), 10000: ("relay", "kafka_streams", *SPARK),
         50000: ("relay", "kafka_streams")}  # by rate
# By rate, guarantee and share: must, aim.
BOUNDS = {1000: {"at_least_once": {"p50": (2, 1), "p99": (5, 3), "max": (60, 25)},
                 "exactly_once": {"p50": (14, 8), "p99": (35, 20), "max": (150, 60)}},
          10000: {"at_least_once": {"p99": (20, 8)}, "exactly_once": {"p99": (60, 30)}},
          50000: {"at_least_once": {"p99": (20, 8)}, "exactly_once": {"p99": (60, 30)}}}

checked = set()  # (engine, guarantee): whether it writes what we write is looked at once in a run of measures
warm = set()     # brokers


class Steady(Headrace):
    """Headrace that waits for records, one batch after another."""
    ends = False

    def __init__(self, bench, guarantee="exactly_once", batch=100000, **environment):
        super().__init__(bench, guarantee, batch, "clicks_steady.yaml", **environment)


def warmed_up(job, running):
    """Sends a few records, and waits until all of them have come out: the engine is up."""
    job.broker.produce_clicks(job.source, 4, 100)
    watch = subprocess.Popen([job.bench.program("bench_watch"), job.bootstrap, job.target], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    limit = time.monotonic() + READY
    try:
        while int(watch.stdout.readline().split()[1]) < 100:
            if running.over() or time.monotonic() > limit:
                raise Failure("%s was not up within %d s; its log: %s" % (job.engine.name, READY, job.log))
    finally:
        watch.terminate()
        watch.wait()


def warm_up_broker(bench):
    """Once for each broker; it may be slow in this, and is not asked."""
    if bench.broker() in warm:
        return
    for guarantee in ("at_least_once", "exactly_once"):
        once(bench, Relay(bench, guarantee), WARM_RATE, WARM - SKIP)
    warm.add(bench.broker())
    bench.note("the broker had %d s at %d records a second with each guarantee before" % (WARM, WARM_RATE))


def once(bench, engine, rate, seconds):
    """One run of so many seconds after SKIP: p50 … max in ms, and what the engine used meanwhile."""
    broker = bench.broker()
    source = broker.topic("steady", 4)
    job = Job(bench, engine, source, 0)
    running = job.start()
    try:
        warmed_up(job, running)
        used = running.used()
        done = subprocess.run([bench.program("bench_latency"), job.bootstrap, source, job.target, str(rate),
                               str(seconds + SKIP), str(SKIP)], text=True, stdout=subprocess.PIPE, check=False)
        used = running.used() - used
        resident = running.resident()
    finally:
        running.signal(signal.SIGTERM)
        running.wait(timeout=60)
        broker.drop(source)
        job.drop()
    values = {share: float(value) for share, value in re.findall(r"(p[\d.]+|max) ([\d.]+)", done.stdout)}
    if done.returncode != 0 or set(values) != set(SHARES):
        raise Failure("%s at %d/s: %s" % (engine.name, rate, done.stdout.strip() or "no answer"))
    return {**values, "cpu_us": used / (rate * (seconds + SKIP)) * 1e6, "resident_mb": resident / 2 ** 20}


def measure(bench, rate, guarantees=("at_least_once", "exactly_once"), peers=None, seconds=None,
            pairs=None):
    """peers None: all that can keep up with the rate; seconds, pairs None: as asked for."""
    seconds = seconds or bench.options.seconds
    peers = bench.peers(*(PEERS[rate] if peers is None else peers))
    warm_up_broker(bench)
    for guarantee in guarantees:
        bounds = BOUNDS[rate][guarantee]
        engines = [engine for engine in (peer.steady(guarantee, rate) for peer in peers) if engine is not None]
        for engine in engines:
            if (engine.name, guarantee) not in checked:
                check(bench, engine)
                checked.add((engine.name, guarantee))
        sides = [Steady(bench, guarantee), *engines]
        ours, *others = bench.in_turns(*(lambda side=side: once(bench, side, rate, seconds) for side in sides), pairs=pairs)
        words = guarantee.replace("_", " ")
        for share in SHARES:
            must, aim = bounds.get(share, (None, None))
            keywords = {"must": must, "aim": aim, "of": "value", "better": "lower"}
            add(bench, "%s, %s" % (words, share), "ms", share, ours, others, engines, keywords)
        add(bench, "%s, processor time" % words, "µs a row", "cpu_us", ours, others, engines, {"better": "lower"})
        add(bench, "%s, resident at the end" % words, "MB", "resident_mb", ours, others, engines, {"better": "lower"})


def add(bench, label, unit, key, ours, others, engines, keywords):
    mine = [sample[key] for sample in ours]
    if not engines:
        bench.figure(label, unit, mine, **keywords)
    for engine, theirs in zip(engines, others):
        bench.figure(label, unit, mine, engine.name, [sample[key] for sample in theirs], **keywords)
