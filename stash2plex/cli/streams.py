"""Writes to whatever a terminal, a pipe or a file takes: no letter and no reader ends a command.

A code page such as cp1252 has few of the letters that titles are made of. What it lacks is
replaced; JSON is always UTF-8, or escaped where the stream is not.
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
"""The name under which `replace_letters` is known to streams."""

LOOK_ALIKES = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("–—━─", "-"),
    "…": ".",
    "→": ">",
    "×": "x",
    "\u00a0": " ",
}
"""Letters of our own messages, one for one, so that columns stay where they are."""

CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that JSON leaves as they are and a terminal obeys or cannot write."""


class ReaderGone(Exception):
    """Nobody reads what is written any more."""


class PlainConsole(Console):
    """A console that ends a command quietly when its reader is gone."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise ReaderGone."""
        raise ReaderGone


class PlainContext(click.Context):
    """A context whose help has only letters that stdout can write."""

    def get_help(self) -> str:
        """Return the help."""
        return readable(super().get_help(), sys.stdout)


def prepare_streams() -> None:
    """Have stdout and stderr replace what they cannot write. A closed one swallows everything."""
    codecs.register_error(ERRORS, replace_letters)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def replace_letters(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for letters that an encoding lacks, as wide as they are.

    Also where to go on: what an error handler of `codecs` returns.
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
    """Return a text with only letters that a stream can write."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, ERRORS).decode(encoding)


def write(text: str, stream: TextIO, end: str = "\n") -> None:
    """Write a text at once. Raises ReaderGone where nobody reads it."""
    try:
        stream.write(readable(text, stream) + end)
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error


def json_text(value: Any, stream: TextIO) -> str:
    """Return a value as JSON that is UTF-8, or escaped where the stream is not.

    What a terminal would take for an order is spelt out; it is the same JSON.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    plain = codecs.lookup(encoding).name != "utf-8"
    text = json.dumps(value, indent=2, ensure_ascii=plain)
    return CONTROL.sub(lambda control: f"\\u{ord(control[0]):04x}", text)


def leave() -> None:
    """Have what is still to be written to a reader that is gone go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(null, number)
    os.close(null)
