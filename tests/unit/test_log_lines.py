"""What a log does where a line cannot be written as usual."""

from __future__ import annotations

import io
import logging

import pytest

from stash2plex.datadir import LOG_NAME
from stash2plex.logs.handlers import (
    LINE_LIMIT,
    MAX_ALIKE,
    MAX_KINDS,
    Logs,
    Redactor,
    SharedFile,
    plain,
)


class Gone(io.StringIO):
    """A reader that has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_line_that_nobody_reads_is_dropped_and_a_wrong_one_is_reported(capsys):
    logs = Logs(Gone(), for_stash=False)
    logs.logger.warning("The lamp is out.")
    assert capsys.readouterr().err == ""
    logs = Logs(io.StringIO(), for_stash=False, debug=True)
    logs.logger.warning("The lamp is %d.", "out")
    assert "Logging error" in capsys.readouterr().err


def test_a_file_that_was_removed_is_made_again(tmp_path):
    file = SharedFile(str(tmp_path))
    file.setFormatter(logging.Formatter())
    for word in ("first", "second"):
        file.emit(logging.makeLogRecord({"msg": word}))
        (tmp_path / LOG_NAME).rename(tmp_path / word)
    file.close()
    assert [(tmp_path / word).read_text() for word in ("first", "second")] == [
        "first\n",
        "second\n",
    ]


def test_lines_beyond_the_kinds_that_are_told_apart_are_one_kind():
    shown = io.StringIO()
    logs = Logs(shown, for_stash=False)

    def word(number):
        # Letters, for numbers make no kind.
        return "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")

    for number in range(MAX_KINDS + MAX_ALIKE + 5):
        logs.logger.warning("Pier %s", word(number))
    lines = shown.getvalue().splitlines()
    assert len(lines) == MAX_KINDS + MAX_ALIKE
    logs.close()
    (rest,) = shown.getvalue().splitlines()[len(lines) :]
    assert "5 more lines" in rest
    assert f"Pier {word(MAX_KINDS)}" in rest


def test_a_line_is_cut_where_it_is_too_long_and_not_before():
    assert plain("x" * LINE_LIMIT) == "x" * LINE_LIMIT
    assert plain("x" * (LINE_LIMIT + 1)) == "x" * (LINE_LIMIT - 1) + "…"


def test_a_log_that_shows_nothing_has_nothing_to_count():
    logs = Logs(None)
    logs.show_every_line()
    assert logs.logger.handlers == []


@pytest.mark.parametrize("address", ["http://quay.example:32400/", "https://quay.example"])
def test_an_address_in_quotes_keeps_its_shape_and_hides_its_host(address):
    redactor = Redactor()
    redactor.enable(b"key")
    text = redactor(f"Plex at “{address}” is away.")
    assert "quay" not in text
    assert text.startswith("Plex at “http")
