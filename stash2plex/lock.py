"""An OS lock on a file. Unlike a pid file it ends with its holder. `os` and `fcntl` only."""

import os
import sys
import time

from stash2plex.datadir import give_to_owner
from stash2plex.errors import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SHARES = sys.platform != "win32"
"""Whether several processes can hold a shared lock at a time."""

PROBES, PROBE_SECONDS = 5, 0.001
"""Where they cannot, two probes may meet: how often one tries, and the seconds in between."""

if sys.platform == "win32":  # pragma: no cover - Windows only
    import msvcrt

    def _try(descriptor: int, *, shared: bool) -> bool:
        del shared  # a byte lock of Windows is always exclusive
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """A lock that one process holds, on a file that stays.

    On POSIX the lock belongs to the open file, so a child that inherits the descriptor holds it
    too: a starter takes the lock and passes it to the worker without a gap.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, *, shared: bool = False) -> bool:
        """Take the lock if it is free; never waits."""
        if self._descriptor is not None:
            return True
        new = not os.path.exists(self._path)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if new:
                give_to_owner(self._path)
        except OSError as error:
            raise StoreUnavailable(
                f"“{self._path}” cannot be opened: {error.strerror}.",
                "Make it writable for the user that runs Stash.",
            ) from error
        if _try(descriptor, shared=shared):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def adopt(self, descriptor: int) -> bool:
        """Keep holding a lock that the starter took.

        On a network file system the lock may not have been inherited; then it is taken again.
        """
        if _try(descriptor, shared=False):
            os.set_inheritable(descriptor, False)
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def give_to_child(self) -> int:
        """Make the descriptor inheritable and return it; call `release` after the start."""
        if self._descriptor is None:
            raise AssertionError("only a held lock can be given to a child")
        os.set_inheritable(self._descriptor, True)
        return self._descriptor

    def release(self) -> None:
        """Release the lock. On POSIX a child that was given the lock keeps it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def drain_lock(folder: str) -> FileLock:
    """Return the lock that is held by the one process that drains a data folder."""
    return FileLock(os.path.join(folder, "drain.lock"))


def presence_lock(folder: str) -> FileLock:
    """Return the lock that a draining process holds beside `drain_lock`, for others to probe.

    A probe takes it for a moment. If it took `drain_lock` instead, a hook at that moment would
    believe that a worker is running, and would not start one.
    """
    return FileLock(os.path.join(folder, "presence.lock"))


def show_presence(folder: str, sleep: "Callable[[float], None]") -> FileLock:
    """Take `presence_lock`; a probe may hold it for microseconds, so this waits for it."""
    lock = presence_lock(folder)
    while not lock.acquire():
        sleep(0.001)
    return lock


def drain_runs(
    folder: str, sleep: "Callable[[float], None]" = time.sleep, *, shares: bool = SHARES
) -> bool:
    """Return whether a process drains the queue of this folder now.

    Where locks are not shared (`shares`), another probe may hold it for microseconds, so it is
    tried several times.
    """
    probe = presence_lock(folder)
    for number in range(1 if shares else PROBES):
        if number:
            sleep(PROBE_SECONDS)
        if probe.acquire(shared=True):
            probe.release()
            return False
    return True
