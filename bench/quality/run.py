#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `headrace eval` on every query of this folder and compares the figures with expected.csv.

    bench/quality/run.py --data FOLDER [--headrace BINARY]

Prints what was measured, row by row. Ends with 1 when a figure differs: in the sixth digit, or by more than 0.00001 for
the area under the ROC curve, which Headrace counts in bins.
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
DIGITS = 6
AUC_TOLERANCE = 1e-5


def evaluate(binary, query, data):
    """The cumulative metrics of a query, and how many rows they are over."""
    done = subprocess.run([binary, "eval", "--format", "json", str(query)], stdout=subprocess.PIPE,
                          env={**os.environ, "HEADRACE_DATA": data}, check=False)
    if done.returncode != 0:
        sys.exit(f"{query.name}: headrace eval ended with {done.returncode}")
    document = json.loads(done.stdout)
    return document["metrics"]["cumulative"], document["labelledRows"]


def agrees(name, measured, expected):
    if name == "auc":
        return abs(measured - float(expected)) <= AUC_TOLERANCE
    return f"{measured:.{DIGITS}f}" == expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the .csv.gz files of README.md")
    parser.add_argument("--headrace", default=str(FOLDER.parents[1] / "build/dev/headrace"))
    arguments = parser.parse_args()
    with open(FOLDER / "expected.csv", encoding="utf-8") as lines:
        expected = {row.pop("query"): row for row in csv.DictReader(lines)}
    queries = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
    if set(queries) != set(expected):
        sys.exit("not both a query and a line of expected.csv: " + " ".join(sorted(set(queries) ^ set(expected))))

    names = list(next(iter(expected.values())))
    print(f"{'query':34}{'rows':>8}" + "".join(f"{name:>11}" for name in names), flush=True)
    differences = 0
    for stem, path in queries.items():
        measured, rows = evaluate(arguments.headrace, path, arguments.data)
        wrong = [name for name in names if not agrees(name, measured[name], expected[stem][name])]
        print(f"{stem:34}{rows:8}" + "".join(f"{measured[name]:11.{DIGITS}f}" for name in names), flush=True)
        for name in wrong:
            print(f"    {name} should be {expected[stem][name]}", flush=True)
        differences += len(wrong)
    print(f"{len(queries)} queries, {len(queries) * len(names)} figures, {differences} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
