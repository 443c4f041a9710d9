# SPDX-License-Identifier: Apache-2.0
"""Measure d2: online logistic regression from NDJSON files to the metrics, the whole program."""
import json
import tempfile
from pathlib import Path

from lib.bench import Failure

ID = "d2"
TITLE = "Online logistic regression over click records in an NDJSON file, the whole program"
MUST = "100 million records within 60 s on two cores, that is 1.67 million a second; at most 300 MB"
AIM = "25 s, that is 4 million a second"


def run(bench):
    clicks = bench.clicks(bench.options.records)
    query = bench.root / "bench/files/clicks_once.yaml"
    runs = []

    def once():
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            progress = Path(folder) / "progress"
            sample = bench.timed([bench.headrace, "run", query, "--progress", progress], log=bench.logs / "d2.log",
                                 environment={"CLICKS": str(clicks), "HEADRACE_DATA_DIR": folder})
            batches = [json.loads(line) for line in progress.read_text().splitlines()]
            sample["rows"] = sum(batch["numInputRows"] for batch in batches)
            runs.append(batches[-1])
            return sample

    samples, = bench.in_turns(once)
    if any(sample["rows"] != bench.options.records for sample in samples):
        raise Failure("%s rows, not %d" % ([sample["rows"] for sample in samples], bench.options.records))
    count = bench.options.records
    bench.figure("rows learned, start and end included", "million a second",
                 [count / sample["wall"] / 1e6 for sample in samples], of="value", must=1.67, aim=4)
    bench.figure("processor time", "ns a row", [sample.cpu * 1e9 / count for sample in samples], better="lower", of="value")
    bench.figure("100 million records would take", "s", [sample["wall"] * 1e8 / count for sample in samples], better="lower",
                 of="value", must=60, aim=25)
    bench.figure("peak memory", "MB", [sample["peak_mb"] for sample in samples], better="lower", of="value", must=300)
    bench.note("%d records, 196 bytes each, read from the page cache; seven columns hashed to 2^18 features, AdaGrad. "
               "Of all rows: %s" % (count, json.dumps(runs[-1]["models"][0]["metrics"])))
