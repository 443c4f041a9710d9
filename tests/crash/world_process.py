"""What happens to the process: signals under load, a jumping clock, few descriptors, little memory, faults by name."""
import os
import random
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

from common import Failure, fault_points, wait_until
from world_case import Case, Result, holds_signals

ROWS = 6000
BATCH = 50


def long_expected(world):
    with world.lock:
        if world.long_outcome is None:
            case = Case(world, rows=ROWS, batch=BATCH)
            start = time.monotonic()
            case.run().expect((0,))
            world.long_outcome = case.outcome(), time.monotonic() - start
        return world.long_outcome


def signals(world, number, count):
    """SIGTERM or SIGINT at random instants: exit 0, nothing prepared left behind, and the next start is clean."""
    expected, seconds = long_expected(world)
    rng = random.Random("%d %d" % (world.seed, number))
    case = Case(world, rows=ROWS, batch=BATCH)
    sent = 0
    while sent < count:
        process = case.start()
        wait_until("the signals to be held", lambda: holds_signals(process.pid) or process.poll() is not None)
        time.sleep(rng.uniform(0, seconds * 0.3))
        process.send_signal(number)
        result = case.finish(process).expect((0,))
        if "stopped after" not in result.text and "done after" not in result.text:
            raise Failure("no word of the end:\n" + result.text)
        if "starts at batch 0" not in result.text and "(clean)" not in result.text:
            raise Failure("the start after a signal found something to mend:\n" + result.text)
        if (case.folder / "checkpoint" / "VERSION").exists() and '"prepared":null' not in case.inspect():
            raise Failure("a prepared batch was left behind")
        sent += 1
        if "done after" in result.text:
            case.same(expected)
            case.forget()
            case = Case(world, rows=ROWS, batch=BATCH)
    case.ends_right(expected)


def second_signal(world):
    """The second signal ends at once what the first lets finish; the next start is right."""
    expected, seconds = long_expected(world)
    rng = random.Random(world.seed)
    for _ in range(8):
        case = Case(world, rows=ROWS, batch=BATCH)
        process = case.start()
        wait_until("the signals to be held", lambda: holds_signals(process.pid))
        time.sleep(rng.uniform(0, seconds * 0.8))
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        time.sleep(0.35)  # sooner it would be the same request, sent twice
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        case.finish(process).expect((0, 1))
        if time.monotonic() - start > 7:
            raise Failure("it took %.1f s to abort" % (time.monotonic() - start))
        case.ends_right(expected)
        case.forget()


def second_signal_while_hanging(world):
    """A batch that hangs is given up 5 s after the second signal."""
    case = Case(world)
    process = case.start(HEADRACE_FAULT="deliver.before:2:delay=60s")
    case.wait_for_parts("out", 1)
    time.sleep(2)  # the first batch ends, the second hangs
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)  # sooner it would be the same request, sent twice
    start = time.monotonic()
    process.send_signal(signal.SIGINT)  # another one than the first: two of a kind that nobody took yet are one
    case.finish(process).expect((1,), "the checkpoint is safe")
    if time.monotonic() - start > 20:
        raise Failure("it took %.1f s to give up" % (time.monotonic() - start))
    case.ends_right(world.expected())


def clock_jumps(world, source, jumps):
    """The wall clock jumps while a query runs on a trigger: batches go on at once, and it stops when asked."""
    case = Case(world, rows=ROWS, batch=10, trigger="processingTime: 100ms", source=source)
    if "rate" in source:
        text = (case.folder / "query.yaml").read_text()
        start, end = text.index("  format: {"), text.index("pipeline:")
        text = text[:start] + text[end:text.index("pipeline:")] + text[end:]
        for key in ("model:", "evaluation:", "deadLetter:"):
            text = "\n".join(line for line in text.split("\n") if not line.startswith(key))
        text = text[:text.index("pipeline:")] + "pipeline: { stages: [] }\n" + text[text.index("sinks:"):]
        text = text.replace("[id, prediction, probability]", "[value]").replace("[id, prediction]", "[value]")
        (case.folder / "query.yaml").write_text(text)
    process = case.start(LD_PRELOAD=world.io_faults, HEADRACE_CLOCK_JUMPS=jumps)
    try:
        time.sleep(1.6)
        case.wait_for_parts("out", 2)
        before = len(list((case.folder / "out").glob("part-*")))
        wait_until("batches after the jumps", lambda: len(list((case.folder / "out").glob("part-*"))) >= before + 3, 30)
    except Failure as failure:
        process.kill()
        raise Failure("%s:\n%s" % (failure, case.finish(process).text))
    process.send_signal(signal.SIGTERM)
    case.finish(process).expect((0,))


