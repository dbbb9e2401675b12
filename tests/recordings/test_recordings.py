"""What real servers answered, read by the reader that the product has for it.

An answer of another kind than 200 is refused with a sentence. Those for which there is no reader
are named in `NO_READER`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stash2plex.errors import Refused, ServerError, Unavailable
from stash2plex.model import Field
from stash2plex.namelist import NameList
from stash2plex.rules.libraries import choose_sections
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.transport import Transport
from stash2plex_testing.plex import FakePlex, Fault

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "fixtures" / "plex"

NO_READER = {
    "homeassistant/library_sections.xml": "XML: JSON is asked for",
    "plex-api.rs/metadata_index.json": "plex.tv's own metadata provider",
    "plex-api.rs/myplex_api_v2_pins_linked.json": "plex.tv: read in tests/page/test_sign_in.py",
    "plex-api.rs/myplex_api_v2_pins_new.json": "plex.tv: read in tests/page/test_sign_in.py",
    "plex-api.rs/myplex_api_v2_resources.json": "plex.tv: read in tests/page/test_sign_in.py",
    "plex-api.rs/server_media_metadata_168.json": "a playlist, which is in no library",
    "plex-api.rs/server_media_providers_free.json": "/media/providers",
    "plex-api.rs/server_media_providers_plexpass.json": "/media/providers",
    "plex-api.rs/server_media_providers_unclaimed.json": "/media/providers",
    "plex-api.rs/server_prefs.json": "preferences",
    "watchstate/plex_data.json#library_head_200": "HEAD",
    "watchstate/plex_data.json#library_head_401": "HEAD",
    "watchstate/plex_data.json#playlist_get_200": "a playlist",
    "watchstate/plex_data.json#playlist_items_get_200": "a playlist",
    "watchstate/plex_data.json#playlists_list_get_200": "a playlist",
}

PAIRS = json.loads((HERE / "watchstate" / "plex_data.json").read_bytes())
FILES = sorted(path.name for path in (HERE / "plex-api.rs").glob("*.json"))


def recorded(name):
    """Return status, headers and body of a recording."""
    if "#" not in name:
        return 200, {"Content-Type": "application/json"}, (HERE / name).read_bytes()
    answer = PAIRS[name.partition("#")[2]]["response"]
    body = answer["body"]
    text = body if isinstance(body, str) else json.dumps(body)
    return answer["http_code"], answer["headers"], text.encode()


@pytest.fixture
def replay():
    """Return a client whose next request is answered by a recording."""
    with FakePlex() as server:
        transport = Transport(
            "Plex", server.url, headers=plex_headers(server.token, "a-client"),
            connect_timeout=30, read_timeout=30,
        )  # fmt: skip
        client = Plex(transport)

        def play(name):
            status, headers, body = recorded(name)
            server.faults.add(Fault("status", status=status, headers=headers, body=body))
            return client

        yield play
        client.close()


def test_a_film_is_read_with_all_its_names(replay):
    name = "plex-api.rs/server_media_metadata_108.json"
    item = replay(name).items(["108"])["108"]
    (row,) = json.loads(recorded(name)[2])["MediaContainer"]["Metadata"]
    assert item.lists[Field.PERFORMERS] == tuple(tag["tag"] for tag in row["Role"])
    assert len(item.lists[Field.PERFORMERS]) == 22
    assert item.lists[Field.TAGS] == tuple(tag["tag"] for tag in row["Genre"])
    assert item.lists[Field.DIRECTOR] == tuple(tag["tag"] for tag in row["Director"])
    assert item.texts == {
        Field.TITLE: row["title"], Field.SUMMARY: row["summary"], Field.STUDIO: row["studio"],
        Field.TAGLINE: row["tagline"], Field.DATE: "2002-04-13",
    }  # fmt: skip
    assert (item.section_id, item.rating, item.trashed) == ("1", None, False)
    assert item.paths == (row["Media"][0]["Part"][0]["file"],)


def test_a_collection_is_an_item_without_files(replay):
    item = replay("plex-api.rs/server_media_metadata_161.json").items(["161"])["161"]
    assert (item.texts[Field.TITLE], item.paths) == ("Animation", ())


@pytest.mark.parametrize(
    ("name", "keys", "files", "newest"),
    [
        ("plex-api.rs/server_media_movie_library.json", ["55", "56", "108", "57"], 4, 1663510739),
        ("plex-api.rs/server_media_tv_library.json", ["22", "68"], 0, 1579514260),
        ("watchstate/plex_data.json#library_movie_get_200", ["1"], 1, 1691594411),
        ("watchstate/plex_data.json#library_show_get_200", ["3"], 0, 1692127811),
        ("watchstate/plex_data.json#library_episodes_get_200", ["5"], 1, 1691510335),
    ],
)
def test_a_list_is_read_by_each_reader_of_lists(replay, name, keys, files, newest):
    rows = json.loads(recorded(name)[2])["MediaContainer"]["Metadata"]
    page = replay(name).list_page("1", 0)
    assert (page.rows, page.total, len(page.files)) == (len(keys), len(keys), files)
    assert page.newest_added_at == max(row["addedAt"] for row in rows)
    shown = [part for row in rows for media in row.get("Media", ()) for part in media["Part"]]
    assert [(file.path, file.size) for file in page.files] == [
        (part["file"], part["size"]) for part in shown
    ]
    assert next(replay(name).changed_since("1", "updatedAt", 0)) == keys
    assert replay(name).newest_update("1") == newest


def test_libraries_are_read(replay):
    sections = replay("watchstate/plex_data.json#sections_get_200").sections()
    found = [(one.id, one.type, one.title, one.locations) for one in sections]
    assert found == [
        ("1", "movie", "Movies", ("/storage/media/movies",)),
        ("2", "show", "TV Shows", ("/storage/media/tv",)),
        ("3", "show", "Non matched content", ("/storage/media/no_agent",)),
    ]
    assert choose_sections(sections, NameList()) == sections[:1]
    assert all(one.uuid and one.change_mark and not one.refreshing for one in sections)


def test_the_server_is_read(replay):
    name = "watchstate/plex_data.json#server_info_get_200"
    assert replay(name).identity() == replay(name).check_token()
    found = replay(name).identity()
    assert (found.machine_id, found.version) == ("plex-server-1", "1.40.0.0")


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("sections_get_401", Refused, "Plex does not accept the token."),
        ("server_info_get_500", Unavailable, "Plex answered the token check with 500."),
    ],
)
def test_the_rest_is_refused_with_a_sentence(replay, name, kind, sentence):
    client = replay(f"watchstate/plex_data.json#{name}")
    with pytest.raises(ServerError) as caught:
        client.check_token() if "info" in name else client.sections()
    assert isinstance(caught.value, kind)
    assert str(caught.value).startswith(sentence)


def test_every_recording_is_read_or_named_as_without_reader():
    asked = Path(__file__).read_text()
    ours = {f"plex-api.rs/{name}" for name in FILES}
    ours |= {f"watchstate/plex_data.json#{name}" for name in PAIRS}
    for name in ours - NO_READER.keys():
        assert asked.count(name.rpartition("#")[2]), name
    if not SHARED.exists():
        pytest.skip(f"no recordings at {SHARED}; those here are all read")
    names = {str(path.relative_to(SHARED)) for path in SHARED.rglob("*") if path.is_file()}
    named = {name.partition("#")[0] for name in (*ours, *NO_READER)}
    assert names == named
    for name in {name.partition("#")[0] for name in ours}:
        assert (HERE / name).read_bytes() == (SHARED / name).read_bytes(), name
