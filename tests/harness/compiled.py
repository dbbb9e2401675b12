"""Gives an installed archive the compiled files that its first processes would write.

Most tests are about what the plugin does, not about its first second, and compiling the package
takes as long as the rest of a short test. Tests of a first start ask for a cold one.
"""

from __future__ import annotations

import marshal
import os
import sys
import zipfile
from functools import cache
from importlib.util import MAGIC_NUMBER

from stash2plex.bytecode import FOLDER


def write_compiled(archive: str, plugin_dir: str, data_dir: str) -> None:
    """Write a compiled file for each module that an archive brought into a plugin's folder."""
    prefix = os.path.join(data_dir, FOLDER) + os.path.abspath(plugin_dir)
    folders: set[str] = set()
    for name, code in compile_modules(archive, os.stat(archive).st_mtime_ns).items():
        source = os.stat(os.path.join(plugin_dir, name))
        path = os.path.join(
            prefix, f"{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
        )
        folder = os.path.dirname(path)
        if folder not in folders:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            folders.add(folder)
        numbers = (0, int(source.st_mtime), source.st_size)
        header = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(MAGIC_NUMBER + header + code)


@cache
def compile_modules(archive: str, changed: int) -> dict[str, bytes]:
    """Compile each module of an archive once in this process; `changed` tells builds apart."""
    with zipfile.ZipFile(archive) as package:
        return {
            name: marshal.dumps(compile(package.read(name), name, "exec", dont_inherit=True))
            for name in package.namelist()
            if name.endswith(".py")
        }
