"""Attribute an exception to one cause of the catalogue."""

from __future__ import annotations

import errno
import traceback
from typing import Any

from evenkeel import __version__
from evenkeel.errors import EvenkeelError, UsageError
from evenkeel.failures.catalogue import catalogue

_BY_ERRNO = {
    errno.ENOSPC: "infrastructure.disk_full",
    errno.EDQUOT: "infrastructure.disk_full",
    errno.EROFS: "infrastructure.read_only_disk",
}
_TRACEBACK_LINES = 40


def attribute(error: BaseException) -> str:
    """Return the cause an exception stands for.

    Our own errors name it themselves; the operating system's are read by number; anything else is a
    fault of the code.
    """
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, EvenkeelError) and link.cause in catalogue():
            return link.cause
        if isinstance(link, MemoryError):
            return "infrastructure.out_of_memory"
        if isinstance(link, OSError) and link.errno in _BY_ERRNO:
            return _BY_ERRNO[link.errno]
    if isinstance(error, UsageError):
        return "code.bad_config"
    # Prefect's own timeout error derives from TimeoutError, as every step's timeout should.
    return "infrastructure.step_timeout" if isinstance(error, TimeoutError) else "code.exception"


def evidence(error: BaseException) -> dict[str, Any]:
    """Return what is worth keeping of an exception: message, type, and for faults of the code its traceback."""
    facts: dict[str, Any] = {"error": type(error).__name__, "message": str(error)[:2000]}
    if isinstance(error, EvenkeelError):
        return facts | error.evidence
    lines = "".join(traceback.format_exception(error)).splitlines()
    return facts | {"traceback": lines[-_TRACEBACK_LINES:], "code_version": __version__}


def _chain(error: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links
