"""What the faults of the world are tried on: a query in a folder of its own, its runs, and what must come out of them.

A file query learns online, writes two outputs and dead letters; a socket query reads lines from a server of this process.
The outcome of a folder is its visible files and `checkpoint inspect`, the random lineage aside.
"""
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from common import LEARNING, Failure, record, wait_until, without_lineage

ROWS = 500
BATCH = 100

QUERY = """
apiVersion: headrace/v1
kind: Query
name: world
trigger: { availableNow: true }
checkpoint: { location: checkpoint, keep: 3 }
source:
SOURCE
  maxRowsPerTrigger: BATCH
  format: { type: json, mode: deadLetter }
  schema: "id long, a double, b double, label int"
""" + LEARNING.lstrip("\n") + """sinks:
  - { id: out, type: file, path: out, columns: [id, prediction, probability] }
  - { id: packed, type: file, path: packed, format: { type: csv, compression: zstd }, columns: [id, prediction] }
deadLetter: { type: file, path: dead }
"""
FILE_SOURCE = "  type: file\n  path: in"
SOCKET_SOURCE = "  type: socket\n  host: 127.0.0.1\n  port: %d"

OUTPUTS = ("out", "packed", "dead")
REFUSALS = (73, 74, 75, 78)


class Result:
    """Of one run: exit status (below 0: a signal) and everything that it said."""

    def __init__(self, status, text):
        self.status = status
        self.text = text

    def expect(self, statuses, *patterns):
        if self.status not in statuses:
            raise Failure("exit status %d, not of %s:\n%s" % (self.status, statuses, self.text[-2000:]))
        for pattern in patterns:
            if re.search(pattern, self.text) is None:
                raise Failure("exit status %d, but it does not say '%s':\n%s" % (self.status, pattern, self.text[-2000:]))
        return self


class Case:
    """A folder with a query."""

    def __init__(self, world, rows=ROWS, batch=BATCH, source=FILE_SOURCE, trigger="availableNow: true"):
        self.world = world
        self.folder = world.new_folder()
        (self.folder / "in").mkdir()
        text = QUERY.replace("SOURCE", source).replace("BATCH", str(batch)).replace("availableNow: true", trigger)
        (self.folder / "query.yaml").write_text(text)
        (self.folder / "in" / "rows.ndjson").write_text("".join(record(i) + "\n" for i in range(rows)))

    def empty_copy(self):
        """A case whose folder is still to be made."""
        other = object.__new__(Case)
        other.world = self.world
        other.folder = self.world.new_folder(made=False)
        return other

    def copy(self):
        """A case in another folder with the same bytes."""
        other = self.empty_copy()
        shutil.copytree(self.folder, other.folder)
        return other

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *arguments, **environment):
        everything = {key: value for key, value in os.environ.items() if not key.startswith("HEADRACE")}
        everything.update(environment)
        return subprocess.Popen([self.world.headrace, "run", "query.yaml", *arguments], cwd=self.folder, env=everything,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors="replace")

    def finish(self, process, timeout=60):
        try:
            text = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure("it did not end within %d s:\n%s" % (timeout, process.communicate()[0][-2000:]))
        return Result(process.returncode, text)

    def run(self, *arguments, **environment):
        return self.finish(self.start(*arguments, **environment))

    def run_with(self, fault, **environment):
        """A run with a rule of io_faults.c; the calls that failed, and the result."""
        report = self.folder / "report"
        report.unlink(missing_ok=True)
        result = self.run(LD_PRELOAD=self.world.io_faults, HEADRACE_IO_FAULT=fault, HEADRACE_IO_REPORT=str(report),
                          **environment)
        return report.read_text().splitlines() if report.exists() else [], result

    def crash(self, fault):
        """A run that kills itself at a fault point."""
        self.run(HEADRACE_FAULT=fault + ":crash").expect((-signal.SIGKILL,))
        return self

    def stop_after(self, batches):
        """A run that is stopped in good order when it has done so many."""
        process = self.start(HEADRACE_FAULT="commit.after:%d:delay=1s" % batches)
        self.wait_for_parts("out", batches)
        process.send_signal(signal.SIGTERM)
        self.finish(process).expect((0,), "stopped after %d batches" % batches)
        return self

    def wait_for_parts(self, name, count):
        wait_until("%d parts" % count, lambda: len(list((self.folder / name).glob("part-*"))) >= count)

    def checkpoint(self, verb, *arguments):
        done = subprocess.run([self.world.headrace, "checkpoint", verb, "checkpoint", *arguments], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=60)
        return Result(done.returncode, done.stdout if done.returncode == 0 else done.stderr)

    def inspect(self):
        return without_lineage(self.checkpoint("inspect", "--format", "json").expect((0,)).text)

    def files(self):
        found = {}
        for name in OUTPUTS:
            for path in sorted((self.folder / name).glob("*")):
                if path.name.startswith("part-"):
                    found[name + "/" + path.name] = path.read_bytes()
                elif path.name not in ("_headrace_manifest", ".headrace-lock"):
                    raise Failure("%s was left behind" % path)
        return found

    def outcome(self):
        return self.files(), self.inspect()

    def ends_right(self, expected, *arguments):
        """The next start, with nothing in its way, comes to the end, and the outcome is the one of an undisturbed run."""
        self.run(*arguments).expect((0,))
        self.same(expected)

    def same(self, expected):
        files, state = self.outcome()
        for name in sorted(set(files) | set(expected[0])):
            if files.get(name) != expected[0].get(name):
                raise Failure("%s differs from the undisturbed run (%s bytes, not %s)" % (
                    name, len(files.get(name, b"")), len(expected[0].get(name, b""))))
        if state != expected[1]:
            raise Failure("the state differs from the undisturbed run:\n%s%s" % (state, expected[1]))
        self.checkpoint("verify").expect((0,))


def holds_signals(pid):
    """Has the process come to where SIGTERM is blocked, to be taken by its own thread?"""
    try:
        status = Path("/proc/%d/status" % pid).read_text()
    except OSError:
        return False
    return int(re.search(r"SigBlk:\s*(\w+)", status).group(1), 16) >> (signal.SIGTERM - 1) & 1 == 1
