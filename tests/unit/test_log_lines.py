"""What a log does where a line cannot be written as usual, or its file is rotated or removed."""

from __future__ import annotations

import io
import logging
import os

import pytest

from stash2plex.datadir import LOG_NAME
from stash2plex.logs import handlers
from stash2plex.logs.handlers import (
    LINE_LIMIT,
    MAX_ALIKE,
    MAX_KINDS,
    Logs,
    Redactor,
    SharedFile,
    plain,
)
from stash2plex.start_trouble import read_trouble


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


LOG = "worker.log"


class Rotated(SharedFile):
    """A log of up to 200 bytes; `refuses` is whether another process has it open on Windows."""

    def __init__(self, folder):
        super().__init__(str(folder))
        self.maxBytes = 201
        self.refuses = True
        self.tries = 0
        self.rotator = self.try_to_rename

    def try_to_rename(self, source, target):
        if os.path.basename(source) == LOG:
            self.tries += 1
            if self.refuses:
                raise PermissionError(13, "The process cannot access the file", source)
        os.rename(source, target)

    def write(self, *texts):
        for text in texts:
            self.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(handlers, "STUCK_BYTES", 300)
    log = Rotated(tmp_path)
    yield log
    log.close()


def lines(folder, name=LOG):
    return (folder / name).read_text(encoding="utf-8").splitlines()


def test_a_log_that_another_process_rotated_or_removed_is_written_under_its_name(tmp_path, log):
    log.write("one", "two")
    os.rename(tmp_path / LOG, tmp_path / f"{LOG}.1")
    log.write("three")
    assert (lines(tmp_path, f"{LOG}.1"), lines(tmp_path)) == (["one", "two"], ["three"])
    os.remove(tmp_path / LOG)
    log.write("four", "five")
    assert lines(tmp_path) == ["four", "five"]


def test_a_log_that_cannot_be_rotated_is_tried_again_once_it_has_grown(tmp_path, log):
    line = "x" * 49
    log.write(*[line] * 4)
    assert log.tries == 0
    log.write(line)
    assert log.tries == 1
    log.write(*[line] * 5)
    assert log.tries == 1
    log.write(line)
    assert log.tries == 2
    log.refuses = False
    log.write(*[line] * 6)
    assert log.tries == 3
    assert (len(lines(tmp_path, f"{LOG}.1")), len(lines(tmp_path))) == (16, 1)
    log.write(*[line] * 4)
    assert log.tries == 4
    assert read_trouble(str(tmp_path)) is None


def test_a_log_that_is_gone_while_it_could_not_be_rotated(tmp_path, log):
    log.write(*["x" * 49] * 5)
    assert log.tries == 1
    os.remove(tmp_path / LOG)
    log.write("on")
    assert (lines(tmp_path), log.tries) == (["on"], 1)
    assert read_trouble(str(tmp_path)) is None


def test_a_log_that_goes_while_it_is_rotated_is_rotated_later(tmp_path, log):
    def lose(source, _target):
        os.remove(source)
        raise PermissionError(13, "The process cannot access the file", source)

    log.rotator = lose
    log.write(*["x" * 49] * 5)
    log.rotator = log.try_to_rename
    log.refuses = False
    log.write(*["y" * 49] * 4)
    assert (len(lines(tmp_path)), len(lines(tmp_path, f"{LOG}.1"))) == (1, 4)


def test_letters_that_no_encoding_has_are_replaced(tmp_path):
    logs = Logs(None)
    logs.keep(str(tmp_path))
    logs.logger.info("“Quay \ud800”")
    logs.close()
    (line,) = lines(tmp_path)
    assert line.endswith(" info    “Quay ?”")
    assert read_trouble(str(tmp_path)) is None
