"""Each reader of a stored value at its edges, the words of texts, and stamps of the code."""

from __future__ import annotations

import os
import sys
from importlib.machinery import FileFinder

import pytest

from stash2plex import bytecode
from stash2plex.codestamp import read_stamp
from stash2plex.model import Field
from stash2plex.settingvalues import (
    PartlyUsable,
    choice_of,
    number_from,
    read_fields,
    read_flag,
    read_text,
    read_token,
    read_url,
    whole_from,
)
from stash2plex.text import Private, count, moment, span, utc

BAD = (ValueError, TypeError)
WORD = choice_of("auto", "off")
WHOLE, NUMBER = whole_from(-1, 3), number_from(0.5, 3)


@pytest.mark.parametrize(
    ("read", "value", "meaning"),
    [
        (read_text, " a pier ", "a pier"),
        (read_text, 7, "7"),
        (read_text, 7.5, "7.5"),
        (read_text, "", ""),
        (read_flag, True, True),
        (read_flag, False, False),
        (read_flag, " TRUE ", True),
        (read_flag, "1", True),
        (read_flag, "False", False),
        (read_flag, " 0 ", False),
        (NUMBER, 0.5, 0.5),
        (NUMBER, 3, 3.0),
        (NUMBER, " 1e0 ", 1.0),
        (WHOLE, -1, -1),
        (WHOLE, "3", 3),
        (WHOLE, 2.0, 2),
        (WORD, " AUTO", "auto"),
        (WORD, "off", "off"),
        (read_fields, "title; Studio，summary", {Field.TITLE, Field.STUDIO, Field.SUMMARY}),
        (read_fields, "“title”", {Field.TITLE}),
        (read_fields, "", set()),
        (read_url, " https://plex:1/ ", "https://plex:1"),
        (read_url, "http://plex//", "http://plex"),
        (read_url, "http://[::1]:32400", "http://[::1]:32400"),
        (read_url, "http://plex:65535/x", "http://plex:65535/x"),
        (read_token, " !~ ", "!~"),
        (read_token, "a" * 2_048, "a" * 2_048),
        (read_token, 7, "7"),
    ],
)  # fmt: skip
def test_what_a_stored_value_means(read, value, meaning):
    assert read(value) == meaning


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (read_text, [True, False, None, [], {}]),
        (read_flag, [1, 0, None, "", "yes", [], 1.0]),
        (NUMBER, [True, None, "", "x", [], 0.49, 3.01, "nan", float("nan"), float("inf")]),
        (WHOLE, [True, False, None, -2, 4, 0.5, "1.5", "nan"]),
        (WORD, ["on", "", True, None, "auto off"]),
        (read_fields, [None, True, []]),
        (read_url, [
            "", "plex", "ftp://plex", "http://", "http://:1", "http://plex:0", "http://plex:-1",
            "http://plex:65536", "http://plex:x", "http://plex?a=1", "http://plex#a", "http://plex/?",
            "http://plex#",
            "http://me@plex", "http://:secret@plex", "http://pl ex", "http://plex/a b",
            "http://plex/a\x01", None, True,
        ]),
        (read_token, ["", "a b", "caf\u00e9", "a\x7f", "a" * 2_049, None, True]),
    ],
)  # fmt: skip
def test_what_means_nothing(read, values):
    for value in values:
        with pytest.raises(BAD):
            read(value)


def test_words_that_name_no_field_are_named_and_the_rest_is_used():
    with pytest.raises(PartlyUsable) as failure:
        read_fields("title, Pier; studio 'quay'")
    assert failure.value.value == {Field.TITLE, Field.STUDIO}
    assert str(failure.value) == "“Pier”, “'quay'”"


# -- texts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (60, "1 min 00 s"),
        (599, "9 min 59 s"), (600, "10 min"), (629, "10 min"), (631, "11 min"), (3_599, "60 min"),
        (3_600, "1 h 00 min"), (3_660, "1 h 01 min"), (172_799, "47 h 59 min"),
        (172_800, "2 d 00 h"), (176_400, "2 d 01 h"), (900_000, "10 d 10 h"),
    ],
)  # fmt: skip
def test_a_length_of_time_in_words(seconds, words):
    assert span(seconds) == words


