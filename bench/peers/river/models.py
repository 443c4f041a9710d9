# SPDX-License-Identifier: Apache-2.0
"""The click job's regression by River, in three ways: each is (features of a record, model).

All learn by stochastic gradient descent with the rate of clicks_indexed.yaml.
"""
import json
import math

from river import compose, linear_model, optim, preprocessing

RATE = 0.05


def regression():
    return linear_model.LogisticRegression(optimizer=optim.SGD(RATE), intercept_lr=RATE, clip_gradient=math.inf)


def by_hand(fitted):
    """The fitted pipeline in a few lines of Python: one-hot coordinates by name, numbers divided by their deviation."""
    stages = json.load(open(fitted))["stages"]
    pages, countries = (set(labels) for labels in stages[0]["fitted"]["labelsArray"])
    clicks_std, dwell_std, price_std = stages[3]["fitted"]["std"]

    def features(row):
        page, country = row["page"], row["country"]
        return {
            page if page in pages else "page": 1.0,
            country if country in countries else "country": 1.0,
            row["device"]: 1.0,
            "clicks": row["clicks"] / clicks_std,
            "dwell": row["dwell"] / dwell_std,
            "price": row["price"] / price_std,
        }
    return features, regression()


def pipeline(encoder):
    """River's own transformers, which learn labels and deviations as they go."""
    labels = compose.Select("page", "country", "device") | encoder
    numbers = compose.Select("clicks", "dwell", "price") | preprocessing.StandardScaler()
    return lambda row: row, (labels + numbers) | regression()


def pipeline_tuned(_):
    return pipeline(preprocessing.OneHotEncoder(drop_zeros=True))


def pipeline_default(_):
    return pipeline(preprocessing.OneHotEncoder())
