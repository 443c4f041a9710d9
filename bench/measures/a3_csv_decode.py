# SPDX-License-Identifier: Apache-2.0
"""Measure a3: the click record's ten columns out of CSV, beside DuckDB."""
import math

from lib.bench import Failure
from lib.local import printed

ID = "a3"
TITLE = "CSV decode, ten columns of the click record"
MUST = "8 times as fast as DuckDB with one thread"
AIM = "15 times"
RECORDS = 500000


def same(ours, theirs):
    return ours == theirs if isinstance(ours, str) else math.isclose(ours, theirs, rel_tol=1e-9)


def run(bench):
    rounds = max(bench.options.pairs, 3)
    program = bench.program("bench_csv")
    times = printed([program, RECORDS, rounds])
    bench.note("%.0f bytes a record, from memory, one thread, processor time; line ends are found in the time too. DuckDB "
               "reads the same bytes from a file in the page cache and aggregates each column" % times["bytes"])
    bench.figure("decode", "ns a record", times["headrace"], better="lower", of="value")
    for peer in bench.peers("duckdb"):
        path = bench.folder / "data" / ("clicks-%d.csv" % RECORDS)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            bench.setup_command([program, RECORDS, 1, path])
        theirs = printed(peer.csv(path, rounds))
        if not all(map(same, times["columns"], theirs["columns"])):
            raise Failure("the columns differ: ours %s, %s's %s" % (times["columns"], peer.name, theirs["columns"]))
        bench.figure("decode beside %s" % peer.name, "ns a record", times["headrace"], peer.name, theirs["csv"],
                     better="lower", must=8, aim=15)
