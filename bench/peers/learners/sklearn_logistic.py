# SPDX-License-Identifier: Apache-2.0
"""SGDClassifier.partial_fit, each batch scored first: sklearn_logistic.py FOLDER BITS BATCH. Prints a JSON object."""
import json
import sys
import time
import warnings
from pathlib import Path

import numpy
import scipy.sparse
from sklearn.linear_model import SGDClassifier

NONZEROS = 20
SETTINGS = {"loss": "log_loss", "penalty": None, "learning_rate": "invscaling", "eta0": 0.5, "power_t": 0.25}


def main():
    folder, dimension, batch = Path(sys.argv[1]), 1 << int(sys.argv[2]), int(sys.argv[3])
    labels = numpy.fromfile(folder / "labels.u8", dtype=numpy.uint8).astype(numpy.int64)
    values = numpy.fromfile(folder / "values.f32", dtype=numpy.float32)
    indices = numpy.fromfile(folder / "indices.u32", dtype=numpy.uint32).astype(numpy.int32)
    count = len(labels)
    rows = scipy.sparse.csr_matrix((values, indices, numpy.arange(0, len(values) + 1, NONZEROS, dtype=numpy.int32)),
                                   shape=(count, dimension))
    batches = [(rows[i:i + batch], labels[i:i + batch]) for i in range(0, count, batch)]
    model = SGDClassifier(**SETTINGS)
    loss = cpu = wall = 0.0
    for number, (features, truth) in enumerate(batches):
        cpu, wall = cpu - time.process_time(), wall - time.perf_counter()
        margins = model.decision_function(features) if number else numpy.zeros(len(truth))
        probabilities = 1.0 / (1.0 + numpy.exp(-margins))
        model.partial_fit(features, truth, classes=[0, 1])
        cpu, wall = cpu + time.process_time(), wall + time.perf_counter()
        chosen = numpy.where(truth == 1, probabilities, 1.0 - probabilities)
        loss -= numpy.log(numpy.maximum(chosen, 1e-15)).sum()
    print(json.dumps({"cpu_ns": cpu * 1e9 / count, "wall_ns": wall * 1e9 / count, "log_loss": loss / count}))


warnings.simplefilter("ignore")
main()
