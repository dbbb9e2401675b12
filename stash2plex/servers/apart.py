"""Reads rows one by one if they cannot be read together, so that one bad row spoils no batch.

The rows are items of Plex or scenes of Stash, by their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from attrs import define, field, frozen

from stash2plex.errors import SERVER, SLOW, NotFound, Refused, ServerError, Transient, Unavailable
from stash2plex.model import PlexItem, Scene

MAX_SLOW = 3
"""How many rows may time out before the server counts as the cause."""

MAX_WITNESSES = 2
"""How many other rows are tried: one may be in trouble of its own."""

K = TypeVar("K", bound=int | str)
V = TypeVar("V")


class ReadApart(dict[K, V], Generic[K, V]):
    """The rows that were read, by key; those that are gone are absent.

    `unreadable` are those that the server has but that cannot be read, each with its error.
    """

    def __init__(
        self,
        found: Mapping[K, V] | None = None,
        unreadable: Mapping[K, ServerError] | None = None,
    ) -> None:
        super().__init__(found or {})
        self.unreadable: dict[K, ServerError] = dict(unreadable or {})

    def add(self, other: ReadApart[K, V]) -> None:
        """Add what another request read."""
        self.update(other)
        self.unreadable.update(other.unreadable)


class ReadItems(ReadApart[str, PlexItem]):
    """The items of Plex that were read, by rating key."""


class ReadScenes(ReadApart[int, Scene]):
    """The scenes of Stash that were read, by id."""


def may_be_part(error: ServerError) -> bool:
    """Return whether a failure may concern one row or library, not the whole server."""
    return error.scope != SERVER and not isinstance(error, Refused)


@frozen
class Failed:
    """A request that failed, perhaps because of one of its items."""

    error: ServerError


@define
class BatchReader(Generic[K, V]):
    """Reads batches of rows with `read`, and halves each batch that fails.

    `kind` names a row in messages. If the server does not answer for any other row, it is the
    cause, and its error is raised. `nobody` is a key that no row has, for a server whose answer
    without a row shows as much.
    """

    read: Callable[[Sequence[K]], ReadApart[K, V]]
    kind: str = "Item"
    nobody: K | None = None
    _suspects: set[K] = field(init=False, factory=set)
    _read_well: tuple[K, ...] = field(init=False, default=())

    def rows(self, keys: Sequence[K], witness: K | None = None) -> ReadApart[K, V]:
        """Read rows; those that were unreadable before are read alone.

        `witness` is a row that the server should be able to show, if one is known; else the last
        ones that were read well are.
        """
        result: ReadApart[K, V] = ReadApart()
        together = [key for key in keys if key not in self._suspects]
        for batch in (together, *([key] for key in keys if key in self._suspects)):
            if batch:
                known = [*self._read_well] if not witness else [witness, *self._read_well]
                result.add(self._read_apart(batch, list(dict.fromkeys(known))))
        read_well = [key for key in keys if key in result]
        if read_well:
            self._read_well = (read_well[0], read_well[-1])
        self._suspects -= result.keys()
        self._suspects |= result.unreadable.keys()
        return result

    def _read_apart(self, keys: Sequence[K], witnesses: Sequence[K]) -> ReadApart[K, V]:
        result = self._try(keys)
        if not isinstance(result, Failed):
            return result
        alone: dict[K, ReadApart[K, V] | Failed] = (
            {key: self._try([key]) for key in _spread(keys, result.error)}
            if len(keys) > 1
            else {keys[0]: result}
        )
        answered: ReadApart[K, V] = ReadApart()
        for answer in alone.values():
            if not isinstance(answer, Failed):
                answered.add(answer)
        if isinstance(result.error, NotFound) and not answered:
            # None of the items exists (plex.md §2.3).
            return answered
        if all(isinstance(answer, Failed) for answer in alone.values()) and not self._shows(
            witnesses, keys, result.error
        ):
            raise result.error
        for key, answer in alone.items():
            if isinstance(answer, Failed):
                answered.unreadable[key] = self._of_row(key, answer.error)
        self._halve([key for key in keys if key not in alone], answered)
        return answered

    def _halve(self, keys: Sequence[K], into: ReadApart[K, V]) -> None:
        """Read a batch, and after a failure its halves, down to single rows."""
        if not keys:
            return
        result = self._try(keys)
        if not isinstance(result, Failed):
            into.add(result)
        elif len(keys) == 1:
            into.unreadable[keys[0]] = self._of_row(keys[0], result.error)
            if sum(error.cause == SLOW for error in into.unreadable.values()) > MAX_SLOW:
                raise result.error
        else:
            middle = len(keys) // 2
            self._halve(keys[:middle], into)
            self._halve(keys[middle:], into)

    def _try(self, keys: Sequence[K]) -> ReadApart[K, V] | Failed:
        """Read a batch, or return a failure that one of its rows may have caused."""
        try:
            return self.read(keys)
        except ServerError as error:
            if not may_be_part(error):
                raise
            return Failed(error)

    def _shows(self, known: Sequence[K], besides: Sequence[K], error: ServerError) -> bool:
        """Return whether the server shows a row other than the failed ones."""
        others = [key for key in known if key not in besides]
        if not others and self.nobody is not None:
            others = [self.nobody]
        for key in others[: 1 if error.cause == SLOW else MAX_WITNESSES]:
            answer = self._try([key])
            if not isinstance(answer, Failed) and (self.nobody is not None or key in answer):
                return True
        return False

    def _of_row(self, key: K, error: ServerError) -> ServerError:
        """Turn a failure into one of a single row: it costs that row an attempt."""
        shows = f"though {error.server} shows others"
        words = f"{self.kind} {key} cannot be read, {shows}: {error.what}"
        if isinstance(error, Unavailable):
            return Transient(error.server, words, error.fix, cause=error.cause)
        return error.with_words(words, error.fix)


def _spread(keys: Sequence[K], error: ServerError) -> list[K]:
    """Pick rows of a failed batch: the last, the first, and one between if that is quick."""
    places = (-1, 0) if error.cause == SLOW else (-1, 0, len(keys) // 2)
    return list(dict.fromkeys(keys[place] for place in places))
