# SPDX-License-Identifier: Apache-2.0
"""One row at a time: FeatureHasher of the click record's features, then predict_proba: sklearn_row.py CLICKS ROUNDS."""
import itertools
import json
import sys
import time

import numpy
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

SPLITS = {"clicks": (1, 2, 5, 10), "dwell": (5, 20, 60, 200), "price": (30, 60, 120)}
ROWS = 2000


def features(record):
    row = {"%s=%s" % (name, record[name]): 1.0 for name in ("user_id", "page", "country", "device")}
    for name, splits in SPLITS.items():
        row[name] = float(record[name])
        row["%sBucket=%d" % (name, numpy.searchsorted(splits, record[name], side="right"))] = 1.0
    return row


def main():
    path, rounds = sys.argv[1], int(sys.argv[2])
    with open(path, encoding="utf-8") as lines:
        records = [json.loads(line) for line in itertools.islice(lines, 20000)]
    hasher = FeatureHasher(n_features=1 << 18, alternate_sign=False)
    model = SGDClassifier(loss="log_loss")
    model.fit(hasher.transform(map(features, records)), [record["label"] for record in records])
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for record in records[:ROWS]:
            model.predict_proba(hasher.transform([features(record)]))
        times.append((time.process_time() - start) * 1e9 / ROWS)
    print(json.dumps({"score": times}))


main()
