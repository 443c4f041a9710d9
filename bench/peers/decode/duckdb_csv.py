# SPDX-License-Identifier: Apache-2.0
"""DuckDB's read_csv on one thread, every column used once: duckdb_csv.py FILE ROUNDS. Prints a JSON object."""
import json
import sys
import time

import duckdb

QUERY = """SELECT max(c0), max(c1), max(c2), max(c3), sum(c4)::DOUBLE, sum(c5)::DOUBLE, sum(c6)::DOUBLE, sum(c7), sum(c8),
    sum(c9)::DOUBLE, count(*) FROM read_csv('%s', header = false, auto_detect = false, delim = ',', quote = '"', columns = {
    'c0': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'BIGINT', 'c5': 'INTEGER', 'c6': 'INTEGER',
    'c7': 'DOUBLE', 'c8': 'DOUBLE', 'c9': 'INTEGER'})"""


def main():
    path, rounds = sys.argv[1], int(sys.argv[2])
    connection = duckdb.connect(config={"threads": 1})
    *columns, count = connection.execute(QUERY % path).fetchone()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        connection.execute(QUERY % path).fetchone()
        times.append((time.process_time() - start) * 1e9 / count)
    print(json.dumps({"columns": columns, "csv": times}))


main()
