"""The stand-in Plex, read by python-plexapi, and its faults, met by our own client."""

from __future__ import annotations

import pytest
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.server import PlexServer

from stash2plex.errors import Refused, ServerError, Transient, Unavailable
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.transport import Transport
from stash2plex_testing.plex import FakePlex, Fault, Latency
from tests.support import ManualClock


@pytest.fixture
def client(plex):
    transport = Transport(
        "Plex", plex.url, headers=plex_headers(plex.token, "a-client"),
        connect_timeout=1, read_timeout=1,
    )  # fmt: skip
    found = Plex(transport)
    yield found
    found.close()


def section(plex):
    return plex._library.sections[1]


def test_plexapi_lists_edits_and_reads_back(plex, reader):
    plex.add_item(section(plex), "/media/harbour.mp4", size=5)
    plex.add_item(section(plex), files=["/media/lantern.mp4", "/media/lantern-hd.mp4"])
    films = reader.library.section("Harbour Films")
    assert [item.title for item in films.all()] == ["harbour", "lantern"]
    item = reader.fetchItem(1)
    item.editTitle("A harbour").addGenre(["Fog, dense", "Tide"]).reload()
    assert (item.title, [tag.tag for tag in item.genres]) == ("A harbour", ["Fog, dense", "Tide"])
    assert {field.name for field in item.fields} == {"title", "genre"}
    item.removeGenre(["Fog, dense"]).reload()
    assert [tag.tag for tag in item.genres] == ["Tide"]
    assert [one.ratingKey for one in reader.fetchItems([2, 1])] == [2, 1]
    assert [one.title for one in films.search(title="lant")] == ["lantern"]
    assert plex.whole_library_edits == 0


def test_uploads_are_filed_by_their_bytes(plex, reader, tmp_path):
    plex.add_item(section(plex), "/media/harbour.mp4")
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8\xff picture")
    item = reader.fetchItem(1)
    item.uploadPoster(filepath=str(picture))
    item.uploadPoster(filepath=str(picture))
    assert len(item.posters()) == 1
    assert item.posters()[0].selected
    assert plex.item(1).number_of_uploads == 2


def test_errors_are_those_of_plex(plex, reader):
    plex.add_item(section(plex), "/media/harbour.mp4")
    with pytest.raises(Unauthorized):
        PlexServer(plex.url, "wrong")
    with pytest.raises(NotFound):
        reader.fetchItem(77)
    with pytest.raises(BadRequest):
        reader.fetchItem(1).edit(**{"originallyAvailableAt.value": "2017-03"})
    with pytest.raises(BadRequest):
        reader.fetchItem(1).edit(**{"colour.value": "blue"})


def test_an_edit_without_an_id_is_counted_as_what_it_is(plex, reader):
    plex.add_item(section(plex), "/media/harbour.mp4")
    plex.add_item(section(plex), "/media/lantern.mp4")
    reader.query("/library/sections/1/all?type=1&studio.value=X", method=reader._session.put)
    assert plex.whole_library_edits == 1


def test_list_rows_have_few_tags_and_pages(plex, client):
    for number in range(7):
        item = plex.add_item(section(plex), f"/media/{number}.mp4")
        item.tags["genre"] = ["a", "b", "c"]
    page = client.list_page("1", 5)
    assert (page.rows, page.total) == (2, 7)
    assert client.items(["1"])["1"].lists["tags"] == ("a", "b", "c")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", status=500), Unavailable),
        (Fault("status", status=429, headers={"Retry-After": "7"}), Unavailable),
        (Fault("status", status=404), Transient),
        (Fault("status", status=403), Refused),
        (Fault.maintenance(), Unavailable),
        (Fault("reset"), Unavailable),
        (Fault("hang"), Unavailable),
        (Fault("half"), Unavailable),
        (Fault("drip"), Unavailable),
        (Fault("malformed"), Unavailable),
        (Fault("empty"), Unavailable),
        (Fault("html"), Unavailable),
        (Fault("endless"), Transient),
        (Fault("redirect"), Refused),
    ],
    ids=lambda value: getattr(value, "kind", None) or value.__name__,
)
def test_each_fault_has_its_kind(plex, client, fault, kind):
    plex.faults.add(fault)
    with pytest.raises(ServerError) as caught:
        client.sections()
    assert isinstance(caught.value, kind)
    assert plex.token not in str(caught.value)
    plex.faults.clear()
    assert client.sections()[0].title == "Harbour Films"


