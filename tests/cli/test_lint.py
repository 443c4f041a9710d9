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


def add_cases(holder, cases):
    for wrong in cases:
        name = "test_" + re.sub(r"[^a-z0-9]+", "_", wrong["name"].lower()).strip("_")
        assert not hasattr(holder, name), name
        setattr(holder, name, lambda self, wrong=wrong: self.check_case(wrong))


add_cases(WrongQueries, CASES)

if __name__ == "__main__":
    unittest.main()
