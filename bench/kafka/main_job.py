#!/usr/bin/env python3
"""Measures the main job through a real broker.

    main_job.py --headrace PATH --tool PATH --clicks PATH [--bootstrap HOST:PORT] [--records N] [--batch N] [--starts N]

Makes topics, produces N click records (bench/click_record.h) over four partitions, then:

  throughput   bench/kafka/clicks.yaml (10 features, online logistic regression, exactly once) over all of them: rows a
               second from the first batch to the last by the progress documents, processor time, peak memory; counts
               what a read_committed reader sees
  start        after a clean stop, with records waiting: from exec to the first prediction that a read_committed reader,
               waiting since before, gets
  rest         resident memory of a query that waits for data

Machines are noisy: every figure is printed as it came, none is compared with a bound.
"""
import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--clicks", required=True)
    parser.add_argument("--bootstrap", default=os.environ.get("KAFKA_BOOTSTRAP"))
    parser.add_argument("--records", type=int, default=1000000)
    parser.add_argument("--batch", type=int, default=100000)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    prefix = "bench-%d" % os.getpid()
    names = {name: "%s-%s" % (prefix, name) for name in ("in", "out", "dead")}

    def tool(*arguments, **keywords):
        return subprocess.run([options.tool, arguments[0], options.bootstrap, *arguments[1:]], check=True, text=True,
                              stdout=subprocess.PIPE, **keywords).stdout

    for name, partitions in (("in", 4), ("out", 4), ("dead", 1)):
        tool("create", names[name], str(partitions))

    def produce(count, first=0):
        subprocess.run([options.clicks, str(count), "--first", str(first), "--kafka", options.bootstrap, names["in"], "4"],
                       check=True, stderr=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        environment = dict(os.environ, NAME=prefix, TOPIC=names["in"], OUT=names["out"], DEAD=names["dead"],
                           KAFKA_BOOTSTRAP=options.bootstrap, BATCH=str(options.batch), HEADRACE_DATA_DIR=folder)
        command = [options.headrace, "run", str(HERE / "clicks.yaml")]

        produce(options.records)
        progress = Path(folder) / "progress"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.time()
        subprocess.run(command + ["--progress", str(progress)], check=True, env=environment, stderr=subprocess.DEVNULL)
        wall = time.time() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        batches = [json.loads(line) for line in progress.read_text().splitlines()]
        rows = sum(batch["numInputRows"] for batch in batches)
        busy = sum(batch["durationMs"]["triggerExecution"] for batch in batches) / 1000
        user = after.ru_utime - before.ru_utime
        kernel = after.ru_stime - before.ru_stime
        print("throughput: %d rows in %.2f s (with start and stop %.2f s): %.0f rows/s; %.2f µs user + %.2f µs system a "
              "row; peak memory %.0f MB" % (rows, busy, wall, rows / busy, user / rows * 1e6, kernel / rows * 1e6,
                                            after.ru_maxrss / 1024))
        steps = {}
        for batch in batches:
            for step, milliseconds in batch["durationMs"].items():
                steps[step] = steps.get(step, 0) + milliseconds
        print("  ns a row: " + ", ".join("%s %.0f" % (step, steps[step] * 1e6 / rows) for step in steps))
        seen = int(tool("count", names["out"]))
        print("  a read_committed reader sees %d of %d" % (seen, rows))
        if seen != rows:
            return 1

        delays = []
        for i in range(options.starts):
            produce(100, options.records + i * 100)
            reader = subprocess.Popen([options.tool, "first", options.bootstrap, names["out"]], stdout=subprocess.PIPE,
                                      text=True)
            assert reader.stdout.readline() == "ready\n"
            time.sleep(0.2 + random.random() / 10)
            started = time.time()
            subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
            delays.append(float(reader.stdout.readline()) - started * 1000)
            reader.wait()
        print("start: exec to first readable prediction, ms: " + ", ".join("%.0f" % delay for delay in sorted(delays)))

        process = subprocess.Popen(command + ["--set", "trigger={processingTime: 0s}"], env=environment,
                                   stderr=subprocess.DEVNULL)
        time.sleep(2)
        produce(1000, options.records * 2)
        time.sleep(3)
        status = Path("/proc/%d/status" % process.pid).read_text()
        figures = {line.split(":")[0]: line.split(":")[1].split()[0] for line in status.splitlines() if "kB" in line}
        print("rest: resident %.1f MB (peak %.1f MB)" % (int(figures["VmRSS"]) / 1024, int(figures["VmHWM"]) / 1024))
        ticks = Path("/proc/%d/stat" % process.pid).read_text().split()
        time.sleep(5)
        later = Path("/proc/%d/stat" % process.pid).read_text().split()
        used = sum(int(later[k]) - int(ticks[k]) for k in (13, 14)) / os.sysconf("SC_CLK_TCK")
        print("rest: %.1f %% of a processor" % (used / 5 * 100))
        process.send_signal(signal.SIGTERM)
        started = time.time()
        code = process.wait()
        print("stop: exit %d after %.0f ms" % (code, (time.time() - started) * 1000))
    return 0


if __name__ == "__main__":
    sys.exit(main())
