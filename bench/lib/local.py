# SPDX-License-Identifier: Apache-2.0
"""For measures without a broker: programs that time their own rounds and print a JSON object."""
import json
import subprocess

from .bench import Failure


def printed(command, **keywords):
    """The JSON object that a program prints; Failure with what it says when it fails."""
    command = [str(word) for word in command]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **keywords)
    if done.returncode != 0:
        raise Failure("'%s' ended with %d: %s" % (" ".join(command), done.returncode, done.stderr.strip()[-500:]))
    return json.loads(done.stdout.strip().splitlines()[-1])


def rows_folder(bench, name, command):
    """A folder below build/bench/data that a program (its last argument) filled; made once."""
    folder = bench.folder / "data" / name
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        bench.setup_command([*command, partial])
        partial.rename(folder)
    return folder
