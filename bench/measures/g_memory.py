# SPDX-License-Identifier: Apache-2.0
"""Measure g: resident memory of a query that waits, and of one that is kept busy for --minutes, with the slope."""
import signal
import statistics
import subprocess
import time

from lib.job import Job
from lib.latency import Steady, warmed_up

ID = "g"
TITLE = "Resident memory at rest and at full rate"
MUST = "at most 40 MB at rest and 200 MB at full rate, its peak too; no slope"
AIM = "25 MB and, but for the peak, 100 MB"
REST = 5               # seconds of rest before it is looked at, and for which processor time is counted
CHUNK = 500000         # records that are sent at once
AHEAD = 1000000        # records that may wait in the topic
KEPT = "retention.bytes=536870912"  # a partition: more than what may wait, little for the disk
EVERY = 1.0


def at_rest(bench):
    job = Job(bench, Steady(bench), bench.broker().topic("rest", 4), 0)
    running = job.start()
    try:
        warmed_up(job, running)
        time.sleep(REST)
        used = running.used()
        time.sleep(REST)
        return running.resident() / 2 ** 20, (running.used() - used) / REST * 100
    finally:
        running.signal(signal.SIGTERM)
        running.wait(timeout=60)
        job.drop(job.source)


def busy(bench, seconds):
    """(second, resident MB) while there is always more to read, and rows done."""
    broker = bench.broker()
    job = Job(bench, Steady(bench), broker.topic("busy", 4, KEPT), 0)
    broker.tool("delete", job.target)
    broker.tool("create", job.target, 4, KEPT)
    running = job.start()
    warmed_up(job, running)
    watch = subprocess.Popen([bench.program("bench_watch"), job.bootstrap, job.target, "200"], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    points, sent, done, sending = [], 0, 0, None
    began = time.monotonic()
    try:
        while time.monotonic() - began < seconds:
            done = int(watch.stdout.readline().split()[1])
            if (sending is None or sending.poll() is not None) and sent - done < AHEAD:
                sending = subprocess.Popen([bench.program("make_clicks"), str(CHUNK), "--first", str(sent), "--kafka",
                                            job.bootstrap, job.source, "4"], stderr=subprocess.DEVNULL)
                sent += CHUNK
            if not points or time.monotonic() - began - points[-1][0] >= EVERY:
                points.append((time.monotonic() - began, running.resident() / 2 ** 20))
    finally:
        if sending is not None:
            sending.wait()
        watch.terminate()
        watch.wait()
        running.signal(signal.SIGTERM)
        sample = running.wait(timeout=60)
        job.drop(job.source)
    return points, done / seconds, sample["peak_mb"]


def run(bench):
    rest = [at_rest(bench) for _ in range(bench.options.pairs)]
    bench.figure("resident at rest", "MB", [resident for resident, _ in rest], better="lower", of="value", must=40, aim=25)
    bench.figure("processor at rest", "%", [percent for _, percent in rest], better="lower")
    points, rows, peak = busy(bench, bench.options.minutes * 60)
    later = points[len(points) // 2:]
    slope = statistics.linear_regression(*zip(*later)).slope * 3600 if len(later) > 1 else 0
    bench.figure("resident at full rate, second half", "MB", [resident for _, resident in later], better="lower",
                 of="value", must=200, aim=100)
    bench.figure("peak at full rate", "MB", peak, better="lower", of="value", must=200)
    bench.figure("slope over the second half", "MB an hour", slope, better="lower")
    bench.figure("rate meanwhile", "rows/s", rows)
    for second, resident in points[::max(1, len(points) // 200)]:
        bench.curve("resident, MB over s", second, resident)
