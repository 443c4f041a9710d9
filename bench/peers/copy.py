# SPDX-License-Identifier: Apache-2.0
"""The limit: librdkafka alone copies the topic in transactions of 100,000 and decodes nothing (bench/kafka/copy.c)."""
BATCH = 100000


class Copy:
    name, learns, ends, warm = "copy", False, True, 0.3

    def __init__(self, program):
        self.program = program

    def command(self, job):
        return [self.program, job.bootstrap, job.source, job.target, job.records, BATCH], {}


def setup(bench, _):
    return Copy(bench.program("bench_copy"))
