# SPDX-License-Identifier: Apache-2.0
"""Measure a2: the click record's ten columns out of JSON, in one process with its peers."""
from lib.local import printed

ID = "a2"
TITLE = "JSON decode, ten columns of the click record"
MUST = "1.3 times as fast as simdjson On-Demand, 35 times jansson"
AIM = "2 times, 50 times"
RECORDS = 200000
BOUNDS = {"jansson": {"must": 35, "aim": 50}, "simdjson": {"must": 1.3, "aim": 2}}


def run(bench):
    peers = bench.peers("simdjson", "jansson")
    times = printed([bench.program("bench_decode"), RECORDS, max(bench.options.pairs, 3),
                     *("%s=%s" % (peer.name, peer.path) for peer in peers)])
    bench.note("All columns of %d records, %.0f bytes each, were equal before the clock ran; processor time, chunks of "
               "2,048 records, one thread" % (RECORDS, times["bytes"]))
    bench.figure("decode", "ns a record", times["headrace"], better="lower", of="value")
    for peer in peers:
        bench.figure("decode beside %s" % peer.name, "ns a record", times["headrace"], peer.name, times[peer.name],
                     better="lower", **BOUNDS[peer.name])
