# SPDX-License-Identifier: Apache-2.0
"""DuckDB's read_csv with the columns' types given, one thread, every column used by an aggregate."""
VERSION = "2.0.1"


class DuckDB:
    name = "duckdb"

    def __init__(self, python, script):
        self.python, self.script = python, script

    def csv(self, path, rounds):
        return [self.python, self.script, path, rounds]


def setup(bench, folder):
    bench.version("duckdb", VERSION)
    python = bench.venv(folder, "duckdb==" + VERSION)
    return DuckDB(python, bench.root / "bench/peers/decode/duckdb_csv.py")
