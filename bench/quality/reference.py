#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of expected figures, computed by a plain implementation that shares no code with Headrace.

    bench/quality/reference.py --data FOLDER > bench/quality/expected.csv

Per row, in double precision: take the row into the running mean and population variance, standardise it with them,
predict, measure, learn. The area under the ROC curve is exact, from ranks.
"""
import argparse
import csv
import gzip
import math
import sys

STREAMS = {
    "elec6": ("elec6.csv.gz", "class"),
    "elec8": ("elec8.csv.gz", "class"),
    "weather": ("weather.csv.gz", "target"),
    "sea": ("sea_100k.csv.gz", "class"),
}


class Sgd:
    def __init__(self, rate):
        self.rate = rate
        self.weight = 0.0

    def learn(self, gradient):
        self.weight -= self.rate * gradient


class AdaGrad(Sgd):
    def __init__(self, rate):
        super().__init__(rate)
        self.squares = 0.0

    def learn(self, gradient):
        self.squares += gradient * gradient
        self.weight -= self.rate * gradient / math.sqrt(self.squares + 1e-8)


class Ftrl:
    def __init__(self, alpha, beta, l1=0.0):
        self.alpha, self.beta, self.l1 = alpha, beta, l1
        self.z = self.n = 0.0

    @property
    def weight(self):
        if abs(self.z) <= self.l1:
            return 0.0
        return -(self.z - math.copysign(self.l1, self.z)) * self.alpha / (self.beta + math.sqrt(self.n))

    def learn(self, gradient):
        step = (math.sqrt(self.n + gradient * gradient) - math.sqrt(self.n)) / self.alpha
        self.z += gradient - step * self.weight
        self.n += gradient * gradient


def ftrl(*settings):
    return lambda: Ftrl(*settings), lambda: Ftrl(*settings)


# query -> how a weight, and the intercept, are learned
ELEC = {
    "sgd": (lambda: Sgd(0.005), lambda: Sgd(0.01)),
    "sgd-fast": (lambda: Sgd(0.05), lambda: Sgd(0.05)),
    "adagrad": (lambda: AdaGrad(0.1), lambda: AdaGrad(0.1)),
    "ftrl": ftrl(0.1, 1.0),
    "ftrl-fast": ftrl(0.5, 1.0),
    "ftrl-sparse": ftrl(0.5, 1.0, 5.0),
}
QUERIES = {f"{stream}-{name}": learner for stream in ("elec6", "elec8") for name, learner in ELEC.items()}
QUERIES.update({
    "weather-sgd": (lambda: Sgd(0.005), lambda: Sgd(0.01)),
    "weather-sgd-fast": (lambda: Sgd(0.05), lambda: Sgd(0.01)),
    "weather-adagrad-plain-intercept": (lambda: AdaGrad(0.1), lambda: Sgd(0.01)),
    "sea-sgd": (lambda: Sgd(0.005), lambda: Sgd(0.01)),
    "sea-adagrad-plain-intercept": (lambda: AdaGrad(0.1), lambda: Sgd(0.01)),
})


def read(path, label):
    """Rows as (features, label)."""
    with gzip.open(path, "rt") as lines:
        for record in csv.DictReader(lines):
            yield [float(value) for name, value in record.items() if name != label], int(float(record[label]))


def standardised(rows):
    """The same rows, each scaled by the moments of all rows up to and with it."""
    count, means, squares = 0, None, None
    out = []
    for features, label in rows:
        if means is None:
            means, squares = [0.0] * len(features), [0.0] * len(features)
        count += 1
        scaled = []
        for i, value in enumerate(features):
            distance = value - means[i]
            means[i] += distance / count
            squares[i] += distance * (value - means[i])
            deviation = math.sqrt(squares[i] / count)
            scaled.append((value - means[i]) / deviation if deviation > 0 else 0.0)
        out.append((scaled, label))
    return out


def probabilities(rows, make_weight, make_intercept):
    """P(1) of each row, before it is learned."""
    weights = [make_weight() for _ in rows[0][0]]
    intercept = make_intercept()
    out = []
    for features, label in rows:
        margin = intercept.weight + sum(w.weight * x for w, x in zip(weights, features))
        probability = 1 / (1 + math.exp(-margin))
        out.append((margin, probability, label))
        error = probability - label
        for w, x in zip(weights, features):
            if x != 0:
                w.learn(error * x)
        intercept.learn(error)
    return out


def area(scored):
    """Area under the ROC curve: rank sum of the positives, ties sharing their mean rank."""
    ordered = sorted((margin, label) for margin, _, label in scored)
    positives = sum(label for _, label in ordered)
    ranks, first = 0.0, 0
    while first < len(ordered):
        last = first
        while last < len(ordered) and ordered[last][0] == ordered[first][0]:
            last += 1
        ranks += sum(label for _, label in ordered[first:last]) * (first + 1 + last) / 2
        first = last
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(ordered) - positives))


def measure(scored):
    rows = len(scored)
    labels = [label for _, _, label in scored]
    predictions = [1 if probability > 0.5 else 0 for _, probability, _ in scored]
    accuracy = sum(p == y for p, y in zip(predictions, labels)) / rows
    loss = sum(-math.log(max(probability if y else 1 - probability, 1e-15)) for _, probability, y in scored) / rows
    true, predicted = sum(labels) / rows, sum(predictions) / rows
    chance = true * predicted + (1 - true) * (1 - predicted)
    no_change = sum(a == b for a, b in zip([0] + labels, labels)) / rows
    return {
        "accuracy": accuracy,
        "logLoss": loss,
        "auc": area(scored),
        "kappa": (accuracy - chance) / (1 - chance),
        "kappaT": (accuracy - no_change) / (1 - no_change),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the .csv.gz files of README.md")
    data = parser.parse_args().data
    streams = {name: standardised(read(f"{data}/{file}", label)) for name, (file, label) in STREAMS.items()}
    names = ["accuracy", "logLoss", "auc", "kappa", "kappaT"]
    print(",".join(["query"] + names))
    for query, learner in QUERIES.items():
        metrics = measure(probabilities(streams[query.split("-")[0]], *learner))
        print(",".join([query] + [f"{metrics[name]:.6f}" for name in names]))
        print(query, file=sys.stderr)


if __name__ == "__main__":
    main()
