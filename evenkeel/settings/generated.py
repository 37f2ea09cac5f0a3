"""Columns that evenkeel makes itself, for files whose rows bear no key or no time."""

from __future__ import annotations

from evenkeel.settings.platform import Section


class Generated(Section):
    """Columns made when a batch is read, as if they had landed.

    Attributes:
        key: Column that names each row ``BATCH:NUMBER``, numbered from 0000001 in the order of the batch's files.
            It must be the whole ``row_key``; labels come in a file of the same rows in the same order.
        time: Column with the instant the batch landed, one microsecond later for each row, so that rows
            keep their order. It must be ``time``.
    """

    key: str | None = None
    time: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns made."""
        return tuple(c for c in (self.key, self.time) if c is not None)
