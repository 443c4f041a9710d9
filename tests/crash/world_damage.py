"""Bytes that change, files that are cut off, missing or older: below the checkpoint, of the file sink, of the journal.

Each kind of file of a query that stopped, that was killed before it delivered a batch and after it did is damaged: bytes
flipped at drawn places (and the first and the last), cut in half, emptied, removed. `checkpoint verify`, `checkpoint
inspect` and `run` then either refuse with a reason, 74 or 78, or are right: what they say and write is what they would
have said and written. None may die of a signal. A refusal has changed nothing: with the damage undone the query goes on.
"""
import random
import re

from common import Failure, Server, record, without_lineage
from world_case import OUTPUTS, REFUSALS, Case, SOCKET_SOURCE

KINDS = [
    ("VERSION", "checkpoint/VERSION"),
    ("LOCK", "checkpoint/LOCK"),
    ("MARK", "checkpoint/MARK"),
    ("CURRENT", "checkpoint/rocksdb/CURRENT"),
    ("IDENTITY", "checkpoint/rocksdb/IDENTITY"),
    ("MANIFEST", "checkpoint/rocksdb/MANIFEST-*"),
    ("OPTIONS", "checkpoint/rocksdb/OPTIONS-*"),
    ("tables", "checkpoint/rocksdb/*.sst"),
    ("log", "checkpoint/rocksdb/*.log"),
    ("file sink's manifest", "out/_headrace_manifest"),
    ("dead letters' manifest", "dead/_headrace_manifest"),
    ("newest part", "out/part-*"),
]

STATES = [
    ("stopped", None),
    ("killed before delivery", "deliver.before:2"),
    ("killed after delivery", "commit.before:2"),
]


def prepared_case(world, state, fault):
    """A query with three of five batches behind it; one folder a state, made once."""
    with world.lock:
        if state not in world.prepared:
            case = Case(world)
            if fault:
                case.stop_after(1).crash(fault)
            else:
                case.stop_after(3)
            world.prepared[state] = (case, case.inspect())
        return world.prepared[state]


