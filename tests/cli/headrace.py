# SPDX-License-Identifier: Apache-2.0
#
# What the command line tests share: the program under test, a folder for each test, query files put together from
# sections. The program is named by the environment variable HEADRACE, else it is that of the dev preset.
import json
import os
import select
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("HEADRACE", os.path.join(ROOT, "build/dev/headrace")))

# A query that is right, section by section. A test replaces sections, or leaves them out with None.
SECTIONS = {
    "head": "apiVersion: headrace/v1\nkind: Query\n",
    "name": "name: demo\n",
    "trigger": None,
    "guarantee": None,
    "source": 'source:\n  type: file\n  path: in\n  schema: "id long, x double, v vector, y double, text string"\n',
    "pipeline": None,
    "model": None,
    "evaluation": None,
    "sinks": "sinks:\n  - { type: file, path: out }\n",
    "deadLetter": None,
    "checkpoint": "checkpoint: { location: state }\n",
}


def query(**sections):
    unknown = set(sections) - set(SECTIONS)
    assert not unknown, unknown
    merged = {**SECTIONS, **sections}
    return "".join(text if text.endswith("\n") else text + "\n" for text in merged.values() if text)


class Case(unittest.TestCase):
    """A test with a folder of its own, which is where the program runs."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="headrace-cli-")
        self.folder = self._folder.name
        self.addCleanup(self._folder.cleanup)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(path, mode) as file:
            file.write(text)
        return path

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def environment(self, extra):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HEADRACE_")}
        return {**clean, **(extra or {})}

    def run_program(self, *arguments, env=None, input=None, expect=None, timeout=60):
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=self.environment(env), input=input,
                              capture_output=True, text=True, timeout=timeout)
        if expect is not None:
            self.assertEqual(done.returncode, expect, f"{arguments}\nstdout: {done.stdout}\nstderr: {done.stderr}")
        return done

    def start_program(self, *arguments, env=None):
        process = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, env=self.environment(env),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def wait_for_log(self, process, words, timeout=30):
        """Reads the standard error of a process until a line has these words; self.seen: all lines so far."""
        self.seen = getattr(self, "seen", "")
        deadline = time.monotonic() + timeout
        while words not in self.seen:
            left = deadline - time.monotonic()
            ready = select.select([process.stderr], [], [], max(left, 0))[0]
            # Not readline: what it reads ahead is hidden from select.
            text = os.read(process.stderr.fileno(), 65536).decode(errors="replace") if ready else ""
            self.assertTrue(text, f"no line with '{words}' in {timeout} s:\n{self.seen}")
            self.seen += text

    def rows_of(self, folder):
        """All rows of a file sink's visible JSON parts, in order."""
        rows = []
        for name in sorted(os.listdir(self.path(folder))):
            if name.startswith("part-"):
                rows += [json.loads(line) for line in self.read(os.path.join(folder, name)).splitlines()]
        return rows
