# SPDX-License-Identifier: Apache-2.0
"""Vowpal Wabbit with its default settings (adaptive, normalized, invariant), one pass from its binary cache."""
VERSION = "9.11.9"


class VowpalWabbit:
    name, quality = "vowpal_wabbit", "log_loss"

    def __init__(self, python, script):
        self.python, self.script = python, script

    def logistic(self, folder, bits):
        return [self.python, self.script, folder, bits]


def setup(bench, folder):
    bench.version("vowpalwabbit", VERSION)
    python = bench.venv(folder, "vowpalwabbit==" + VERSION)
    return VowpalWabbit(python, bench.root / "bench/peers/learners/vw_logistic.py")
