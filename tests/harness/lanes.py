"""A lane of pictures alone, over a desk: scenes in Plex whose pictures wait."""

from __future__ import annotations

from stash2plex.rules.pacing import Pacer
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.in_flight import InFlight
from stash2plex.sync.picture_lane import PictureLane
from stash2plex_testing.stash import picture
from tests.harness.in_process import listen
from tests.support import until

ROWS = (
    "SELECT scene_id, waits_for, attempts, failures, suspect, begun FROM waiting_picture"
    " ORDER BY scene_id"
)


def wide():
    """Return a pace at which more may be under way than there are threads."""
    pacer = Pacer()
    for _ in range(60):
        pacer.succeeded(1.0)
    return pacer


class Pier:
    """Scenes in Plex whose pictures wait, and the lane that sends them."""

    def __init__(self, desk, number, random):
        self.desk, self.store = desk, desk.app.store
        self.scenes = [
            desk.scene(f"{at}.mp4", size=at, cover=picture(at)) for at in range(1, number + 1)
        ]
        self.items = [desk.item(f"{at}.mp4", size=at) for at in range(1, number + 1)]
        desk.drain(*self.scenes)
        desk.restart(skip_fields="")
        self.store = desk.app.store
        self.lines = listen(desk)
        self.flight = InFlight(4, 4)
        clocks = {"clock": desk.clock, "monotonic": desk.clock.monotonic}
        self.lane = PictureLane(
            self.store,
            Evidence(self.store, Pacer(), **clocks),
            wide(),
            self.flight,
            threads=4,
            random=random,
            **clocks,
        )
        self.lane.session = desk.app.open_session()

    def wait_for(self, *scenes):
        with self.store.connection:
            for scene in scenes or self.scenes:
                self.store.pictures.add(scene.id, f"t={self.tag(scene)}")

    def tag(self, scene):
        (row,) = self.lane.session.stash.scenes([scene.id]).values()
        return row.cover_tag.removeprefix("t=")

    def set(self, scene, **values):
        with self.store.connection as database:
            for name, value in values.items():
                database.execute(
                    f"UPDATE waiting_picture SET {name} = ? WHERE scene_id = ?", (value, scene.id)
                )

    def fill(self, *, single=False):
        """Start what is due; returns how many scenes are under way."""
        self.lane.fill(single=single)
        return sum(self.lane.is_sending(scene.id) for scene in self.scenes)

    def finish(self):
        until(self.collected)

    def collected(self):
        self.flight.collect(1.0)
        return not self.flight

    def send(self, *, single=False):
        """Send what is due, once."""
        self.fill(single=single)
        self.finish()

    def rows(self):
        return self.desk.rows(ROWS)

    def due_in(self):
        return [
            at - self.desk.clock()
            for (at,) in self.desk.rows("SELECT due_at FROM waiting_picture ORDER BY scene_id")
        ]

    def uploads(self):
        return [item.number_of_uploads for item in self.items]


class Kept:
    """A scene with its item, as far as the lane looks at it."""

    def __init__(self, scene, item):
        self.scene, self.item, self.desired, self.followers = scene, item, None, ()
