# SPDX-License-Identifier: Apache-2.0
#
# score and explain: what a query predicts and comes to, without running it.
import json
import os
import unittest

from headrace import Case, query

SOURCE = 'source:\n  type: file\n  path: in\n  {}schema: "id long, v vector, y double"\n'
SCALER = "pipeline:\n  stages:\n    - { type: OnlineStandardScaler, id: sc, inputCol: v, outputCol: features }\n"
MODELS = {
    "sgd": "model: { type: OnlineLogisticRegression, id: m, labelCol: y }\n",
    "adagrad": "model: { type: OnlineLogisticRegression, id: m, labelCol: y, optimizer: adagrad }\n",
    "ftrl": "model: { type: OnlineLogisticRegression, id: m, labelCol: y, optimizer: ftrl, l1: 0.01 }\n",
    "logistic": "model: { type: StreamingLogisticRegressionWithSGD, id: m, labelCol: y }\n",
    "linear": "model: { type: StreamingLinearRegressionWithSGD, id: m, labelCol: y }\n",
    "kmeans": "model: { type: StreamingKMeans, id: m, k: 2, initialCenters: { random: { dim: 2, weight: 1 } } }\n",
}


def rows(count):
    """Rows whose label depends on the vector; the same at every call."""
    state = 12345
    out = []
    for i in range(count):
        values = []
        for _ in range(2):
            state = (state * 1103515245 + 12345) % (1 << 31)
            values.append(state / (1 << 30) - 1.0)
        out.append({"id": i, "v": values, "y": float(values[0] + 0.5 * values[1] > 0.1)})
    return out


def lines(items):
    return "".join(json.dumps(item) + "\n" for item in items)


