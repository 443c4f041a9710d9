# SPDX-License-Identifier: Apache-2.0
#
# headrace schema: what it accepts and refuses is what lint accepts and refuses, where a schema can see it. Query files
# are written as JSON, which is YAML too, so that both look at the same document.
import copy
import json
import re
import unittest

from headrace import Case

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value, name):
    if name in ("number", "integer"):
        return isinstance(value, (int, float) if name == "number" else int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Validator:
    """As much of JSON Schema as the schema uses; an unknown word is an error of the test."""

    ANNOTATIONS = {"$schema", "$defs", "title", "description"}

    def __init__(self, root):
        self.root = root

    def accepts(self, value, schema=None):
        schema = self.root if schema is None else schema
        return all(self.rule(value, word, schema) for word in schema if word not in self.ANNOTATIONS)

    def rule(self, value, word, schema):
        argument = schema[word]
        if word == "$ref":
            target = self.root
            for part in argument.removeprefix("#/").split("/"):
                target = target[part]
            return self.accepts(value, target)
        if word == "type":
            return any(is_type(value, name) for name in ([argument] if isinstance(argument, str) else argument))
        if word == "enum":
            return value in argument
        if word == "const":
            return value == argument
        if word == "anyOf":
            return any(self.accepts(value, option) for option in argument)
        if word == "allOf":
            return all(self.accepts(value, option) for option in argument)
        if word == "if":
            return not self.accepts(value, argument) or self.accepts(value, schema["then"])
        if word == "then":
            return True
        if word in ("minimum", "maximum"):
            return not is_type(value, "number") or (value >= argument if word == "minimum" else value <= argument)
        if word == "pattern":
            return not isinstance(value, str) or re.search(argument, value) is not None
        if word == "items":
            return not isinstance(value, list) or all(self.accepts(item, argument) for item in value)
        if not isinstance(value, dict):
            return word in ("required", "properties", "patternProperties", "additionalProperties")
        if word == "required":
            return all(key in value for key in argument)
        if word == "properties":
            return all(self.accepts(value[key], argument[key]) for key in value if key in argument)
        if word == "patternProperties":
            return True
        if word == "additionalProperties":
            more = [key for key in value if key not in schema.get("properties", {}) and
                    not any(re.search(pattern, key) for pattern in schema.get("patternProperties", {}))]
            return not more if argument is False else all(self.accepts(value[key], argument) for key in more)
        raise AssertionError(f"the validator does not know '{word}'")


GOOD = {
    "apiVersion": "headrace/v1", "kind": "Query", "name": "demo", "x-owner": {"any": "thing"},
    "trigger": {"processingTime": "1.5s"},
    "checkpoint": {"location": "state", "keep": 5},
    "source": {"type": "file", "path": "in", "maxRowsPerTrigger": 10, "format": {"type": "json", "maxRecordBytes": "1MiB"},
               "schema": [{"name": "t", "type": "string"}, {"name": "y", "type": "double", "nullable": False},
                          {"name": "v", "type": "vector"}]},
    "pipeline": {"stages": [
        {"type": "Tokenizer", "id": "tok", "inputCol": "t", "outputCol": "words"},
        {"type": "StringIndexer", "inputCol": "t", "outputCol": "i", "fitted": {"labelsArray": [["a", "b"]]}},
        {"type": "Bucketizer", "inputCol": "y", "outputCol": "b", "splits": ["-Infinity", 0, "Infinity"]}]},
    "model": {"type": "OnlineLogisticRegression", "featuresCol": "v", "labelCol": "y", "threshold": 0.4},
    "evaluation": {"metrics": ["auc"], "windows": {"slidingRows": 100}},
    "sinks": [{"type": "file", "path": "out", "format": {"type": "csv", "compression": "gzip"}, "columns": ["y"]},
              {"type": "console", "truncate": False}],
    "deadLetter": {"type": "file", "path": "bad", "maxRatio": 0.1},
}

# Changes: (path, value); DELETE takes a key away.
DELETE = object()
ALSO_GOOD = [
    (("source", "schema"), "t string, y double, v vector"),
    (("source", "format"), "json"),
    (("source", "format"), {"mode": "drop"}),
    (("trigger",), None),
    (("trigger",), {"availableNow": True}),
    (("checkpoint", "keep"), "${KEEP:-3}"),
    (("model", "fitIntercept"), "${FIT:-true}"),
    (("name",), "${NAME:-demo}"),
    (("source",), {"type": "rate", "rowsPerSecond": 5}),
    (("source",), {"type": "kafka", "subscribe": ["a"], "maxOffsetsPerTrigger": 7, "schema": "y double, t string, v vector",
                   "properties": {"bootstrap.servers": "localhost:1", "fetch.wait.max.ms": 5}}),
    (("deadLetter",), {"type": "kafka", "topic": "d", "properties": {"bootstrap.servers": "localhost:1"}}),
]
WRONG = [
    (("nme",), "x"),
    (("source",), DELETE),
    (("apiVersion",), DELETE),
    (("source", "pth"), "x"),
    (("source", "path"), DELETE),
    (("source", "path"), ["in"]),
    (("source", "maxRowsPerTrigger"), "many"),
    (("source", "maxRowsPerTrigger"), 0),
    (("source", "type"), "fiel"),
    (("source", "type"), DELETE),
    (("source", "format", "type"), "jsno"),
    (("source", "format", "maxRecordBytes"), "1MX"),
    (("source", "format", "compression"), "gzip"),
    (("source", "schema", 0, "typo"), "x"),
    (("trigger", "processingTime"), "soon"),
    (("checkpoint", "keep"), 0),
    (("pipeline", "stages", 0, "type"), "Tokeniser"),
    (("pipeline", "stages", 0, "inputCol"), DELETE),
    (("pipeline", "stages", 0, "inputcol"), "t"),
    (("pipeline", "stages", 2, "splits"), [0, "x", 1]),
    (("model", "threshold"), 2),
    (("model", "optimizer"), "ftlr"),
    (("model", "fitIntercept"), "yes"),
    (("evaluation", "windows", "slidingRows"), -1),
    (("sinks",), {"type": "console"}),
    (("sinks", 0, "topic"), "x"),
    (("sinks", 1, "format"), "xml"),
    (("sinks", 0, "format", "compression"), ["gzip"]),
    (("deadLetter", "type"), "console"),
    (("deadLetter", "maxRatio"), 3),
]


def changed(path, value):
    document = copy.deepcopy(GOOD)
    at = document
    for step in path[:-1]:
        at = at[step]
    if value is DELETE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    if path == ("source",) and isinstance(value, dict) and value["type"] == "rate":
        for key in ["pipeline", "model", "evaluation"]:
            del document[key]
        del document["sinks"][0]["columns"]
    return document


class Schema(Case):
    def setUp(self):
        super().setUp()
        self.validator = Validator(json.loads(self.run_program("schema", expect=0).stdout))

    def verdict(self, document):
        self.write("query.yaml", json.dumps(document))
        done = self.run_program("lint", "--offline", "query.yaml")
        self.assertIn(done.returncode, (0, 78), done.stdout)
        return done.returncode == 0, done.stdout

    def agree(self, document, expected):
        good, output = self.verdict(document)
        self.assertEqual(good, expected, output)
        self.assertEqual(self.validator.accepts(document), expected, "lint and schema differ")

    def test_right_queries(self):
        self.agree(GOOD, True)
        for path, value in ALSO_GOOD:
            with self.subTest(path=path, value=value):
                self.agree(changed(path, value), True)

    def test_wrong_queries(self):
        for path, value in WRONG:
            with self.subTest(path=path, value=str(value)):
                self.agree(changed(path, value), False)

    def test_every_component_is_defined(self):
        listed = json.loads(self.run_program("list", "--format", "json", expect=0).stdout)
        definitions = self.validator.root["$defs"]
        for group in ["sources", "formats", "stages", "models", "sinks"]:
            for component in listed[group]:
                properties = definitions[f"{group[:-1]}.{component['name']}"]["properties"]
                for parameter in component["parameters"]:
                    self.assertIn(parameter["name"], properties)


if __name__ == "__main__":
    unittest.main()
