# SPDX-License-Identifier: Apache-2.0
"""River, one record at a time: the same regression over a dict of the same features, transactions of 10,000 records.

It is two orders of magnitude slower than the others: it reads a twentieth of the records (never less than 50,000).
"""
VERSIONS = {"river": "0.26.1", "confluent-kafka": "2.16.1"}
BATCH = 10000


class River:
    name, learns, ends, warm = "river", True, True, 0.2

    def __init__(self, bench, python):
        self.script = bench.root / "bench/peers/river/click_job.py"
        self.python = python

    def records(self, wanted):
        return min(wanted, max(50000, wanted // 20))

    def command(self, job):
        return [self.python, self.script, job.bootstrap, job.source, job.target, job.name, job.pipeline, job.records, BATCH], {}


def setup(bench, folder):
    for name, value in VERSIONS.items():
        bench.version(name, value)
    return River(bench, bench.venv(folder, *("%s==%s" % pair for pair in VERSIONS.items())))