def test_down_refuses_and_up_listens_on_the_same_port(plex, client):
    plex.down()
    with pytest.raises(Unavailable, match="refuses the connection"):
        client.identity()
    plex.up()
    assert client.identity().machine_id == plex.machine_identifier


def test_writes_go_through_one_writer():
    with FakePlex(latency=Latency(write=0.01)) as server:
        films = server.add_section("Harbour Films")
        server.add_item(films, "/media/harbour.mp4")
        reader = PlexServer(server.url, server.token)
        reader.fetchItem(1).editTitle("A")
        reader._session.close()
        assert server.writer_seconds == pytest.approx(0.01)


def test_an_edit_moves_one_time_and_stars_the_other(plex, reader, client):
    items = [plex.add_item(section(plex), f"/media/{name}.mp4") for name in "abc"]
    for number, item in enumerate(items):
        item.updated_at = 1_000 + number
    assert client.newest_update("1") == 1_002
    reader.fetchItem(2).editTitle("Edited")
    reader.fetchItem(3).rate(4.0)

    def changed(name):
        return [key for page in client.changed_since("1", name, 1_002) for key in page]

    assert (changed("updatedAt"), changed("lastRatedAt")) == (["2"], ["3"])
    assert client.newest_update("1") == items[1].updated_at


def test_a_staged_file_appears_with_the_scan_of_its_folder(plex, reader):
    films = section(plex)
    films.stage_file("/media/new/harbour.mp4", 9)
    reader.library.section("Harbour Films").update(path="/media/old")
    assert plex.all_items() == []
    reader.library.section("Harbour Films").update(path="/media/new")
    assert [item.parts[0].path for item in plex.all_items()] == ["/media/new/harbour.mp4"]


def test_a_scan_takes_its_time_and_items_appear_after_it():
    clock = ManualClock()
    with FakePlex(clock=clock) as server:
        films = server.add_section("Harbour Films", locations=["/media"])
        server.scanning.seconds, server.scanning.lag = 10, 5
        reader = PlexServer(server.url, server.token)
        library = reader.library.section("Harbour Films")
        films.stage_file("/media/new/harbour.mp4", 9)
        library.update(path="/media/new")
        library.update()
        assert server.scanning.lost == 1
        assert library.reload().refreshing
        clock.step(10)
        mark = library.reload().updatedAt
        assert not library.refreshing
        assert server.all_items() == []
        clock.step(5)
        assert library.reload().updatedAt > mark
        assert [item.title for item in server.all_items()] == ["harbour"]
        reader._session.close()


def test_a_new_folder_may_be_missed_until_a_known_one_is_scanned(plex, client):
    films = section(plex)
    plex.scanning.misses_new_folders = True
    films.stage_file("/media/new/harbour.mp4", 9)
    films.stage_file("/elsewhere/lantern.mp4", 9)
    for folder in ("/media/new", "/nowhere", "/elsewhere"):
        client.scan("1", folder)
        assert plex.all_items() == []
    client.scan("1", "/media")
    assert [item.title for item in plex.all_items()] == ["harbour"]
    client.scan("1", "")
    assert len(plex.all_items()) == 2


def test_the_page_shows_what_is_there(plex):
    plex.add_item(section(plex), "/media/harbour.mp4", title="A <quiet> harbour")
    transport = Transport("Plex", plex.url, headers={}, connect_timeout=1, read_timeout=1)
    body = transport.request("GET", "/web").body.decode()
    transport.close()
    assert "A &lt;quiet&gt; harbour" in body
