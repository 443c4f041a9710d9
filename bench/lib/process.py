# SPDX-License-Identifier: Apache-2.0
"""Runs a program and says what it and everything that it started has used.

A program's children may outlive it or be waited for by nobody (PySpark leaves its JVM so). Each measured program
therefore runs below a small process that adopts orphans (PR_SET_CHILD_SUBREAPER), waits for them all, and only then
asks the kernel for the sum.
"""
import ctypes
import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Sample(dict):
    """What one run used: wall, user, system (seconds), peak_mb, status, and what the measure adds."""

    @property
    def cpu(self):
        return self["user"] + self["system"]


class Running:
    """A measured program that runs now."""

    def __init__(self, command, environment=None, folder=None, log=None, output=None):
        self.command = [str(word) for word in command]
        self.log = log
        self.report, report = os.pipe()
        self.began = time.monotonic()
        self.began_at = time.time()
        self.keeper = os.fork()
        if self.keeper == 0:
            os.close(self.report)
            keep(self.command, environment, folder, log, output, report)
        os.close(report)
        self.sample = None

    def wait(self, timeout=None):
        """The Sample, once the program and all that it has started are gone."""
        if self.sample is not None:
            return self.sample
        limit = None if timeout is None else time.monotonic() + timeout
        while limit is not None and os.waitpid(self.keeper, os.WNOHANG)[0] == 0:
            if time.monotonic() > limit:
                self.signal(signal.SIGKILL)
                os.waitpid(self.keeper, 0)
                break
            time.sleep(0.02)
        if limit is None:
            os.waitpid(self.keeper, 0)
        with os.fdopen(self.report) as report:
            self.sample = Sample(json.loads(report.read()))
        return self.sample

    def over(self):
        """Whether it has ended; its Sample waits."""
        return not Path("/proc/%d" % self.keeper).exists() or not tree(self.keeper)[1:]

    def signal(self, number):
        """To the program and all below it, not to the process that counts."""
        for process in tree(self.keeper)[1:]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def first(self):
        """The program's own process."""
        return (tree(self.keeper)[1:] or [0])[0]

    def used(self):
        """Processor seconds so far, of all that are alive or were waited for."""
        return sum(processor_time(process) for process in tree(self.keeper))

    def resident(self):
        """Bytes of memory that are resident now."""
        total = 0
        for process in tree(self.keeper)[1:]:
            try:
                total += int(Path("/proc/%d/statm" % process).read_text().split()[1]) * PAGE
            except (OSError, IndexError):
                pass
        return total


def keep(command, environment, folder, log, output, report):
    """The process between: never returns."""
    c_library = ctypes.CDLL(None)
    c_library.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_parent():
        c_library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):  # for the program, which would inherit it if it were ignored here
        signal.signal(number, lambda *_: None)
    began = time.monotonic()
    wall, status = 0.0, 127
    try:
        errors = open(log, "ab") if log else subprocess.DEVNULL
        target = open(output, "wb") if output else errors
        child = subprocess.Popen(command, env={**os.environ, **(environment or {})}, cwd=folder, stdin=subprocess.DEVNULL,
                                 stdout=target, stderr=errors, preexec_fn=die_with_parent)
        while True:
            process, code = os.wait()
            if process == child.pid:
                status = os.waitstatus_to_exitcode(code)
                wall = time.monotonic() - began
    except ChildProcessError:
        pass
    except OSError as error:
        if log:
            Path(log).write_text(str(error))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(report, json.dumps({"status": status, "wall": wall, "user": used.ru_utime, "system": used.ru_stime,
                                 "peak_mb": used.ru_maxrss / 1024}).encode())
    os._exit(0)


def tree(root):
    """A process and all below it, the root first."""
    found = [root]
    for process in found:
        for task in Path("/proc/%d/task" % process).glob("*/children"):
            try:
                found += [int(word) for word in task.read_text().split()]
            except OSError:
                pass
    return found


def processor_time(process):
    """User and kernel seconds of a process and of its children that were waited for."""
    try:
        fields = Path("/proc/%d/stat" % process).read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def run(command, environment=None, folder=None, log=None, output=None, timeout=None):
    return Running(command, environment, folder, log, output).wait(timeout)
