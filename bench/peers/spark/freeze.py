# SPDX-License-Identifier: Apache-2.0
"""Learns the click job's regression from the sample, one pass of stochastic gradient descent, and writes its weights.

    freeze.py SAMPLE PIPELINE MODEL

Weights are by the number that a label ends with; those of numbers have the scaler's division in them.
"""
import json
import math
import sys

RATE = 0.05
PAGES, COUNTRIES, DEVICES = 200, 40, 4
NUMBERS = ("clicks", "dwell", "price")


def main():
    sample, pipeline, model = sys.argv[1:4]
    deviations = json.load(open(pipeline))["stages"][3]["fitted"]["std"]
    page, country, device = [0.0] * PAGES, [0.0] * COUNTRIES, [0.0] * DEVICES
    numbers, intercept = [0.0] * len(NUMBERS), 0.0
    for line in open(sample):
        row = json.loads(line)
        places = ((page, int(row["page"][9:])), (country, int(row["country"][1:])), (device, row["device"]))
        values = [row[name] / deviation for name, deviation in zip(NUMBERS, deviations)]
        margin = intercept + sum(weights[place] for weights, place in places)
        margin += sum(weight * value for weight, value in zip(numbers, values))
        step = RATE * (1 / (1 + math.exp(-margin)) - row["label"])
        intercept -= step
        for weights, place in places:
            weights[place] -= step
        numbers = [weight - step * value for weight, value in zip(numbers, values)]
    frozen = {"intercept": intercept, "page": page, "country": country, "device": device}
    frozen.update((name, weight / deviation) for name, weight, deviation in zip(NUMBERS, numbers, deviations))
    json.dump(frozen, open(model, "w"))


if __name__ == "__main__":
    main()
