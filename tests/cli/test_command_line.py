# SPDX-License-Identifier: Apache-2.0
#
# What every command has in common: help, flags, their environment twins, --set, exit codes.
import json
import subprocess
import unittest

from headrace import PROGRAM, Case, query

COMMANDS = {
    "run": ["--once", "--http", "--new-lineage"],
    "lint": ["--offline", "--format"],
    "fit": ["--output"],
    "score": ["--checkpoint", "--model"],
    "eval": ["--format"],
    "list": ["--format"],
    "schema": [],
    "explain": ["--format"],
    "checkpoint": ["--batch", "--format"],
    "version": ["--format"],
}
GLOBAL_FLAGS = ["--set", "--data-dir", "--log-level", "--log-format", "--progress", "--help", "--version"]


class Help(Case):
    def test_program(self):
        done = self.run_program("--help", expect=0)
        self.assertEqual(done.stderr, "")
        for word in [*COMMANDS, *GLOBAL_FLAGS]:
            self.assertIn(word, done.stdout)
        self.assertEqual(self.run_program("-h", expect=0).stdout, done.stdout)

    def test_help_is_a_command(self):
        self.assertEqual(self.run_program("help", expect=0).stdout, self.run_program("--help", expect=0).stdout)
        self.assertEqual(self.run_program("help", "run", expect=0).stdout,
                         self.run_program("run", "--help", expect=0).stdout)
        self.assertIn("did you mean 'headrace run'", self.run_program("help", "rnu", expect=64).stderr)

    def test_no_command(self):
        done = self.run_program(expect=64)
        self.assertEqual(done.stdout, "")
        self.assertIn("usage: headrace", done.stderr)

    def test_each_command(self):
        for command, flags in COMMANDS.items():
            with self.subTest(command):
                done = self.run_program(command, "--help", expect=0)
                self.assertEqual(done.stderr, "")
                self.assertTrue(done.stdout.startswith(f"usage: headrace {command}"), done.stdout)
                for flag in flags + GLOBAL_FLAGS:
                    self.assertIn(flag, done.stdout)
                self.assertEqual(self.run_program("--help", command, expect=0).stdout, done.stdout)

    def test_version(self):
        done = self.run_program("-V", expect=0)
        self.assertRegex(done.stdout, r"^headrace \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_program("--version", expect=0).stdout, done.stdout)
        document = json.loads(self.run_program("version", "--format", "json", expect=0).stdout)
        self.assertEqual(f"headrace {document['version']}\n", done.stdout)
        self.assertIn("librdkafka", document["libraries"])
        self.assertIn("features", document)
        self.assertIn(document["version"], self.run_program("version", expect=0).stdout)


class Usage(Case):
    def refused(self, arguments, message, hint, env=None):
        done = self.run_program(*arguments, env=env, expect=64)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 2, done.stderr)
        self.assertRegex(lines[0], f"^headrace: error: .*{message}")
        self.assertRegex(lines[1], f"^  hint: .*{hint}")

    def test_command(self):
        self.refused(["rnu"], "no command 'rnu'", "headrace run")
        self.refused(["frobnicate"], "no command 'frobnicate'", "headrace --help")

    def test_flag(self):
        self.refused(["lint", "--ofline", "q.yaml"], "unknown flag '--ofline'", "--offline")
        self.refused(["lint", "-x", "q.yaml"], "unknown flag '-x'", "--help")
        self.refused(["--data-dri", "x", "lint"], "unknown flag '--data-dri'", "--data-dir")
        self.refused(["run", "--progress"], "'--progress' needs a value", "behind the flag")
        self.refused(["lint", "--format", "xml", "q.yaml"], "--format does not take 'xml'", "text, json")
        self.refused(["run", "--once=yes", "q.yaml"], "'--once' takes no value", "--once alone")
        self.refused(["--log-level", "loud", "list"], "--log-level does not take 'loud'", "debug, info")

    def test_operands(self):
        for command in ["run", "lint", "fit", "score", "eval", "explain", "checkpoint"]:
            self.refused([command], "missing", f"usage: headrace {command}")
        self.refused(["explain", "a.yaml", "b.yaml"], "too many", "usage: headrace explain")
        self.refused(["version", "now"], "too many", "usage: headrace version")
        self.refused(["fit", "q.yaml"], "where", "-o PIPELINE.json")
        self.refused(["checkpoint", "inspct", "state"], "'inspct' is not one of", "inspect")
        self.refused(["list", "stagez"], "no 'stagez'", "'stages'")
        self.refused(["list", "stages", "Tokeniser"], "no 'Tokeniser'", "'Tokenizer'")
        self.refused(["list", "models", "KMeans"], "no 'KMeans'", "'StreamingKMeans'")

    def test_assignments(self):
        wrong = [("foo", "a path, '=' and a value", "sinks"), ("=x", "a path, '=' and a value", "sinks"),
                 ("a..b=1", "a name is missing", "PATH=VALUE"), ("a.=1", "after '.' comes a name", "PATH=VALUE"),
                 ("a[=1", "without an index", "PATH=VALUE"), ("a[x]=1", "an index from 0", "PATH=VALUE")]
        for assignment, message, hint in wrong:
            for command in ["lint", "run"]:
                self.refused([command, "--set", assignment, "q.yaml", "r.yaml"], message, hint)
        self.refused(["lint", "q.yaml"], "a name is missing", "PATH=VALUE", env={"HEADRACE_SET": "a..b=1"})

    def test_environment(self):
        self.refused(["list"], "HEADRACE_LOG_LEVEL does not take 'loud'", "debug", env={"HEADRACE_LOG_LEVEL": "loud"})
        self.refused(["lint", "q.yaml"], "HEADRACE_OFFLINE does not take 'maybe'", "true or false",
                     env={"HEADRACE_OFFLINE": "maybe"})
        done = self.run_program("list", env={"HEADRACE_FORMAT": "json"}, expect=0)
        json.loads(done.stdout)
        done = self.run_program("list", "--format", "text", env={"HEADRACE_FORMAT": "json"}, expect=0)
        self.assertTrue(done.stdout.startswith("sections"))


