"""What is done for the pictures of one scene, in a thread: read what is not known, and send."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import evolve, frozen

from stash2plex.errors import Refused, ServerError, Transient
from stash2plex.model import Desired, Field, PlexItem, Record, Scene
from stash2plex.rules.desired import desired_state, reason_to_skip, without_fields
from stash2plex.rules.endpoints import COVERS, ENDPOINTS
from stash2plex.sync.apply import record_of
from stash2plex.sync.pictures import Sent, is_cover_due, send_pictures
from stash2plex.sync.session import Session

SIGN_SECONDS = 10.0
"""How long a sign of life of a server is waited for, if the settings allow more."""


@frozen
class PictureJob:
    """A scene whose pictures are due, its item, and those that follow, by rating key."""

    scene: Scene
    desired: Desired
    item: PlexItem
    followers: Mapping[str, PlexItem]


@frozen
class Result:
    """What became of a try."""

    job: PictureJob
    sent: tuple[tuple[Record, Sent], ...]
    """The record of each item that was due, and what was sent to it."""


@frozen
class Looked:
    """What items show before our first pictures: the keys of the chosen ones, by rating key.

    A key is None where the picture is Plex's own choice.
    """

    job: PictureJob
    chosen: Mapping[str, Mapping[Field, str | None]]


NEEDLESS = "needless"
"""Instead of a result: the scene is gone or left out, or its cover is in Plex."""

MOVED = "moved"
"""Instead of a result: the scene has another item by now, or none."""


def send_for(
    scene_id: int,
    job: PictureJob | None,
    records: Sequence[Record],
    shut: Collection[str],
    session: Session,
    known_first: Mapping[str, Collection[Field]],
    held: frozenset[Field] = frozenset(),
    have_ours: Collection[str] = (),
) -> Result | Looked | str:
    """Send the pictures of a scene, in a thread; what is not known of it is read first.

    `known_first` has by rating key the pictures of which it is kept what was chosen before the
    first of ours. Where something is missing, that is returned first, and nothing is sent. `held`
    are fields that the user had put back, `have_ours` the items with earlier pictures of ours.
    """
    if job is None:
        read = _read(scene_id, records, session, held)
        if isinstance(read, str):
            return read
        job = read
    due = []
    for record in records:
        item = job.followers.get(record.rating_key, job.item)
        known = record_of(item, record)
        if record.rating_key == item.rating_key and is_cover_due(job.scene, job.desired, known):
            due.append((record, item, known))
    looked = _look(job, [(record, item) for record, item, _ in due], known_first, shut, session)
    if looked is not None:
        return looked
    sent: list[tuple[Record, Sent]] = []
    for record, item, known in due:
        one = send_pictures(
            job.scene,
            job.desired,
            item,
            known,
            shut=shut,
            preserve=session.settings.preserve_plex_edits,
            stash=session.stash,
            plex=session.plex,
            had_ours=record.rating_key in have_ours,
        )
        failed = {name: _checked(name, error, session) for name, error in one.failed.items()}
        sent.append((record, evolve(one, failed=failed)))
    return Result(job, tuple(sent)) if sent else NEEDLESS


def _look(
    job: PictureJob,
    due: Sequence[tuple[Record, PlexItem]],
    known_first: Mapping[str, Collection[Field]],
    shut: Collection[str],
    session: Session,
) -> Looked | Result | None:
    """Ask which pictures are chosen before the first of ours; None if all are known."""
    chosen: dict[str, dict[Field, str | None]] = {}
    for record, item in due:
        for name in sorted(job.desired.images):
            if name in known_first.get(record.rating_key, ()) or ENDPOINTS[name] in shut:
                continue
            if name not in item.locked:
                # A user's choice locks (plex.md §4.3): this one is Plex's own.
                chosen.setdefault(item.rating_key, {})[name] = None
                continue
            try:
                there = session.plex.pictures(item.rating_key, name)
            except Exception as error:  # noqa: BLE001 - each endpoint has an outcome of its own
                failed = {ENDPOINTS[name]: _checked(ENDPOINTS[name], error, session)}
                nothing = Sent({}, (), frozenset(), "", "", failed=failed)
                return Result(job, ((record, nothing),))
            key = next((picture.key for picture in there if picture.selected), "")
            chosen.setdefault(item.rating_key, {})[name] = key
    return Looked(job, chosen) if chosen else None


def _read(
    scene_id: int, records: Sequence[Record], session: Session, held: frozenset[Field]
) -> PictureJob | str:
    scenes = session.stash.scenes([scene_id])
    if failure := scenes.unreadable.get(scene_id):
        raise failure
    scene = scenes.get(scene_id)
    if scene is None or reason_to_skip(scene, session.settings):
        return NEEDLESS
    own = records[0]
    items = session.plex.items([record.rating_key for record in records])
    if error := items.unreadable.get(own.rating_key):
        raise error
    item = items.get(own.rating_key)
    if item is None or item.trashed or record_of(item, own) is None:
        return MOVED
    followers = {key: one for key, one in items.items() if key != own.rating_key}
    desired = without_fields(desired_state(scene, session.settings), held)
    return PictureJob(scene, desired, item, followers)


def _checked(endpoint: str, error: Exception, session: Session) -> Exception:
    """Return the error of an endpoint that refuses as one of its own if its server lets us in."""
    if not isinstance(error, Refused):
        return error
    try:
        if endpoint == COVERS:
            session.stash.ping()
        else:
            session.plex.check_token(SIGN_SECONDS)
    except ServerError as worse:
        return worse
    return Transient(
        error.server,
        f"{error.server} lets us in, but refuses the {endpoint}.",
        "See whether a proxy before it lets them through.",
    )
