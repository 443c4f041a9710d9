"""The power goes at a fault point: only what was synced is there at the next start, or names without bytes, or bytes
without names.

power_loss.c remembers what each sync made durable. The process kills itself, and the folder is made anew of that: all that
was not synced is gone; or directories are as the process left them and unsynced bytes are gone (a file that was renamed
into sight is then empty); or bytes are as it left them and unsynced names are gone (removed files are back). The next
start must go on to the outcome of an undisturbed run.
"""
import shutil
import signal

from common import Failure, Server, fault_points
from world_case import Case, SOCKET_SOURCE

VARIANTS = ("nothing unsynced survives", "names survive, bytes do not", "bytes survive, names do not")


class Shadow:
    """What would survive, as power_loss.c keeps it; at first all that is there."""

    def __init__(self, folder, place):
        self.folder = folder
        self.place = place
        self.inodes = {}
        for kind in ("bytes", "names", "kept", "lost"):
            (place / kind).mkdir(parents=True)
        self.take(folder)

    def take(self, folder):
        with open(self.place / "names" / str(folder.stat().st_ino), "w") as names:
            for entry in folder.iterdir():
                names.write("%d %s\n" % (entry.stat().st_ino, entry.name))
                if entry.is_dir():
                    self.take(entry)
                else:
                    shutil.copyfile(entry, self.place / "bytes" / str(entry.stat().st_ino))

    def find_left(self):
        """Bytes and directories of each inode as the process left them, removed files too."""
        left = {}
        for path in [self.folder, *self.folder.rglob("*"), *(self.place / "kept").iterdir()]:
            left[str(path.stat().st_ino)] = path
        return left

    def names(self, inode, left, survive):
        if survive:
            return [(str(entry.stat().st_ino), entry.name) for entry in left[inode].iterdir()]
        path = self.place / "names" / inode
        return [line.split(" ", 1) for line in path.read_text().splitlines()] if path.exists() else []

    def rebuild(self, to, variant):
        left = self.find_left()

        def make(inode, path):
            if left[inode].is_dir():
                path.mkdir()
                for child, name in self.names(inode, left, variant == 1):
                    if child in left:
                        make(child, path / name)
            elif variant == 2:
                shutil.copyfile(left[inode], path)
            else:
                synced = self.place / "bytes" / inode
                path.write_bytes(synced.read_bytes() if synced.exists() else b"")

        make(str(self.folder.stat().st_ino), to)


def lose_power(world, case, fault, **environment):
    """Runs until the fault; the three folders that the next start may find."""
    place = world.new_folder()
    shadow = Shadow(case.folder, place)
    case.run(HEADRACE_FAULT=fault + ":crash", LD_PRELOAD=world.power_loss, HEADRACE_POWER_FOLDER=str(case.folder),
             HEADRACE_POWER_SHADOW=str(place), **environment).expect((-signal.SIGKILL,))
    found = []
    for variant in range(len(VARIANTS)):
        other = case.empty_copy()
        shadow.rebuild(other.folder, variant)
        found.append(other)
    shutil.rmtree(place)
    return found


def power_loss(world, point):
    for number in (1, 3):
        case = Case(world)
        for variant, found in enumerate(lose_power(world, case, "%s:%d" % (point, number))):
            try:
                found.ends_right(world.expected())
            except Failure as failure:
                raise Failure("%s:%d, %s: %s" % (point, number, VARIANTS[variant], failure))
            found.forget()
        case.forget()


def twice(world):
    """The power goes again during the start that follows, and during the one after that."""
    case = Case(world)
    for fault in ("deliver.sink:7", "read.after:1", "deliver.file.renamed:1", "commit.before:2"):
        folders = lose_power(world, case, fault)
        case = folders[0]
    case.ends_right(world.expected())


def failed_sync(world, ending, journaled):
    """A sync fails, the next start finds the bytes in the system's cache and goes on, and then the power goes."""
    server = Server(200)
    try:
        case = Case(world, **({"source": SOCKET_SOURCE % server.port} if journaled else {}))
        place = world.new_folder()
        shadow = Shadow(case.folder, place)
        environment = {"LD_PRELOAD": world.power_loss, "HEADRACE_POWER_FOLDER": str(case.folder),
                       "HEADRACE_POWER_SHADOW": str(place)}
        case.run(HEADRACE_POWER_FAIL=ending, **environment).expect((73, 74), "Input/output error")
    finally:
        server.close()
    case.run(HEADRACE_FAULT="deliver.after:1:crash", **environment).expect((-signal.SIGKILL,))
    for variant in range(len(VARIANTS)):
        found = case.empty_copy()
        shadow.rebuild(found.folder, variant)
        whole = case.copy()
        whole.run().expect((0,))
        try:
            found.ends_right(whole.outcome())
        except Failure as failure:
            raise Failure("%s: %s" % (VARIANTS[variant], failure))


def journal(world):
    """Rows that a socket gave are synced before anything uses them."""
    server = Server(200, goes=2)
    try:
        case = Case(world, source=SOCKET_SOURCE % server.port, trigger="processingTime: 0s")
        folders = lose_power(world, case, "plan.after:2")
    finally:
        server.close()
    for other in [case, *folders]:
        query = other.folder / "query.yaml"
        query.write_text(query.read_text().replace("processingTime: 0s", "availableNow: true"))
        other.run().expect((0,), "done after [12] batches")
    expected = case.outcome()
    if sum(data.count(b"\n") for name, data in expected[0].items() if not name.startswith("packed")) != 200:
        raise Failure("not all rows came out: %s" % sorted(expected[0]))
    for variant, found in enumerate(folders):
        try:
            found.same(expected)
        except Failure as failure:
            raise Failure("%s: %s" % (VARIANTS[variant], failure))


def missing_sync(world, ending):
    """Without the syncs of one kind of file the outcome must be wrong, or the start refused: each of them is needed, and
    would be missed."""
    try:
        for number in (1, 2, 3):
            for point in ("deliver.after", "commit.after"):
                case = Case(world)
                for found in lose_power(world, case, "%s:%d" % (point, number), HEADRACE_POWER_IGNORE=ending):
                    found.ends_right(world.expected())
    except Failure:
        return
    raise Failure("nothing is wrong without it")


def tests():
    points = [name for name, _ in fault_points() if not name.startswith("deliver.kafka")]
    found = [("power loss at %s" % point, lambda world, point=point: power_loss(world, point)) for point in points]
    found.append(("power loss, start after start", twice))
    found.append(("power loss, journal of a socket", journal))
    for ending in (".journal", ".log", "out/_headrace_manifest", "out/.headrace-part", "/out", ".VERSION.tmp"):
        found.append(("power loss after a failed sync of %s" % ending,
                      lambda world, ending=ending: failed_sync(world, ending, ending == ".journal")))
    for ending in (".headrace-part", "_headrace_manifest", "/out", ".log", "/rocksdb", "VERSION.tmp", "/checkpoint"):
        found.append(("power loss without the sync of %s" % ending,
                      lambda world, ending=ending: missing_sync(world, ending)))
    return found