class Set(Case):
    def setUp(self):
        super().setUp()
        self.write("query.yaml", query())

    def explained(self, *arguments, env=None):
        done = self.run_program("explain", *arguments, "query.yaml", "--format", "json", env=env, expect=0)
        return json.loads(done.stdout)

    def test_values(self):
        document = self.explained("--set", "name=other", "--set", "sinks[0].path=elsewhere",
                                  "--set", "trigger.processingTime=5s", "--set", "source.maxFilesPerTrigger=3")
        self.assertEqual(document["query"], "other")
        self.assertEqual(document["trigger"], {"processingTime": "5s"})
        self.assertIn("elsewhere", document["sinks"][0]["description"])
        self.assertEqual(document["source"]["params"]["maxFilesPerTrigger"], 3)

    def test_structure(self):
        document = self.explained("--set", 'sinks=[{type: console, id: a}, {type: file, path: b}]')
        self.assertEqual([sink["id"] for sink in document["sinks"]], ["a", "file"])

    def test_the_last_one_counts_and_the_command_line_before_the_environment(self):
        self.assertEqual(self.explained("--set", "name=a", "--set", "name=b")["query"], "b")
        env = {"HEADRACE_SET": "name=env\ntrigger.processingTime=7s"}
        self.assertEqual(self.explained(env=env)["query"], "env")
        document = self.explained("--set", "name=b", env=env)
        self.assertEqual((document["query"], document["trigger"]), ("b", {"processingTime": "7s"}))

    def test_errors(self):
        wrong = [
            ("sinks[9].path=x", 64, "beyond the end", "PATH=VALUE"),
            ("sinks.path=x", 64, "sinks", "PATH=VALUE"),
            ("source.path=[", 64, "not YAML", "."),
            ("source.pth=x", 78, "unknown key 'pth'", "'path'"),
            ("source.maxFilesPerTrigger=many", 78, "'many' is not an integer", "maxFilesPerTrigger"),
        ]
        for assignment, code, message, hint in wrong:
            with self.subTest(assignment):
                done = self.run_program("lint", "--offline", "--set", assignment, "query.yaml", expect=code)
                lines = done.stdout.splitlines()
                self.assertRegex(lines[0], message)
                self.assertRegex(lines[1], f"^  hint: .*{hint}")


class ExitCodes(Case):
    def test_missing_file(self):
        for command in ["lint", "run", "explain", "eval", "score"]:
            with self.subTest(command):
                done = self.run_program(command, "nofile.yaml", expect=66)
                self.assertIn("nofile.yaml", done.stdout + done.stderr)
                self.assertIn("hint: ", done.stdout + done.stderr)

    def test_directory(self):
        self.write("queries/a.yaml", query(name=None, checkpoint=None))
        self.write("queries/b.yaml", query(name=None, checkpoint=None, sinks="sinks: [{ type: fil }]\n"))
        self.write("queries/.hidden.yaml", "wrong")
        self.write("queries/readme.txt", "wrong")
        done = self.run_program("lint", "--offline", "queries", expect=78)
        self.assertRegex(done.stdout, "^queries/b.yaml:\\d+:\\d+: error: ")
        self.assertIn("2 files: 1 error", done.stderr)
        self.write("empty/readme.txt", "")
        self.run_program("lint", "empty", expect=66)

    def test_warnings_are_no_errors(self):
        self.write("query.yaml", query(sinks=None))
        done = self.run_program("lint", "--offline", "query.yaml", expect=0)
        self.assertRegex(done.stdout, "^query.yaml:1:1: warning: no sinks and no model.*\n  hint: ")
        self.assertIn("1 file: 0 errors, 1 warning\n", done.stderr)

    def test_two_queries_of_one_name_or_checkpoint(self):
        self.write("a.yaml", query())
        self.write("b.yaml", query())
        done = self.run_program("lint", "--offline", "a.yaml", "b.yaml", expect=78)
        self.assertRegex(done.stdout, "b.yaml:3:7: error: query name 'demo' is taken by a.yaml\n  hint: ")
        self.write("b.yaml", query(name="name: other\n", checkpoint="checkpoint: { location: ./state/ }\n"))
        done = self.run_program("run", "--once", "a.yaml", "b.yaml", expect=78)
        self.assertRegex(done.stderr, "b.yaml:\\d+:\\d+: error: checkpoint .* is also that of a.yaml\n  hint: ")

    def test_missing_checkpoint(self):
        done = self.run_program("checkpoint", "inspect", "nodir", expect=66)
        self.assertRegex(done.stderr, "nodir.*\n  hint: ")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "list"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 74, done.stderr)

    def test_lint_looks_outside_unless_offline(self):
        self.write("query.yaml", query(source='source: { type: file, path: nosuch/in, schema: "id long" }\n'))
        self.run_program("lint", "--offline", "query.yaml", expect=0)
        done = self.run_program("lint", "query.yaml")
        self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "^query.yaml:\\d+:\\d+: error: .*nosuch/in")


