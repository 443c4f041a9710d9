#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the golden tables: Spark's answers for small inputs, one folder a case. README.md says what the files hold and
when two values count as equal.

    tests/golden/run.py --headrace build/dev/headrace [--filter 'imputer/*'] [--wrap 'valgrind -q --error-exitcode=99']

Prints a line for each case that failed, then "N passed, N failed". Exit status: 0 when all passed; 1 when one failed or
there was none.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TABLES = pathlib.Path(__file__).resolve().parent
GIVEN = ("query.yaml", "fit.yaml", "input.ndjson", "train.ndjson")
# What a program built with sanitizers ends with when they found something, so that it is never taken for a refusal.
SANITIZER_STATUS = 97


class Failure(Exception):
    """What is wrong with a case."""


def load(text):
    def refuse(word):
        raise ValueError(f"{word} is no JSON number")

    return json.loads(text, parse_constant=refuse)


def load_lines(path):
    return [load(line) for line in path.read_text("utf-8").split("\n") if line]


def shorten(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 100 else text[:96] + " ..."


class Comparison:
    """Compares values; `loose` is for fitted values and state, where neither 2 and 2.0 nor the form of a vector differ."""

    def __init__(self, tolerance, loose=False):
        self.tolerance = tolerance
        self.loose = loose

    def require(self, wanted, found, place):
        reason = self.difference(wanted, found)
        if reason:
            raise Failure(f"{place}{reason}")

    def difference(self, wanted, found):
        """None, or the path to the first difference and what it is."""
        if self.loose:
            wanted, found = spread(wanted), spread(found)
        if is_number(wanted) and is_number(found):
            return self.number_difference(wanted, found)
        if type(wanted) is not type(found):
            return f": {shorten(wanted)} expected, not {shorten(found)}"
        if isinstance(wanted, list):
            return self.list_difference(wanted, found)
        if isinstance(wanted, dict):
            return self.map_difference(wanted, found)
        return None if wanted == found else f": {shorten(wanted)} expected, not {shorten(found)}"

    def number_difference(self, wanted, found):
        if isinstance(wanted, int) and not self.loose:
            # An integer column: written without a point, and exact.
            return None if type(found) is int and found == wanted else f": {wanted} expected, not {found!r}"
        scale = max(1.0, abs(wanted), abs(found))
        return None if abs(wanted - found) <= self.tolerance * scale else f": {wanted!r} expected, not {found!r}"

    def list_difference(self, wanted, found):
        if len(wanted) != len(found):
            return f": {len(wanted)} elements expected, not {len(found)}: {shorten(found)}"
        for index, pair in enumerate(zip(wanted, found)):
            reason = self.difference(*pair)
            if reason:
                return f"[{index}]{reason}"
        return None

    def map_difference(self, wanted, found):
        if wanted.keys() != found.keys():
            return f": keys {sorted(wanted)} expected, not {sorted(found)}"
        for key in wanted:
            reason = self.difference(wanted[key], found[key])
            if reason:
                return f".{key}{reason}"
        return None


def is_number(value):
    return type(value) in (int, float)


def spread(value):
    """A sparse vector as the list of all its elements."""
    if isinstance(value, dict) and value.keys() == {"size", "indices", "values"}:
        elements = [0.0] * value["size"]
        for index, element in zip(value["indices"], value["values"]):
            elements[index] = element
        return elements
    return value


def compare_rows(wanted, found, comparison, ordered):
    if not ordered:
        wanted, found = (sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)) for rows in (wanted, found))
    for number, (one, other) in enumerate(zip(wanted, found), start=1):
        if not isinstance(other, dict) or list(one) != list(other):
            raise Failure(f"row {number}: columns {list(one)} expected, not {shorten(other)}")
        for column in one:
            comparison.require(one[column], other[column], f"row {number}, {column}")
    if len(wanted) != len(found):
        raise Failure(f"{len(wanted)} rows expected, not {len(found)}")


def mentions(text, word):
    """A whole word in any letter case; one of four letters and more may have an ending."""
    before = r"(?<!\w)" if word[0].isalnum() else ""
    after = "" if len(word) >= 4 and not word[-1].isdigit() else r"(?!\w)"
    return re.search(before + re.escape(word) + after, text, re.IGNORECASE) is not None


def require_words(wanted, message):
    for line in wanted.split("\n"):
        words = [word for word in line.split("|") if word]
        if words and not any(mentions(message, word) for word in words):
            raise Failure(f"the error names none of {words}: {message.strip()[-200:]}")


