"""What is written for jobs: which share an edit, which go out in parts, what becomes of each."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.errors import FIELD, NotFound, Refused, ServerError, Unavailable
from stash2plex.model import Field, Match, PlexFile
from stash2plex.rules.desired import desired_state
from stash2plex.rules.traits import NO_TRAITS, Trait, Traits
from stash2plex.sync.apply import Applied
from stash2plex.sync.session import Follower, Job
from stash2plex.sync.writes import can_be_parted, planned, write_jobs
from stash2plex.workqueue import Claim
from stash2plex_testing.plex import Fault, combined, scopes
from tests.support import make_item, make_scene, named

TEXT = Settings(skip_fields=frozenset({Field.POSTER, Field.BACKGROUND}))
SET_REPLACER = Traits(frozenset({(Trait.REPLACES_SETS, None)}))


def job_for(item, number=1, record=None, settings=TEXT, **values):
    """Return the job of a scene whose item is as given."""
    scene = make_scene(number, **values)
    file = PlexFile(item.section_id, item.rating_key, item.paths[0], 100)
    claim = Claim("scene", number, "lease", 0, 0, 0, 1)
    desired = desired_state(scene, settings)
    return Job(claim, scene, desired, record, 0, Match(file, "the whole path"), item)


FILED = {"texts": {Field.TITLE: "A harbour"}, "locked": frozenset({Field.TITLE})}


def test_jobs_share_an_edit_unless_plex_replaces_lists_of_several_items():
    item = make_item(**FILED)
    lists, texts = job_for(item, tags=named("Fog")), job_for(item, title="The Pier")
    for traits, shares in ((NO_TRAITS, (True, True)), (SET_REPLACER, (False, True))):
        plans = [planned(job, traits, preserve=False) for job in (lists, texts)]
        assert tuple(plan.job.shared is not None for plan in plans) == shares
    # What differs is in the key: the library, and the values.
    keys = {
        planned(job, NO_TRAITS, preserve=False).job.shared
        for job in (
            lists,
            texts,
            job_for(evolve(item, section_id="2"), tags=named("Fog")),
            job_for(item, 2, tags=named("Fog")),
        )
    }
    assert len(keys) == 3


def test_a_job_that_changes_no_value_leaves_no_record():
    item = make_item(**FILED)
    plan = planned(job_for(item), NO_TRAITS, preserve=False)
    assert (plan.change.fields, plan.record) == ((), None)
    plan = planned(job_for(item, title="The Pier"), NO_TRAITS, preserve=False)
    assert plan.change.fields == (Field.TITLE,)
    assert plan.record is not None
    assert plan.record.written[Field.TITLE] == "The Pier"
    assert (plan.record.fingerprint, plan.record.matched_by) == ("", "the whole path")
    assert plan.record.plex_path == item.paths[0]
    assert (plan.record.rating_key, plan.record.section_id) == ("7", "1")


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"title": "The Pier"}, False),
        ({"title": "The Pier", "details": "Fog."}, True),
        ({"title": "The Pier", "rating100": 40}, True),
        ({"tags": named("Fog", "Ebb")}, False),
    ],
)
def test_an_edit_of_several_fields_can_be_parted(values, parts):
    assert can_be_parted(job_for(make_item(**FILED), **values), preserve=False) is parts


# -- on a server --------------------------------------------------------------------------


class Mole:
    """Items of a desk, and jobs for them."""

    def __init__(self, desk, number=2):
        self.desk = desk
        self.held = [desk.item(f"{at}.mp4", size=at + 1) for at in range(number)]
        self.session = desk.app.open_session()
        self.plex = self.session.plex
        self.keys = [str(item.rating_key) for item in self.held]
        desk.plex.clear_log()

    def jobs(self, **values):
        read = self.plex.items(self.keys)
        return [
            job_for(read[key], at, settings=self.session.settings, **values)
            for at, key in enumerate(self.keys, 1)
        ]

    def write(self, jobs, traits=NO_TRAITS):
        clock = self.desk.clock
        return write_jobs(jobs, self.session, traits, clock, clock.monotonic)

    def fail(self, **fault):
        return self.desk.plex.faults.add(Fault("status", times=None, **fault))

    def edits(self):
        return self.desk.plex.count("PUT", "/all$")


@pytest.fixture
def mole(make_desk):
    return Mole(make_desk())


def test_equal_changes_go_out_in_one_edit_and_are_read_back(mole):
    first, second = mole.write(mole.jobs(title="The Pier", tags=named("Fog")))
    assert isinstance(first, Applied)
    assert isinstance(second, Applied)
    assert (mole.edits(), first.learnt) == (1, frozenset())
    assert [item.title for item in mole.held] == ["The Pier"] * 2
    assert [item.tags["genre"] for item in mole.held] == [["Fog"]] * 2
    assert (first.record.rating_key, second.record.rating_key) == tuple(mole.keys)


def test_lists_that_plex_replaced_for_several_items_are_sent_again(mole):
    mole.desk.plex.traits = combined("replaces_sets")
    for item in mole.held:
        item.tags["genre"] = ["Ebb"]
    results = mole.write(mole.jobs(title="The Pier", tags=named("Fog", "Ebb")))
    assert [sorted(item.tags["genre"]) for item in mole.held] == [["Ebb", "Fog"]] * 2
    assert [one.learnt for one in results if isinstance(one, Applied)] == [SET_REPLACER.known] * 2
    assert mole.edits() == 3
    # Nothing was lost of lists that were empty.
    mole.desk.plex.clear_log()
    for item in mole.held:
        item.tags["genre"] = []
    results = mole.write(mole.jobs(title="The Pier", tags=named("Fog", "Ebb")))
    assert [one.learnt for one in results if isinstance(one, Applied)] == [frozenset()] * 2
    assert mole.edits() == 1


def test_an_item_that_is_gone_or_cannot_be_read_costs_its_own_job_only(mole):
    jobs = mole.jobs(title="The Pier")
    mole.desk.plex.remove_item(mole.held[0])
    gone, there = mole.write(jobs)
    assert isinstance(gone, NotFound)
    assert str(gone) == "“The Pier” has moved in Plex; it is looked up again."
    assert isinstance(there, Applied)
    third = mole.desk.item("3.mp4", size=9)
    mole.held[0], mole.keys[0] = third, str(third.rating_key)
    jobs = mole.jobs(title="The Quay")
    fault = mole.fail(**scopes.item(third, "read"))
    odd, there = mole.write(jobs)
    assert isinstance(odd, ServerError)
    assert not isinstance(odd, NotFound)
    assert fault.hits > 0
    assert isinstance(there, Applied)
    assert mole.held[1].title == "The Quay"


PARTS = {"title": "The Pier", "details": "Fog comes in.", "tags": named("Fog"), "rating100": 40}


def test_a_job_in_parts_sends_each_field_alone(mole):
    (job, _) = mole.jobs(**PARTS)
    (result,) = mole.write([evolve(job, parted=True)])
    assert isinstance(result, Applied)
    item = mole.held[0]
    assert (item.title, item.texts["summary"], item.tags["genre"], item.floats["userRating"]) == (
        "The Pier",
        "Fog comes in.",
        ["Fog"],
        4.0,
    )
    names = [
        {name.partition(".")[0].partition("[")[0] for name in one.query} - {"type", "id"}
        for one in mole.desk.plex.requests
        if one.method == "PUT" and one.path.endswith("/all")
    ]
    assert {"title"} in names
    assert {"summary"} in names
    assert {"genre"} in names


def test_a_field_that_plex_does_not_take_is_named_and_the_others_are_there(mole):
    (job, _) = mole.jobs(**PARTS)
    mole.fail(**scopes.field("genre"))
    mole.fail(**scopes.field("summary"))
    with pytest.raises(ServerError) as met:
        mole.write([evolve(job, parted=True)])
    assert met.value.scope == FIELD
    assert str(met.value) == (
        "Plex does not take the summary and tags of “The Pier”: Plex answered the edit with 500."
        " Its other fields are in Plex. Change this one in Stash, or skip it in skip_fields."
    )
    assert (mole.held[0].title, mole.held[0].floats) == ("The Pier", {"userRating": 4.0})


def test_where_plex_takes_no_field_the_item_is_to_blame(mole):
    (job, _) = mole.jobs(**PARTS)
    mole.fail(**scopes.edits())
    with pytest.raises(ServerError) as met:
        mole.write([evolve(job, parted=True)])
    assert str(met.value) == "Plex answered the edit with 500."
    assert met.value.scope != FIELD


def test_where_plex_goes_away_meanwhile_no_field_is_to_blame(mole):
    (job, _) = mole.jobs(title="The Pier", details="Fog comes in.")
    mole.fail(**scopes.field("title"))
    # The summary is taken, and then the item takes nothing more.
    mole.fail(**scopes.edits(), after=1)
    with pytest.raises(ServerError) as met:
        mole.write([evolve(job, parted=True)])
    assert met.value.scope != FIELD
    assert "does not take" not in str(met.value)


def test_a_server_that_refuses_in_between_ends_the_parts(mole):
    (job, _) = mole.jobs(**PARTS)
    mole.fail(status=401, **scopes.field("title"))
    with pytest.raises(Refused):
        mole.write([evolve(job, parted=True)])
    assert mole.edits() == 1


def test_items_that_follow_are_written_and_one_that_fails_stops_no_other(mole):
    (job, _) = mole.jobs(title="The Pier")
    others = [mole.desk.item(f"follower-{at}.mp4", size=40 + at) for at in range(3)]
    read = mole.plex.items([str(item.rating_key) for item in others])
    followers = tuple(
        Follower(item, PlexFile("1", key, item.paths[0], 1), None) for key, item in read.items()
    )
    bad = followers[1].item.rating_key
    (held,) = [item for item in others if str(item.rating_key) == bad]
    mole.fail(**scopes.item(held, "edit"))
    (result,) = mole.write([evolve(job, followers=followers)])
    assert isinstance(result, Applied)
    assert [one.rating_key for one in result.followers] == [
        followers[0].item.rating_key,
        followers[2].item.rating_key,
    ]
    assert result.unsure == (bad,)
    assert result.later is not None
    assert isinstance(result.later[0], Unavailable)
    assert result.later[1] == followers[1].item.section_id
    assert [item.title for item in others if item is not held] == ["The Pier"] * 2


def test_a_follower_that_cannot_be_read_back_is_unsure(mole):
    (job, _) = mole.jobs(title="The Pier")
    other = mole.desk.item("follower.mp4", size=40)
    (item,) = mole.plex.items([str(other.rating_key)]).values()
    mole.fail(**scopes.item(other, "read"))
    follower = Follower(item, PlexFile("1", item.rating_key, item.paths[0], 1), None)
    (result,) = mole.write([evolve(job, followers=(follower,))])
    assert isinstance(result, Applied)
    assert (result.followers, result.unsure) == ((), (item.rating_key,))
    assert other.title == "The Pier"


def test_a_follower_whose_row_is_odd_when_it_is_read_back_is_unsure(mole):
    (job, _) = mole.jobs(title="The Pier")
    other = mole.desk.item("follower.mp4", size=40)
    (item,) = mole.plex.items([str(other.rating_key)]).values()
    other.floats["userRating"] = "fog"
    follower = Follower(item, PlexFile("1", item.rating_key, item.paths[0], 1), None)
    (result,) = mole.write([evolve(job, followers=(follower,))])
    assert isinstance(result, Applied)
    assert (result.followers, result.unsure) == ((), (item.rating_key,))
