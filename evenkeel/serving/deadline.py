"""Work that may hang, done where a hang cannot hold up the rest."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Overdue(Exception):  # noqa: N818 - what happened, not what went wrong with our own code
    """The work took longer than it may."""


class Deadline:
    """An instant after which work is given up.

    Args:
        seconds: From now.
        clock: Seconds, monotonic.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds
        self._given_up = threading.Event()

    def check(self) -> None:
        """Raise Overdue when time is up; work calls this between its steps."""
        if self._given_up.is_set() or self._clock() > self._ends:
            raise Overdue

    def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, or raise what it raises.

        It runs on a daemon thread, which at the deadline is left behind: it stops at its next ``check``, and
        if it never comes to one it does not keep the interpreter from ending. No thread can be killed, so
        work that hangs keeps its memory.

        Raises:
            Overdue: It did not end in time.
        """
        outcome: Future[T] = Future()
        threading.Thread(target=_settle, args=(outcome, work), name="evenkeel-rung", daemon=True).start()
        try:
            done, _ = wait([outcome], timeout=self.seconds)
        finally:
            self._given_up.set()
        if not done:
            raise Overdue
        return outcome.result()


def _settle(outcome: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - handed over whole: the waiting thread raises it again
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
