"""Writes to any terminal, pipe or file: no unknown letter or lost reader breaks a command.

A code page such as cp1252 lacks many letters that occur in titles. Missing letters are replaced;
JSON is always UTF-8, or escaped if the stream is not.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
import unicodedata
from typing import Any, NoReturn, TextIO

import click
from rich.console import Console

ERRORS = "stash2plex.replace"
"""The name under which streams find `replace_letters`."""

LOOK_ALIKES = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("–—━─", "-"),
    "…": ".",
    "→": ">",
    "×": "x",
    "\u00a0": " ",
}
"""Replacements for letters of our own messages, one for one, so that columns stay aligned."""

CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that JSON does not escape but a terminal obeys or cannot write."""


class ReaderGone(Exception):
    """The reader of our output is gone."""


class PlainConsole(Console):
    """A console that ends a command quietly when its reader is gone."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise ReaderGone."""
        raise ReaderGone


class PlainContext(click.Context):
    """A context whose help uses only letters that stdout can write."""

    def get_help(self) -> str:
        """Return the help."""
        return readable(super().get_help(), sys.stdout)


def prepare_streams() -> None:
    """Make stdout and stderr replace what they cannot write. A closed one discards everything."""
    codecs.register_error(ERRORS, replace_letters)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def replace_letters(error: UnicodeError) -> tuple[str, int]:
    """Return replacements, of the same width, for letters that an encoding lacks.

    Also returns where to continue, as an error handler of `codecs` must.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_replaced(letter) for letter in letters), error.end


def _replaced(letter: str) -> str:
    if letter in LOOK_ALIKES:
        return LOOK_ALIKES[letter]
    if unicodedata.combining(letter):
        return ""
    base = unicodedata.normalize("NFKD", letter)[0]
    if base.isascii() and base.isalnum():
        return base
    return "??" if unicodedata.east_asian_width(letter) in "WF" else "?"


def readable(text: str, stream: TextIO) -> str:
    """Return a text reduced to letters that a stream can write."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, ERRORS).decode(encoding)


def write(text: str, stream: TextIO, end: str = "\n") -> None:
    """Write a text and flush it. Raises ReaderGone if the reader is gone."""
    try:
        stream.write(readable(text, stream) + end)
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error


def json_text(value: Any, stream: TextIO) -> str:
    """Return a value as JSON in UTF-8, or escaped if the stream is not UTF-8.

    Characters that a terminal would obey are escaped; the JSON means the same.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    plain = codecs.lookup(encoding).name != "utf-8"
    text = json.dumps(value, indent=2, ensure_ascii=plain)
    return CONTROL.sub(lambda control: f"\\u{ord(control[0]):04x}", text)


def leave() -> None:
    """Discard any output that remains for a reader that is gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(null, number)
    os.close(null)
