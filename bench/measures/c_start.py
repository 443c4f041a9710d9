# SPDX-License-Identifier: Apache-2.0
"""Measure c: from exec to the first prediction that a read_committed reader, waiting since before, gets.

fresh       nothing was there before; 100 records wait in the topic
state       the checkpoint has a model of 128 MiB (2^23 coordinates of AdaGrad), stopped in order
kill        killed with SIGKILL while it worked; the same checkpoint
"""
import os
import signal
import subprocess
import time

from lib.bench import Failure
from lib.job import Headrace, Job
from lib.latency import Steady, warmed_up

ID = "c"
TITLE = "From exec to the first prediction that can be read"
MUST = "100 ms fresh, 250 ms with 100 MB of state, 0.8 s after kill -9"
AIM = "50 ms, 120 ms, 0.2 s"
WAITING = 100      # records that wait in the topic
FILLING = 1000000  # records after which nearly every page of 2^23 coordinates has something in it
BUSY = 20000       # records that an engine is killed over


def first_row(bench, job, patience=60):
    """Starts the engine's command beside a reader: milliseconds until that has a row, and the process."""
    reader = job.broker.start_tool("first", job.target)
    if reader.stdout.readline() != "ready\n":
        raise Failure("no reader of %s" % job.target)
    command, environment = job.engine.command(job)
    with open(job.log, "ab") as log:
        began = time.time()
        process = subprocess.Popen([str(word) for word in command], env={**os.environ, **environment}, cwd=job.folder,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            seen = float(reader.communicate(timeout=patience)[0]) / 1000
        except (subprocess.TimeoutExpired, ValueError) as error:
            reader.kill()
            process.kill()
            process.wait()
            raise Failure("%s wrote nothing; its log: %s" % (job.engine.name, job.log)) from error
    return (seen - began) * 1000, process


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)


def fresh(bench, engine):
    job = Job(bench, engine, bench.broker().topic("start", 4), 0)
    job.broker.produce_clicks(job.source, 4, WAITING)
    bench.touch_memory()
    took, process = first_row(bench, job)
    end(process)
    job.drop(job.source)
    return took


def after_kill(bench, engine):
    """Killed over a backlog, so that a transaction is open more often than not."""
    job = Job(bench, engine, bench.broker().topic("start", 4), 0)
    running = job.start()
    warmed_up(job, running)
    job.broker.produce_clicks(job.source, 4, BUSY)
    time.sleep(0.05)
    running.signal(signal.SIGKILL)
    running.wait()
    job.broker.produce_clicks(job.source, 4, WAITING)
    bench.touch_memory()
    took, process = first_row(bench, job, patience=120)
    end(process)
    job.drop(job.source)
    return took


class Wide(Headrace):
    """A model of 128 MiB."""

    def __init__(self, bench):
        super().__init__(bench, query="clicks_wide.yaml")


def with_state(bench, pairs):
    """Fills the state once, then starts it again and again."""
    broker = bench.broker()
    job = Job(bench, Wide(bench), broker.topic("start", 4), 0)
    broker.produce_clicks(job.source, 4, FILLING)
    command, environment = job.engine.command(job)
    with open(job.log, "ab") as log:
        subprocess.run([str(word) for word in command], env={**os.environ, **environment}, cwd=job.folder, check=True,
                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    size = sum(path.stat().st_size for path in job.folder.rglob("*") if path.is_file())
    took = []
    for number in range(pairs):
        broker.produce_clicks(job.source, 4, WAITING, FILLING + number * WAITING)
        bench.touch_memory()
        milliseconds, process = first_row(bench, job)
        process.wait()
        took.append(milliseconds)
    job.drop(job.source)
    return took, size


def run(bench):
    peers = bench.peers("kafka_streams")
    for label, way, must, aim in (("fresh", fresh, 100, 50), ("after kill -9", after_kill, 800, 200)):
        sides = [lambda: way(bench, Steady(bench))]
        sides += [lambda peer=peer: way(bench, peer.steady("exactly_once", 0)) for peer in peers]
        ours, *others = bench.in_turns(*sides)
        bounds = {"better": "lower", "must": must, "aim": aim, "of": "value"}
        if not peers:
            bench.figure(label, "ms", ours, **bounds)
        for peer, theirs in zip(peers, others):
            bench.figure(label, "ms", ours, peer.name, theirs, **bounds)
    took, size = with_state(bench, bench.options.pairs)
    bench.figure("with a model of 128 MiB, stopped in order", "ms", took, better="lower", must=250, aim=120, of="value")
    bench.note("the checkpoint of the 128 MiB model has %.0f MiB on disk" % (size / 2 ** 20))
