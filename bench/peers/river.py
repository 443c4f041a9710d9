# SPDX-License-Identifier: Apache-2.0
"""River, one record at a time, transactions of 10,000: only its regression is used, over a dict that we fill by hand with the
features of the fitted pipeline. The least that River can cost here; its users have its transformers do that: river_pipeline.
"""
from lib.river import River


def setup(bench, _):
    return River(bench, "river", "by_hand")
