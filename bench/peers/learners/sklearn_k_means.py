# SPDX-License-Identifier: Apache-2.0
"""MiniBatchKMeans.partial_fit from the centres of FOLDER: sklearn_k_means.py FOLDER K DIM BATCH. Prints a JSON object."""
import json
import sys
import time
from pathlib import Path

import numpy
from sklearn.cluster import MiniBatchKMeans


def main():
    folder, k, dimension, batch = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    points = numpy.fromfile(folder / "points.f64").reshape(-1, dimension)
    centres = numpy.fromfile(folder / "centres.f64").reshape(k, dimension)
    count = len(points)
    model = MiniBatchKMeans(n_clusters=k, init=centres, n_init=1, batch_size=batch, reassignment_ratio=0, random_state=1)
    cpu, wall = time.process_time(), time.perf_counter()
    for first in range(0, count, batch):
        model.partial_fit(points[first:first + batch])
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    nearest = model.predict(points)
    distance = ((points - model.cluster_centers_[nearest]) ** 2).sum() / count
    print(json.dumps({"cpu_ns": cpu * 1e9 / count, "wall_ns": wall * 1e9 / count, "mean_squared_distance": distance}))


main()
