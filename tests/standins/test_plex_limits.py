"""What the stand-in Plex takes and shows at most, to whom, and how its requests are counted."""

from __future__ import annotations

import http.client
import json

import pytest
from plexapi.exceptions import Unauthorized
from plexapi.server import PlexServer

from stash2plex_testing.plex import FakePlex, Fault, Limits

UNAUTHORIZED = (
    b"<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>"
)


def container(wire, path, **options):
    return json.loads(wire.ask("GET", path, **options)[2])["MediaContainer"]


# -- bounds ----------------------------------------------------------------------------------


def test_no_answer_shows_more_than_200_performers(plex, films, wire, reader):
    item = plex.add_item(films, "/media/harbour.mp4")
    names = [f"Performer {number}" for number in range(230)]
    item.tags["actor"] = names
    assert [role.tag for role in reader.fetchItem(1).roles] == names[:200]
    assert len(wire.rows("/library/metadata/1")[0]["Role"]) == 200
    wire.remove(item, "actor", "Performer 0", "Performer 1")
    assert wire.rows("/library/metadata/1")[0]["Role"][-1]["tag"] == "Performer 201"
    plex.limits.roles = None
    assert len(reader.fetchItem(1).roles) == 228


def test_a_list_may_be_without_its_total_and_its_pages_short(plex, films, wire, reader):
    for number in range(7):
        plex.add_item(films, f"/media/{number}.mp4")
    page = "/library/sections/1/all?X-Plex-Container-Start=2&X-Plex-Container-Size=4"
    assert (container(wire, page)["size"], container(wire, page)["totalSize"]) == (4, 7)
    plex.limits = Limits(total_size=False, rows=3)
    found = container(wire, page)
    assert found["size"] == 3
    assert "totalSize" not in found
    assert [row["ratingKey"] for row in found["Metadata"]] == ["3", "4", "5"]
    assert container(wire, page.replace("Start=2", "Start=7"))["size"] == 0


def test_more_items_than_the_bound_are_refused(plex, films, wire):
    for number in range(4):
        plex.add_item(films, f"/media/{number}.mp4")
    plex.limits.ids = 3
    assert wire.ask("GET", "/library/metadata/1,2,3")[0] == 200
    assert wire.ask("GET", "/library/metadata/1,2,3,4")[0] == 400
    assert wire.ask("PUT", "/library/sections/1/all?type=1&id=1,2,3,4&title.value=A")[0] == 400
    assert {item.title for item in plex.all_items()} == {"0", "1", "2", "3"}


def test_a_long_address_is_refused_or_dropped(plex, films, wire):
    item = plex.add_item(films, "/media/harbour.mp4")
    plex.limits.url_bytes = 300
    assert wire.edit(item, ("summary.value", "a" * 200)) == 200
    assert wire.edit(item, ("summary.value", "a" * 300)) == 414
    plex.limits.url_status = 0
    with pytest.raises(http.client.RemoteDisconnected):
        wire.edit(item, ("summary.value", "a" * 300))
    assert item.texts["summary"] == "a" * 200
    assert plex.longest_url > 300
    assert [record.status for record in plex.requests] == [200, 414, 0]


