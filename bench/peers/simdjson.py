# SPDX-License-Identifier: Apache-2.0
"""simdjson On-Demand, iterate_many over a chunk of lines (bench/peers/decode/decode_simdjson.cc), -O3 -march=native.

With SIMDJSON_SOURCE=FOLDER, a checkout of a release (include/ and src/); else Debian's libsimdjson-dev.
"""
import os
import re
import subprocess
from pathlib import Path


class Library:
    def __init__(self, name, path):
        self.name = name
        self.path = path


def setup(bench, folder):
    source = os.environ.get("SIMDJSON_SOURCE")
    if source:
        text = (Path(source) / "include/simdjson/simdjson_version.h").read_text()
        version = re.search(r'SIMDJSON_VERSION "([^"]*)"', text).group(1)
        what = ["-I", Path(source) / "include", "-I", Path(source) / "src", Path(source) / "src/simdjson.cpp"]
    else:
        version = subprocess.run(["pkg-config", "--modversion", "simdjson"], text=True, stdout=subprocess.PIPE,
                                 check=True).stdout.strip()
        what = ["-lsimdjson"]
    bench.version("simdjson", version)
    library = folder / "decode.so"
    bench.setup_command(["g++", "-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-shared", "-fPIC", "-o", library,
                         bench.root / "bench/peers/decode/decode_simdjson.cc", *what])
    return Library("simdjson", library)
