# SPDX-License-Identifier: Apache-2.0
"""Finds measures and peers: each is one file of a folder, there is no list to keep."""
import importlib.util
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent


def load(path):
    specification = importlib.util.spec_from_file_location("%s_%s" % (path.parent.name, path.stem), path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def measures():
    """ID to module, in the order of the file names."""
    found = [load(path) for path in sorted((FOLDER / "measures").glob("*_*.py"))]
    return {module.ID: module for module in found}


def peers():
    """Name to module."""
    return {path.stem: load(path) for path in sorted((FOLDER / "peers").glob("*.py"))}
