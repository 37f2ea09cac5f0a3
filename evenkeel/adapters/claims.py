"""Who has landed a content: a claim in every copy of the landing zone, so that no content stands twice.

A claim lies in ``<uri>/<pipeline>/.by-content/<content>.<number>`` and holds the id of the batch that took the
content, before anything of the batch is copied. Whoever lands the same content meanwhile, or after a crash,
finishes that very batch.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from evenkeel.domain.batch import check_batch_id
from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenkeel.adapters.zone_copy import ZoneCopy


class Claims:
    """The claims of a landing zone.

    Args:
        copies: The zone, then its replicas.
    """

    def __init__(self, copies: Sequence[ZoneCopy]) -> None:
        self._copies = copies

    def holders(self, pipeline: str, content: str) -> Iterator[tuple[str, str]]:
        """Yield the claims to a content, oldest first, with the batch that holds each."""
        for key in _keys(pipeline, content):
            found = [c for copy in self._copies if (c := copy.read(key)) is not None]
            if not found:
                return
            yield from ((key, holder) for c in found if (holder := _readable_id(c)))

    def take(self, pipeline: str, content: str, batch_id: str) -> None:
        """Claim a content for a batch, unless another process is first."""
        key = next(k for k in _keys(pipeline, content) if all(c.read(k) is None for c in self._copies))
        self._copies[0].create(key, batch_id.encode())

    def share(self, key: str, holder: str) -> None:
        """Write a claim to the copies that lack it."""
        for copy in self._copies:
            copy.create(key, holder.encode())


def _keys(pipeline: str, content: str) -> Iterator[str]:
    """Yield the keys of the claims to a content; the next is used where the batch of the one before is dead."""
    return (f"{pipeline}/.by-content/{content}.{number}" for number in itertools.count())


def _readable_id(claim: bytes) -> str:
    """Return the batch that a claim names, nothing where it is damaged."""
    try:
        return check_batch_id(claim.decode())
    except (UnicodeDecodeError, UsageError):
        return ""
