# SPDX-License-Identifier: Apache-2.0
"""One pass of Vowpal Wabbit over FOLDER/rows.vw, from its binary cache: vw_logistic.py FOLDER BITS [OPTION …].

The driver is VW's own (pyvw only starts it). The first call makes the cache, in a run of its own. Prints a JSON object."""
import json
import sys
import time
from pathlib import Path

from vowpalwabbit import pyvw


def main():
    folder, bits, options = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    cache = folder / "rows.cache"
    command = ["--data", str(folder / "rows.vw"), "--cache_file", str(cache), "--loss_function", "logistic", "--bit_precision",
               bits, "--quiet", *options]
    if not cache.exists():
        pyvw.Workspace(arg_list=command).finish()
    cpu, wall = time.process_time(), time.perf_counter()
    model = pyvw.Workspace(arg_list=command)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    rows = model.get_weighted_examples()
    print(json.dumps({"cpu_ns": cpu * 1e9 / rows, "wall_ns": wall * 1e9 / rows, "log_loss": model.get_sum_loss() / rows,
                      "rows": rows}))


main()
