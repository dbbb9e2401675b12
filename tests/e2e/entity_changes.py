"""Changes of performers, studios, tags and groups."""

from __future__ import annotations

from tests.e2e.shore import Rows, queued

row = Rows()
"""What changes, by how soon it is learnt."""


def update(shore, kind, entity, **values):
    name = kind.capitalize()
    shore.stage.graphql(
        f"mutation U($input: {name}UpdateInput!) {{ {kind}Update(input: $input) {{ id }} }}",
        input={"id": str(entity.id), **values},
    )


def destroy(shore, kind, entity):
    name = kind.capitalize()
    shore.stage.graphql(
        f"mutation D($input: {name}DestroyInput!) {{ {kind}Destroy(input: $input) }}",
        input={"id": str(entity.id)},
    )


@row("hook")
def performer_renamed(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer])
    yield
    update(shore, "performer", performer, name=f"Performer {shore.number}, renamed")


@row("look")
def performer_renamed_in_a_stash_box_batch(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer])
    yield
    change = lambda: shore.stash.stash_box_update(performer, name=f"Boxed {shore.number}")  # noqa: E731
    shore.job("Batch stash-box performer tag...", change)


@row("nothing")
def performer_favourite(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer])
    yield
    update(shore, "performer", performer, favorite=True)


@row("hook")
def performer_destroyed(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer, shore.stash.add_performer(f"Other {shore.number}")])
    yield
    destroy(shore, "performer", performer)


@row("look")
def performer_destroyed_while_the_plugin_is_off(shore):
    performer = shore.stash.add_performer(f"Performer {shore.number}")
    shore.scene(performers=[performer, shore.stash.add_performer(f"Other {shore.number}")])
    yield
    with shore.without_hooks():
        destroy(shore, "performer", performer)


@row("look")
def performers_merged(shore):
    one, two = (shore.stash.add_performer(f"{name} {shore.number}") for name in ("One", "Two"))
    shore.scene(performers=[one])
    shore.scene(performers=[two])
    yield
    shore.stash.merge_performers([one], two)


@row("hook")
def studio_renamed(shore):
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    shore.scene(studio=studio)
    yield
    update(shore, "studio", studio, name=f"Northern quay {shore.number}")


@row("look")
def studio_renamed_in_a_stash_box_batch(shore):
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    shore.scene(studio=studio)
    yield
    shore.stash.stash_box_update(studio, name=f"Boxed quay {shore.number}")


@row("nothing")
def studio_above_renamed(shore):
    above = shore.stash.add_studio(f"Port {shore.number}")
    shore.scene(studio=shore.stash.add_studio(f"Quay {shore.number}", above))
    yield
    update(shore, "studio", above, name=f"Northern port {shore.number}")


@row("hook")
def studio_destroyed(shore):
    studio = shore.stash.add_studio(f"Quay {shore.number}")
    shore.scene(studio=studio)
    yield
    destroy(shore, "studio", studio)


@row("hook")
def tag_renamed(shore):
    tag = shore.stash.add_tag(f"Fog {shore.number}")
    shore.scene(tags=[tag])
    yield
    update(shore, "tag", tag, name=f"Dense fog {shore.number}")


@row("look")
def tag_renamed_while_the_plugin_is_off(shore):
    tag = shore.stash.add_tag(f"Fog {shore.number}")
    shore.scene(tags=[tag])
    yield
    with shore.without_hooks():
        update(shore, "tag", tag, name=f"Thin fog {shore.number}")


@row("hook")
def tag_destroyed(shore):
    tag = shore.stash.add_tag(f"Fog {shore.number}")
    shore.scene(tags=[tag, shore.stash.add_tag(f"Tide {shore.number}")])
    yield
    destroy(shore, "tag", tag)


@row("hook")
def tags_merged(shore):
    one, two = (shore.stash.add_tag(f"{name} {shore.number}") for name in ("Ebb", "Flow"))
    shore.scene(tags=[one])
    yield
    shore.stash.merge_tags([one], two)
    assert queued(shore) == {("tag", one.id), ("tag", two.id)}


@row("look")
def tags_merged_while_the_plugin_is_off(shore):
    one, two = (shore.stash.add_tag(f"{name} {shore.number}") for name in ("Ebb", "Flow"))
    shore.scene(tags=[one])
    yield
    with shore.without_hooks():
        shore.stash.merge_tags([one], two)


@row("nothing")
def group_renamed_and_destroyed(shore):
    group = shore.stash.add_group(f"Fleet {shore.number}")
    shore.scene(groups=[group])
    yield
    update(shore, "group", group, name=f"Fleet at sea {shore.number}")
    destroy(shore, "group", group)


@row("nothing")
def sub_groups(shore):
    group, above = (shore.stash.add_group(f"{name} {shore.number}") for name in ("Boat", "Fleet"))
    shore.scene(groups=[group])
    yield
    group.containing = ((above, None),)
