"""What the client of Stash asks for page by page, and answers that do not fit the question."""

from __future__ import annotations

import json

import pytest

from stash2plex.errors import Transient
from stash2plex.servers.stash import PAGE, Stash, picture_type
from stash2plex.servers.transport import Reply, Transport


class Canned(Transport):
    """Gives the answers of a test, one after the other, then the last again; keeps questions."""

    def __init__(self, *answers):
        super().__init__("Stash", "http://stash", headers={}, connect_timeout=1, read_timeout=1)
        self.answers = list(answers)
        self.asked = []

    def request(self, method, path, *, body=None, **_):
        self.asked.append(json.loads(body)["variables"])
        data = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Reply(200, {}, json.dumps({"data": data}).encode())


def scene(id_, **values):
    return {
        "id": str(id_),
        "updated_at": "2026-01-01T00:00:00Z",
        "organized": False,
        "files": [],
        "performers": [],
        "tags": [],
        "groups": [],
        "paths": {},
        **values,
    }


def found(*ids):
    return {"findScenes": {"scenes": [scene(id_) for id_ in ids]}}


def client(*answers):
    transport = Canned(*answers)
    return Stash(transport), transport


@pytest.mark.parametrize(
    "ids", [(5,), (4, 6), (7, 6), range(6, 6 + PAGE + 1)], ids=["old", "below", "mixed", "many"]
)
def test_a_page_of_other_scenes_than_were_asked_for_is_refused(ids):
    stash, _ = client(found(*ids))
    with pytest.raises(Transient, match="not asked for"):
        stash.scene_page(5)


def test_pages_go_on_above_the_last_id_until_one_is_not_full():
    full = range(3, 3 + PAGE)
    stash, transport = client(found(*full), found(5000))
    pages = list(stash.all_scenes())
    assert [len(page.scenes) for page in pages] == [PAGE, 1]
    after = [one["criteria"]["id"]["value"] for one in transport.asked]
    assert after == [0, full[-1]]


def test_ids_go_on_above_the_last_one_and_never_back():
    full = range(3, 3 + PAGE)
    stash, transport = client(found(*full), found(5000))
    assert [len(page) for page in stash.scene_ids({"organized": True})] == [PAGE, 1]
    assert [one["criteria"]["id"]["value"] for one in transport.asked] == [0, full[-1]]
    assert all(one["criteria"]["organized"] for one in transport.asked)
    stash, _ = client(found(*full), found(full[-1]))
    with pytest.raises(Transient, match="not asked for"):
        list(stash.scene_ids())


def test_another_scene_than_was_asked_for_is_refused_and_a_missing_one_is_gone():
    stash, _ = client({"s4": scene(4), "s5": None})
    assert list(stash.scenes([4, 5])) == [4]
    stash, _ = client({"s4": scene(5), "s6": scene(6)})
    found_others = stash.scenes([4, 6])
    assert list(found_others) == [6]
    assert "scene 5 for scene 4" in found_others.unreadable[4].what
    stash, transport = client()
    assert (stash.scenes([]), transport.asked) == ({}, [])


@pytest.mark.parametrize(
    ("newest", "start"),
    [
        ("2026-07-01T12:00:00+02:00", "1970-01-12T14:46:40"),
        ("2026-07-01T12:00:00Z", "1970-01-12T12:46:40"),
        ("2026-07-01T12:00:00", "1970-01-12T12:46:40"),
    ],
)
def test_what_changed_since_is_asked_for_in_stashs_own_time_an_hour_early(newest, start):
    stash, transport = client(
        {"findScenes": {"scenes": [{"updated_at": newest}]}}, found(4, 9), found()
    )
    assert list(stash.scene_ids_changed_since(1_000_000.0)) == [[4, 9]]
    assert transport.asked[1]["criteria"]["updated_at"] == {
        "value": start, "modifier": "GREATER_THAN",
    }  # fmt: skip


def test_nothing_changed_in_an_empty_stash_and_a_time_that_is_none_is_refused():
    stash, transport = client(found())
    assert list(stash.scene_ids_changed_since(1_000_000.0)) == []
    assert len(transport.asked) == 1
    stash, _ = client({"findScenes": {"scenes": [{"updated_at": "noon"}]}})
    with pytest.raises(Transient, match="cannot be read: 'noon'") as raised:
        list(stash.scene_ids_changed_since(1_000_000.0))
    assert raised.value.server == "Stash"


@pytest.mark.parametrize("answer", [{}, {"findScenes": None}, {"findScenes": {"scenes": 5}}])
def test_an_answer_without_its_rows_is_refused(answer):
    for ask in (lambda stash: stash.scene_page(0), lambda stash: list(stash.scene_ids())):
        with pytest.raises(Transient, match="Stash's answer has no"):
            ask(client(answer)[0])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", ""),
        (b"XXXX\x00\x00\x00\x00WEBP", ""),
        (b"<svg", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(data, kind):
    assert picture_type(data) == kind
