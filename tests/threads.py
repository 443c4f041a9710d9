#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs several queries in one process that was built with ThreadSanitizer, stops it, and wants no word from the sanitizer.

    tests/threads.py --headrace build/tsan/headrace [--seconds 3]

Two queries learn from files that grow, two take rows of the rate source, all write progress documents to one file and
share the log and standard output. The last line is "N passed, N failed": one check a query, and one for the process.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LEARNS = """
apiVersion: headrace/v1
kind: Query
name: {name}
source: {{ type: file, path: rows.ndjson, maxRowsPerTrigger: 100, schema: "a double, b double, label int" }}
pipeline:
  stages:
    - {{ type: VectorAssembler, inputCols: [a, b], outputCol: raw }}
    - {{ type: OnlineStandardScaler, inputCol: raw, outputCol: features }}
model: {{ type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1 }}
evaluation: {{ metrics: [accuracy, auc], windows: {{ cumulative: true, slidingRows: 100 }} }}
sinks: [{{ type: file, path: out-{name}, columns: [prediction] }}]
"""

COUNTS = """
apiVersion: headrace/v1
kind: Query
name: {name}
trigger: {{ processingTime: 50ms }}
source: {{ type: rate, rowsPerSecond: 5000 }}
pipeline: {{ stages: [] }}
sinks: [{{ type: console, maxRowsPerBatch: 1 }}]
"""

BATCHES = 2     # that each query must have done
PATIENCE = 60   # seconds more that a slow machine has for them
QUERIES = {"learns-a": LEARNS, "learns-b": LEARNS, "counts-a": COUNTS, "counts-b": COUNTS}


def append_rows(path, first, count):
    with path.open("a") as file:
        for i in range(first, first + count):
            file.write('{"a": %d, "b": %d, "label": %d}\n' % (i % 7, i % 11, i % 2))


def too_few(folder):
    """Queries that have not done enough yet."""
    progress = folder / "progress"
    lines = progress.read_text().splitlines(keepends=True) if progress.exists() else []
    batches = [json.loads(line)["name"] for line in lines if line.endswith("\n")]
    return [query for query in QUERIES if batches.count(query) < BATCHES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    suppressions = Path(__file__).resolve().parent / "tsan.supp"
    environment = dict(os.environ, TSAN_OPTIONS="suppressions=%s" % suppressions)
    with tempfile.TemporaryDirectory(prefix="headrace-threads-") as name:
        folder = Path(name)
        for query, text in QUERIES.items():
            (folder / (query + ".yaml")).write_text(text.format(name=query))
        append_rows(folder / "rows.ndjson", 0, 1000)
        with (folder / "talk").open("w") as talk:
            process = subprocess.Popen([str(Path(options.headrace).resolve()), "run", "--log-level", "debug",
                                        "--progress", "progress", "."], cwd=folder, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=talk)
            end = time.monotonic() + options.seconds
            rows = 1000
            while time.monotonic() < end or (time.monotonic() < end + PATIENCE and too_few(folder)):
                append_rows(folder / "rows.ndjson", rows, 50)
                rows += 50
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=60)
        talk = (folder / "talk").read_text()
        failed = 0
        if status != 0 or "ThreadSanitizer" in talk:
            print("FAILED: exit status %d\n%s" % (status, talk[-8000:]))
            failed += 1
        for query in too_few(folder):
            print("FAILED: %s ran less than %d batches" % (query, BATCHES))
            failed += 1
    print("%d passed, %d failed" % (len(QUERIES) + 1 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
