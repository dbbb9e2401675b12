"""What stands in Stash's log, on a terminal and in worker.log, line by line; and how it hides."""

from __future__ import annotations

import io
import logging
import os
import re
from datetime import datetime

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.logs.handlers import ASKED_FOR, Logs, Redactor, SharedFile, StashFormatter, plain
from stash2plex.logs.redact import Pseudonyms, split_quotes
from stash2plex.start_trouble import Trouble, read_trouble

KEY = b"lantern"


def write_all(logs):
    for level, word in (
        (logging.DEBUG, "one"), (logging.INFO, "two"), (logging.WARNING, "three"),
        (logging.ERROR, "four"),
    ):  # fmt: skip
        logs.logger.log(level, "Lamp %s.", word)


def log_fault(logs):
    try:
        empty: dict[str, str] = {}
        empty["lamp"]
    except KeyError as error:
        logs.logger.error("A fault:", exc_info=error)


def test_each_level_has_its_letter_in_the_log_of_stash():
    shown = io.StringIO()
    write_all(Logs(shown))
    assert shown.getvalue() == ("\x01i\x02Lamp two.\n\x01w\x02Lamp three.\n\x01e\x02Lamp four.\n")
    shown = io.StringIO()
    write_all(Logs(shown, debug=True))
    assert shown.getvalue().startswith("\x01d\x02Lamp one.\n\x01i\x02Lamp two.\n")


def test_a_fault_has_a_line_for_each_line_of_its_trace():
    shown = io.StringIO()
    logs = Logs(shown)
    log_fault(logs)
    first, *lines = shown.getvalue().splitlines()
    assert first == "\x01e\x02A fault:"
    assert lines[0] == "\x01e\x02Traceback (most recent call last):"
    assert lines[-1] == "\x01e\x02KeyError: 'lamp'"
    assert all(line.startswith("\x01e\x02") for line in lines)


def test_a_line_on_a_terminal_has_time_level_and_text():
    shown = io.StringIO()
    logs = Logs(shown, for_stash=False, debug=True)
    write_all(logs)
    log_fault(logs)
    lines = shown.getvalue().splitlines()
    assert [line[20:] for line in lines[:5]] == [
        "debug   Lamp one.",
        "info    Lamp two.",
        "warning Lamp three.",
        "error   Lamp four.",
        "error   A fault:",
    ]
    for line in lines[:5]:
        datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - it is local
    assert (lines[5], lines[-1]) == (
        "    Traceback (most recent call last):", "    KeyError: 'lamp'",
    )  # fmt: skip


def test_three_lines_of_a_kind_are_shown_and_the_rest_counted_at_the_end():
    shown = io.StringIO()
    logs = Logs(shown)
    for number in range(5):
        logs.logger.warning("“Pier %d” took %d:%d.", number, number, number)
        logs.logger.info("“Pier %d” took %d:%d.", number, number, number)
    for _ in range(4):
        logs.logger.info("Quay.")
        logs.logger.info("Asked.", extra={ASKED_FOR: True})
    logs.logger.info("Once.")
    assert shown.getvalue().count("\n") == 3 + 3 + 3 + 4 + 1
    shown.seek(0)
    shown.truncate()
    logs.close()
    assert shown.getvalue().splitlines() == [
        "\x01w\x022 more lines like this, in “worker.log”: “Pier 0” took 0:0.",
        "\x01i\x022 more lines like this, in “worker.log”: “Pier 0” took 0:0.",
        "\x01i\x021 more line like this, in “worker.log”: Quay.",
    ]
    # It starts over.
    shown.seek(0)
    shown.truncate()
    logs.close()
    assert shown.getvalue() == ""


@pytest.mark.parametrize("shows", [True, False])
def test_a_service_and_a_debugging_user_see_every_line(shows):
    shown = io.StringIO()
    logs = Logs(shown, debug=shows)
    if not shows:
        logs.show_every_line()
    for _ in range(5):
        logs.logger.warning("Quay.")
    logs.close()
    assert shown.getvalue() == "\x01w\x02Quay.\n" * 5


def test_worker_log_follows_the_setting_and_only_its_user_reads_it(tmp_path):
    logs = Logs(None)
    logs.use(Settings())
    logs.keep(str(tmp_path))
    write_all(logs)
    logs.use(evolve(Settings(), debug_logging=True))
    logs.logger.debug("Shown.")
    logs.use(Settings())
    logs.logger.debug("Hidden.")
    logs.close()
    logs.logger.error("After the end.")
    path = tmp_path / "worker.log"
    assert [line[20:] for line in path.read_text().splitlines()] == [
        "info    Lamp two.", "warning Lamp three.", "error   Lamp four.", "debug   Shown.",
    ]  # fmt: skip
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    debugging = Logs(None, debug=True)
    debugging.keep(str(tmp_path / "."))
    debugging.use(Settings())
    debugging.logger.debug("Debugged.")
    debugging.close()
    assert path.read_text().splitlines()[-1][20:] == "debug   Debugged."


