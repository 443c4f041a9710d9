# SPDX-License-Identifier: Apache-2.0
#
# eval and fit over files: what they print, what they write, and nothing else.
import json
import os
import unittest

from headrace import Case, query

SOURCE = 'source:\n  type: file\n  path: in\n  {}schema: "id long, c string, v vector, y double"\n'
MODEL = "model: { type: OnlineLogisticRegression, id: m, featuresCol: v, labelCol: y }\n"


def lines(count):
    return "".join(f'{{"id": {i}, "c": "{"xyz"[i % 3]}", "v": [{i % 5}, 1], "y": {int(i % 5 > 2)}}}\n'
                   for i in range(count))


class Eval(Case):
    def setUp(self):
        super().setUp()
        self.write("query.yaml", query(source=SOURCE.format(""), model=MODEL))

    def test_table(self):
        self.write("in/a.json", lines(100))
        done = self.run_program("eval", "query.yaml", expect=0)
        table = done.stdout.split("\n\n")[0].splitlines()
        self.assertEqual(table[0].split()[:2], ["rows", "accuracy"])
        self.assertEqual([int(line.split()[0]) for line in table[1:]], [1, 2, 4, 8, 16, 32, 64, 100])
        self.assertIn("100 rows, 100 labelled", done.stdout)
        self.assertEqual(sorted(os.listdir(self.folder)), ["in", "query.yaml"])

    def test_json(self):
        self.write("in/a.json", lines(100))
        document = json.loads(self.run_program("eval", "query.yaml", "--format", "json", expect=0).stdout)
        self.assertEqual((document["query"], document["rows"], document["labelledRows"]), ("demo", 100, 100))
        self.assertEqual(document["model"]["rowsLearned"], 100)
        self.assertGreater(document["metrics"]["cumulative"]["accuracy"], 0.5)

    def test_the_same_numbers_as_a_run(self):
        evaluation = "evaluation: { metrics: [accuracy, logLoss], windows: { cumulative: true } }\n"
        self.write("query.yaml", query(source=SOURCE.format(""), model=MODEL, evaluation=evaluation))
        self.write("in/a.json", lines(100))
        evaluated = json.loads(self.run_program("eval", "query.yaml", "--format", "json", expect=0).stdout)
        self.run_program("run", "--once", "--progress", "progress.json", "query.yaml", expect=0)
        ran = json.loads(self.read("progress.json").splitlines()[-1])
        self.assertEqual(evaluated["metrics"]["cumulative"], ran["models"][0]["metrics"]["cumulative"])

    def test_bad_records(self):
        self.write("in/a.json", lines(10) + "{\n")
        self.assertRegex(self.run_program("eval", "query.yaml", expect=65).stderr, "in/a.json:11: ")
        self.write("query.yaml", query(source=SOURCE.format("format: { type: json, mode: drop }\n  "), model=MODEL))
        done = self.run_program("eval", "query.yaml", "--format", "json", expect=0)
        self.assertEqual(json.loads(done.stdout)["badRecords"], 1)

    def test_no_model(self):
        self.write("query.yaml", query(source=SOURCE.format("")))
        self.assertRegex(self.run_program("eval", "query.yaml", expect=78).stderr, "needs a model.*\n  hint: ")

    def test_no_file(self):
        self.assertRegex(self.run_program("eval", "query.yaml", expect=66).stderr, "hint: ")


class Fit(Case):
    STAGES = "pipeline:\n  stages:\n    - { type: StringIndexer, id: si, inputCol: c, outputCol: n }\n"

    def setUp(self):
        super().setUp()
        self.write("query.yaml", query(source=SOURCE.format(""), pipeline=self.STAGES, sinks=None))

    def test_a_pipeline_file(self):
        self.write("in/a.json", lines(100))
        self.run_program("fit", "query.yaml", "-o", "pipeline.json", expect=0)
        document = json.loads(self.read("pipeline.json"))
        self.assertEqual(document["headrace"]["format"], 1)
        (stage,) = document["stages"]
        self.assertEqual((stage["type"], stage["id"]), ("StringIndexer", "si"))
        self.assertEqual(stage["params"]["inputCol"], "c")
        self.assertEqual(stage["fitted"], {"labelsArray": [["x", "y", "z"]]})
        self.assertEqual(sorted(os.listdir(self.folder)), ["in", "pipeline.json", "query.yaml"])

    def test_nothing_is_written_when_it_fails(self):
        self.write("in/a.json", lines(10) + "{\n")
        self.assertRegex(self.run_program("fit", "query.yaml", "-o", "pipeline.json", expect=65).stderr, "in/a.json:11")
        self.assertFalse(os.path.exists(self.path("pipeline.json")))

    def test_a_place_that_cannot_be_written(self):
        self.write("in/a.json", lines(10))
        done = self.run_program("fit", "query.yaml", "-o", "nodir/pipeline.json", expect=73)
        self.assertIn("nodir/pipeline.json", done.stderr)

    def test_a_stage_that_does_not_bind(self):
        self.write("query.yaml", query(source=SOURCE.format(""), pipeline=self.STAGES.replace("inputCol: c", "inputCol: d"),
                                       sinks=None))
        self.write("in/a.json", lines(10))
        self.assertRegex(self.run_program("fit", "query.yaml", "-o", "pipeline.json", expect=78).stderr,
                         "column 'd' is not in the schema.*\n  hint: ")


if __name__ == "__main__":
    unittest.main()
