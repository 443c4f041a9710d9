"""The ways out of a refusal that keep what was learned: `headrace checkpoint take-over`, and what it costs."""
import json
import shutil
import signal

from common import Failure, fault_points
from world_case import Case


def twice(files, batches):
    """The files, with those of some batches once more, under the next number."""
    again = {name.replace("-0000.", "-0001."): data for name, data in files.items()
             if int(name.split("part-")[1][:10]) in batches}
    return {**files, **again}


def apart(world):
    """A state directory restored from a copy of batch 1, under sinks that are at batch 4."""
    case = Case(world).stop_after(2)
    shutil.copytree(case.folder / "checkpoint", case.folder / "copy")
    case.ends_right(world.expected())
    shutil.rmtree(case.folder / "checkpoint")
    (case.folder / "copy").rename(case.folder / "checkpoint")
    return case


def older_copy(world):
    files, state = world.expected()
    case = apart(world)
    lineage = json.loads(case.checkpoint("inspect", "--format", "json").text)["lineage"]
    case.run().expect((78,), "hint: .*`headrace checkpoint take-over checkpoint`: rows after batch 1 are written again")
    case.checkpoint("take-over").expect((0,), "goes on from lineage %s after batch 1" % lineage, "written again")
    case.checkpoint("verify").expect((0,))
    case.run().expect((0,), "resumes at batch 2", "done after 3 batches")
    case.same((twice(files, (2, 3, 4)), state))
    case.run().expect((0,), "done after 0 batches")
    case.same((twice(files, (2, 3, 4)), state))


def lost_manifest(world):
    """Nothing was written after the checkpoint's batch, so that nothing is written twice."""
    case = Case(world).stop_after(2)
    (case.folder / "out" / "_headrace_manifest").unlink()
    case.run().expect((78,), "says nothing of", "hint: ")
    case.checkpoint("take-over").expect((0,))
    case.ends_right(world.expected())


def lost_ledger(world):
    """The output is gone as a whole, manifest and parts."""
    files, state = world.expected()
    case = Case(world).stop_after(2)
    shutil.rmtree(case.folder / "packed")
    case.run().expect((78,), "sink 'packed' should be at batch 1, but its ledger knows nothing", "take-over")
    case.checkpoint("take-over").expect((0,))
    case.ends_right(({name: data for name, data in files.items()
                      if not name.startswith(("packed/part-0000000000", "packed/part-0000000001"))}, state))


def older_batch(world):
    """Back to a kept batch, as after a batch of bad data."""
    files, state = world.expected()
    case = Case(world)
    case.run().expect((0,))
    case.checkpoint("take-over", "--batch", "1").expect((66,), "batch 1 is not", "hint: headrace checkpoint list")
    case.checkpoint("take-over", "--batch", "2").expect((0,))
    case.checkpoint("verify").expect((0,))
    if '"batchId":2' not in case.inspect():
        raise Failure("inspect does not say batch 2: " + case.inspect())
    case.ends_right((twice(files, (3, 4)), state))
    # Once more before a start: the sinks are two lineages behind.
    case.checkpoint("take-over", "--batch", "3").expect((0,))
    case.checkpoint("take-over", "--batch", "3").expect((0,))
    case.run().expect((0,), "done after 1 batches")
    if "out/part-0000000004-0002.json" not in case.files():
        raise Failure("batch 4 should have been written a third time: %s" % sorted(case.files()))


def prepared(world):
    """A prepared batch that one sink has and others have not is dropped, and runs again for all."""
    files, state = world.expected()
    case = Case(world).crash("deliver.sink:4")
    case.checkpoint("take-over").expect((0,), "after batch 0")
    case.run().expect((0,))
    case.same(({**files, **{name.replace("-0000.", "-0001."): data for name, data in files.items()
                            if name.startswith("out/part-0000000001")}}
               , state))


def dropped(world):
    """A batch that was dropped before anyone had it is listed, and keeps its range though batches are larger now."""
    case = Case(world)
    text = (case.folder / "query.yaml").read_text()
    (case.folder / "query.yaml").write_text(text.replace("sinks:\n", "sinks:\n  - { id: screen, type: console }\n"))
    case.crash("deliver.before:2")
    case.checkpoint("list", "--format", "json").expect((0,), '"batchId":1,"state":"prepared"')
    case.crash("plan.after:1")
    case.checkpoint("list", "--format", "json").expect((0,), '"batchId":1,"state":"dropped".*"numInputRows":100,')
    case.checkpoint("list").expect((0,), "1  dropped")
    case.run("--set", "source.maxRowsPerTrigger=150").expect((0,), "dropped by an earlier start: it runs again")
    case.checkpoint("list", "--format", "json").expect(
        (0,), '"batchId":1,"state":"committed".*"numInputRows":100,.*"batchId":2,"state":"committed".*"numInputRows":150,')


def refused(world):
    case = Case(world)
    case.crash("prepare.before:1")
    case.checkpoint("take-over").expect((66,), "no batch is committed", "hint: ")
    process = case.start(HEADRACE_FAULT="deliver.before:2:delay=3s")
    case.wait_for_parts("out", 1)
    case.checkpoint("take-over").expect((75,), "locked", "hint: ")
    process.send_signal(signal.SIGTERM)
    case.finish(process).expect((0,))
    case.ends_right(world.expected())


def crashes(world, points):
    """Killed anywhere in the first start after it, twice: as if it had not been."""
    files, state = world.expected()
    original = apart(world)
    original.checkpoint("take-over").expect((0,))
    for point in points:
        case = original.copy()
        case.crash(point + ":1")
        case.run(HEADRACE_FAULT="commit.before:1:crash")
        case.run().expect((0,))
        try:
            case.same((twice(files, (2, 3, 4)), state))
        except Failure as failure:
            raise Failure("killed at %s: %s" % (point, failure))
        case.forget()


def tests():
    points = [name for name, _ in fault_points() if not name.startswith("deliver.kafka")]
    return [
        ("take-over of an older copy", older_copy),
        ("take-over, manifest lost", lost_manifest),
        ("take-over, output lost", lost_ledger),
        ("take-over of an older batch", older_batch),
        ("take-over drops a prepared batch", prepared),
        ("a dropped batch keeps its range", dropped),
        ("take-over refused", refused),
        ("take-over, killed at every fault point", lambda world: crashes(world, points)),
    ]
