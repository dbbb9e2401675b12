"""What is hidden stays hidden, the same every time, and our own words stay readable."""

from __future__ import annotations

import ast
import logging
import os
import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import stash2plex
from stash2plex.config import SPECS
from stash2plex.logs.handlers import FileFormatter, Redactor, StashFormatter
from stash2plex.logs.redact import OURS, Pseudonyms, split_quotes
from stash2plex.tasks.registry import TASKS
from stash2plex.text import Private

PSEUDONYMS = Pseudonyms(b"a key of sixteen")
FOLDER = os.path.dirname(stash2plex.__file__)

WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="“”\\/"), min_size=4
)
TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=6).map(
    lambda text: f"Zq{text}Zq"
)


@given(TITLES)
@example("Zqpier 1/2.Zq")
def test_a_title_in_quotes_never_shows_whatever_it_holds(title):
    shown = PSEUDONYMS.text(f"scene:5: “{title}” is not in Plex yet.")
    assert title not in shown
    assert "Zq" not in shown
    assert shown.startswith("scene:5: “")


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_parts_of_a_path_have_their_own_alias_and_nothing_of_them_shows(parts):
    path = "/" + "/".join(parts)
    shown = PSEUDONYMS.path(path)
    assert shown.count("/") == len(parts)
    assert shown == PSEUDONYMS.path(path)
    pieces = shown.split("/")[1:]
    for part, piece in zip(parts[:-1], pieces[:-1], strict=True):
        assert re.fullmatch("[0-9a-f]{8}", piece)
        assert piece == PSEUDONYMS.path(f"/{part}/x").split("/")[1]


def test_the_same_path_under_two_roots_is_seen_to_be_the_same():
    ours = PSEUDONYMS.path("/data/harbour/at dawn.mp4").split("/")
    theirs = PSEUDONYMS.path("D:\\media\\harbour\\at dawn.mp4").split("\\")
    assert ours[-2:] == theirs[-2:]
    assert ours[1] != theirs[1]
    assert ours[-1].endswith(".mp4")
    # The same film in another format has the same alias, but for its ending.
    other = PSEUDONYMS.path("/data/harbour/at dawn.mkv").split("/")
    assert other[-1] == ours[-1].replace(".mp4", ".mkv")


def test_another_key_gives_another_alias():
    assert Pseudonyms(b"x").name("A pier") != Pseudonyms(b"y").name("A pier")
    assert PSEUDONYMS.name("café") == PSEUDONYMS.name("cafe\u0301")


@pytest.mark.parametrize(
    "message",
    [
        "“SECRET one” fits 2 Plex items by the name: “/SECRET/a.mp4”, “/SECRET/b.mp4”.",
        "“/home/SECRET Doe/stash2plex.db” cannot be used: disk I/O error.",
        "Cannot open /home/SECRET/file.mp4, sorry.",
        "Cannot open C:\\Users\\SECRET\\file.mp4.",
        "Cannot open \\\\SECRET\\share.",
        "Plex at http://SECRET.example:32400/SECRET refuses the connection.",
        "Setting plex_library is 'SECRET films'; allowed: names.",
        'KeyError: "SECRET"',
        "“a ” SECRET ” b” has moved.",
        "“a “ SECRET has moved.",
        "No “ SECRET",
        "“Quay “SECRET” at dawn” has moved.",
        'File "/home/SECRET/plugins/x/stash2plex/sync/worker.py", line 5, in run',
    ],
)
def test_what_messages_hold_is_hidden(message):
    assert "SECRET" not in PSEUDONYMS.text(message)


@pytest.mark.parametrize(
    "message",
    [
        "Press “Process Queue”, or set it to auto; the server's owner, Plex's token.",
        "scene:12: matched by the whole path: title, tags, and/or studio at 12:30:05.",
        "Plex at http://127.0.0.1:32400 refuses the connection. Is it running, is the port right?",
        "3 scenes in sync after 1 min 02 s, 25.1/s.",
        "“limit” is 7; allowed: 1 to 5.",
        "“offset” is 7; “days” is 7; “max_wait” is 7.",
        "Run “stash2plex import-legacy” with that folder; or “import_legacy”.",
        "Run “stash2plex sync”, then “stash2plex reconcile”; “worker.log” shows why.",
        "Nothing is running; “stash2plex undo --left-out” puts that back.",
        "Stash has not read “Stash2Plex Hooks”: press “Reload plugins”.",
    ],
)
def test_our_own_words_stay(message):
    assert PSEUDONYMS.text(message) == message


