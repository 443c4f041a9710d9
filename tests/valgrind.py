#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands under valgrind: no bad access, and at the end nothing that was lost, on the ways out as well: a batch
that fails, a delivery that is tried again, recovery after a crash, a stop.

    tests/valgrind.py --headrace build/dev/headrace

The binary must have fault points, and must not be built with sanitizers. The last line is "N passed, N failed".
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--num-callers=20",
            "--errors-for-leak-kinds=definite,indirect,possible"]

HEAD = """
apiVersion: headrace/v1
kind: Query
name: {name}
source: {{ type: file, path: rows.ndjson, maxRowsPerTrigger: 100, format: {{ type: json, mode: {mode} }},
          schema: "id long, a double, b double, label int" }}
"""

STAGES = """
pipeline:
  stages:
    - { type: VectorAssembler, inputCols: [a, b], outputCol: raw }
    - { type: OnlineStandardScaler, inputCol: raw, outputCol: features }
"""

MODEL = """
model: { type: OnlineLogisticRegression, optimizer: ftrl, learningRate: 0.1 }
evaluation: { metrics: [accuracy, auc, logLoss], windows: { cumulative: true, slidingRows: 50, fadingFactor: 0.99 } }
"""

SINKS = """
sinks:
  - { id: rows, type: file, path: out-%s, format: { type: csv, compression: gzip } }
  - { id: metrics, type: file, path: metrics-%s, content: metrics }
  - { type: console, maxRowsPerBatch: 2 }
"""

FIT = """
pipeline:
  stages:
    - { type: VectorAssembler, inputCols: [a, b], outputCol: raw }
    - { type: StandardScaler, inputCol: raw, outputCol: features }
    - { type: StringIndexer, inputCol: label, outputCol: index }
"""


def query(name, mode="deadLetter", stages=STAGES, more=""):
    return HEAD.format(name=name, mode=mode) + stages + MODEL + SINKS % (name, name) + more


# name, arguments, expected exit status, fault
CASES = [
    ("list", ["list", "--format", "md"], 0, None),
    ("lint", ["lint", "--offline", "good.yaml", "wrong.yaml"], 78, None),
    ("explain", ["explain", "good.yaml"], 0, None),
    ("run", ["run", "--once", "good.yaml"], 0, None),
    ("run, bad configuration", ["run", "wrong.yaml"], 78, None),
    ("run, bad record", ["run", "--once", "strict.yaml"], 65, None),
    ("run, one delivery fails", ["run", "--once", "again.yaml"], 0, "deliver.sink:2:error"),
    ("recovery, half delivered", ["run", "--once", "half.yaml"], 0, None),
    ("recovery, delivered", ["run", "--once", "whole.yaml"], 0, None),
    ("checkpoint list", ["checkpoint", "list", "headrace-data/good"], 0, None),
    ("checkpoint inspect", ["checkpoint", "inspect", "headrace-data/good"], 0, None),
    ("checkpoint verify", ["checkpoint", "verify", "headrace-data/good"], 0, None),
    ("eval", ["eval", "good.yaml"], 0, None),
    ("fit", ["fit", "fit.yaml", "-o", "pipeline.json"], 0, None),
    ("eval, fitted pipeline", ["eval", "fitted.yaml"], 0, None),
    ("score, one bad record", ["score", "good.yaml", "--checkpoint", "headrace-data/good"], 65, None),
]


def make_files(folder):
    dead = "deadLetter: { type: file, path: dead-%s, maxRatio: 0.5 }\n"
    rows = ['{"id": %d, "a": %d, "b": %d.5, "label": %d}' % (i, i % 7, i % 11, i % 2) for i in range(250)]
    rows[120] = '{"id": 120, "a": "bad"'
    (folder / "rows.ndjson").write_text("".join(row + "\n" for row in rows))
    for name in ("good", "again", "half", "whole", "stopped"):
        (folder / (name + ".yaml")).write_text(query(name, more=dead % name))
    (folder / "strict.yaml").write_text(query("strict", "failFast"))
    (folder / "wrong.yaml").write_text(query("wrong").replace("optimizer: ftrl", "optimiser: ftrl").replace("auc", "aux"))
    (folder / "fit.yaml").write_text(query("fit", "drop", FIT))
    (folder / "fitted.yaml").write_text(query("fitted", "drop", "pipeline: { from: pipeline.json }\n"))


def run(headrace, folder, arguments, fault=None, valgrind=True):
    environment = dict(os.environ)
    environment.pop("HEADRACE_FAULT", None)
    if fault:
        environment["HEADRACE_FAULT"] = fault
    with (folder / "rows.ndjson").open() as rows:
        result = subprocess.run((VALGRIND if valgrind else []) + [headrace] + arguments, cwd=folder, env=environment,
                                stdin=rows, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300)
    return result.returncode, result.stderr


def stopped(headrace, folder):
    """A query that waits for rows, stopped by SIGTERM."""
    process = subprocess.Popen(VALGRIND + [headrace, "run", "--progress", "progress", "stopped.yaml"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    progress = folder / "progress"
    end = time.monotonic() + 120
    while time.monotonic() < end and not (progress.exists() and len(progress.read_text().splitlines()) >= 3):
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=120), process.stderr.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True)
    headrace = str(Path(parser.parse_args().headrace).resolve())
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="headrace-valgrind-") as name:
        folder = Path(name)
        make_files(folder)
        run(headrace, folder, ["run", "--once", "half.yaml"], "deliver.sink:1:crash", valgrind=False)
        run(headrace, folder, ["run", "--once", "whole.yaml"], "commit.before:2:crash", valgrind=False)
        results = [(case, wanted, run(headrace, folder, arguments, fault)) for case, arguments, wanted, fault in CASES]
        results.append(("stop", 0, stopped(headrace, folder)))
    for case, wanted, (status, talk) in results:
        if status == wanted:
            passed += 1
        else:
            failed += 1
            print("FAILED %s: exit status %d, not %d\n%s" % (case, status, wanted, talk[-6000:]))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