def damages(path, rng, thorough):
    """Name and new content (None: removed) of each damage to a file."""
    data = path.read_bytes()
    places = {0, len(data) - 1} | {rng.randrange(len(data)) for _ in range(64 if thorough else 5)} if data else set()
    for place in sorted(places):
        bit = 1 << rng.randrange(8)
        yield "bit %d of byte %d of %d" % (bit, place, len(data)), data[:place] + bytes([data[place] ^ bit]) + data[place + 1:]
    if len(data) > 1:
        yield "cut at %d of %d" % (len(data) // 2, len(data)), data[:len(data) // 2]
        yield "one byte shorter", data[:-1]
        yield "emptied", b""
    yield "made longer", data + b"\x5a"
    yield "removed", None


def refused(result):
    """A refusal has a reason and a status of the manual; True when it was one."""
    if result.status == 0:
        return False
    result.expect((74, 78), "(error|ERROR)", "hint: ")
    return True


def try_damage(world, original, inspected, relative, content):
    case = original.copy()
    path = case.folder / relative
    before = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    verified = case.checkpoint("verify")
    sound = not refused(verified)
    shown = case.checkpoint("inspect", "--format", "json")
    if not refused(shown) and without_lineage(shown.text) != inspected:
        raise Failure("inspect says something else than before the damage:\n%s" % shown.text)
    result = case.run()
    if not refused(result):
        files, state = world.expected()
        if content is None and "part-" in path.name and not path.exists():
            # A reader may take the newest part away, once its batch is committed.
            files = {name: data for name, data in files.items() if name != str(relative)}
        case.same((files, state))
    else:
        path.write_bytes(before)
        try:
            case.ends_right(world.expected())
        except Failure as failure:
            raise Failure("refused (%s), and when the damage was undone: %s" % (result.text[-400:], failure))
    case.forget()
    return sound, result.status


def damage(world, state, fault, name, pattern):
    original, inspected = prepared_case(world, state, fault)
    rng = random.Random("%d %s %s" % (world.seed, state, name))
    paths = sorted(original.folder.glob(pattern))
    if name == "newest part":
        paths = paths[-1:]
    count = 0
    for path in paths:
        relative = path.relative_to(original.folder)
        for what, content in damages(path, rng, world.thorough):
            count += 1
            try:
                sound, status = try_damage(world, original, inspected, relative, content)
                world.count("%s, %s" % (state, name), sound, status)
            except Failure as failure:
                raise Failure("%s, %s: %s" % (relative, what, failure))
    if count == 0 and (state, name) not in (("stopped", "log"),):
        raise Failure("no file to damage")


# ---- the journal of a socket ---------------------------------------------------------------------------------------


def journal_case(world):
    """Two appends of 100 rows in the journal, of which the first is a committed batch and the second is none yet."""
    server = Server(200, goes=2)
    try:
        case = Case(world, source=SOCKET_SOURCE % server.port, trigger="processingTime: 0s")
        case.crash("plan.after:2")
    finally:
        server.close()
    query = case.folder / "query.yaml"
    query.write_text(query.read_text().replace("processingTime: 0s", "availableNow: true"))
    return case


def journal_damage(world):
    original = journal_case(world)
    whole = original.copy()
    whole.run().expect((0,), "done after 1 batches")
    expected = whole.outcome()
    rng = random.Random(world.seed)
    (path,) = original.folder.glob("checkpoint/journal-socket/*.journal")
    relative = path.relative_to(original.folder)
    for what, content in damages(path, rng, world.thorough):
        case = original.copy()
        if content is None:
            (case.folder / relative).unlink()
        else:
            (case.folder / relative).write_bytes(content)
        result = case.run()
        if not refused(result):
            try:
                case.same(expected)
            except Failure as failure:
                # A cut end looks like an append that a crash cut off: it must at least be said.
                if re.search("cut at|shorter", what) is None or "were dropped" not in result.text:
                    raise Failure("journal, %s: %s\n%s" % (what, failure, result.text[-600:]))
        case.forget()


# ---- copies --------------------------------------------------------------------------------------------------------


def older_copy(world):
    """The state directory comes back from an older copy: refused, and the way out costs what the message says."""
    import shutil
    case = Case(world)
    case.stop_after(2)
    shutil.copytree(case.folder / "checkpoint", case.folder / "copy")
    case.ends_right(world.expected())
    shutil.rmtree(case.folder / "checkpoint")
    (case.folder / "copy").rename(case.folder / "checkpoint")
    before = case.files()
    case.run().expect((78,), "is at batch 4, the checkpoint is at batch 1", "hint: .*checkpoint take-over .*run --new-lineage.*again")
    if case.files() != before:
        raise Failure("a refused start changed the output")
    case.run("--new-lineage").expect((0,), "with nothing learned", "may be written again")
    after = case.files()
    again = {name.replace("-0001.", "-0000."): data for name, data in after.items() if "-0001." in name}
    if {name: data for name, data in after.items() if "-0000." in name} != before or again != before:
        raise Failure("--new-lineage should have written everything once more, beside what was there: %s" % sorted(after))
    case.run().expect((0,))
    if case.files() != after:
        raise Failure("the start after --new-lineage wrote something")


def running_copy(world):
    """A copy of the state directory is started while the first instance runs."""
    import shutil
    case = Case(world)
    process = case.start(HEADRACE_FAULT="deliver.before:2:delay=3s")
    case.wait_for_parts("out", 1)
    shutil.copytree(case.folder / "checkpoint", case.folder / "copy")
    case.run("--set", "checkpoint.location=copy").expect((75,), "locked by another process", "hint: ")
    case.run().expect((75,), "locked by another process", "hint: ")
    case.finish(process).expect((0,))
    case.same(world.expected())
    case.run("--set", "checkpoint.location=copy").expect((78,), "is at batch 4, the checkpoint is at batch", "hint: ")
    case.same(world.expected())


def deleted_state(world):
    """The state directory is deleted, the output is not."""
    import shutil
    case = Case(world)
    case.run().expect((0,))
    before = case.files()
    shutil.rmtree(case.folder / "checkpoint")
    case.run().expect((78,), "was written by another checkpoint", "hint: .*headrace run --new-lineage")
    (case.folder / "out" / "_headrace_manifest").unlink()
    shutil.rmtree(case.folder / "checkpoint")
    case.run().expect((78,), "_headrace_manifest' says nothing of 'part-", "hint: .*headrace run --new-lineage")
    if case.files() != before:
        raise Failure("a refused start changed the output")
    case.run("--new-lineage").expect((0,))
    case.run().expect((0,))


def tests():
    found = []
    for state, fault in STATES:
        for name, pattern in KINDS:
            found.append(("damaged %s, query %s" % (name, state),
                          lambda world, a=(state, fault, name, pattern): damage(world, *a)))
    found.append(("damaged journal of a socket", journal_damage))
    found.append(("state directory restored from an older copy", older_copy))
    found.append(("copied state directory beside a running instance", running_copy))
    found.append(("deleted state directory, deleted manifest", deleted_state))
    return found
