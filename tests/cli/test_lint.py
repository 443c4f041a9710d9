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

    def test_limits_are_written_out(self):
        self.write("query.yaml", query(checkpoint="checkpoint: { location: state, keep: 0 }\n",
                                       source='source:\n  type: rate\n  rowsPerSecond: 0\n',
                                       sinks="sinks: [{ type: console, columns: [value] }]\n"))
        text = self.run_program("lint", "--offline", "query.yaml", expect=78).stdout
        self.assertIn("keep: '0' is out of range, allowed is 1 to 1000000\n", text)
        self.assertIn("rowsPerSecond: '0' is out of range, allowed is 1 to 1000000000\n", text)

    def test_keys_of_the_user_are_ignored(self):
        self.assertEqual(self.warnings_of(name='x-secret: "${NO_SUCH}"\nx-more: { deep: ["${NO_SUCH:?say it}"] }\n'
                                               'name: demo\n'), "")
        self.write("query.yaml", query(name='x-name: &n "${NO_SUCH}"\nname: *n\n'))
        self.assertRegex(self.run_program("lint", "--offline", "query.yaml", expect=78).stdout,
                         "^query.yaml:3:12: error: variable 'NO_SUCH' is not set\n")
        self.write("query.yaml", query(name='x-name: &n "${A_NAME}"\nname: *n\n'))
        done = self.run_program("explain", "query.yaml", "--format", "json", env={"A_NAME": "from-there"}, expect=0)
        self.assertEqual(json.loads(done.stdout)["query"], "from-there")

    def test_queries_that_write_one_directory(self):
        for name, sink in ("a", "{ type: file, path: out }"), ("b", "{ type: file, id: x, path: ./out/ }"):
            self.write(f"{name}.yaml", query(name=f"name: {name}\n", checkpoint=f"checkpoint: {{ location: {name} }}\n",
                                             sinks=f"sinks:\n  - {sink}\n"))
        self.write("c.yaml", query(name="name: c\n", checkpoint="checkpoint: { location: c }\n",
                                   deadLetter="deadLetter: { type: file, path: out }\n",
                                   sinks="sinks:\n  - { type: console }\n"))
        wanted = "b.yaml:\\d+:\\d+: error: './out/' is also the directory of a sink of a.yaml\n  hint: .*another path\n" \
                 "c.yaml:\\d+:\\d+: error: 'out' is also the directory of a sink of a.yaml\n"
        self.assertRegex(self.run_program("lint", "--offline", "a.yaml", "b.yaml", "c.yaml", expect=78).stdout, wanted)
        self.assertRegex(self.run_program("run", "--once", "a.yaml", "b.yaml", "c.yaml", expect=78).stderr, wanted)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_file_where_a_directory_should_be(self):
        self.write("in/1.ndjson", "")
        self.write("out", "not a directory")
        for path in "out", "out/deep":
            self.write("query.yaml", query(sinks=f"sinks:\n  - {{ type: file, path: {path} }}\n"))
            self.assertRegex(self.run_program("lint", "query.yaml", expect=73).stdout,
                             "error: sink 'file': 'out' is in the way and not a directory\n  hint: .*another path")

    def test_a_directory_that_can_hold_parts_is_left_as_it_was(self):
        self.write("in/1.ndjson", "")
        self.write("out/part-0000000000-0000.json", "")
        self.write("query.yaml", query())
        self.assertEqual(self.run_program("lint", "query.yaml", expect=0).stdout, "")
        self.assertEqual(os.listdir(self.path("out")), ["part-0000000000-0000.json"])
        self.assertEqual(sorted(os.listdir(self.folder)), ["in", "out", "query.yaml"])

    def test_fitted_values_that_are_no_numbers_are_a_warning(self):
        stage = "pipeline:\n  stages:\n    - { type: StandardScaler, inputCol: v, outputCol: s, withMean: true, " \
                "fitted: { mean: [0, %s], std: [1, 1] } }\n"
        self.assertRegex(self.warnings_of(pipeline=stage % ".nan"),
                         "^query.yaml:.* warning: a fitted value is NaN\n  hint: .*fit again")
        self.assertEqual(self.warnings_of(pipeline=stage % "1"), "")


