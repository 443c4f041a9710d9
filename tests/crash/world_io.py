"""Calls on files that fail: a full disk, an I/O error, a sync whose outcome is unknown, no file descriptors.

The n-th call is swept, n = 1, 2, … until a run no longer reaches it (SQLite's way), at first to the last where there are
many. A run must not go on as if the call had worked: it ends with 74, or 73 before the first batch, says which file and
what to do; or the call did not matter, and the outcome shows it. The next start goes on, to the outcome of a run that
nothing disturbed.
"""
import os
import re
import subprocess

from common import Failure, Server
from world_case import Case, Result, SOCKET_SOURCE
from world_damage import prepared_case

# What is hit: a name, the text of its paths, the calls that it sees.
PLACES = [
    ("the checkpoint's log", "/rocksdb/*.log", "open write sync"),
    ("a table of the store", "/rocksdb/*.sst", "open write sync"),
    ("the store's MANIFEST", "/rocksdb/MANIFEST", "open write sync"),
    ("the store's CURRENT", "/rocksdb/*.dbtmp", "open write sync"),
    ("the rename to CURRENT", "/rocksdb/CURRENT", "rename"),
    ("the store's directory", "/rocksdb", "mkdir"),
    ("the checkpoint's MARK", "checkpoint/MARK", "open write*"),
    ("the checkpoint's VERSION", "VERSION", "open write sync rename"),
    ("the checkpoint's LOCK", "checkpoint/LOCK", "open"),
    ("a part of the file sink", "out/.headrace-part", "open write sync"),
    ("the rename of a part", "out/part-", "rename"),
    ("a packed part", "packed/.headrace-part", "write sync"),
    ("the file sink's manifest", "out/_headrace_manifest", "open write sync"),
    ("the file sink's directory", "out", "mkdir"),
    ("the file sink's directory", "/*/out", "sync*"),
    ("a dead letter part", "dead/.headrace-part", "open write sync"),
    ("the dead letters' manifest", "dead/_headrace_manifest", "write sync"),
    ("the input", "in/rows.ndjson", "open read"),
]
# The same for a start that finds three batches, of which the last was delivered and not committed.
PLACES_AT_RESTART = [
    ("VERSION", "checkpoint/VERSION", "open read"),
    ("MARK", "checkpoint/MARK", "open read"),
    ("CURRENT", "/rocksdb/CURRENT", "open read"),
    ("MANIFEST", "/rocksdb/MANIFEST", "open read write sync"),
    ("a table", "/rocksdb/*.sst", "open read write sync"),
    ("the log", "/rocksdb/*.log", "open read write sync"),
    ("the newest part", "out/part-", "open read"),
    ("a manifest", "out/_headrace_manifest", "open read write sync"),
    ("the sink's lock", "out/.headrace-lock", "open"),
]
JOURNAL = ("the socket's journal", "/journal-*.journal", "open write sync")

# What may go wrong with a call.
ACTIONS = {
    "open": ("ENOSPC", "EMFILE"),
    "read": ("EIO",),
    "write": ("ENOSPC", "short"),
    "write*": ("ENOSPC",),  # 20 bytes written over 20: no file system does half of that
    "sync": ("lied", "lost"),
    "sync*": ("EIO",),
    "rename": ("ENOSPC", "EIO"),
    "mkdir": ("ENOSPC",),
}
WORDS = {"ENOSPC": "No space left", "short": "No space left", "EMFILE": "Too many open files", "EIO": "Input/output error",
         "lied": "Input/output error", "lost": "Input/output error"}
REMEDIES = {"ENOSPC": "free space", "short": "free space", "EMFILE": "ulimit -n"}


def check_words(result, action, place):
    """The message names the place and what to do, and the exit status is the one of the manual."""
    started = re.search(r"(resumes|starts) at batch", result.text) is not None and "journal" not in place
    full = action in ("ENOSPC", "short")
    result.expect((74,) if started else (73,) if full else (73, 74), WORDS[action], "hint: .*" + REMEDIES.get(action, ""))
    folder = place.split("*")[0].strip("/").split("/")[0]
    result.expect(range(70, 80), {"rocksdb": "checkpoint", "journal-": "journal", "VERSION": "VERSION"}.get(folder, folder))


def passes(thorough):
    """Which n are tried; those after the last one that a run reaches end the sweep."""
    return range(1, 200) if thorough else (1, 2, 3, 6, 12, 24)