class Score(Case):
    def learn(self, model, pipeline=SCALER, source=SOURCE.format("")):
        self.write("query.yaml", query(source=source, pipeline=pipeline, model=model))
        self.write("in/a.json", lines(rows(400)))
        self.run_program("run", "--once", "query.yaml", expect=0)
        return self.run_program("checkpoint", "inspect", "state", "--format", "json", expect=0).stdout

    def score(self, input, *arguments, expect=0):
        return self.run_program("score", "query.yaml", *arguments, input=input, expect=expect)

    def test_checkpoint_and_model_file_predict_the_same_bits(self):
        for name, model in MODELS.items():
            with self.subTest(name):
                self.setUp()
                inspected = self.learn(model)
                self.assertTrue(inspected.endswith("}\n"))
                self.write("model.json", inspected)
                input = lines(rows(50))
                first = self.score(input).stdout
                scored = [json.loads(line) for line in first.splitlines()]
                self.assertEqual([row["id"] for row in scored], list(range(50)))
                keys = ["id", "v", "y", "prediction"]
                self.assertEqual(list(scored[0])[:4], keys)
                self.assertGreater(len({row["prediction"] for row in scored}), 1)
                self.assertEqual(self.score(input, "--model", "model.json", "--checkpoint", "nodir").stdout, first)

    def test_learns_nothing(self):
        before = self.learn(MODELS["ftrl"])
        first = self.score(lines(rows(50))).stdout
        self.assertEqual(self.score(lines(rows(50))).stdout, first)
        alone = "".join(self.score(lines([row])).stdout for row in rows(5))
        self.assertEqual("".join(first.splitlines(keepends=True)[:5]), alone)
        after = self.run_program("checkpoint", "inspect", "state", "--format", "json", expect=0).stdout
        self.assertEqual(after, before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["in", "out", "query.yaml", "state"])

    def test_a_model_learned_by_hand(self):
        self.write("query.yaml", query(source=SOURCE.format(""), model="model: { type: OnlineLogisticRegression, "
                                       "featuresCol: v, labelCol: y, threshold: 0.6 }\n"))
        entry = {"id": "OnlineLogisticRegression", "type": "OnlineLogisticRegression",
                 "state": {"weights": [2, -1], "intercept": 0.5}}
        for document in [{"models": [entry]}, [entry], entry]:
            self.write("model.json", json.dumps(document))
            done = self.score('{"id": 1, "v": [1, 2]}\n{"id": 2, "v": [0, 0.5], "y": 1}\n', "--model", "model.json")
            scored = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([row["rawPrediction"] for row in scored], [[-0.5, 0.5], [-0.0, 0.0]])
            self.assertEqual([row["prediction"] for row in scored], [1, 0])

    def test_model_files_that_do_not_fit(self):
        self.learn(MODELS["sgd"])
        entry = {"id": "m", "type": "OnlineLogisticRegression", "state": {"weights": [1, 2], "intercept": 0}}
        wrong = [
            ("{", "model.json:1:\\d+: not a model file"),
            (json.dumps({"models": []}), "holds no OnlineLogisticRegression 'm'"),
            (json.dumps([{**entry, "type": "StreamingKMeans"}]), "holds no OnlineLogisticRegression 'm'"),
            (json.dumps([{**entry, "state": None}]), "has no state"),
            (json.dumps([{**entry, "state": {"weights": [1, "x"]}}]), "weights\\[1\\] is not a finite number"),
            (json.dumps([{**entry, "state": {"weights": [1], "intercept": "NaN"}}]), "'intercept'"),
        ]
        for text, message in wrong:
            with self.subTest(message):
                self.write("model.json", text)
                self.assertRegex(self.score("", "--model", "model.json", expect=78).stderr, message)
        self.assertRegex(self.score("", "--model", "nofile.json", expect=66).stderr, "nofile.json")

    def test_no_checkpoint(self):
        self.write("query.yaml", query(source=SOURCE.format(""), pipeline=SCALER, model=MODELS["sgd"]))
        self.assertRegex(self.score("", expect=66).stderr, "hint: run the query first")
        self.assertFalse(os.path.exists(self.path("state")))

    def test_another_pipeline_is_refused(self):
        self.learn(MODELS["sgd"])
        self.write("query.yaml", query(source=SOURCE.format(""), pipeline=SCALER.replace("id: sc", "id: other"),
                                       model=MODELS["sgd"]))
        self.assertRegex(self.score("", expect=78).stderr, "stages\\[0\\].id was \"sc\" and is \"other\"")

    def test_other_source_and_sinks_are_not(self):
        self.learn(MODELS["sgd"])
        self.write("query.yaml", query(name="name: scorer\n", source=SOURCE.format("").replace("path: in", "path: x"),
                                       pipeline=SCALER, model=MODELS["sgd"], sinks=None))
        self.assertEqual(len(self.score(lines(rows(3))).stdout.splitlines()), 3)

    BAD = '{"id": 1, "v": [1, 2]}\n{"id": 2\n\n{"id": "x", "v": [1, 2]}\n{"id": 3, "v": [1]}\n{"id": 4, "v": [1, 2]}'

    def test_bad_records(self):
        self.learn(MODELS["sgd"])
        done = self.score(self.BAD, expect=65)
        self.assertEqual([json.loads(line)["id"] for line in done.stdout.splitlines()], [1, 4])
        complaints = done.stderr.splitlines()
        self.assertEqual(len(complaints), 3, done.stderr)
        self.assertRegex(complaints[0], "^stdin:2: malformed: ")
        self.assertRegex(complaints[1], "^stdin:4: wrong_type: .*id")
        self.assertRegex(complaints[2], "^stdin:5: stage: OnlineStandardScaler 'sc': column 'v': .* 1 ")

    def test_nothing_but_bad_records(self):
        self.learn(MODELS["sgd"])
        self.assertEqual(self.score("{\n[]\n", expect=65).stdout, "")
        self.assertEqual(self.score("").stdout, "")

    def test_bad_records_with_mode_drop(self):
        self.learn(MODELS["sgd"], source=SOURCE.format("format: { type: json, mode: drop }\n  "))
        done = self.score(self.BAD)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        self.assertEqual(len(done.stderr.splitlines()), 3)

    def test_more_than_a_chunk_of_long_records(self):
        self.learn(MODELS["sgd"])
        input = "".join(f'{{"id": {i}, "pad": "{"x" * (i % 1500)}", "v": [0.5, {i}]}}\n' for i in range(5000))
        scored = self.score(input).stdout.splitlines()
        self.assertEqual([json.loads(line)["id"] for line in scored], list(range(5000)))

    def test_csv(self):
        self.write("query.yaml", query(source='source:\n  type: file\n  path: in\n  format: { type: csv }\n'
                                       '  schema: "id long, x double, text string"\n'))
        done = self.score('x,id,text\n1.5,1,a\n,2,"b,\nc"\nnope,3,\n2,4,d', expect=65)
        scored = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([row["id"] for row in scored], [1, 2, 4])
        self.assertEqual(scored[1], {"id": 2, "x": None, "text": "b,\nc"})
        self.assertRegex(done.stderr, "^stdin:5: wrong_type: ")