@pytest.mark.skipif(os.name != "posix", reason="Windows words it differently")
def test_a_log_that_cannot_be_written_is_reported_once_and_kept_as_a_trouble(tmp_path, capsys):
    (tmp_path / "worker.log").mkdir()
    file = SharedFile(str(tmp_path))
    for _ in range(2):
        file.handle(logging.makeLogRecord({"msg": "Lamp."}))
    path = tmp_path / "worker.log"
    assert re.fullmatch(
        r"worker\.log cannot be written: \[Errno \d+\] Is a directory: .*\n",
        capsys.readouterr().err,
    )
    assert read_trouble(str(tmp_path)) == Trouble(
        f"The log “{path}” cannot be written: Is a directory.",
        "Free some disk space, or give the file to the user that runs Stash.",
    )


def test_control_characters_leave_one_space():
    assert plain("a\x00\x1b[1m\r\nb\u2028\u202ec\x7fd\x9fe") == "a [1m b c d e"
    assert plain("a\x1f\x20b\xa0c") == "a  b\xa0c"


# -- hiding -------------------------------------------------------------------------------


def hidden(text):
    return Pseudonyms(KEY).text(text)


def name(text):
    return Pseudonyms(KEY).name(text)


def path(text):
    return Pseudonyms(KEY).path(text)


def test_what_is_hidden_and_what_stays():
    pier = path("/data/pier.mp4")
    assert re.fullmatch(r"/[0-9a-f]{8}/[0-9a-f]{8}\.mp4", pier)
    assert re.fullmatch(r"name-[0-9a-f]{8}", name("Pier"))
    host = Pseudonyms(KEY).text("http://quay.example:1/a")
    assert re.fullmatch(r"http://host-[0-9a-f]{8}:1/[0-9a-f]{8}", host)
    windows = path(r"C:\data\pier.mp4")
    for text, shown in {
        "“Pier” is not in Plex.": f"“{name('Pier')}” is not in Plex.",
        "“/data/pier.mp4” is gone.": f"“{pier}” is gone.",
        "See /data/pier.mp4.": f"See {pier}.",
        "See “Process Queue” or “worker.log”.": "See “Process Queue” or “worker.log”.",
        "There is no mode 'fog'.": f"There is no mode “{name('fog')}”.",
        'It answers "no".': f"It answers “{name('no')}”.",
        "It isn't 'x' nor 'its'.": f"It isn't 'x' nor “{name('its')}”.",
        "At http://127.0.0.1:9/ it is.": "At http://127.0.0.1:9/ it is.",
        "At http://[::1]:9 it is.": "At http://[::1]:9 it is.",
        "At http://localhost it is.": "At http://localhost it is.",
        "At http://quay.example:1/a.": f"At {host}.",
        "At http://QUAY.example:1/a!": f"At {host}!",
        "“http://quay.example:1/a” answers.": f"“{host}” answers.",
        'File "/a/b/stash2plex/app.py", line 1': "File stash2plex/app.py, line 1",
        "3/4 of it, 1/2.": "3/4 of it, 1/2.",
        r"See C:\data\pier.mp4 now.": f"See {windows} now.",
    }.items():
        assert hidden(text) == shown
        # What was hidden stays as it is, but for the path of an address.
        assert host in shown or hidden(shown) == shown


def test_a_path_keeps_separators_and_a_known_extension():
    assert path("/data/pier.mp4").split("/")[1] == path("/data/quay.mkv").split("/")[1]
    assert re.fullmatch(r"/[0-9a-f]{8}/[0-9a-f]{8}", path("/a.mp4/b.fog"))
    assert re.fullmatch(r"C:\\[0-9a-f]{8}\\[0-9a-f]{8}\.MKV", path("C:\\a\\b.MKV"))
    assert re.fullmatch(r"\\\\[0-9a-f]{8}\\[0-9a-f]{8}", path(r"\\quay\b"))
    assert re.fullmatch(r"[0-9a-f]{8}", path(".mp4"))
    assert path("") == ""
    # Two spellings of one letter are the same name.
    assert name("e\u0301") == name("\u00e9")
    assert Pseudonyms(b"other").name("Pier") != name("Pier")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", [("a", False)]),
        ("a “b” c", [("a ", False), ("b", True), (" c", False)]),
        ("“b”", [("b", True)]),
        ("“b”“c” d", [("b", True), ("c", True), (" d", False)]),
        ("“b “c” d” e", [("b “c” d", True), (" e", False)]),
        ("a ”b“ c", [("a ", False), ("b“ c", True), ("", False)]),
        ("a “b ”c” d", [("a ", False), ("b ”c", True), (" d", False)]),
        ("a “b “c” d", [("a ", False), ("b “c", True), (" d", False)]),
        ("a “b", [("a ", False), ("b", True), ("", False)]),
    ],
)
def test_how_a_message_is_split(text, parts):
    assert split_quotes(text) == parts


def test_a_redactor_hides_only_while_it_is_enabled():
    redactor = Redactor()
    assert (redactor("“Pier”"), redactor.value("Pier")) == ("“Pier”", "Pier")
    redactor.enable(KEY)
    assert (redactor("“Pier”"), redactor.value("Pier"), redactor.value("")) == (
        f"“{name('Pier')}”", name("Pier"), "",
    )  # fmt: skip
    formatter = StashFormatter(redactor)
    record = logging.makeLogRecord({"msg": "“Pier” %d", "args": (3,), "levelno": 30})
    assert formatter.format(record) == f"\x01w\x02“{name('Pier')}” 3"
    redactor.enable(None)
    assert redactor("“Pier”") == "“Pier”"