class Case:
    def __init__(self, folder, command, seconds):
        self.folder = folder
        self.name = f"{folder.parent.name}/{folder.name}"
        self.command = command
        self.seconds = seconds
        self.about = load((folder / "case.json").read_text("utf-8"))
        self.comparison = Comparison(self.about["tolerance"])
        self.loose = Comparison(self.about["tolerance"], loose=True)

    def expected(self, name):
        path = self.folder / name
        return path.read_text("utf-8") if path.exists() else None

    def call(self, work, *arguments):
        environment = dict(os.environ, HEADRACE_DATA_DIR=str(work / "data"))
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
            environment[name] = f"{environment.get(name, '')}:exitcode={SANITIZER_STATUS}"
        try:
            done = subprocess.run([*self.command, *arguments], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=self.seconds, check=False)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{arguments[0]} takes longer than {self.seconds:g} s") from late
        text = done.stderr.decode("utf-8", "replace")
        if done.returncode < 0 or done.returncode >= SANITIZER_STATUS:
            raise Failure(f"{arguments[0]} broke down with status {done.returncode}:\n{text[-3000:]}")
        return done.returncode, done.stdout.decode("utf-8", "replace"), text

    def run(self):
        """Raises Failure."""
        with tempfile.TemporaryDirectory(prefix="headrace-golden-") as place:
            work = pathlib.Path(place)
            for name in GIVEN:
                text = self.expected(name)
                if text is not None:
                    (work / name).write_text(text, "utf-8")
            refusal = self.expected("expected_error.txt")
            if refusal is not None:
                self.check_refusal(work, refusal)
            else:
                self.check_answer(work)

    def check_refusal(self, work, words):
        message = ""
        for command in self.commands(work):
            status, _, message = self.call(work, *command)
            if status != 0:
                return require_words(words, message)
        raise Failure("an error was expected, and there was none")

    def commands(self, work):
        if (work / "fit.yaml").exists():
            yield ("fit", "fit.yaml", "-o", "pipeline.json")
        yield ("run", "query.yaml")

    def check_answer(self, work):
        for command in self.commands(work):
            status, _, message = self.call(work, *command)
            if status != 0:
                raise Failure(f"{command[0]} ended with {status}: {message.strip()[-300:]}")
        self.check_fitted(work)
        files = sorted((work / "out").glob("part-*"))
        wanted = load_lines(self.folder / "expected.ndjson")
        if not files and (wanted or not (work / "checkpoint").is_dir()):
            raise Failure("there are no files in out/")
        found = [row for file in files for row in load_lines(file)]
        compare_rows(wanted, found, self.comparison, self.about["ordered"])
        self.check_state(work)

    def check_fitted(self, work):
        text = self.expected("expected_fitted.json")
        if text is None:
            return
        stages = {stage["id"]: stage for stage in load((work / "pipeline.json").read_text("utf-8"))["stages"]}
        for identity, attributes in load(text).items():
            fitted = stages[identity].get("fitted", {})
            for key, value in attributes.items():
                self.loose.require(value, fitted.get(key), f"fitted value {identity}.{key}")

    def check_state(self, work):
        text = self.expected("expected_state.json")
        if text is None:
            return
        status, output, message = self.call(work, "checkpoint", "inspect", "checkpoint", "--format", "json")
        if status != 0:
            raise Failure(f"checkpoint inspect ended with {status}: {message.strip()[-300:]}")
        self.loose.require(load(text), load(output)["models"][0]["state"], "state")


def outcome(case):
    """None when the case passed."""
    try:
        return case.run()
    except Failure as failure:
        return str(failure)
    except (KeyError, IndexError, TypeError, ValueError, OSError) as surprise:
        return f"{type(surprise).__name__}: {surprise}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True, metavar="BINARY")
    parser.add_argument("--filter", default="*", metavar="GLOB", help="on GROUP/CASE")
    parser.add_argument("--wrap", default="", metavar="COMMAND", help="put before the binary")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each call of the binary")
    arguments = parser.parse_args()
    command = [*shlex.split(arguments.wrap), str(pathlib.Path(arguments.headrace).resolve())]
    folders = sorted(path.parent for path in TABLES.glob("*/*/case.json"))
    cases = [Case(folder, command, arguments.seconds) for folder in folders]
    cases = [case for case in cases if fnmatch.fnmatchcase(case.name, arguments.filter)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as workers:
        for case, reason in zip(cases, workers.map(outcome, cases)):
            if reason is not None:
                failed += 1
                print(f"FAILED {case.name}: {reason}", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
