# SPDX-License-Identifier: Apache-2.0
"""Measure d2: logistic regression over a stream of NDJSON files that are generated beside it and not kept."""
import json

from lib.bench import Failure
from lib.local import printed

ID = "d2"
TITLE = "Logistic regression over 100 million click records from NDJSON, generated beside it, two cores"
MUST = "60 s, 300 MB"
AIM = "30 s"
TIMES = 20  # --records: 100 million with its default


def run(bench):
    count = bench.options.records * TIMES
    words = [bench.root / "bench/files/run.py", "--json", "--count", count, "--headrace", bench.headrace, "--clicks",
             bench.program("make_clicks")]

    def once():
        bench.touch_memory()
        return printed(words)

    samples, = bench.in_turns(once, pairs=1)
    if any(sample["rows"] != count or sample["status"] != 0 for sample in samples):
        raise Failure("not all rows were read: %s" % samples)
    bench.figure("wall", "s", [sample["wall"] for sample in samples], better="lower", of="value", must=60 * count / 1e8,
                 aim=30 * count / 1e8)
    bench.figure("rows", "million a second", [count / sample["wall"] / 1e6 for sample in samples], of="value")
    bench.figure("processor time", "ns a row", [sample["cpu"] * 1e9 / count for sample in samples], better="lower",
                 of="value")
    bench.figure("processor time of the generator", "ns a row", [sample["generator_cpu"] * 1e9 / count for sample in samples],
                 better="lower", of="value")
    bench.figure("peak memory", "MB", [sample["peak_mb"] for sample in samples], better="lower", of="value", must=300)
    bench.note("%s records of 196 bytes. Of all rows: %s. ns a row: %s" % (
        "{:,}".format(count), json.dumps(samples[-1]["metrics"]),
        ", ".join("%s %.0f" % step for step in samples[-1]["steps_ns"].items())))
