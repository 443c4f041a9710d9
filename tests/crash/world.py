#!/usr/bin/env python3
"""Faults of the world that need no broker, each on the real binary and the real RocksDB.

    world.py --headrace PATH [--only TEXT] [--thorough] [--seed S] [--jobs N] [--list]

Disk full, I/O errors, syncs of unknown outcome, power loss, damaged, missing and older files, a jumping clock, few file
descriptors, little memory, signals under load, errors and delays at every fault point. The binary must be built with
-DHEADRACE_FAULTS=ON. The last line is "N passed, N failed".
"""
import argparse
import concurrent.futures
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
import threading
import time
from pathlib import Path

import world_damage
import world_io
import world_power
import world_process
import world_ways_out
from common import Failure
from world_case import Case

HERE = Path(__file__).resolve().parent


class World:
    """What all tests share."""

    def __init__(self, options, folder):
        self.headrace = str(Path(options.headrace).resolve())
        self.thorough = options.thorough
        self.seed = options.seed
        self.folder = Path(folder)
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.outcome = None
        self.prepared = {}
        self.counts = {}
        self.long_outcome = None
        self.io_faults = self.library("io_faults")
        self.power_loss = self.library("power_loss")

    def library(self, name):
        path = str(self.folder / (name + ".so"))
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                        "-o", path, str(HERE / (name + ".c")), "-ldl"], check=True)
        return path

    def new_folder(self, made=True):
        folder = self.folder / ("case-%d" % next(self.numbers))
        if made:
            folder.mkdir()
        return folder

    def expected(self):
        """The outcome of a run that nothing disturbs."""
        with self.lock:
            if self.outcome is None:
                case = Case(self)
                case.run().expect((0,))
                self.outcome = case.outcome()
            return self.outcome


    def count(self, what, sound, status):
        """Of the table of damages: how many verify found, and how many runs refused."""
        with self.lock:
            row = self.counts.setdefault(what, [0, 0, 0])
            row[0] += 1
            row[1] += not sound
            row[2] += status != 0


def run_test(world, test):
    start = time.monotonic()
    try:
        test[1](world)
        problem = None
    except Failure as failure:
        problem = str(failure)
    except Exception:  # a mistake of the test is a failure as well
        problem = traceback.format_exc()
    return test[0], problem, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headrace", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--thorough", action="store_true")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--times", action="store_true")
    options = parser.parse_args()
    tests = [test for test in world_process.tests() + world_io.tests() + world_damage.tests() + world_ways_out.tests() + world_power.tests() if options.only in test[0]]
    if options.list:
        print("\n".join(name for name, _ in tests))
        return 0
    failed = 0
    # In memory, where it can be had: what a sync is worth is io_faults.c's to say.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="headrace-world-", dir=place) as folder:
        world = World(options, folder)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for name, problem, seconds in pool.map(lambda test: run_test(world, test), tests):
                failed += problem is not None
                if problem is not None:
                    print("FAILED %s (seed %d)\n    %s" % (name, options.seed, problem.strip().replace("\n", "\n    ")),
                          flush=True)
                elif options.times:
                    print("%6.1f s  %s" % (seconds, name), flush=True)
    if world.counts:
        print("%-56s %7s %16s %12s" % ("damage", "tried", "found by verify", "run refused"))
        for what, row in world.counts.items():
            print("%-56s %7d %16d %12d" % (what, *row))
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