def limited(case, limit, value, **environment):
    """A run under a limit of the system."""
    everything = {key: text for key, text in os.environ.items() if not key.startswith("HEADRACE")}
    everything.update(environment)
    done = subprocess.run([case.world.headrace, "run", "query.yaml"], cwd=case.folder, env=everything, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", preexec_fn=lambda: resource.setrlimit(limit, (value, value)))
    return Result(done.returncode, done.stdout)


def few_descriptors(world):
    """From too few to start to enough to end: a clear end each time, and the next start is right."""
    refused = 0
    for count in list(range(5, 40, 1 if world.thorough else 3)) + [64]:
        case = Case(world)
        result = limited(case, resource.RLIMIT_NOFILE, count)
        if result.status != 0:
            refused += 1
            try:
                result.expect(range(64, 80), "Too many open files", "hint: .*ulimit -n")
            except Failure as failure:
                raise Failure("%d descriptors: %s" % (count, failure))
        case.ends_right(world.expected())
        case.forget()
    if refused < 3 or result.status != 0:
        raise Failure("%d of the limits were too small, and 64 descriptors ended with %d" % (refused, result.status))


def small_files(world):
    """A limit of the size of files: an error of the write, not the end of the process by SIGXFSZ."""
    refused = 0
    for kilobytes in (1, 2, 6, 20, 70, 150, 250, 350, 2000):
        case = Case(world)
        result = limited(case, resource.RLIMIT_FSIZE, kilobytes << 10)
        try:
            if result.status != 0:
                result.expect((74,), "File too large", "hint: .*ulimit -f")
                refused += 1
            case.ends_right(world.expected())
        except Failure as failure:
            raise Failure("%d KiB: %s" % (kilobytes, failure))
        case.forget()
    if refused < 4 or result.status != 0:
        raise Failure("%d of the limits were too small, and the largest ended with %d" % (refused, result.status))


def little_memory(world, rows):
    """Address space from too little to enough, with one batch of all rows: a clear end, and the next start is right."""
    whole = Case(world, rows=rows, batch=rows)
    whole.run().expect((0,))
    expected = whole.outcome()
    told = 0
    size = 80
    while size < 4000:
        case = Case(world, rows=rows, batch=rows)
        result = limited(case, resource.RLIMIT_AS, size << 20, OPENBLAS_NUM_THREADS="1")
        try:
            # Where there is next to nothing, jemalloc dies of it by itself as a thread begins; and the loader says so.
            if result.status not in (0, 127, -signal.SIGSEGV):
                result.expect((71,), "out of memory: ", "hint: .*nothing is lost")
                told += 1
            case.ends_right(expected)
        except Failure as failure:
            raise Failure("%d MiB: %s" % (size, failure))
        if result.status == 0:
            break
        case.forget()
        size = int(size * (1.02 if world.thorough else 1.06)) + 1
    if told < 2 or result.status != 0:
        raise Failure("the lack of memory was told %d times, and %d MiB ended with %d" % (told, size, result.status))


def fault_error(world, point):
    """An error at a fault point: the query starts again from its checkpoint by itself, and the outcome is right."""
    for number in (1, 2, 4):
        case = Case(world)
        result = case.run(HEADRACE_FAULT="%s:%d:error" % (point, number)).expect((0,))
        if "starts again from the checkpoint" not in result.text:
            raise Failure("%s was not reached %d times" % (point, number))
        case.same(world.expected())
        case.forget()


def fault_delay(world, points):
    """A delay at every fault point at once changes nothing."""
    case = Case(world)
    start = time.monotonic()
    case.run(HEADRACE_FAULT=",".join("%s:2:delay=100ms" % point for point in points)).expect((0,))
    if time.monotonic() - start < 0.1 * len(points):
        raise Failure("not all delays were taken")
    case.same(world.expected())


def fault_errors_in_a_row(world, points):
    """An error at every fault point, one attempt after the other."""
    case = Case(world)
    case.run(HEADRACE_FAULT=",".join("%s:%d:error" % (point, i + 1) for i, point in enumerate(points[:6]))).expect((0,))
    case.same(world.expected())


def documented_points():
    """docs/faults.md has the list of src/base/fault.h, and the code has no point beside it."""
    root = Path(__file__).resolve().parents[2]
    rows = re.findall(r"^\| `([a-z.]+)` \| (.*) \|$", (root / "docs/faults.md").read_text(), re.M)
    if rows != fault_points():
        raise Failure("docs/faults.md: its table of fault points should be:\n%s" % (
            "\n".join("| `%s` | %s |" % row for row in fault_points())))
    called = {name for path in (root / "src").glob("*/*.c")
              for name in re.findall(r'hr_fault\("([a-z.]+)"', path.read_text())}
    if called != {name for name, _ in rows}:
        raise Failure("fault points in the code and in the list differ: %s" % (called ^ {name for name, _ in rows}))


def tests():
    points = [name for name, _ in fault_points() if not name.startswith("deliver.kafka")]
    file_source = "  type: file\n  path: in"
    rate_source = "  type: rate\n  rowsPerSecond: 100"
    found = [
        ("SIGTERM under load, 15 times", lambda world: signals(world, signal.SIGTERM, 15)),
        ("SIGINT under load, 15 times", lambda world: signals(world, signal.SIGINT, 15)),
        ("second signal under load", second_signal),
        ("second signal while a batch hangs", second_signal_while_hanging),
        ("clock back by an hour", lambda world: clock_jumps(world, file_source, "800:-3600")),
        ("clock forward by a day and back again", lambda world: clock_jumps(world, file_source, "500:86400,1100:0")),
        ("clock back by an hour, rate source", lambda world: clock_jumps(world, rate_source, "800:-3600")),
        ("few file descriptors", few_descriptors),
        ("a limit of file sizes", small_files),
        ("little memory at the start", lambda world: little_memory(world, 500)),
        ("little memory in a batch", lambda world: little_memory(world, 60000)),
        ("fault points are documented", lambda world: documented_points()),
        ("delay at every fault point", lambda world: fault_delay(world, points)),
        ("errors at fault points in a row", lambda world: fault_errors_in_a_row(world, points)),
    ]
    for point in points:
        found.append(("error at fault point %s" % point, lambda world, point=point: fault_error(world, point)))
    return found
