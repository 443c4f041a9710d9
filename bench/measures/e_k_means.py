# SPDX-License-Identifier: Apache-2.0
"""Measure e: streaming k-means alone: points assigned, then the centres moved, batch by batch."""
import os

from lib.bench import Failure
from lib.local import rows_folder, printed

ID = "e"
TITLE = "Streaming k-means, batches of 10,000 points"
MUST = "3 times as fast as scikit-learn, d = 32, k = 64, at the same inertia"
AIM = "6 times"
BATCH = 10000
SHAPES = ((64, 32, 500000), (256, 128, 100000))  # centres, elements, points
INERTIA_SHARE = 1e-3


def run(bench):
    program = bench.program("bench_learners")
    peers = bench.peers("scikit_learn")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for k, dimension, count in SHAPES:
        words = [program, "k-means", count, k, dimension, BATCH]
        folder = rows_folder(bench, "points-%d-%d-%d" % (count, k, dimension), words) if peers else None
        sides = [lambda peer=peer: printed(peer.k_means(folder, k, dimension, BATCH), env=environment) for peer in peers]
        samples, *theirs = bench.in_turns(lambda: printed(words), *sides)
        bounds = {"must": 3, "aim": 6} if dimension == 32 else {}
        bench.figure("k = %d, d = %d" % (k, dimension), "million points a second and core",
                     [1e3 / sample["cpu_ns"] for sample in samples], of="value")
        for peer, runs in zip(peers, theirs):
            compare(bench, "k = %d, d = %d" % (k, dimension), samples, peer, runs, bounds)
    bench.note("The same first centres, all points weigh the same for ever; double precision on both sides, one thread")


def compare(bench, label, samples, peer, runs, bounds):
    inertia = [run["mean_squared_distance"] for run in (samples[0], runs[0])]
    if abs(inertia[0] - inertia[1]) > INERTIA_SHARE * inertia[1]:
        raise Failure("%s: our mean squared distance is %.5f, that of the peer %.5f" % (label, *inertia))
    bench.figure(label, "ns a point, processor time", [sample["cpu_ns"] for sample in samples], peer.name,
                 [sample["cpu_ns"] for sample in runs], better="lower", **bounds)