def test_moments_numbers_and_private_texts():
    assert utc(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert moment("2023-11-14T22:13:20Z") == 1_700_000_000.0
    assert [count(number, "pier") for number in (0, 1, 2, 1_000)] == [
        "0 piers", "1 pier", "2 piers", "1,000 piers",
    ]  # fmt: skip
    quay, pier = Private("Quay"), Private("Pier")
    assert (str(quay), repr(quay)) == ("“Quay”", "Private('Quay')")
    assert (quay == Private("Quay"), quay == pier, quay == "Quay") == (True, False, False)
    assert len({quay, pier, Private("Quay")}) == 2


# -- the code -----------------------------------------------------------------------------


def test_the_stamp_of_the_code_changes_with_any_file(tmp_path):
    package = tmp_path / "stash2plex"
    inner = package / "quay"
    (package / "__pycache__").mkdir(parents=True)
    inner.mkdir()
    assert read_stamp(str(tmp_path)) is None
    for path, text in ((package / "version.py", "v"), (inner / "a.py", "aa"), (inner / "b.py", "")):
        path.write_text(text)
        os.utime(path, ns=(0, 1_000 + len(text)))
    (package / "__pycache__" / "x.pyc").write_text("compiled")
    assert read_stamp(str(tmp_path)) == (1_002, 3, 3)
    os.utime(inner / "b.py", ns=(0, 5_000))
    assert read_stamp(str(tmp_path)) == (5_000, 3, 3)
    (inner / "b.py").unlink()
    assert read_stamp(str(tmp_path)) == (1_002, 2, 3)
    (inner / "c.py").symlink_to(inner / "nowhere.py")
    assert read_stamp(str(tmp_path)) is None


@pytest.fixture
def hooks(monkeypatch):
    """Give Python's import system of this process, which is put back afterwards."""
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    monkeypatch.setattr(sys, "path_importer_cache", dict(sys.path_importer_cache))
    monkeypatch.setattr(sys, "pycache_prefix", "/before")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return sys.path_hooks


def load(plugin, name="lantern"):
    """Import a module below the plugin's folder, and return what its name is."""
    finder = sys.path_hooks[0](str(plugin))
    assert isinstance(finder, FileFinder)
    spec = finder.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    code = spec.loader.get_code(name)  # type: ignore[attr-defined]  # a source loader
    values: dict[str, object] = {}
    exec(code, values)
    return values["LAMP"]


def compiled(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_compiled_files_are_kept_in_the_data_folder_and_for_their_user_alone(tmp_path, hooks):
    plugin, usual, data = (tmp_path / name for name in ("plugin", "usual", "data"))
    plugin.mkdir()
    (plugin / "lantern.py").write_text("LAMP = 7\n")
    number = len(hooks)
    bytecode.keep_in(str(data), str(plugin))
    assert len(hooks) == number
    bytecode.start(str(plugin), str(usual / "bytecode"))
    assert (sys.pycache_prefix, sys.dont_write_bytecode) == (
        None, bool(sys.flags.dont_write_bytecode),
    )  # fmt: skip
    sys.dont_write_bytecode = False
    assert load(plugin) == 7
    assert (compiled(tmp_path), sys.pycache_prefix) == ([plugin / "lantern.py"], None)
    sys.path_importer_cache[str(plugin / "a")] = None
    sys.path_importer_cache[str(tmp_path)] = None
    bytecode.keep_in(str(data), str(plugin))
    assert len(hooks) == number + 1
    assert str(plugin / "a") not in sys.path_importer_cache
    assert str(tmp_path) in sys.path_importer_cache
    assert load(plugin) == 7
    (kept,) = compiled(data)
    assert kept.name.startswith("lantern.")
    assert kept.stat().st_mode & 0o077 == 0
    first = hooks[0]
    bytecode.keep_in(str(data), str(plugin))
    assert hooks[0] is first
    with pytest.raises(ImportError):
        first(str(tmp_path / "plugins"))
    with pytest.raises(ImportError):
        first(str(tmp_path))


@pytest.mark.parametrize("ours", [True, False])
def test_compiled_files_of_another_user_are_not_used(tmp_path, hooks, monkeypatch, ours):
    plugin, folder = tmp_path / "plugin", tmp_path / "compiled"
    plugin.mkdir()
    folder.mkdir()
    (plugin / "lantern.py").write_text("LAMP = 7\n")
    owner = os.stat(folder).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner if ours else owner + 1)
    bytecode.start(str(plugin), str(folder))
    sys.dont_write_bytecode = False
    assert load(plugin) == 7
    assert bool(compiled(folder)) is ours
