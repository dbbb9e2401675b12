"""What the stages of a drain share: the stores, the clients, and a scene at each stage."""

from __future__ import annotations

import sqlite3

from attrs import define, evolve, field, frozen

from stash2plex.config import Settings
from stash2plex.model import Desired, Match, PlexFile, PlexItem, Record, Scene
from stash2plex.rules.matching import Rule
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.store.awaited_files import AwaitedFiles
from stash2plex.store.breaker import Breaker
from stash2plex.store.dead_letters import DeadLetters
from stash2plex.store.first_states import FirstStates
from stash2plex.store.followers import Followers
from stash2plex.store.history import History
from stash2plex.store.item_choices import ItemChoices
from stash2plex.store.item_claims import ItemClaims
from stash2plex.store.library_troubles import LibraryTroubles
from stash2plex.store.metrics import Meter
from stash2plex.store.other_libraries import OtherLibraries
from stash2plex.store.own_collections import OwnCollections
from stash2plex.store.path_rules import PathRules
from stash2plex.store.picture_checks import PictureChecks
from stash2plex.store.plex_comparisons import PlexComparisons
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.queue import Queue
from stash2plex.store.records import Records
from stash2plex.store.reports import ReportBook
from stash2plex.store.runs import Runs
from stash2plex.store.scans import Scans
from stash2plex.store.scenes import Scenes
from stash2plex.store.server_traits import ServerTraits
from stash2plex.store.undo_marks import UndoMarks
from stash2plex.store.waiting_pictures import WaitingPictures
from stash2plex.sync.indexing import PlexIndex
from stash2plex.workqueue import Claim


@frozen
class Session:
    """The settings and the clients made from them."""

    settings: Settings
    stash: Stash
    plex: Plex
    index: PlexIndex


@define
class Store:
    """The database and the objects that use it."""

    connection: sqlite3.Connection
    queue: Queue
    records: Records
    breakers: dict[str, Breaker]
    awaited_files: AwaitedFiles
    item_claims: ItemClaims
    scans: Scans
    path_rules: PathRules
    plex_files: PlexFiles
    plex_comparisons: PlexComparisons
    runs: Runs
    dead_letters: DeadLetters
    reports: ReportBook
    traits: ServerTraits
    scenes: Scenes
    pictures: WaitingPictures
    meter: Meter = field(factory=Meter)
    library_troubles: LibraryTroubles = field(init=False)
    other_libraries: OtherLibraries = field(init=False)
    first_states: FirstStates = field(init=False)
    history: History = field(init=False)
    undo_marks: UndoMarks = field(init=False)
    own_collections: OwnCollections = field(init=False)

    followers: Followers = field(init=False)
    picture_checks: PictureChecks = field(init=False)
    choices: ItemChoices = field(init=False)

    @choices.default
    def _make_choices(self) -> ItemChoices:
        return ItemChoices(self.connection)

    @picture_checks.default
    def _make_picture_checks(self) -> PictureChecks:
        return PictureChecks(self.connection, self.scenes.clock)

    @followers.default
    def _make_followers(self) -> Followers:
        return Followers(self.connection)

    @library_troubles.default
    def _make_library_troubles(self) -> LibraryTroubles:
        return LibraryTroubles(self.connection)

    @other_libraries.default
    def _make_other_libraries(self) -> OtherLibraries:
        return OtherLibraries(self.connection)

    @first_states.default
    def _make_first_states(self) -> FirstStates:
        return FirstStates(self.connection, self.scenes.clock)

    @history.default
    def _make_history(self) -> History:
        return History(self.connection, self.scenes.clock)

    @own_collections.default
    def _make_own_collections(self) -> OwnCollections:
        return OwnCollections(self.connection)

    @undo_marks.default
    def _make_undo_marks(self) -> UndoMarks:
        return UndoMarks(self.connection, self.scenes.clock)

    def rules(self, settings: Settings) -> tuple[Rule, ...]:
        """Return the path rules in use: those that the user set, else those worked out."""
        return settings.path_map or self.path_rules.usable()


@frozen
class Wanted:
    """A claimed scene without an item yet. `rounds` counts items that proved wrong."""

    claim: Claim
    scene: Scene
    desired: Desired
    record: Record | None
    rounds: int


@frozen
class Matched(Wanted):
    """A scene, and the file of the item that the index has for it."""

    match: Match

    def wanted_again(self) -> Wanted:
        """Return the scene without its item, which was the wrong one."""
        return Wanted(self.claim, self.scene, self.desired, self.record, self.rounds + 1)


@frozen
class Follower:
    """Another item of a scene's file, in another library, and what was last written to it."""

    item: PlexItem
    file: PlexFile
    record: Record | None


@frozen
class Job(Matched):
    """A scene, and its item as Plex holds it. `record` is None if it is of another item."""

    item: PlexItem
    followers: tuple[Follower, ...] = ()
    shared: tuple[object, ...] | None = None
    """Equal for jobs whose changes can share one edit."""
    parted: bool = False
    """Whether its edit is sent field by field, because Plex did not accept all of it at once."""

    def of_followers(self) -> list[Job]:
        """Return a job for each item that follows."""
        return [
            evolve(
                self,
                item=follower.item,
                match=Match(follower.file, self.match.matched_by),
                record=follower.record,
                followers=(),
                shared=None,
            )
            for follower in self.followers
        ]
