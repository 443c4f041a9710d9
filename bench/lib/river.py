# SPDX-License-Identifier: Apache-2.0
"""What River's peers share: one loop over Kafka (bench/peers/river/click_job.py) with one of the models of models.py beside it.

River is one to two orders of magnitude slower than the others: it reads a twentieth of the records (never less than 50,000).
"""
VERSIONS = {"river": "0.26.1", "confluent-kafka": "2.16.1"}
BATCH = 10000


class River:
    learns, ends, warm = True, True, 0.2

    def __init__(self, bench, name, model):
        """model: a function of bench/peers/river/models.py."""
        for package, version in VERSIONS.items():
            bench.version(package, version)
        self.name, self.model = name, model
        self.script = bench.root / "bench/peers/river/click_job.py"
        self.python = bench.venv(bench.folder / "peers/river", *("%s==%s" % pair for pair in VERSIONS.items()))

    def records(self, wanted):
        return min(wanted, max(50000, wanted // 20))

    def command(self, job):
        return [self.python, self.script, job.bootstrap, job.source, job.target, job.name, job.pipeline, job.records, BATCH,
                self.model], {}