def test_a_trace_still_says_where():
    line = 'File "/home/jane/plugins/x/stash2plex/sync/worker.py", line 5, in run'
    assert PSEUDONYMS.text(line) == "File stash2plex/sync/worker.py, line 5, in run"


@given(st.text(st.sampled_from("a“” "), max_size=12))
def test_splitting_loses_no_letter(text):
    parts = split_quotes(text)
    assert [letter for part, _ in parts for letter in part if letter not in "“”"] == [
        letter for letter in text if letter not in "“”"
    ]
    assert not any(mark in part for part, quoted in parts if not quoted for mark in "“”")


def test_every_word_in_quotes_of_our_messages_is_known():
    found = set()
    for folder, _, names in os.walk(FOLDER):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found |= quoted_words(ast.parse(file.read()))
    assert found <= OURS
    tasks = {task.button for task in TASKS if task.button}
    entries = {"Other videos", "Queue them", "Reload plugins", "Stash2Plex", "Stash2Plex Hooks"}
    assert entries <= {word for word in OURS if word[0].isupper()} == tasks | entries
    assert not OURS & {spec.key for spec in SPECS}


def quoted_words(tree):
    """Collect what stands in “ ” in texts of the code, but for docstrings and the patterns here."""
    quiet = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    } | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet
        for word in re.findall(r"“([\w .]+)”", node.value)
    }


def test_a_trace_goes_through_the_curtain_too():
    redactor = Redactor()
    redactor.enable(b"key")
    try:
        dict[str, str]()["Secret pier"]
    except KeyError:
        trace = sys.exc_info()
    record = logging.LogRecord("x", 40, "", 0, "A fault with “%s”:", ("Secret",), trace)
    for formatter in (FileFormatter(redactor), StashFormatter(redactor)):
        shown = formatter.format(record)
        assert "Secret" not in shown
        assert "KeyError" in shown
    redactor.enable(None)
    assert "Secret pier" in FileFormatter(redactor).format(record)


def logged(text, *args):
    """Give a record as `logger.info(text, *args)` makes it."""
    return logging.LogRecord("x", 20, "", 0, text, args, None)


@given(TITLES)
@example("Zqdays")
@example("days")
@example("Zq” and “Zq")
def test_what_is_private_by_its_argument_is_hidden_whatever_it_holds(title):
    redactor = Redactor()
    record = logged(
        "The cover of %s was not sent: %s", Private(title), "status “7” of “worker.log”"
    )
    assert redactor.message(record) == (
        f"The cover of “{title}” was not sent: status “7” of “worker.log”"
    )
    redactor.enable(b"a key of sixteen")
    assert redactor.message(record) == (
        f"The cover of {PSEUDONYMS.private(title)} was not sent: "
        f"status “{PSEUDONYMS.name('7')}” of “worker.log”"
    )
    assert title not in redactor.message(record)
    # The net of sentences gives a whole title the same alias.
    if not set("“”") & set(title) and title != "days":
        assert PSEUDONYMS.text(f"“{title}”") == PSEUDONYMS.private(title)


def test_what_a_server_sends_is_never_taken_for_a_mark_of_ours():
    redactor = Redactor()
    redactor.enable(b"a key of sixteen")
    shown = redactor.message(
        logged("%s of %s: %s", 3, Private("A pier"), "\x010\x01 \x009\x00 \x017\x01")
    )
    name = PSEUDONYMS.private("A pier")
    assert shown == f"3 of {name}: {name} 9 "


def test_a_record_without_arguments_or_with_named_ones_is_searched_as_a_whole():
    redactor = Redactor()
    redactor.enable(b"a key of sixteen")
    assert redactor.message(logged("100 % of “A pier”")) == PSEUDONYMS.text("100 % of “A pier”")
    assert "pier" not in redactor.message(logged("%(title)s", {"title": "“A pier”"}))


def test_of_quotes_that_do_not_come_in_pairs_all_between_the_first_and_the_last_is_one():
    assert split_quotes("Saw “A “pier” today.") == [
        ("Saw ", False), ("A “pier", True), (" today.", False),
    ]  # fmt: skip
    assert split_quotes("Saw “A pier") == [("Saw ", False), ("A pier", True), ("", False)]


def test_an_address_that_was_hidden_stays_the_same_when_it_is_hidden_again():
    shown = PSEUDONYMS.text("Plex answers at https://quay.example:32400/films/pier.mp4 with 500.")
    assert "quay" not in shown
    assert "pier" not in shown
    assert PSEUDONYMS.text(shown) == shown
    near = PSEUDONYMS.text("Stash is at http://127.0.0.1:9999/films.")
    assert PSEUDONYMS.text(near) == near


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
