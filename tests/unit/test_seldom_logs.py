"""worker.log beside another process that rotates or removes it, and odd texts in it."""

from __future__ import annotations

import logging
import os

import pytest

from stash2plex.logs import handlers
from stash2plex.logs.handlers import Logs, SharedFile
from stash2plex.logs.redact import Pseudonyms
from stash2plex.start_trouble import read_trouble

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


@pytest.mark.parametrize(
    "text",
    [
        "http://quay.example/go?to=http://pier.example/secret",
        "“http://quay.example/go?to=http://pier.example/secret”",
    ],
)
def test_an_address_inside_an_address_is_hidden_too(text):
    shown = Pseudonyms(b"lantern").text(text)
    assert "://host-" in shown
    assert not any(word in shown for word in ("quay", "pier", "secret"))