class Variables(Case):
    """What came from a variable is in no message, whatever key it is the value of."""

    SECRET = "hunter2-is-secret"
    TEXT = """apiVersion: headrace/v1
kind: Query
name: demo
trigger: { processingTime: 1s }
checkpoint: { location: state, keep: 5 }
source:
  type: file
  path: in
  id: source
  maxFilesPerTrigger: 1
  format: { type: csv, mode: failFast, nullValue: none }
  schema:
    - { name: x, type: double, nullable: true }
    - { name: y, type: long }
    - { name: t, type: timestamp, format: epochMillis }
    - { name: text, type: string, path: /text }
pipeline:
  stages:
    - { type: VectorAssembler, id: va, inputCols: [x, y], outputCol: v, handleInvalid: skip }
    - { type: RegexTokenizer, inputCol: text, outputCol: words, pattern: "[a-z]" }
model: { type: OnlineLogisticRegression, id: m, featuresCol: v, labelCol: y, predictionCol: p, optimizer: sgd }
evaluation: { metrics: [auc], windows: { slidingRows: 5 } }
sinks:
  - { type: file, id: f, path: out, columns: [x, p], content: rows, deliveryGuarantee: at_least_once }
  - { type: console, id: c, truncate: 20 }
  - { type: kafka, id: k, topic: t, keyCol: text, properties: { bootstrap.servers: "localhost:1", linger.ms: 5 } }
deadLetter: { type: file, path: bad, maxRatio: 0.5 }
"""

    def values(self):
        """The text with a variable in place of each value in turn."""
        tokens = list(re.finditer(r"(?<=: )[^\s{}\[\],]+|(?<=[\[,] )[^\s{}\[\],:]+(?=[\],])|(?<=\[)[^\s{}\[\],]+", self.TEXT))
        self.assertGreater(len(tokens), 50)
        for token in tokens:
            yield token.group(), self.TEXT[:token.start()] + '"${SEC}"' + self.TEXT[token.end():]

    def test_any_value(self):
        self.write("in/1.csv", "")
        for secret in self.SECRET, "huntr2":
            for value, text in self.values():
                self.write("query.yaml", text)
                for command in ["lint", "--offline"], ["explain"], ["explain", "--format", "json"]:
                    with self.subTest(value=value, command=command, secret=secret):
                        done = self.run_program(*command, "query.yaml", env={"SEC": secret})
                        if value == "demo" and done.returncode == 0:
                            continue  # a query's name names its files and log lines
                        self.assertNotIn(secret, done.stdout + done.stderr)

    def test_paths(self):
        self.write("in/1.ndjson", "")
        text = query(source='source:\n  type: file\n  path: "${SEC}/in"\n  schema: "id long, x double, v vector, '
                            'y double, text string"\n')
        self.write("query.yaml", text)
        env = {"SEC": self.path("hunter2-is-here")}
        done = self.run_program("lint", "query.yaml", env=env)
        self.assertIn("<from a variable>", done.stdout)
        explained = self.run_program("explain", "query.yaml", env=env, expect=0)
        self.assertIn("file <from a variable>/in", explained.stdout)
        run = self.run_program("run", "--once", "query.yaml", env=env)
        self.assertNotIn("hunter2", done.stdout + done.stderr + explained.stdout + run.stdout + run.stderr)

    def test_a_schema_in_one_string(self):
        for schema in "id hunter2", "id long, x hunter2", "id long hunter2", "hunter2 long, hunter2 long":
            self.write("query.yaml", query(source='source:\n  type: file\n  path: in\n  schema: "${SEC}"\n'))
            done = self.run_program("lint", "--offline", "query.yaml", env={"SEC": schema}, expect=78)
            self.assertNotIn("hunter2", done.stdout)
            self.assertIn("<from a variable>", done.stdout)


def add_cases(holder, cases):
    for wrong in cases:
        name = "test_" + re.sub(r"[^a-z0-9]+", "_", wrong["name"].lower()).strip("_")
        assert not hasattr(holder, name), name
        setattr(holder, name, lambda self, wrong=wrong: self.check_case(wrong))


add_cases(WrongQueries, CASES)

if __name__ == "__main__":
    unittest.main()
