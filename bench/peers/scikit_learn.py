# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's partial_fit in batches of 10,000 on one thread.

SGDClassifier: each batch is scored, then learned; inverse scaling from 0.5 with the power 0.25 had the lowest log loss of
the five settings tried (0.5/0.5, 0.5/0.25, 0.2/0.25, constant 0.1, 0.05). MiniBatchKMeans: without random reassignment.
"""
VERSIONS = {"scikit-learn": "1.9.1", "numpy": "2.4.6"}
BATCH = 10000
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class ScikitLearn:
    name, quality = "scikit_learn", "log_loss"

    def __init__(self, python, scripts):
        self.python, self.scripts = python, scripts

    def logistic(self, folder, bits):
        return [self.python, self.scripts / "sklearn_logistic.py", folder, bits, BATCH]

    def k_means(self, folder, k, dimension, batch):
        return [self.python, self.scripts / "sklearn_k_means.py", folder, k, dimension, batch]

    def row(self, clicks, rounds):
        return [self.python, self.scripts / "sklearn_row.py", clicks, rounds]


def setup(bench, folder):
    for name, value in VERSIONS.items():
        bench.version(name, value)
    python = bench.venv(folder, *("%s==%s" % pair for pair in VERSIONS.items()))
    return ScikitLearn(python, bench.root / "bench/peers/learners")
