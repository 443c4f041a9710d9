# SPDX-License-Identifier: Apache-2.0
"""river_pipeline with the one-hot encoder as River gives it: each label seen so far is a coordinate of each row, most of
them 0.
"""
from lib.river import River


def setup(bench, _):
    return River(bench, "river_default", "pipeline_default")
