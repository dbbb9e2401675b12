"""Stash names files in UTF-8: the data are in one folder under every locale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

DEFINITIONS = (("de_DE", "ISO-8859-1"), ("ja_JP", "EUC-JP"))


@pytest.fixture(scope="session")
def locales(tmp_path_factory):
    """Make locales of other encodings, where the system brings what they are made of."""
    if not shutil.which("localedef") or not os.path.isdir("/usr/share/i18n/locales"):
        pytest.skip("the system has no localedef or no definitions (Debian: locales)")
    folder = tmp_path_factory.mktemp("locales")
    for name, charmap in DEFINITIONS:
        subprocess.run(
            ["localedef", "-c", "-i", name, "-f", charmap, str(folder / f"{name}.{charmap}")],
            check=False,
            capture_output=True,
        )
    return str(folder)


@pytest.mark.parametrize("locale", [f"{name}.{charmap}" for name, charmap in DEFINITIONS])
@pytest.mark.parametrize("name", ["Größe é", "灯り"])
def test_a_save_and_the_command_line_use_the_folder_that_stash_names(
    make_stage, monkeypatch, tmp_path, locales, locale, name
):
    monkeypatch.setenv("LOCPATH", locales)
    monkeypatch.setenv("LC_ALL", locale)
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.getfilesystemencoding())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() != "utf-8", "the locale was not made"
    stage = make_stage(2, folder_name=name)
    stage.edit(1, title="The lantern")
    stage.until(lambda: "The lantern" in [item.title for item in stage.plex.all_items()])
    stage.until(lambda: stage.rows("SELECT count(*) FROM queue") == [(0,)])
    done = subprocess.run(
        [
            sys.executable,
            # Under EUC, Python itself opens no script in a folder whose name the locale lacks.
            *(["-Xutf8"] if "EUC" in locale else []),
            "process_queue.py",
            "status",
        ],
        cwd=os.path.join(stage.stash.plugins_dir, "Stash2Plex"),
        env={**os.environ, "STASH2PLEX_STASH_URL": stage.stash.url},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"In sync: 1 scene" in done.stdout
    # Nothing was put beside it under another spelling.
    assert os.listdir(os.fsencode(tmp_path)) == [f"{name}0".encode()]