def disturbed(case, fault, action, place):
    """A run with a fault; False when it was never reached."""
    hits, result = case.run_with(fault)
    if not hits:
        result.expect((0,))
        return False
    if result.status == 0:
        return True
    check_words(result, action, place)
    return True


def sweep(world, place, call, action, once, restart=False):
    for n in passes(world.thorough):
        fault = "%s:%s:%d:%s%s" % (call.strip("*"), place, n, action, ":once" if once else "")
        case = prepared_case(world, "killed after delivery", "commit.before:2")[0].copy() if restart else Case(world)
        try:
            reached = disturbed(case, fault, action, place)
            case.ends_right(world.expected())
        except Failure as failure:
            raise Failure("%s: %s" % (fault, failure))
        case.forget()
        if not reached:
            if n == 1:
                raise Failure("%s: no run reached it" % fault)
            return


def journal_sweep(world, call, action):
    """The server sends its rows once: after a failed sync they are in the journal, or gone with the connection."""
    name, place, _ = JOURNAL
    server = Server(400)
    try:
        case = Case(world, source=SOCKET_SOURCE % server.port)
        hits, result = case.run_with("%s:%s:1:%s" % (call, place, action))
        if not hits:
            raise Failure("no run reached it")
        check_words(result, action, place)
    finally:
        server.close()
    case.run().expect((0,))
    taken = sum(data.count(b"\n") for file, data in case.files().items() if not file.startswith("packed"))
    if action != "lied" and taken != 0:
        raise Failure("%d rows came out of a journal that could not be written" % taken)
    server = Server(400)
    try:
        text = (case.folder / "query.yaml").read_text()
        (case.folder / "query.yaml").write_text(re.sub(r"port: \d+", "port: %d" % server.port, text))
        case.run().expect((0,))
    finally:
        server.close()
    again = sum(data.count(b"\n") for file, data in case.files().items() if not file.startswith("packed"))
    if again != taken + 400 or taken not in (0, 400):
        raise Failure("%d rows, then %d, of 400 sent twice" % (taken, again))


def lint_finds(world, call, action, words):
    """A file system that cannot hold parts is found before a run, for each sink in it, and nothing is left there."""
    case = Case(world)
    before = sorted(os.walk(case.folder))
    fault = "%s:/.headrace-probe:1:%s" % (call, action)
    done = subprocess.run([world.headrace, "lint", "query.yaml"], cwd=case.folder, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, timeout=60,
                          env={**os.environ, "LD_PRELOAD": world.io_faults, "HEADRACE_IO_FAULT": fault})
    result = Result(done.returncode, done.stdout)
    for sink in "out", "packed", "deadLetter":
        result.expect((73,), r"query.yaml:\d+:\d+: error: sink '%s': %s\n  hint: " % (sink, words))
    if sorted(os.walk(case.folder)) != before:
        raise Failure("lint left something: %s" % sorted(os.walk(case.folder)))
    case.forget()


def tests():
    found = []
    cannot = "what holds '.*' cannot keep parts exactly once: .*/.headrace-probe-.*: "
    for call, action, words in (("rename", "EACCES", cannot + "Permission denied"),
                                ("sync", "EIO", ".*/.headrace-probe-.*: cannot sync: Input/output error"),
                                ("open", "EACCES", cannot + "Permission denied"),
                                ("write", "short", ".*/.headrace-probe-.*: No space left on device")):
        found.append(("lint: %s in a sink's directory says %s" % (call, action),
                      lambda world, a=(call, action, words): lint_finds(world, *a)))
    for name, place, calls in PLACES:
        for call in calls.split():
            for action in ACTIONS[call]:
                for once in (False, True) if action in ("ENOSPC", "lied", "lost") else (False,):
                    title = "%s: %s says %s%s" % (name, call.strip("*"), action, ", once" if once else "")
                    found.append((title, lambda world, a=(place, call, action, once): sweep(world, *a)))
    for name, place, calls in PLACES_AT_RESTART:
        for call in calls.split():
            for action in ACTIONS[call]:
                found.append(("at a restart, %s: %s says %s" % (name, call, action),
                              lambda world, a=(place, call, action, False, True): sweep(world, *a)))
    for call in JOURNAL[2].split():
        for action in ACTIONS[call]:
            found.append(("%s: %s says %s" % (JOURNAL[0], call, action),
                          lambda world, a=(call, action): journal_sweep(world, *a)))
    return found
