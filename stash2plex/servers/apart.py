"""Reads items one by one if they cannot be read together, so that one bad item spoils no batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen

from stash2plex.errors import SERVER, SLOW, NotFound, Refused, ServerError, Transient, Unavailable
from stash2plex.model import PlexItem

MAX_SLOW = 3
"""How many items may time out before the server counts as the cause."""


class ReadItems(dict[str, PlexItem]):
    """The items that were read, by rating key; those that are gone are absent.

    `unreadable` are those that Plex has but that cannot be read, each with its error.
    """

    def __init__(
        self,
        found: Mapping[str, PlexItem] | None = None,
        unreadable: Mapping[str, ServerError] | None = None,
    ) -> None:
        super().__init__(found or {})
        self.unreadable: dict[str, ServerError] = dict(unreadable or {})

    def add(self, other: ReadItems) -> None:
        """Add what another request read."""
        self.update(other)
        self.unreadable.update(other.unreadable)


def may_be_part(error: ServerError) -> bool:
    """Return whether a failure may concern one item or library, not the whole server."""
    if isinstance(error, Unavailable):
        return error.scope != SERVER
    return not isinstance(error, Refused)


@frozen
class Failed:
    """A request that failed, perhaps because of one of its items."""

    error: ServerError


@define
class BatchReader:
    """Reads batches of items with `read`, and halves each batch that fails.

    If the server does not answer for any other item, it is the cause, and its error is raised.
    """

    read: Callable[[Sequence[str]], ReadItems]
    _suspects: set[str] = field(init=False, factory=set)
    _read_well: str = field(init=False, default="")

    def items(self, keys: Sequence[str], witness: str = "") -> ReadItems:
        """Read items; those that were unreadable before are read alone.

        `witness` is an item that the server should be able to show, empty if none is known.
        """
        result = ReadItems()
        together = [key for key in keys if key not in self._suspects]
        for batch in (together, *([key] for key in keys if key in self._suspects)):
            if batch:
                result.add(self._read_apart(batch, witness or self._read_well))
        self._suspects -= result.keys()
        self._suspects |= result.unreadable.keys()
        self._read_well = next(iter(result), self._read_well)
        return result

    def _read_apart(self, keys: Sequence[str], witness: str) -> ReadItems:
        result = self._try(keys)
        if not isinstance(result, Failed):
            return result
        alone: dict[str, ReadItems | Failed] = (
            {key: self._try([key]) for key in _spread(keys, result.error)}
            if len(keys) > 1
            else {keys[0]: result}
        )
        answered = ReadItems()
        for answer in alone.values():
            if not isinstance(answer, Failed):
                answered.add(answer)
        if isinstance(result.error, NotFound) and not answered:
            # None of the items exists (plex.md §2.3).
            return answered
        if all(isinstance(answer, Failed) for answer in alone.values()) and not self._shows(
            witness, besides=keys
        ):
            raise result.error
        for key, answer in alone.items():
            if isinstance(answer, Failed):
                answered.unreadable[key] = _of_item(key, answer.error)
        self._halve([key for key in keys if key not in alone], answered)
        return answered

    def _halve(self, keys: Sequence[str], into: ReadItems) -> None:
        """Read a batch, and after a failure its halves, down to single items."""
        if not keys:
            return
        result = self._try(keys)
        if not isinstance(result, Failed):
            into.add(result)
        elif len(keys) == 1:
            into.unreadable[keys[0]] = _of_item(keys[0], result.error)
            if sum(error.cause == SLOW for error in into.unreadable.values()) > MAX_SLOW:
                raise result.error
        else:
            middle = len(keys) // 2
            self._halve(keys[:middle], into)
            self._halve(keys[middle:], into)

    def _try(self, keys: Sequence[str]) -> ReadItems | Failed:
        """Read a batch, or return a failure that one of its items may have caused."""
        try:
            return self.read(keys)
        except ServerError as error:
            if not may_be_part(error):
                raise
            return Failed(error)

    def _shows(self, witness: str, besides: Sequence[str]) -> bool:
        """Return whether the server shows an item other than the failed ones."""
        if not witness or witness in besides:
            return False
        answer = self._try([witness])
        return not isinstance(answer, Failed) and witness in answer


def _spread(keys: Sequence[str], error: ServerError) -> list[str]:
    """Pick items of a failed batch: the last, the first, and one between if that is quick."""
    places = (-1, 0) if error.cause == SLOW else (-1, 0, len(keys) // 2)
    return list(dict.fromkeys(keys[place] for place in places))


def _of_item(key: str, error: ServerError) -> ServerError:
    """Turn a failure into one of a single item: it costs that item an attempt."""
    words = f"Item {key} cannot be read, though Plex shows others: {error.what}"
    if isinstance(error, Unavailable):
        return Transient(error.server, words, error.fix, cause=error.cause)
    return error.with_words(words, error.fix)
