"""Requests under way in threads, and what follows each of them in the thread of the database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from attrs import frozen

from stash2plex.model import Clock

T = TypeVar("T")

HANGING_SECONDS, MAX_HANGING = 1.0, 2
"""A write that takes more seconds may be slow because of its own item. That many of those do not
count as a crowd; more of them are a Plex that is slow."""


@frozen
class Step:
    """What follows a request, by how it ended."""

    succeeded: Callable[[Any], None]
    failed: Callable[[Exception], None]


class InFlight:
    """Starts requests in up to `threads` threads, and `pictures` more for pictures.

    Pictures have threads of their own: an upload that hangs takes none from the texts.
    """

    def __init__(self, threads: int, pictures: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="drain")
        self._picture_pool = ThreadPoolExecutor(pictures, thread_name_prefix="pictures")
        self._steps: dict[Future[Any], Step] = {}

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __contains__(self, future: Future[Any]) -> bool:
        return future in self._steps

    def start(self, work: Callable[[], T], step: Step) -> Future[T]:
        """Start a request."""
        return self._submit(self._pool, work, step)

    def start_picture(self, work: Callable[[], T], step: Step) -> Future[T]:
        """Start what is done for a picture."""
        return self._submit(self._picture_pool, work, step)

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[[], T], step: Step) -> Future[T]:
        future = pool.submit(work)
        self._steps[future] = step
        return future

    def collect(self, seconds: float) -> None:
        """Wait up to `seconds` for requests to end, and go on with those that have."""
        if self._steps:
            ended, _ = wait(self._steps, timeout=seconds, return_when=FIRST_COMPLETED)
            for future in ended:
                self._end(future)

    def _end(self, future: Future[Any]) -> None:
        step = self._steps.pop(future)
        try:
            result = future.result()
        except Exception as error:  # noqa: BLE001 - the worker's outer edge: the policy decides
            step.failed(error)
        else:
            step.succeeded(result)

    def close(self) -> None:
        """Let the threads end. Nothing may be under way."""
        self._pool.shutdown(cancel_futures=True)
        self._picture_pool.shutdown(cancel_futures=True)


class Writes:
    """The writes in flight. `monotonic` gives seconds since any time."""

    def __init__(self, flight: InFlight, monotonic: Clock) -> None:
        self._flight = flight
        self._monotonic = monotonic
        self._began: dict[Future[Any], float] = {}

    def add(self, write: Future[Any]) -> None:
        """Count a write that begins now, until it ends."""
        self._began[write] = self._monotonic()

    def __len__(self) -> int:
        self._began = {write: at for write, at in self._began.items() if write in self._flight}
        return len(self._began)

    def crowd(self) -> int:
        """Count the writes, but for those that hang: they take no place from others."""
        flying = len(self)
        since = self._monotonic() - HANGING_SECONDS
        hanging = sum(at <= since for at in self._began.values())
        return flying - min(hanging, MAX_HANGING)