class Paths(Case):
    def test_paths_are_relative_to_the_file(self):
        self.write("folder/query.yaml", query())
        self.write("folder/in/a.json", '{"id": 1}\n')
        self.run_program("run", "--once", "folder/query.yaml", expect=0)
        self.assertEqual([row["id"] for row in self.rows_of("folder/out")], [1])
        self.run_program("checkpoint", "verify", "folder/state", expect=0)

    def test_default_checkpoint_is_below_the_data_directory(self):
        self.write("folder/query.yaml", query(checkpoint=None))
        self.write("folder/in/a.json", '{"id": 1}\n')
        self.run_program("run", "--once", "folder/query.yaml", expect=0)
        self.run_program("checkpoint", "verify", "headrace-data/demo", expect=0)
        self.run_program("run", "--once", "--data-dir", "data", "--new-lineage", "folder/query.yaml", expect=0)
        self.run_program("checkpoint", "verify", "data/demo", expect=0)


class List(Case):
    GROUPS = ["sections", "sources", "formats", "stages", "models", "metrics", "sinks"]

    def test_all_in_all_forms(self):
        document = json.loads(self.run_program("list", "--format", "json", expect=0).stdout)
        self.assertEqual(list(document), self.GROUPS)
        text = self.run_program("list", expect=0).stdout
        markdown = self.run_program("list", "--format", "md", expect=0).stdout
        for group in self.GROUPS:
            self.assertGreater(len(document[group]), 0)
            for component in document[group]:
                self.assertIn(component["name"], text)
                self.assertIn(component["name"], markdown)
                self.assertTrue(component["summary"])

    def test_each_component(self):
        document = json.loads(self.run_program("list", "--format", "json", expect=0).stdout)
        for group in self.GROUPS:
            for component in document[group]:
                with self.subTest(component["name"]):
                    one = self.run_program("list", group, component["name"], expect=0).stdout
                    for parameter in component["parameters"]:
                        self.assertIn(parameter["name"], one)
                        self.assertTrue(parameter["help"], parameter)


class Examples(Case):
    """The example of each component is a query's section that lint takes; but the columns are the user's."""

    OF_COLUMNS = "is not in the schema|has no fitted values|exists already|is needed here"

    @staticmethod
    def below(key, example, dash=""):
        lines = example.rstrip("\n").split("\n")
        return f"{key}:\n  {dash}" + ("\n  " + " " * len(dash)).join(lines) + "\n"

    def sections(self, group, example):
        if group == "sections":
            return None
        if group == "sources":
            return {"source": self.below("source", example)}
        if group == "formats":
            source = self.below("source", 'type: file\npath: in\nschema: "id long"') + "  format: "
            flow = example.startswith("{") or "\n" not in example.rstrip() and ":" not in example
            return {"source": source + (example if flow else "\n    " + example.rstrip().replace("\n", "\n    "))}
        if group == "stages":
            return {"pipeline": "pipeline:\n  " + self.below("stages", example, "- ").replace("\n", "\n  ").rstrip(" ")}
        if group == "models":
            return {"model": self.below("model", example)}
        return {"sinks": self.below("sinks", example, "- ")}

    def test_each_is_right(self):
        document = json.loads(self.run_program("list", "--format", "json", expect=0).stdout)
        tried = 0
        for group, components in document.items():
            for component in components:
                sections = self.sections(group, component["example"]) if component["example"] else None
                if sections is None:
                    continue
                with self.subTest(component["name"]):
                    self.write("query.yaml", query(deadLetter="deadLetter: { type: file, path: bad }\n", **sections))
                    done = self.run_program("lint", "--offline", "--format", "json", "query.yaml")
                    self.assertIn(component["name"], self.read("query.yaml"))
                    for finding in json.loads(done.stdout):
                        self.assertRegex(finding["message"], self.OF_COLUMNS, self.read("query.yaml"))
                    tried += 1
        self.assertGreater(tried, 20)

    def test_each_kind_has_one(self):
        document = json.loads(self.run_program("list", "--format", "json", expect=0).stdout)
        for group in ["sources", "formats", "stages", "models", "sinks"]:
            for component in document[group]:
                self.assertTrue(component["example"], component["name"])


if __name__ == "__main__":
    unittest.main()
