# SPDX-License-Identifier: Apache-2.0
#
# Wrong query files: what lint and run say about each, where, and that they leave no trace.
import json
import os
import re
import unittest

from headrace import Case, query
from wrong_queries import CASES

SIGN = "§".encode()


def places_of(text):
    """The bytes without signs, and line and column (from 1, in bytes) of each sign."""
    data = text.encode() if isinstance(text, str) else text
    places = []
    while SIGN in data:
        at = data.index(SIGN)
        data = data[:at] + data[at + len(SIGN):]
        places.append((data.count(b"\n", 0, at) + 1, at - (data.rfind(b"\n", 0, at) + 1) + 1))
    return data, places


class Lint(Case):
    """What a table of wrong queries is held to."""

    def check_case(self, wrong):
        for name, content in wrong["files"].items():
            self.write(name, content)
        data, places = places_of(wrong["text"])
        self.write("query.yaml", data)
        before = sorted(os.listdir(self.folder))
        done = self.run_program("lint", "--offline", "query.yaml", env=wrong["env"], expect=78)
        self.check_text(done.stdout, places, wrong["findings"])
        json_done = self.run_program("lint", "--offline", "--format", "json", "query.yaml", env=wrong["env"],
                                     expect=78)
        self.check_json(json_done.stdout, places, wrong["findings"])
        run = self.run_program("run", "--once", "query.yaml", env=wrong["env"], expect=78)
        self.assertEqual(run.stderr, done.stdout)
        self.assertEqual(sorted(os.listdir(self.folder)), before, "a wrong query made files")
        for secret in (wrong["env"] or {}).values():
            self.assertNotIn(secret, done.stdout + done.stderr + json_done.stdout + run.stdout + run.stderr)

    def check_text(self, text, places, findings):
        lines = text.splitlines()
        self.assertEqual(len(lines), 2 * len(findings), text)
        for i, (message, hint) in enumerate(findings):
            line, column = places[i]
            self.assertTrue(lines[2 * i].startswith(f"query.yaml:{line}:{column}: error: "),
                            f"wanted line {line}, column {column}:\n{text}")
            self.assertRegex(lines[2 * i], message)
            self.assertRegex(lines[2 * i + 1], f"^  hint: .*({hint})")

    def check_json(self, text, places, findings):
        documents = json.loads(text)
        self.assertEqual(len(documents), len(findings), text)
        for document, (line, column), (message, hint) in zip(documents, places, findings):
            self.assertEqual(list(document), ["file", "line", "column", "path", "severity", "message", "hint"])
            self.assertEqual((document["file"], document["line"], document["column"]), ("query.yaml", line, column))
            self.assertEqual(document["severity"], "error")
            self.assertIsInstance(document["path"], str)
            self.assertRegex(document["message"], message)
            self.assertRegex(document["hint"], hint)


class WrongQueries(Lint):
    def test_the_table_has_no_case_twice(self):
        names = [wrong["name"] for wrong in CASES]
        self.assertEqual(len(names), len(set(names)))

    def test_the_query_that_cases_are_made_of_is_right(self):
        self.write("query.yaml", query())
        done = self.run_program("lint", "--offline", "query.yaml", expect=0)
        self.assertEqual(done.stdout, "")
        done = self.run_program("lint", "--offline", "--format", "json", "query.yaml", expect=0)
        self.assertEqual(json.loads(done.stdout), [])


    def warnings_of(self, **sections):
        self.write("query.yaml", query(**sections))
        return self.run_program("lint", "--offline", "query.yaml", expect=0).stdout

    def test_what_has_no_effect_is_a_warning(self):
        model = "model: { type: OnlineLogisticRegression, featuresCol: v, labelCol: y, %s }\n"
        self.assertRegex(self.warnings_of(model=model % "optimizer: sgd, alpha: 0.1"),
                         "^query.yaml:.* warning: 'alpha' has no effect: optimizer is sgd\n  hint: .*ftrl\n$")
        self.assertRegex(self.warnings_of(model=model % "optimizer: ftrl, powerT: 0.5"), "'powerT' has no effect")
        self.assertEqual(self.warnings_of(model=model % "optimizer: ftrl, alpha: 0.1"), "")
        self.assertEqual(self.warnings_of(model=model % "optimizer: ftrl, interceptOptimizer: sgd, powerT: 0.5"), "")
        sink = "sinks:\n  - { type: file, path: out, content: metrics, columns: [id] }\n"
        self.assertRegex(self.warnings_of(sinks=sink), "^query.yaml:.* warning: 'columns' has no effect: content is")

    def test_fitted_values_that_are_no_numbers_are_a_warning(self):
        stage = "pipeline:\n  stages:\n    - { type: StandardScaler, inputCol: v, outputCol: s, withMean: true, " \
                "fitted: { mean: [0, %s], std: [1, 1] } }\n"
        self.assertRegex(self.warnings_of(pipeline=stage % ".nan"),
                         "^query.yaml:.* warning: a fitted value is NaN\n  hint: .*fit again")
        self.assertEqual(self.warnings_of(pipeline=stage % "1"), "")


def add_cases(holder, cases):
    for wrong in cases:
        name = "test_" + re.sub(r"[^a-z0-9]+", "_", wrong["name"].lower()).strip("_")
        assert not hasattr(holder, name), name
        setattr(holder, name, lambda self, wrong=wrong: self.check_case(wrong))


add_cases(WrongQueries, CASES)

if __name__ == "__main__":
    unittest.main()
