"""How many threads the numeric libraries may use, so that results and times do not depend on the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def single_thread(*, trees: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which linear algebra, and with ``trees`` OpenMP too, runs in one thread.

    Linear algebra then gives the same bits on any machine. Gradient-boosted trees do so in any number of
    threads, but these wait for each other at every split: on a busy machine, on few rows, ten times slower
    and more.
    """
    import sklearn.ensemble  # noqa: F401 - only libraries that are loaded already can be limited
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[Any] = threadpool_limits({"blas": 1} | ({"openmp": 1} if trees else {}))
    return limited
