# SPDX-License-Identifier: Apache-2.0
"""The limit: librdkafka alone copies the topic in transactions of 100,000, or as a measure says, and decodes nothing
(bench/kafka/copy.c)."""
BATCH = 100000


class Copy:
    name, learns, ends, warm = "copy", False, True, 0.3

    def __init__(self, program, batch=BATCH):
        self.program, self.batch = program, batch

    def command(self, job):
        return [self.program, job.bootstrap, job.source, job.target, job.records, self.batch, job.partitions], {}


def setup(bench, _):
    return Copy(bench.program("bench_copy"))
