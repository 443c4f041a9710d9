# SPDX-License-Identifier: Apache-2.0
"""The floor of latency: librdkafka alone writes on what it reads at once, and decodes nothing (bench/kafka/relay.c).

Exactly once it makes a transaction of what it has read at a time; where it has read to is kept nowhere.
"""
from lib.relay import Relay


class Floor:
    def __init__(self, bench):
        self.bench = bench

    def steady(self, guarantee, _):
        return Relay(self.bench, guarantee)


def setup(bench, _):
    return Floor(bench)
