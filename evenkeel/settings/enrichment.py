"""What is joined to the rows of a batch, as ``enrichments`` of a pipeline's file states it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from evenkeel.settings.sources import Feed, Name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.settings.sources import Source


class Enrichment(Feed):
    """A source whose columns are joined to the rows of the batches, when it has them.

    With ``*`` in its uri every file is a delivery of its own, and the newest are joined together; with
    ``{batch}`` there is one for each batch. Rows that find nothing, or only what is too old, are answered
    with what is there, name the source in ``stale``, and are answered again as a new revision when it comes.

    Attributes:
        name: Its name, as it stands in ``stale``.
        key: Columns of the schema that both sides share and must agree on; none for a source of times alone.
        time: Its column with the time from which its values hold; a row takes the newest not after its own
            time. Without one a row takes the last that came with its key.
        tolerance: Seconds; a value from longer before the row's time is not used. Needs ``time``.
        columns: Columns of the schema that it brings.
        required: Whether a batch waits for it until ``window`` is over, and is held then; else the batch is
            answered without it.
        delay: Seconds after the batch landed that it is waited for in any case.
        window: Seconds after the batch landed in which what comes late still changes its answers.
        deliveries: Newest deliveries that are joined together, where its uri holds a ``*``.
    """

    name: Name
    key: tuple[str, ...] = ()
    time: str | None = None
    tolerance: float | None = Field(default=None, gt=0)
    columns: tuple[str, ...] = Field(min_length=1)
    required: bool = False
    delay: float = Field(default=0, ge=0)
    window: float = Field(default=86_400, gt=0)
    deliveries: int = Field(default=10, ge=1, le=1000)

    @model_validator(mode="after")
    def _can_be_joined(self) -> Self:
        if not self.key and self.time is None:
            raise ValueError("key or time must say which of its rows belongs to a row of the batch")
        if self.tolerance is not None and self.time is None:
            raise ValueError("tolerance belongs to time: without it no value is too old")
        if self.delay > self.window:
            raise ValueError("delay must not be longer than window")
        if twice := {*self.key, self.time} & set(self.columns):
            raise ValueError(f"columns names {sorted(map(str, twice))}, which are joined on")
        if self.time in self.key:
            raise ValueError(
                f"key names {self.time!r}, which is time: what holds from then on is not of then only"
            )
        return self


def check_together(
    enrichments: Sequence[Enrichment],
    *,
    sources: Sequence[Source],
    row_key: Sequence[str],
    time: str,
    target: str,
) -> None:
    """Refuse enrichments that cannot be told apart, or that bring what is not theirs to bring.

    Raises:
        ValueError: Two sources have one name, a column comes from several or is the row's own, or a key is
            not among the main source's columns.
    """
    brought: dict[str, str] = {}
    names = {s.name for s in sources}
    for one in enrichments:
        if one.name in names:
            raise ValueError(
                f"enrichments: {one.name!r} is the name of several sources; give each one of its own"
            )
        names.add(one.name)
        for column in one.columns:
            if column in {*row_key, time, target}:
                raise ValueError(
                    f"enrichments: {one.name} brings {column!r}, which is the row key, the time or the target"
                )
            if column in brought:
                raise ValueError(f"enrichments: {brought[column]} and {one.name} both bring {column!r}")
            brought[column] = one.name
        if one.time is not None and time in one.key:
            raise ValueError(
                f"enrichments: {one.name} has {time!r} in key and time {one.time!r};"
                " leave it out of key, for the rows are joined as of it"
            )
    for one in enrichments:
        if foreign := [c for c in one.key if c in brought]:
            raise ValueError(
                f"enrichments: {one.name} is joined on {foreign[0]!r}, which {brought[foreign[0]]} brings;"
                " a key must come with the main source"
            )