class Explain(Case):
    def setUp(self):
        super().setUp()
        self.write("query.yaml", query(
            source='source:\n  type: file\n  path: in\n  format: { type: json }\n  maxRowsPerTrigger: 100\n'
                   '  schema: "id long NOT NULL, cat string, v vector, y double"\n',
            pipeline='pipeline:\n  stages:\n'
                     '    - { type: StringIndexer, id: si, inputCol: cat, outputCol: c, '
                     'fitted: { labelsArray: [[red, green]] } }\n'
                     '    - { type: VectorSizeHint, inputCol: v, size: 3 }\n'
                     '    - { type: OnlineStandardScaler, id: sc, inputCol: v, outputCol: features }\n',
            model="model: { type: OnlineLogisticRegression, id: m, labelCol: y, learningRate: 0.5 }\n",
            evaluation="evaluation: { metrics: [auc], windows: { slidingRows: 10 } }\n",
            sinks="sinks:\n  - { type: file, path: out, columns: [id, prediction] }\n"
                  "  - { type: console, id: screen, content: metrics }\n",
            deadLetter="deadLetter: { type: file, path: bad, maxRatio: 0.1 }\n",
            trigger="trigger: { processingTime: 90s }\n"))

    def test_json(self):
        done = self.run_program("explain", "query.yaml", "--format", "json", expect=0)
        document = json.loads(done.stdout)
        self.assertEqual(document["query"], "demo")
        self.assertEqual(document["checkpoint"], {"location": "state", "keep": 10})
        source = document["source"]
        self.assertEqual([(c["name"], c["type"], c["nullable"]) for c in source["columns"]],
                         [("id", "long", False), ("cat", "string", True), ("v", "vector", True), ("y", "double", True)])
        self.assertEqual((source["type"], source["format"], source["badRecords"], source["maxRowsPerTrigger"]),
                         ("file", "json", "deadLetter", 100))
        indexer, hint, scaler = document["stages"]
        self.assertEqual((indexer["id"], indexer["kind"]), ("si", "fitted"))
        self.assertEqual(indexer["columns"][0]["attribute"],
                         {"kind": "nominal", "values": 2, "names": ["red", "green"]})
        self.assertEqual(hint["columns"], [])
        self.assertEqual((scaler["kind"], scaler["columns"][0]["attribute"]["size"]), ("online", 3))
        model = document["model"]
        self.assertEqual((model["id"], model["features"], model["params"]["learningRate"]), ("m", 3, 0.5))
        self.assertEqual([c["name"] for c in model["columns"]], ["prediction", "rawPrediction", "probability"])
        self.assertEqual(document["evaluation"]["metrics"], ["auc"])
        rows_sink, screen = document["sinks"]
        self.assertEqual((rows_sink["deliveryGuarantee"], rows_sink["columns"]), ("exactly_once", ["id", "prediction"]))
        self.assertEqual((screen["deliveryGuarantee"], screen["content"]), ("at_least_once", "metrics"))
        self.assertEqual((document["deadLetter"]["deliveryGuarantee"], document["deadLetter"]["maxRatio"]),
                         ("exactly_once", 0.1))
        memory = document["memory"]
        parts = ["chunk", "batch", "stages", "model", "evaluation", "store"]
        self.assertEqual(memory["total"], sum(memory[part] for part in parts))
        self.assertEqual(memory["assumed"]["batchRows"], 100)

    def test_text(self):
        text = self.run_program("explain", "query.yaml", expect=0).stdout
        for words in ["query demo (query.yaml)", "id                       long, not null", "nominal, 2 values: red, green",
                      "features                 vector  size 3", "model OnlineLogisticRegression 'm'", "learningRate: 0.5",
                      "sink file: file out, exactly once", "sink screen: console, at least once", "dead letters: file bad, exactly once",
                      "trigger: processingTime", "checkpoint: state, keeps 10 batches", "total"]:
            self.assertIn(words, text)
        self.assertEqual(sorted(os.listdir(self.folder)), ["query.yaml"])

    def test_wrong_query(self):
        self.write("query.yaml", query(sinks="sinks: [{ type: fil }]\n"))
        done = self.run_program("explain", "query.yaml", expect=78)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, "query.yaml:\\d+:\\d+: error: .*\n  hint: ")


if __name__ == "__main__":
    unittest.main()
