# SPDX-License-Identifier: Apache-2.0
"""jansson, the system's: json_loadb on each line, one lookup a column (bench/peers/decode/decode_jansson.c)."""
import subprocess


class Library:
    def __init__(self, name, path):
        self.name = name
        self.path = path


def setup(bench, folder):
    version = subprocess.run(["pkg-config", "--modversion", "jansson"], text=True, stdout=subprocess.PIPE, check=True)
    bench.version("jansson", version.stdout.strip())
    library = folder / "decode.so"
    bench.setup_command(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library,
                         bench.root / "bench/peers/decode/decode_jansson.c", "-ljansson"])
    return Library("jansson", library)
