"""How far a failure reaches: by what the server does meanwhile, or by what a witness shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from stash2plex.errors import ITEM, LIBRARY, SERVER, LibraryUnread, ServerError, Unavailable
from stash2plex.model import Clock
from stash2plex.rules.scopes import known_scope, scope_of
from stash2plex.servers.plex import Plex
from stash2plex.store.other_items import other_items
from stash2plex.sync.evidence import EDITS, ITEMS, SCENES, Evidence
from stash2plex.sync.in_flight import InFlight, Step
from stash2plex.sync.library_blame import LibraryBlame
from stash2plex.sync.session import Job, Session, Store

MAX_WITNESSES = 2
"""Other items that are tried: the first may be in trouble of its own."""

WITNESS_SECONDS = 10.0
"""How long an answer about another item is waited for, if the settings allow more."""

NOBODY = 0
"""An id that no entity has."""


Judged = Callable[[str, Exception], None]
"""What is called with the scope of a failure, and with the error that describes it."""


class Judge:
    """Finds out for a failure whether it is about its item or about the whole server.

    Where nothing shows it, the server is asked for the same deed for another item; one question
    answers for all failures that wait for it. Belongs to the thread of the database.
    """

    def __init__(
        self, store: Store, evidence: Evidence, flight: InFlight, monotonic: Clock
    ) -> None:
        self._blame = LibraryBlame(store, monotonic)
        self._store = store
        self._evidence = evidence
        self._flight = flight
        self._waiting: dict[str, list[Callable[[str], None]]] = {}

    def use(self, session: Session) -> None:
        """Ask through this session's clients from now on."""
        self._session = self._blame.session = session

    def judge_write(self, error: Exception, mark: int, jobs: Sequence[Job], judged: Judged) -> None:
        """Do as `judge` for an edit of items of one library, which may fail as a whole."""
        section, label = jobs[0].item.section_id, jobs[0].scene.label
        cause = self.of_library(error, section, label)
        if isinstance(cause, LibraryUnread):
            judged(LIBRARY, cause)
        else:
            keys = {job.item.rating_key for job in jobs}
            self.judge(cause, EDITS, mark, keys, judged)

    def of_library(self, error: Exception, section_id: str, label: str) -> Exception:
        """Return the failure of a write, or what its scene waits for if its library fails."""
        return self._blame.judge(error, section_id, label)

    def judge(
        self,
        error: Exception,
        deed: str,
        mark: int,
        keys: Collection[str],
        judged: Judged,
    ) -> None:
        """Call `judged` with the scope of a failure and its error, now or after a witness answered.

        `mark` is what the evidence gave for the deed when the request began, `keys` are the rating
        keys that it was about.
        """
        scope = known_scope(error)
        if scope is None and deed in (ITEMS, SCENES):
            # The client has tried others before it raised.
            scope = SERVER
        if scope is None and self._evidence.since(deed, mark):
            scope = scope_of(error, server_works=True)
        if scope is not None:
            judged(scope, error)
            return
        waiting = self._waiting.setdefault(deed, [])
        waiting.append(lambda scope: judged(scope, error))
        if len(waiting) == 1:
            question = self._question(deed, keys)
            self._flight.start(question, Step(partial(self._done, deed), partial(self._not, deed)))

    def _question(self, deed: str, keys: Collection[str]) -> Callable[[], object]:
        """Return what asks a server for a deed that changes nothing, for another item."""
        session = self._session
        if deed is EDITS:
            others = other_items(self._store.connection, keys, MAX_WITNESSES)
            # Where all of Plex is in the request, what is good in it shows itself.
            return partial(edit_another, session.plex, [*others, *sorted(keys)][:MAX_WITNESSES])
        stash = session.stash.within(WITNESS_SECONDS)
        return partial(stash.scene_ids_showing, "tag", NOBODY)

    def _done(self, deed: str, _answer: object) -> None:
        self._evidence.did(deed)
        self._end(deed, ITEM)

    def _not(self, deed: str, _error: Exception) -> None:
        self._end(deed, SERVER)

    def _end(self, deed: str, scope: str) -> None:
        for judged in self._waiting.pop(deed):
            judged(scope)


def edit_another(plex: Plex, keys: Sequence[str]) -> None:
    """Edit one of some items so that nothing changes.

    Raises what Plex answers to the last, Unavailable if there is none.
    """
    error: ServerError = Unavailable("Plex", "Plex has no other item to edit.")
    for key in keys:
        try:
            items = plex.items([key])
            for item in items.values():
                plex.confirm_lock(item, WITNESS_SECONDS)
        except ServerError as met:
            error = met
        else:
            if items:
                return
    raise error
