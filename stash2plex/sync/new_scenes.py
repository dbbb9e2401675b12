"""Finds the new scenes of a scan, so that Stash need not start Python for each of them.

A scan runs a hook for each new file, one at a time, without a list. While this worker asks Stash
every second, the hooks' script leaves new scenes to it. The worker promises that by the name of
a folder in the data folder: until when it looks, in milliseconds since the epoch, and above which
id. A promise lasts for seconds, so that the script soon starts Python again if the worker ends.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from attrs import define, field

from stash2plex.errors import ServerError
from stash2plex.hook import COVER_DELAY
from stash2plex.model import Clock
from stash2plex.servers.new_scenes import NewScenes
from stash2plex.servers.stash import Stash
from stash2plex.store.queue import Queue
from stash2plex.workqueue import URGENT

LOOK_SECONDS = 1.0
"""Seconds between two looks: a new scene is found within two."""

PROMISE_SECONDS = 4.0
"""For how many seconds a promise holds; the script trusts none that is longer than 5."""

LAST_SECONDS = 5.0
"""How many seconds the last look of a process that ends may take."""


class Promise:
    """The folder whose name is read by the hooks' script; at most one exists."""

    def __init__(self, data_folder: str, clock: Clock) -> None:
        self._data_folder = data_folder
        self._clock = clock
        self._path = ""

    def renew(self, after: int) -> None:
        """Promise to find every scene whose id is above `after`.

        If the folder cannot be written, there is no promise, and the hooks start Python.
        """
        until = round(1000 * (self._clock() + PROMISE_SECONDS))
        path = os.path.join(self._data_folder, f"new-scenes-{until}-{after}")
        with suppress(OSError):
            if self._path:
                os.rename(self._path, path)
            else:
                os.mkdir(path, 0o700)
            self._path = path

    def withdraw(self) -> None:
        """Remove the promise."""
        if self._path:
            with suppress(OSError):
                os.rmdir(self._path)
            self._path = ""

    def clear(self) -> None:
        """Remove the promises that a process did not keep, because it was killed."""
        with suppress(OSError):
            for name in os.listdir(self._data_folder):
                if re.fullmatch(r"new-scenes-\d+-\d+", name):
                    os.rmdir(os.path.join(self._data_folder, name))


@define
class _Scan:
    """A scan that is being watched: what was promised, and the newest scene that was found.

    `over` means that Stash runs no scan any more: one more look finds what came with its end.
    """

    after: int
    newest: int
    over: bool = False


@define
class NewSceneWatch:
    """Looks for new scenes while Stash runs a scan, in a thread beside the drain.

    An urgent key that will be due soon may be a new scene's: that begins it. Only the process that
    holds the drain lock may have one.
    """

    queue: Queue
    stash: Stash
    promise: Promise
    monotonic: Clock
    _scan: _Scan | None = field(init=False, default=None)
    _looked_at: float = field(init=False)
    _answer: Future[NewScenes] | None = field(init=False, default=None)
    _pool: ThreadPoolExecutor | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._looked_at = self.monotonic() - LOOK_SECONDS
        self.promise.clear()

    @property
    def is_looking(self) -> bool:
        """Whether a look is under way."""
        return self._answer is not None and not self._answer.done()

    def step(self) -> None:
        """Take in what was found, and look again if it is time; never waits."""
        if self._answer is not None:
            if self.is_looking:
                return
            answer, self._answer = self._answer, None
            seen = self._read(answer.result)
            if seen is not None:
                self._take_in(seen)
        if self.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        if self._scan is not None or self.queue.expects_urgent(COVER_DELAY):
            self._looked_at = self.monotonic()
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="new-scenes")
            after = None if self._scan is None else self._scan.newest
            self._answer = self._pool.submit(self.stash.new_scenes, after)

    def close(self) -> None:
        """End the promise, and look once more for what was left to this process."""
        self.promise.withdraw()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = self._answer = None
        if self._scan is not None:
            newest, self._scan = self._scan.newest, None
            seen = self._read(lambda: self.stash.within(LAST_SECONDS).new_scenes(newest))
            if seen is not None:
                self._add(seen)

    def _read(self, look: Callable[[], NewScenes]) -> NewScenes | None:
        """Return what a look found; None if it failed, which ends the promise.

        The next look finds it then, or the sweep that follows each scan.
        """
        try:
            return look()
        except ServerError as error:
            logging.getLogger(__name__).debug("A look for new scenes failed: %s", error)
            self.promise.withdraw()
            return None

    def _take_in(self, seen: NewScenes) -> None:
        """Begin, go on or end, by what a look found."""
        scan = self._scan
        if scan is None:
            if seen.scans:
                self._scan = _Scan(seen.newest, seen.newest)
                self.promise.renew(seen.newest)
            return
        self._add(seen)
        scan.newest = seen.newest
        if seen.scans:
            scan.over = False
            self.promise.renew(scan.after)
        elif scan.over:
            self._scan = None
        else:
            # From here on the hooks start Python again.
            scan.over = True
            self.promise.withdraw()

    def _add(self, seen: NewScenes) -> None:
        """Queue new scenes, as their hooks would have done."""
        if seen.ids:
            keys = [("scene", id_) for id_ in seen.ids]
            self.queue.add_many(keys, priority=URGENT, delay=COVER_DELAY)
