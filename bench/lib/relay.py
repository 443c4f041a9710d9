# SPDX-License-Identifier: Apache-2.0
"""librdkafka alone, which writes on what it reads at once (bench/kafka/relay.c)."""


class Relay:
    name, learns, ends, warm = "relay", False, False, 0

    def __init__(self, bench, guarantee):
        self.program, self.transactional = bench.program("bench_relay"), guarantee == "exactly_once"

    def command(self, job):
        return [self.program, job.bootstrap, job.source, job.target, *([job.name] if self.transactional else [])], {}
