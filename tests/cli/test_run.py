# SPDX-License-Identifier: Apache-2.0
#
# headrace run over files: starting, stopping, going on; bad records; what it prints on the way.
import datetime
import gzip
import json
import os
import signal
import time
import unittest

from headrace import Case, query

SOURCE = 'source:\n  type: file\n  path: in\n  {}schema: "id long, v vector, y double"\n'
MODEL = "model: { type: OnlineLogisticRegression, id: m, featuresCol: v, labelCol: y }\n"


def lines(first, count):
    return "".join(f'{{"id": {i}, "v": [1, {i % 7}], "y": {i % 2}}}\n' for i in range(first, first + count))


class Run(Case):
    def query(self, source_keys="", file="query.yaml", **sections):
        sections = {"source": SOURCE.format(source_keys), "model": MODEL, **sections}
        self.write(file, query(**sections))

    def once(self, *arguments, expect=0, file="query.yaml", env=None):
        return self.run_program("run", "--once", *arguments, file, expect=expect, env=env)

    def ids(self, folder="out"):
        return [row["id"] for row in self.rows_of(folder)]

    def inspect(self, folder="state"):
        return json.loads(self.run_program("checkpoint", "inspect", folder, "--format", "json", expect=0).stdout)

    def progress(self, name="progress.json"):
        return [json.loads(line) for line in self.read(name).splitlines()]

    def wait_until(self, condition, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited {timeout} s for {what}")
            time.sleep(0.02)


class Life(Run):
    def test_once_reads_what_is_there_and_ends(self):
        self.query()
        self.write("in/a.json", lines(0, 100))
        done = self.once()
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.ids(), list(range(100)))
        self.assertEqual(self.inspect()["models"][0]["rowsLearned"], 100)
        self.write("in/b.json", lines(100, 50))
        self.once()
        self.assertEqual(self.ids(), list(range(150)))
        before = self.inspect()
        self.once()
        self.assertEqual(self.ids(), list(range(150)))
        self.assertEqual(self.inspect()["models"], before["models"])

    def test_a_limit_makes_batches(self):
        self.query("maxRowsPerTrigger: 30\n  ")
        self.write("in/a.json", lines(0, 100))
        self.once("--progress", "progress.json")
        self.assertEqual([p["numInputRows"] for p in self.progress()], [30, 30, 30, 10])
        self.assertEqual(self.ids(), list(range(100)))
        self.assertEqual(self.inspect()["batchId"], 3)

    def test_the_trigger_once_is_one_batch(self):
        self.query("maxRowsPerTrigger: 30\n  ", trigger="trigger: { once: true }\n")
        self.write("in/a.json", lines(0, 100))
        self.run_program("run", "--progress", "progress.json", "query.yaml", expect=0)
        self.assertEqual([p["numInputRows"] for p in self.progress()], [100])

    def stopped_by(self, signal_number):
        self.query("maxRowsPerTrigger: 50\n  ", trigger="trigger: { processingTime: 20ms }\n")
        self.write("in/a.json", lines(0, 20000))
        process = self.start_program("run", "--progress", "progress.json", "query.yaml")
        self.wait_until(lambda: os.path.exists(self.path("progress.json")) and len(self.progress_so_far()) >= 3,
                        "three batches")
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, errors)
        document = self.inspect()
        self.assertIsNone(document["prepared"])
        rows = 50 * (document["batchId"] + 1)
        self.assertLess(rows, 20000, "the signal came too late to stop anything")
        self.assertEqual(self.ids(), list(range(rows)))
        self.assertEqual(document["models"][0]["rowsLearned"], rows)
        done = self.once("--set", "source.maxRowsPerTrigger=10000")
        self.assertIn(f"resumes at batch {document['batchId'] + 1}", done.stderr)
        self.assertEqual(self.ids(), list(range(20000)))
        self.assertEqual(self.inspect()["models"][0]["rowsLearned"], 20000)
        self.assertEqual(self.inspect()["lineage"], document["lineage"])

    def progress_so_far(self):
        return [line for line in self.read("progress.json").splitlines() if line.endswith("}")]

    def test_sigterm_commits_and_a_second_start_goes_on(self):
        self.stopped_by(signal.SIGTERM)

    def test_sigint_commits_and_a_second_start_goes_on(self):
        self.stopped_by(signal.SIGINT)

    def test_sigterm_while_there_is_nothing_to_do(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        process = self.start_program("run", "--progress", "progress.json", "query.yaml")
        self.wait_until(lambda: os.path.exists(self.path("progress.json")) and self.progress_so_far(), "a batch")
        start = time.monotonic()
        process.terminate()
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, errors)
        self.assertLess(time.monotonic() - start, 5)

    def test_the_same_state_however_often_it_was_stopped(self):
        self.query("maxRowsPerTrigger: 100\n  ")
        self.write("in/a.json", lines(0, 1000))
        for _ in range(10):
            self.run_program("run", "--set", "trigger={once: true}", "--set", "source.maxFilesPerTrigger=1",
                             "query.yaml", expect=0)
        stopped = self.inspect()
        self.once("--set", "checkpoint.location=state2", "--set", "sinks[0].path=out2")
        straight = self.inspect("state2")
        self.assertEqual(stopped["models"][0]["state"], straight["models"][0]["state"])

    def test_new_files_and_lines_are_picked_up(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        process = self.start_program("run", "query.yaml")
        self.wait_until(lambda: os.path.isdir(self.path("out")) and self.ids() == list(range(10)), "the first file")
        self.write("in/b.json", lines(10, 10))
        self.wait_until(lambda: self.ids() == list(range(20)), "the second file")
        with open(self.path("in/b.json"), "a") as file:
            file.write(lines(20, 5))
        self.wait_until(lambda: self.ids() == list(range(25)), "lines at the end of the second file")
        process.terminate()
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, errors)

    def test_a_folder_in_use_is_refused(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        process = self.start_program("run", "query.yaml")
        self.wait_until(lambda: os.path.isdir(self.path("out")) and self.ids(), "the first batch")
        done = self.run_program("run", "query.yaml", expect=75)
        self.assertRegex(done.stderr, "state.*(in use|locked)")
        self.assertIn("hint:", done.stderr)
        self.run_program("checkpoint", "inspect", "state", expect=0)
        process.terminate()
        self.assertEqual(process.wait(timeout=30), 0)
        self.once()

    def test_readers_may_take_parts_away(self):
        self.query("maxRowsPerTrigger: 40\n  ")
        self.write("in/a.json", lines(0, 100))
        self.once()
        for part in os.listdir(self.path("out")):
            if part.startswith("part-"):
                os.remove(self.path("out", part))
        self.once()
        self.assertEqual(self.ids(), [])
        self.write("in/b.json", lines(100, 10))
        self.once()
        self.assertEqual(self.ids(), list(range(100, 110)))
        self.assertEqual(self.inspect()["models"][0]["rowsLearned"], 110)

    def test_a_kill_does_not_keep_the_next_start_from_running(self):
        self.query("maxRowsPerTrigger: 20\n  ", trigger="trigger: { processingTime: 10ms }\n")
        self.write("in/a.json", lines(0, 5000))
        process = self.start_program("run", "query.yaml")
        self.wait_until(lambda: os.path.isdir(self.path("out")) and self.ids(), "the first batch")
        process.kill()
        process.wait()
        self.once("--set", "source.maxRowsPerTrigger=5000")
        self.assertEqual(self.ids(), list(range(5000)))


    def test_a_second_signal_aborts_the_batch(self):
        self.query(model="model: { type: StreamingLogisticRegressionWithSGD, id: m, featuresCol: v, labelCol: y, "
                         "numIterations: 1000000, convergenceTol: 0 }\n")
        self.write("in/a.json", lines(0, 20000))
        process = self.start_program("run", "query.yaml")
        self.wait_for_log(process, "starts at batch 0")
        time.sleep(0.5)  # the batch is at work
        process.terminate()
        self.wait_for_log(process, "finishing the batch")
        time.sleep(0.5)  # sooner it would be the same request, sent twice
        process.terminate()
        self.wait_for_log(process, "second signal: the batch is aborted")
        self.assertEqual(process.wait(timeout=30), 1)
        self.assertEqual(self.ids() if os.path.isdir(self.path("out")) else [], [])
        self.once("--set", "model.numIterations=2")
        self.assertEqual(self.ids(), list(range(20000)))
        self.assertEqual(self.inspect()["models"][0]["rowsLearned"], 20000)

    def test_looking_at_a_checkpoint_that_is_in_use(self):
        self.query("maxRowsPerTrigger: 20\n  ", trigger="trigger: { processingTime: 2ms }\n",
                   checkpoint="checkpoint: { location: state, keep: 2 }\n")
        self.write("in/a.json", lines(0, 100000))
        process = self.start_program("run", "query.yaml")
        self.wait_until(lambda: os.path.isdir(self.path("out")) and self.ids(), "the first batch")
        seen = set()
        for _ in range(10):
            seen.add(self.inspect()["batchId"])
            self.run_program("checkpoint", "list", "state", expect=0)
            self.run_program("checkpoint", "verify", "state", expect=0)
            done = self.run_program("score", "query.yaml", input=lines(0, 3), expect=0)
            self.assertEqual(len(done.stdout.splitlines()), 3)
        self.assertIsNone(process.poll())
        self.assertGreater(len(seen), 1)


class Several(Run):
    def test_one_that_fails_leaves_the_others_alone(self):
        self.query(file="good.yaml", name="name: good\n", checkpoint="checkpoint: { location: good-state }\n")
        self.query(file="bad.yaml", name="name: bad\n", checkpoint="checkpoint: { location: bad-state }\n",
                   source=SOURCE.format("").replace("path: in", "path: in-bad"),
                   sinks="sinks: [{ type: file, path: out-bad }]\n")
        self.write("in/a.json", lines(0, 3000))
        self.write("in-bad/a.json", lines(0, 10) + "{\n")
        done = self.run_program("run", "--once", "bad.yaml", "good.yaml", expect=65)
        self.assertEqual(self.ids(), list(range(3000)))
        self.assertRegex(done.stderr, "ERROR bad: .*in-bad/a.json:11: ")
        self.assertNotIn("ERROR good", done.stderr)
        self.assertEqual(self.ids("out-bad") if os.path.isdir(self.path("out-bad")) else [], [])

    def test_a_wrong_file_starts_none(self):
        self.query(file="queries/a.yaml", name="name: a\n")
        self.query(file="queries/b.yaml", name="name: b\n", sinks="sinks: [{ type: fil }]\n")
        self.write("queries/in/a.json", lines(0, 10))
        self.run_program("run", "--once", "queries", expect=78)
        self.assertEqual(sorted(os.listdir(self.path("queries"))), ["a.yaml", "b.yaml", "in"])

    def test_a_directory_stands_for_its_files(self):
        for name in ["a", "b"]:
            self.query(file=f"queries/{name}.yaml", name=None, checkpoint=None,
                       sinks=f"sinks: [{{ type: file, path: out-{name} }}]\n")
        self.write("queries/in/a.json", lines(0, 10))
        self.run_program("run", "--once", "queries", expect=0)
        for name in ["a", "b"]:
            self.assertEqual(self.ids(f"queries/out-{name}"), list(range(10)))
            self.assertEqual(self.inspect(f"headrace-data/{name}")["query"], name)


class Printed(Run):
    STEPS = ["plan", "read", "decode", "transform", "learn", "prepare", "deliver", "commit"]

    def test_progress_documents_have_all_fields(self):
        self.query("maxRowsPerTrigger: 60\n  ", evaluation="evaluation: { metrics: [accuracy, logLoss], windows: "
                   "{ cumulative: true, slidingRows: 10, fadingFactor: 0.9 } }\n",
                   deadLetter="deadLetter: { type: file, path: bad }\n")
        self.write("in/a.json", lines(0, 99) + "{\n")
        self.once("--progress", "progress.json")
        documents = self.progress()
        self.assertEqual([d["batchId"] for d in documents], [0, 1])
        inspected = self.inspect()
        for document in documents:
            for key in ["id", "runId", "name", "timestamp", "batchId", "numInputRows", "inputRowsPerSecond",
                        "processedRowsPerSecond", "durationMs", "sources", "sinks", "lineage", "deadLetters", "models"]:
                self.assertIn(key, document)
            self.assertEqual(document["name"], "demo")
            self.assertEqual(document["lineage"], inspected["lineage"])
            datetime.datetime.strptime(document["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
            for key in ["inputRowsPerSecond", "processedRowsPerSecond"]:
                self.assertIsInstance(document[key], (int, float))
            for step in [*self.STEPS, "triggerExecution"]:
                self.assertGreaterEqual(document["durationMs"][step], 0)
            (source,) = document["sources"]
            for key in ["description", "startOffset", "endOffset", "latestOffset", "numInputRows"]:
                self.assertIn(key, source)
            self.assertIn("in", source["description"])
            self.assertTrue(all(sink["description"] for sink in document["sinks"]))
            (model,) = document["models"]
            self.assertEqual((model["id"], model["type"]), ("m", "OnlineLogisticRegression"))
            for window in ["cumulative", "sliding", "faded"]:
                self.assertEqual(sorted(model["metrics"][window]), ["accuracy", "logLoss"])
        first, second = documents
        self.assertEqual(first["runId"], second["runId"])
        self.assertEqual(first["sources"][0]["endOffset"], second["sources"][0]["startOffset"])
        self.assertEqual((first["numInputRows"], second["numInputRows"]), (60, 40))
        self.assertEqual((first["deadLetters"], second["deadLetters"]), (0, 1))
        self.assertEqual((first["sinks"][0]["numOutputRows"], second["sinks"][0]["numOutputRows"]), (60, 39))
        self.assertEqual((first["models"][0]["rowsLearned"], second["models"][0]["rowsLearned"]), (60, 99))
        self.assertEqual((first["models"][0]["version"], second["models"][0]["version"]), (1, 2))

    def test_progress_on_standard_output_and_in_a_sink(self):
        self.query(sinks="sinks: [{ type: file, path: out, content: metrics }]\n")
        self.write("in/a.json", lines(0, 10))
        done = self.once("--progress", "-")
        (document,) = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(document["numInputRows"], 10)
        (row,) = self.rows_of("out")
        self.assertEqual((row["batchId"], row["numInputRows"], row["name"]), (0, 10, "demo"))

    def test_progress_is_appended(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.once("--progress", "progress.json")
        self.write("in/b.json", lines(10, 10))
        self.once("--progress", "progress.json")
        first, second = self.progress()
        self.assertEqual((first["batchId"], second["batchId"]), (0, 1))
        self.assertEqual(first["id"], second["id"])
        self.assertNotEqual(first["runId"], second["runId"])

    def test_progress_that_cannot_be_written(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.assertRegex(self.once("--progress", "nodir/progress.json", expect=73).stderr, "nodir/progress.json")

    def test_the_log_as_json(self):
        self.query()
        self.write("in/a.json", lines(0, 10) + "{\n")
        done = self.once("--log-format", "json", expect=65)
        entries = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertGreater(len(entries), 2)
        for entry in entries:
            self.assertTrue(entry["level"] and entry["msg"], entry)
            datetime.datetime.strptime(entry["ts"], "%Y-%m-%dT%H:%M:%S.%fZ")
        self.assertIn("a.json:11", " ".join(entry["msg"] for entry in entries))

    def test_log_level(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.assertEqual(self.once("--log-level", "warn").stderr, "")
        self.assertIn("DEBUG", self.once("--log-level", "debug", "--new-lineage").stderr)
        self.assertEqual(self.once(env={"HEADRACE_LOG_LEVEL": "off"}).stderr, "")

    def test_the_start_says_what_each_sink_guarantees(self):
        self.query(sinks="sinks: [{ type: file, path: out }, { type: console, format: json }]\n")
        self.write("in/a.json", lines(0, 3))
        done = self.once()
        self.assertRegex(done.stderr, "sink 'file': file out, exactly once")
        self.assertRegex(done.stderr, "sink 'console': console.*, at least once")
        self.assertEqual([json.loads(line)["id"] for line in done.stdout.splitlines()], [0, 1, 2])


class Fit(Run):
    def refused(self, message, **sections):
        self.query(**sections)
        done = self.once(expect=78)
        self.assertRegex(done.stderr, message)
        self.assertRegex(done.stderr, "hint: .*--new-lineage")

    def test_a_query_that_does_not_fit_its_checkpoint(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.once()
        before = self.inspect()
        self.refused('model.id was "m" and is "n"', model=MODEL.replace("id: m", "id: n"))
        self.refused('model.optimizer was "sgd" and is "ftrl"', model=MODEL.replace("id: m", "id: m, optimizer: ftrl"))
        self.refused('model.type was "OnlineLogisticRegression" and is "StreamingLogisticRegressionWithSGD"',
                     model=MODEL.replace("Online", "Streaming").replace("Regression", "RegressionWithSGD"))
        self.refused("the query's name was \"demo\" and is \"other\"", name="name: other\n")
        self.refused('source.path was "in" and is "in2"', source=SOURCE.format("").replace("path: in", "path: in2"))
        self.refused("the pipeline had 0 stages and has 1", pipeline="pipeline:\n  stages:\n    - { type: Normalizer, "
                     "inputCol: v, outputCol: n }\n")
        self.refused('name was .*; .*model.id was "m"', name="name: other\n", model=MODEL.replace("id: m", "id: n"))
        self.assertEqual(self.inspect(), before)
        self.assertEqual(self.ids(), list(range(10)))

    def test_a_wrong_first_start_binds_nothing(self):
        self.query()
        self.once("--set", "source.path=nowhere.json", expect=66)
        self.write("in/a.json", lines(0, 10))
        self.once()
        self.assertEqual(self.ids(), list(range(10)))

    def test_another_meaning_of_a_column_is_refused(self):
        source = "source:\n  type: file\n  path: in\n  format: {{ type: csv, header: false }}\n  schema: \"{}\"\n"
        pipeline = "pipeline: { stages: [{ type: VectorAssembler, inputCols: [a, b], outputCol: v }] }\n"
        self.write("in/a.csv", "1,2,1\n3,4,0\n")
        self.query(source=source.format("a double, b double, y double"), pipeline=pipeline)
        self.once()
        self.query(source=source.format("b double, a double, y double"), pipeline=pipeline)
        self.assertIn("column 'b'", self.once(expect=78).stderr)
        self.query(source=source.format("a double, b double, y double, more string"), pipeline=pipeline)
        self.once()

    def test_lint_says_what_run_would_refuse(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.once()
        self.run_program("lint", "query.yaml", expect=0)
        self.run_program("lint", "--set", "model.featuresCol=w", "--set", "source.schema=id long, w vector, y double",
                         "query.yaml", expect=78)

    def test_what_may_change(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.once()
        self.query("maxRowsPerTrigger: 5\n  ", model=MODEL.replace("id: m", "id: m, learningRate: 0.5, predictionCol: p"),
                   sinks="sinks: [{ type: file, path: out }, { type: file, id: more, path: out2 }]\n",
                   trigger="trigger: { processingTime: 1s }\n")
        self.write("in/b.json", lines(10, 10))
        self.once()
        self.assertEqual(self.ids(), list(range(20)))
        self.assertEqual(self.ids("out2"), list(range(10, 20)))
        self.assertIn("p", self.rows_of("out2")[0])

    def test_a_new_lineage_starts_again(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.once()
        before = self.inspect()
        self.query(model=MODEL.replace("id: m", "id: n"))
        done = self.once("--new-lineage")
        self.assertIn("may be written again", done.stderr)
        after = self.inspect()
        self.assertNotEqual(after["lineage"], before["lineage"])
        self.assertEqual((after["models"][0]["id"], after["models"][0]["rowsLearned"]), ("n", 10))
        self.once()

    def test_fitted_values_from_a_file(self):
        stages = "pipeline:\n  stages:\n    - { type: StringIndexer, id: si, inputCol: c, outputCol: n }\n"
        source = 'source: { type: file, path: in, schema: "id long, c string" }\n'
        self.query(source=source, pipeline=stages, model=None,
                   sinks="sinks: [{ type: file, path: out, columns: [id, n] }]\n")
        self.write("in/a.json", "".join(f'{{"id": {i}, "c": "{c}"}}\n' for i, c in enumerate("babcb")))
        self.assertRegex(self.once(expect=78).stderr, "no fitted values\n  hint: run: headrace fit")
        self.run_program("fit", "query.yaml", "-o", "pipeline.json", expect=0)
        self.query(source=source, pipeline="pipeline: { from: pipeline.json }\n", model=None,
                   sinks="sinks: [{ type: file, path: out, columns: [id, n] }]\n")
        self.once()
        self.assertEqual([row["n"] for row in self.rows_of("out")], [0, 1, 0, 2, 0])


class BadRecords(Run):
    BAD = lines(0, 3) + '{"id": 3\n' + '{"id": "four"}\n' + lines(5, 2) + "[1]\n" + lines(8, 1)

    def test_fail_fast_is_the_default_without_dead_letters(self):
        self.query("maxRowsPerTrigger: 2\n  ")
        self.write("in/a.json", self.BAD)
        done = self.once(expect=65)
        self.assertRegex(done.stderr, "in/a.json:4: .*\n.*hint: set deadLetter:")
        self.assertEqual(self.ids(), [0, 1])
        self.once(expect=65)
        self.assertEqual(self.ids(), [0, 1])

    def test_drop(self):
        self.query("format: { type: json, mode: drop }\n  ")
        self.write("in/a.json", self.BAD)
        self.once("--progress", "progress.json")
        self.assertEqual(self.ids(), [0, 1, 2, 5, 6, 8])
        self.assertEqual(self.progress()[0]["deadLetters"], 3)

    def test_dead_letters(self):
        self.query(deadLetter="deadLetter: { type: file, path: bad }\n")
        self.write("in/a.json", self.BAD)
        self.once()
        self.assertEqual(self.ids(), [0, 1, 2, 5, 6, 8])
        letters = self.rows_of("bad")
        self.assertEqual([letter["reason"] for letter in letters], ["malformed", "wrong_type", "not_an_object"])
        self.assertEqual([letter["raw"] for letter in letters], ['{"id": 3', '{"id": "four"}', "[1]"])
        self.assertEqual([letter["line"] for letter in letters], [4, 5, 8])
        for letter in letters:
            self.assertTrue(letter["message"])
            self.assertEqual((letter["query"], letter["batch"], letter["topic"]), ("demo", 0, "in/a.json"))

    def test_dead_letters_and_fail_fast(self):
        self.query("format: { type: json, mode: failFast }\n  ", deadLetter="deadLetter: { type: file, path: bad }\n")
        self.write("in/a.json", self.BAD)
        self.once(expect=65)
        self.assertFalse(os.path.isdir(self.path("bad")) and self.rows_of("bad"))

    def test_bytes_that_are_no_text(self):
        self.query(deadLetter="deadLetter: { type: file, path: bad }\n")
        self.write("in/a.json", b'{"id": 1, "v": "\xff"}\n')
        self.once()
        (letter,) = self.rows_of("bad")
        self.assertEqual(letter["reason"], "invalid_utf8")
        self.assertEqual(letter["rawBase64"], "eyJpZCI6IDEsICJ2IjogIv8ifQ==")
        self.assertNotIn("raw", letter)

    def test_a_row_that_a_stage_or_the_model_cannot_use(self):
        sizes = "pipeline:\n  stages:\n    - { type: VectorSizeHint, inputCol: v, size: 2 }\n"
        self.write("in/a.json", '{"id": 0, "v": [1, 2], "y": 1}\n{"id": 1, "v": [1], "y": 1}\n'
                                '{"id": 2, "v": [1, 2], "y": 7}\n{"id": 3, "v": [1, 2], "y": null}\n')
        self.query(pipeline=sizes)
        self.assertRegex(self.once(expect=65).stderr, "VectorSizeHint.*column 'v'")
        self.query(pipeline=sizes, deadLetter="deadLetter: { type: file, path: bad }\n")
        self.once("--new-lineage")
        self.assertEqual(self.ids(), [0, 3])
        self.assertEqual([letter["reason"] for letter in self.rows_of("bad")], ["stage", "model"])
        self.assertEqual(self.inspect()["models"][0]["rowsLearned"], 1)

    def bad_share(self, bad):
        self.query(deadLetter="deadLetter: { type: file, path: bad, maxRatio: 0.05 }\n")
        self.write("in/a.json", "".join("{\n" if i % 100 < bad else f'{{"id": {i}}}\n' for i in range(10000))
                   .replace('"}', '", "v": [1]}').replace("}\n", ', "v": [1, 2], "y": 1}\n'))

    def test_too_many_bad_records_end_the_query(self):
        self.bad_share(6)
        done = self.once(expect=65)
        self.assertRegex(done.stderr, "6.00 % of the last 10000 records are bad, deadLetter.maxRatio allows 5.00 %")
        self.assertFalse(os.path.isdir(self.path("out")) and self.ids())

    def test_as_many_as_allowed_do_not(self):
        self.bad_share(5)
        self.once()
        self.assertEqual(len(self.ids()), 9500)
        self.assertEqual(len(self.rows_of("bad")), 500)


class Files(Run):
    def test_compressed_input(self):
        self.query(model=None, sinks="sinks: [{ type: file, path: zst, format: { type: json, compression: zstd } }]\n")
        self.write("in/a.json", lines(0, 5000))
        self.once()
        (part,) = [name for name in os.listdir(self.path("zst")) if name.startswith("part-")]
        self.assertEqual(part, "part-0000000000-0000.json.zst")
        os.makedirs(self.path("mixed"))
        os.rename(self.path("zst", part), self.path("mixed/a.json.zst"))
        self.write("mixed/b.json.gz", gzip.compress(lines(5000, 3000).encode()) + gzip.compress(lines(8000, 10).encode()))
        self.write("mixed/c.json", lines(8010, 10).rstrip("\n"))
        self.query(source=SOURCE.format("maxRowsPerTrigger: 1000\n  ").replace("path: in", "path: mixed"), model=None,
                   name="name: second\n", checkpoint="checkpoint: { location: state2 }\n")
        self.once()
        self.assertEqual(self.ids(), list(range(8020)))

    def test_a_compressed_file_that_was_replaced_by_a_shorter_one(self):
        os.makedirs(self.path("in"))
        with gzip.open(self.path("in/a.json.gz"), "wt") as file:
            file.write(lines(0, 50))
        self.query()
        self.once()
        with gzip.open(self.path("in/a.json.gz"), "wt") as file:
            file.write(lines(100, 5))
        self.assertIn("a.json.gz", self.once(expect=78).stderr)

    def test_a_byte_order_mark(self):
        self.query(model=None)
        self.write("in/a.json", b"\xef\xbb\xbf" + lines(0, 3).encode())
        self.once()
        self.assertEqual(self.ids(), [0, 1, 2])

    def test_a_csv_header_with_none_of_the_columns(self):
        self.write("in/a.csv", "1,2\n3,4\n")
        self.query(source="source:\n  type: file\n  path: in\n  format: { type: csv }\n  schema: \"a double, b double\"\n",
                   model=None)
        self.assertIn("header: false", self.once(expect=65).stderr)

    def test_a_manifest_stays_short(self):
        self.query("maxRowsPerTrigger: 1\n  ", model=None)
        self.write("in/a.json", lines(0, 1500))
        self.once()
        self.assertLess(self.read("out/_headrace_manifest").count("\n"), 1100)
        self.write("in/b.json", lines(1500, 3))
        self.once()
        self.assertEqual(self.ids(), list(range(1503)))

    def test_damaged_compressed_input(self):
        self.query()
        self.write("in/a.json.gz", gzip.compress(lines(0, 5000).encode())[:-20])
        self.assertRegex(self.once(expect=65).stderr, "in/a.json.gz")

    def test_csv(self):
        self.query(source='source:\n  type: file\n  path: in\n  format: { type: csv, delimiter: ";", nullValue: "-" }\n'
                          '  schema: "id long, text string, x double"\n', model=None,
                   deadLetter="deadLetter: { type: file, path: bad }\n",
                   sinks="sinks: [{ type: file, path: out, format: { type: csv } }]\n")
        self.write("in/a.csv", 'text;id;x\n"a;b";1;1.5\n-;2;-\nc;3\n"say ""hi""";4;1e3\n')
        self.write("in/b.csv", 'id;x;text\n5;0.1;z\n')
        self.once()
        self.assertEqual(self.read("out/part-0000000000-0000.csv"),
                         'id,text,x\n1,a;b,1.5\n2,,\n4,"say ""hi""",1000\n5,z,0.1\n')
        (letter,) = self.rows_of("bad")
        self.assertEqual((letter["reason"], letter["line"], letter["raw"]), ("wrong_field_count", 4, "c;3"))

    def test_columns_of_the_source(self):
        self.query(sinks="sinks: [{ type: file, path: out, columns: [id, __file, __line, __offset, __topic] }]\n")
        self.write("in/a.json", lines(0, 2))
        self.once()
        first, second = self.rows_of("out")
        self.assertEqual((first["__file"], first["__line"], first["__offset"]), ("in/a.json", 1, 0))
        self.assertEqual((second["__line"], second["__offset"]), (2, len(lines(0, 1))))

    def test_a_file_that_was_cut_is_data_loss(self):
        self.query()
        self.write("in/a.json", lines(0, 10))
        self.once()
        self.write("in/a.json", lines(0, 5))
        done = self.once(expect=78)
        self.assertRegex(done.stderr, "in/a.json' was cut")

    def test_a_source_that_is_missing(self):
        self.query()
        done = self.once(expect=66)
        self.assertRegex(done.stderr, "'?in'?")
        self.assertIn("hint:", done.stderr)

    def test_folders_that_cannot_be_made(self):
        self.write("file", "")
        self.write("in/a.json", lines(0, 10))
        self.query(checkpoint="checkpoint: { location: file/state }\n")
        self.assertRegex(self.once(expect=73).stderr, "file/state")
        self.assertRegex(self.run_program("lint", "query.yaml", expect=73).stdout, "query.yaml:.*file/state")
        self.query(sinks="sinks: [{ type: file, path: file/out }]\n")
        self.assertRegex(self.once(expect=73).stderr, "file/out")
        self.query(deadLetter="deadLetter: { type: file, path: file/bad }\n")
        self.assertRegex(self.once(expect=73).stderr, "file/bad")

    def test_folders_are_made(self):
        self.write("in/a.json", lines(0, 10))
        self.query(checkpoint="checkpoint: { location: a/b/state }\n", sinks="sinks: [{ type: file, path: c/d/out }]\n")
        self.once()
        self.assertEqual(self.ids("c/d/out"), list(range(10)))
        self.assertEqual(self.inspect("a/b/state")["batchId"], 0)


class Rate(Run):
    def test_a_source_that_ends_by_itself(self):
        self.query(source="source: { type: rate, rowsPerSecond: 1000, numRows: 300 }\n", model=None)
        self.run_program("run", "query.yaml", expect=0, timeout=30)
        self.assertEqual([row["value"] for row in self.rows_of("out")], list(range(300)))


if __name__ == "__main__":
    unittest.main()
