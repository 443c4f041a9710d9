#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logistic regression over COUNT click records that are generated beside it and not kept: a directory that is fed while it
is read, and whose files are deleted when what they hold is committed.

    bench/files/run.py --headrace build/release/headrace --clicks build/release/bench/make_clicks [--count 100000000]

Prints wall, processor time of reader and generator, the reader's peak memory, and where its time went."""
import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--clicks", required=True)
    parser.add_argument("--count", type=int, default=100_000_000)
    parser.add_argument("--batch", default="100000")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    query = pathlib.Path(__file__).with_name("clicks_files.yaml")
    with tempfile.TemporaryDirectory() as work:
        feed = os.path.join(work, "feed")
        os.mkdir(feed)
        environment = dict(os.environ, FEED=feed, CHECKPOINT=os.path.join(work, "checkpoint"), BATCH=options.batch)
        begin = time.monotonic()
        generator = subprocess.Popen([options.clicks, str(options.count), "--directory", feed])
        with open(os.path.join(work, "log"), "w", encoding="utf-8") as log:
            reader = subprocess.Popen([options.headrace, "run", str(query), "--progress", "-"],
                                      env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        rows, phases, last = 0, collections.Counter(), {}
        for line in reader.stdout:
            last = json.loads(line)
            rows += last["numInputRows"]
            phases.update(last["durationMs"])
            if rows >= options.count:
                break
        wall = time.monotonic() - begin
        reader.send_signal(signal.SIGTERM)
        reader.stdout.close()
        _, status, usage = os.wait4(reader.pid, 0)
        _, _, made = os.wait4(generator.pid, 0)
        if options.json:
            print(json.dumps({"rows": rows, "wall": wall, "status": status, "cpu": usage.ru_utime + usage.ru_stime,
                              "generator_cpu": made.ru_utime + made.ru_stime, "peak_mb": usage.ru_maxrss / 1024,
                              "steps_ns": {name: value / rows * 1e6 for name, value in phases.items()},
                              "metrics": last["models"][0]["metrics"]}))
            return
        if rows < options.count:
            print(pathlib.Path(work, "log").read_text(encoding="utf-8"))
        print(f"{rows:,} rows in {wall:.1f} s, {rows / wall:,.0f} a second, status {status}")
        print(f"reader: {(usage.ru_utime + usage.ru_stime) / rows * 1e9:.0f} ns of processor time a row "
              f"({usage.ru_stime / rows * 1e9:.0f} in the kernel), at most {usage.ru_maxrss / 1024:.0f} MB")
        print(f"generator: {(made.ru_utime + made.ru_stime) / rows * 1e9:.0f} ns a row")
        print("ns a row:", ", ".join(f"{name} {value / rows * 1e6:.0f}" for name, value in phases.items()))
        print("of all rows:", json.dumps(last["models"][0]["metrics"]))


if __name__ == "__main__":
    main()