def test_an_idle_connection_is_closed():
    with FakePlex(limits=Limits(keep_alive=0.05)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/identity")
        connection.getresponse().read()
        # Blocks until the server closes.
        assert connection.sock.recv(1) == b""
        connection.close()


def test_a_second_request_of_a_connection_may_be_dropped(plex):
    plex.faults.add(Fault("close", reused=True, times=None))
    connection = http.client.HTTPConnection("127.0.0.1", plex.port, timeout=30)
    for _ in range(2):
        connection.request("GET", "/identity")
        assert connection.getresponse().read()
        connection.request("GET", "/identity")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()


# -- who sees what ---------------------------------------------------------------------------


def test_a_wrong_token_is_answered_as_on_a_real_server(wire):
    status, headers, body = wire.ask("GET", "/", token="wrong")
    assert (status, headers["Content-Type"], body) == (401, "text/html", UNAUTHORIZED)
    assert len(body) == 91


def test_a_server_without_an_owner_may_take_us_for_a_stranger(plex, films, wire):
    plex.add_item(films, "/media/harbour.mp4")
    plex.access.claim = "stranger"
    assert container(wire, "/identity")["claimed"] is False
    for method, path in (
        ("GET", "/"), ("GET", "/library/sections"), ("GET", "/library/metadata/1/thumb"),
        ("PUT", "/library/sections/1/all?type=1&id=1&title.value=A"),
    ):  # fmt: skip
        status, headers, body = wire.ask(method, path)
        assert (status, headers["Content-Type"], body) == (401, "text/html", UNAUTHORIZED)
    with pytest.raises(Unauthorized):
        PlexServer(plex.url, plex.token)


def test_a_server_without_an_owner_asks_its_own_network_for_no_token(plex, films, wire):
    item = plex.add_item(films, "/media/harbour.mp4")
    plex.access.claim = "unclaimed"
    assert container(wire, "/identity")["claimed"] is False
    reader = PlexServer(plex.url)
    reader.fetchItem(1).editTitle("A harbour")
    reader._session.close()
    assert item.title == "A harbour"
    assert wire.ask("GET", "/", token="wrong")[0] == 200


@pytest.mark.parametrize(
    ("sight", "seen"), [("names", ["harbour.mp4", "lantern.mp4"]), ("nothing", [None, None])]
)
def test_a_token_may_see_no_folders_or_no_files(plex, films, wire, sight, seen):
    plex.add_item(films, files=["/media/harbour.mp4", "S:\\Show 9\\lantern.mp4"], size=5)
    plex.access.sight[plex.viewer_token] = sight
    for path in ("/library/sections/1/all", "/library/metadata/1"):
        (row,) = wire.rows(path, token=plex.viewer_token)
        assert [media["Part"][0].get("file") for media in row["Media"]] == seen
        (row,) = wire.rows(path)
        assert row["Media"][0]["Part"][0]["file"] == "/media/harbour.mp4"
    reader = PlexServer(plex.url, plex.viewer_token)
    assert reader.fetchItem(1).locations == seen
    reader._session.close()


# -- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("/media/Harbour (2019).mkv", "/media/Plex Versions/Optimized for TV/Harbour (2019).mp4"),
        ("S:\\a\\b.avi", "S:\\a\\Plex Versions\\Optimized for TV\\b.mp4"),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_an_optimized_version_is_a_media_of_its_item(plex, films, reader, file, made, first):
    item = plex.add_item(films, file)
    mark = films.content_changed_at
    assert plex.add_optimized(item, first=first).path == made
    assert films.content_changed_at > mark
    for shown in (reader.fetchItem(1), *reader.library.section("Harbour Films").all()):
        versions = {media.parts[0].file: media.isOptimizedVersion for media in shown.media}
        assert versions == {file: False, made: True}
        assert next(iter(versions)) == (made if first else file)


def test_a_root_is_scanned_as_plex_spells_it(plex, reader):
    drive = plex.add_section("Drive", locations=["S:\\", "\\\\NAS\\Films"])
    plex.scanning.own_spelling = True
    drive.stage_file("S:\\Show 9\\a.mp4", 9)
    drive.stage_file("\\\\NAS\\Films\\b.mp4", 9)
    library = reader.library.section("Drive")
    for wrong in ("S:", "s:\\", "S:/", "S:/Show 9", "\\\\nas\\Films", "\\\\NAS\\Film"):
        library.update(path=wrong)
        assert plex.all_items() == [], wrong
    library.update(path="S:\\Show 9")
    library.update(path="\\\\NAS\\Films")
    assert [item.title for item in plex.all_items()] == ["a", "b"]
    assert plex.scanning.asked[-2:] == [(2, "S:\\Show 9"), (2, "\\\\NAS\\Films")]
    assert len(plex.scanning.asked) == 8


def test_a_new_folder_of_a_drive_is_found_by_a_scan_of_its_root(plex, reader):
    drive = plex.add_section("Drive", locations=["S:\\"])
    plex.scanning.own_spelling = plex.scanning.misses_new_folders = True
    drive.stage_file("S:\\Show 9\\a.mp4", 9)
    library = reader.library.section("Drive")
    library.update(path="S:\\Show 9")
    assert plex.all_items() == []
    library.update(path="S:\\")
    assert [item.title for item in plex.all_items()] == ["a"]


def test_one_file_may_lie_in_two_libraries(plex, films, reader):
    other = plex.add_section("All Films", locations=["/media"])
    for library in (films, other):
        library.stage_file("/media/new/harbour.mp4", 9)
    reader.library.section("Harbour Films").update(path="/media/new")
    assert [item.section.title for item in plex.all_items()] == ["Harbour Films"]
    reader.library.section("All Films").update(path="/media/new")
    for library in ("Harbour Films", "All Films"):
        (item,) = reader.library.section(library).all()
        assert item.locations == ["/media/new/harbour.mp4"]
        item.editTitle(f"In {library}")
    assert [item.title for item in plex.all_items()] == ["In Harbour Films", "In All Films"]


# -- counting --------------------------------------------------------------------------------


def test_requests_are_counted_by_item_and_endpoint(plex, films, wire):
    items = [plex.add_item(films, f"/media/{name}.mp4") for name in "abc"]
    wire.edit(items[0], ("title.value", "A"))
    wire.ask("GET", "/library/metadata/1,2?skipRefresh=1")
    wire.ask("POST", "/library/metadata/2/posters", b"\xff\xd8\xff")
    wire.ask("GET", "/library/metadata/2/thumb/1700000000")
    wire.ask("PUT", "/:/rate?key=3&rating=8")
    wire.ask("GET", "/library/sections/1/all")
    edit, read = "PUT /library/sections/N/all", "GET /library/metadata/N"
    assert plex.by_endpoint() == {
        edit: 1, read: 1, "POST /library/metadata/N/posters": 1,
        "GET /library/metadata/N/thumb/N": 1, "PUT /:/rate": 1, "GET /library/sections/N/all": 1,
    }  # fmt: skip
    assert plex.by_item() == {
        1: {edit: 1, read: 1},
        2: {
            read: 1,
            "POST /library/metadata/N/posters": 1,
            "GET /library/metadata/N/thumb/N": 1,
        },
        3: {"PUT /:/rate": 1},
    }
    assert plex.count("PUT") == 2
    plex.clear_log()
    assert plex.by_item() == {}
    assert plex.longest_url == 0
