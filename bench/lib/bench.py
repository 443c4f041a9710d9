# SPDX-License-Identifier: Apache-2.0
"""What a measure gets: programs that are built, data, a broker, peers, timed runs in turns, and a place for its figures."""
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from . import process
from .broker import Broker

ROOT = Path(__file__).resolve().parent.parent.parent
TOUCHED = 4 << 30  # bytes
# In huge pages, for what a large state lies in comes from other free memory than pages of 4 KiB do; then in those.
TOUCH = """
import mmap
memory = mmap.mmap(-1, %(size)d, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_HUGEPAGE)
memory[::4096] = b"x" * (%(size)d // 4096)
memory.close()
b"x" * %(size)d
"""


def touch(size):
    subprocess.run([sys.executable, "-c", TOUCH % {"size": size}], check=True)


class Failure(Exception):
    """A measure cannot go on, and why."""


class Bench:
    def __init__(self, options):
        self.options = options
        self.root = ROOT
        self.folder = ROOT / "build/bench"
        self.results = Path(options.out) if os.path.isabs(options.out) else ROOT / options.out
        self.logs = self.folder / "logs"
        for folder in (self.folder, self.results, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._broker = None
        self._built = set()
        self._ready = {}
        self.result = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._broker is not None:
            self._broker.close()

    # ---- what is measured with ----------------------------------------------------------------------------------

    def program(self, target):
        """The path of a program of this tree, built as a release is (optimised, no fault points)."""
        build = self.folder / "release"
        if not self._built and not self.options.no_build:
            self.setup_command(["cmake", "--preset", "release", "-B", build, "-DHEADRACE_TESTS=ON"])
        if target not in self._built and not self.options.no_build:
            self.setup_command(["cmake", "--build", build, "--target", target])
            self._built.add(target)
        found = [path for path in (build / target, build / "bench" / target, build / "tests/kafka" / target) if path.is_file()]
        if not found:
            raise Failure("the build made no program %s in %s" % (target, build))
        return str(found[0])

    @property
    def headrace(self):
        return self.program("headrace")

    def broker(self):
        """The broker that this run of measures shares; started by the first that asks."""
        if self._broker is None:
            self._broker = Broker(ROOT, self.folder / "broker", self.program("kafka_tool"), self.program("make_clicks"))
        return self._broker

    def clicks(self, count, seed=1):
        """A file of so many click records, the same for every run."""
        path = self.folder / "data" / ("clicks-%d-%d.ndjson" % (seed, count))
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            partial = path.with_suffix(".partial")
            with open(partial, "wb") as target:
                subprocess.run([self.program("make_clicks"), str(count), "--seed", str(seed)], check=True, stdout=target)
            partial.rename(path)
        return path

    def peers(self, *names):
        """Those of the named peers that are wanted, set up. One that cannot be had is noted, and left out."""
        ready = []
        for name in names:
            peer = self.options.peers.get(name)
            if peer is None:
                continue
            if name not in self._ready:
                self.say("setting up peer %s" % name)
                try:
                    place = self.folder / "peers" / name
                    place.mkdir(parents=True, exist_ok=True)
                    self._ready[name] = peer.setup(self, place)
                except (Failure, subprocess.CalledProcessError, OSError) as error:
                    self.note("peer %s could not be set up: %s" % (name, error))
                    self._ready[name] = None
            if self._ready[name] is not None:
                ready.append(self._ready[name])
        return ready

    def venv(self, folder, *requirements):
        """A Python with pinned packages; made once."""
        python = folder / "venv/bin/python"
        marker = folder / "venv/requirements.txt"
        text = "\n".join(requirements) + "\n"
        if not marker.exists() or marker.read_text() != text:
            self.setup_command([sys.executable, "-m", "venv", folder / "venv"])
            self.setup_command([python, "-m", "pip", "install", "-q", *requirements])
            marker.write_text(text)
        return str(python)

    def setup_command(self, command):
        command = [str(word) for word in command]
        log = self.logs / "setup.log"
        with open(log, "a") as target:
            target.write("$ %s\n" % " ".join(command))
            target.flush()
            if subprocess.run(command, cwd=ROOT, stdout=target, stderr=target, check=False).returncode != 0:
                raise Failure("'%s' failed; its output is at the end of %s" % (" ".join(command), log))

    # ---- timed runs ---------------------------------------------------------------------------------------------

    def touch_memory(self):
        """A virtual machine's first touch of a page that its host has taken back is slow: let nobody timed pay it."""
        if not self.options.no_touch:
            touch(TOUCHED)

    def timed(self, command, **keywords):
        """One run of a program as a Sample; Failure when it does not end with 0."""
        self.touch_memory()
        sample = process.run(command, **keywords)
        if sample["status"] != 0:
            raise Failure("'%s' ended with %d; log: %s" % (" ".join(map(str, command)), sample["status"], keywords.get("log")))
        return sample

    def in_turns(self, *sides, pairs=None):
        """Calls each side once a round; A B A B, so that the machine's mood falls on both. Lists of what they returned."""
        gathered = [[] for _ in sides]
        for number in range(pairs or self.options.pairs):
            for side, gathering in zip(sides, gathered):
                gathering.append(side())
                self.say("  %d: %s" % (number + 1, short(gathering[-1])))
        return gathered

    # ---- results ------------------------------------------------------------------------------------------------

    def say(self, text):
        print(text, flush=True)

    def begin(self, measure):
        self.say("== %s  %s" % (measure.ID, measure.TITLE))
        self.result = {"id": measure.ID, "title": measure.TITLE, "must": measure.MUST, "aim": measure.AIM,
                       "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                       "machine": machine(), "load_before": os.getloadavg()[0], "versions": {"headrace": self._version()},
                       "pairs": self.options.pairs, "figures": [], "curves": {}, "notes": []}

    def _version(self):
        described = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   check=False)
        return described.stdout.strip()

    def version(self, name, value):
        self.result["versions"][name] = value

    def figure(self, label, unit, ours, peer=None, theirs=None, better="higher", must=None, aim=None, of="ratio",
               series=None, at=None):
        """One row of the table.

        ours, theirs   what each run gave; the report takes the median and the range
        better         "higher" or "lower": whether ours / theirs or theirs / ours is the ratio, so that above 1 is ours
        must, aim      numbers that the ratio (of="ratio") or our own median (of="value") has to reach
        series, at     rows of one series are a curve of the plot: value against `at`, a number
        """
        row = {"label": label, "unit": unit, "ours": summary(ours), "peer": peer, "better": better, "must": must,
               "aim": aim, "of": of, "series": series, "at": at}
        if theirs:
            row["theirs"] = summary(theirs)
            pair = (row["ours"]["median"], row["theirs"]["median"])
            above, below = pair if better == "higher" else pair[::-1]
            row["ratio"] = above / below if below else None
        self.result["figures"].append(row)
        self.say("  %s: %s %s%s" % (label, row["ours"]["text"], unit, "; %s: %s, ratio %.2f" % (
            peer, row["theirs"]["text"], row["ratio"] or 0) if theirs else ""))

    def curve(self, series, at, value):
        """A point of a plot that is no row of the table."""
        self.result["curves"].setdefault(series, []).append((at, value))

    def note(self, text):
        if self.result is not None:
            self.result["notes"].append(text)
        self.say("  " + text)

    def end(self):
        self.result["load_after"] = os.getloadavg()[0]
        name = self.result["id"].replace("'", "_") + ".json"
        (self.results / name).write_text(json.dumps(self.result, indent=1) + "\n")


def summary(values):
    values = [float(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
    median = statistics.median(values)
    return {"median": median, "min": min(values), "max": max(values), "values": values, "text": number(median)}


def number(value):
    """Three significant digits, thousands apart."""
    if abs(value) >= 1000:
        return "{:,.0f}".format(float("%.3g" % value))
    return "%.3g" % value


def short(sample):
    if isinstance(sample, dict):
        return ", ".join("%s %s" % (key, number(value)) for key, value in sample.items() if isinstance(value, (int, float)))
    return number(sample) if isinstance(sample, float) else str(sample)


def machine():
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"processors": os.cpu_count(), "model": model[0] if model else platform.machine(),
            "memory_gb": round(pages / 2 ** 30), "kernel": platform.release()}
