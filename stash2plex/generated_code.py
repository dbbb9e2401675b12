"""Keeps the code that attrs generates for our records beside the other compiled files.

attrs writes the methods of a record as text and compiles them at every start: 280 records, a
quarter of the time that an import of the package takes. Python keeps the compiled files of modules,
but not these.
"""

import marshal
import os
import re
import sys
import zlib
from _frozen_importlib_external import MAGIC_NUMBER
from contextlib import suppress
from types import CodeType
from typing import Self

from attr import _make

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes of a file that is read; one of ours has 1.1 MB."""

CODES_LIMIT = 1000
"""Codes of a file that is written; older ones than those of this process go first."""

_TYPE_NUMBER = re.compile(r"(?<=hash\(\()\s*-?\d+")
"""A number that attrs draws for each class at each start, to tell hashes of classes apart."""


class GeneratedCode:
    """While it is entered, what attrs compiles is taken from a file, and kept for the next start.

    `folder` is that of the compiled files; None if there is none, and then nothing changes.
    """

    def __init__(self, folder: str | None) -> None:
        self._path = folder and os.path.join(folder, f"attrs.{sys.implementation.cache_tag}")
        self._kept: dict[str, CodeType] = {}
        self._used: dict[str, CodeType] = {}

    def __enter__(self) -> Self:
        if self._path:
            self._kept = _read(self._path)
            # attrs has no way to ask for this: its module finds our function before Python's.
            vars(_make)["compile"] = self.compile
        return self

    def __exit__(self, *_: object) -> None:
        if not self._path:
            return
        del vars(_make)["compile"]
        if not sys.dont_write_bytecode and not self._used.keys() <= self._kept.keys():
            codes = self._kept | self._used
            _write(self._path, codes if len(codes) <= CODES_LIMIT else self._used)

    def compile(self, source: str, filename: str, mode: str) -> CodeType:
        """Return the code of a source, like Python's own `compile`."""
        # Which number it is does not matter, but it has to be the same at each start.
        source = _TYPE_NUMBER.sub("0", source)
        key = f"{filename}\n{source}"
        code = self._kept.get(key)
        if code is None:
            code = compile(source, filename, mode)
        self._used[key] = code
        return code


def _read(path: str) -> dict[str, CodeType]:
    """Return the codes of a file by their sources; none if it cannot be used."""
    try:
        with open(path, "rb") as file:
            data = file.read(SIZE_LIMIT)
    except OSError:
        return {}
    head, body = data[:8], data[8:]
    # Python's reader trusts what it gets: a file that was cut off must not come to it.
    if head != _head(body):
        return {}
    codes: dict[str, CodeType] = marshal.loads(body)  # noqa: S302 - as Python reads its own compiled files
    return codes


def _write(path: str, codes: dict[str, CodeType]) -> None:
    """Replace a file. If that fails, the next process tries again."""
    body = marshal.dumps(codes)
    part = f"{path}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_head(body) + body)
        os.replace(part, path)


def _head(body: bytes) -> bytes:
    """Return what tells a complete file of this Python: its number, and a sum of the rest."""
    return MAGIC_NUMBER + zlib.crc32(body).to_bytes(4)
