"""Join the enrichment sources to a batch: with what is there now, and again when the rest has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.adapters import reading
from evenkeel.domain.rows import ReadingNote
from evenkeel.errors import DataRejected
from evenkeel.quality.joining import join
from evenkeel.quality.schema import check_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import Pins
    from evenkeel.domain.rows import Rows
    from evenkeel.quality.joining import Joined
    from evenkeel.settings.enrichment import Enrichment
    from evenkeel.stages.batch_run import BatchRun

LATE = "data.source_late"
_MOST_LINES = 20  # are named
NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class Enriched:
    """What the sources brought to a batch.

    Attributes:
        values: Column -> n values, typed by the schema.
        lacking: Column -> rows that its source had nothing for.
        stale: Source -> rows that were answered without it, or with older rows than they should be.
        problems: Source -> what kept a delivery from being used.
        notes: What was wrong with deliveries that were used all the same.
        repeats: The earlier batch that stands in for this one; empty for none.
    """

    values: dict[str, pd.Series[Any]] = field(default_factory=dict)
    lacking: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    stale: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    problems: dict[str, DataRejected] = field(default_factory=dict)
    notes: list[ReadingNote] = field(default_factory=list)
    repeats: str = ""

    def frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with the columns that were brought; the very frame where there are none."""
        return rows.assign(**self.values) if self.values else rows

    def stale_lists(self, index: pd.Index) -> pd.Series[Any]:
        """Return, for the rows of ``index`` (positions in the batch), the list of their stale sources, sorted."""
        if not any(mask.any() for mask in self.stale.values()):
            return pd.Series([[]] * len(index), index=index, dtype=object)
        lists: list[list[str]] = [[] for _ in range(len(index))]
        for name, mask in sorted(self.stale.items()):
            for row in np.flatnonzero(mask[index.to_numpy()]).tolist():
                lists[row].append(name)
        return pd.Series(lists, index=index, dtype=object)


def zone_name(pipeline: str, source: str) -> str:
    """Return the name that a source's deliveries have in the landing zone; no pipeline can bear it."""
    return f"{pipeline}.{source}"


def joined_now(
    workspace: Workspace, batch_id: str, earlier: Mapping[str, tuple[str, ...]] = NOTHING
) -> dict[str, tuple[str, ...]]:
    """Return, for each enrichment source, the deliveries that the batch would be joined from now, oldest first.

    Where a source that delivers for each batch has not delivered for this one, its newest delivery stands in
    if ``last_known_good`` allows it.

    Args:
        workspace: The pipeline's workspace.
        batch_id: The batch.
        earlier: What an earlier answer to it was joined from. That is kept beside what is newest now: by the
            time a batch is answered again, others may have come in plenty that say nothing of its rows.
    """
    return {
        s.name: _deliveries(workspace, s, batch_id, earlier.get(s.name, ()))
        for s in workspace.pipeline.enrichments
    }


def _deliveries(
    workspace: Workspace, source: Enrichment, batch_id: str, earlier: tuple[str, ...] = ()
) -> tuple[str, ...]:
    landed = workspace.landing.landed(zone_name(workspace.name, source.name))
    landed.sort(key=lambda d: (d.landed_at, d.batch_id))
    if source.many:
        wanted = {*earlier, *(d.batch_id for d in landed[-source.deliveries :])}
        return tuple(d.batch_id for d in landed if d.batch_id in wanted)
    if batch_id in {d.batch_id for d in landed}:
        return (batch_id,)
    if not landed or source.last_known_good is None:
        return earlier
    age = (workspace.now() - landed[-1].landed_at).total_seconds()
    return (landed[-1].batch_id,) if age <= source.last_known_good.max_staleness else earlier


def enrich_batch(run: BatchRun, pins: Pins, rows: Rows) -> Enriched:
    """Join every enrichment source from the deliveries that the batch is pinned to; what lacks is noted.

    Raises:
        DataRejected: A required source has not delivered in its whole window, or nothing that can be used; or
            two columns of the batch have one name.
    """
    check_header(rows.frame)
    for source in run.workspace.pipeline.enrichments:
        if source.required and not pins.joined.get(source.name):
            raise DataRejected(
                f"batch {run.batch_id}: {source.name} has not delivered in {timedelta(seconds=source.window)}",
                fix="see to the source, then replay the batch",
                cause=LATE,
                evidence={"source": source.name},
            )
    enriched = joined_as_pinned(run.workspace, run.batch_id, pins, rows.frame)
    required = {s.name for s in run.workspace.pipeline.enrichments if s.required}
    for name, problem in enriched.problems.items():
        if name in required and enriched.stale[name].all():
            raise DataRejected(
                f"batch {run.batch_id}: {problem.message}",
                fix=problem.fix,
                cause=problem.cause,
                evidence={"source": name, **problem.evidence},
            )
        run.note(problem.cause, "enrich", f"went on without {name}", **{name: problem.message})
    for note in enriched.notes:
        run.note(note.cause, "enrich", note.said, **note.evidence)
    late = {s: mask for s, mask in enriched.stale.items() if s in pins.joined and mask.any()}
    if late:
        run.note(
            LATE,
            "enrich",
            "answered with what is there; answered again when it comes",
            **{name: {"rows": int(mask.sum()), "of": len(mask)} for name, mask in late.items()},
        )
    if standing_in := sorted(enriched.stale.keys() - pins.joined.keys()):
        run.note(
            "data.source_stale",
            "read",
            "answered from older rows than they should be",
            sources=standing_in,
            **({"repeats": enriched.repeats} if enriched.repeats else {}),
        )
    return enriched


def joined_as_pinned(workspace: Workspace, batch_id: str, pins: Pins, frame: pd.DataFrame) -> Enriched:
    """Join the pinned deliveries to the rows of a batch as they came, the same at every reading."""
    landing = workspace.landing.landing(workspace.name, batch_id)
    done = Enriched(
        stale={name: np.ones(len(frame), dtype=np.bool_) for name in (landing.stale if landing else ())},
        repeats=landing.repeats if landing else "",
    )
    for source in workspace.pipeline.enrichments:
        if source.name not in pins.joined:
            continue  # pinned before there was such a source
        deliveries = _readable(workspace, source, pins.joined[source.name], done)
        brought = join(frame, deliveries, source, workspace.schema, time=workspace.pipeline.time)
        done.notes.extend(_flaws(source.name, brought))
        stands_in = not source.many and pins.joined[source.name] not in {(), (batch_id,)}
        done.values.update(brought.values)
        done.lacking.update(dict.fromkeys(source.columns, ~brought.found))
        done.stale[source.name] = np.full(len(frame), stands_in) | ~brought.found
    return done


def _flaws(source: str, brought: Joined) -> Iterator[ReadingNote]:
    """Tell what was wrong with what the rows of the batch found."""
    for column, mask in brought.unreadable.items():
        said = f"{column} of {source} is taken as missing where it cannot be read"
        yield ReadingNote("data.column_retyped", said, {f"{source}.{column}": int(mask.sum())})
    if brought.at_odds.any():
        said = f"the last of several rows of one delivery of {source} is used"
        yield ReadingNote("data.sources_disagree", said, {source: int(brought.at_odds.sum())})
    if brought.lost:
        said = f"rows of {source} without a readable key or time are not used"
        yield ReadingNote("data.invalid_value", said, {source: brought.lost})


def _readable(
    workspace: Workspace, source: Enrichment, pinned: tuple[str, ...], done: Enriched
) -> list[pd.DataFrame]:
    """Return the deliveries that can be used; one that cannot is as if it had not come, and is named."""
    frames = []
    for delivery in pinned:
        try:
            rows = _read(workspace, source, delivery)
        except DataRejected as error:
            done.problems[source.name] = error
            continue
        frames.append(rows.frame)
        where = f"{source.name}/{delivery}"
        done.notes.extend(ReadingNote(n.cause, f"{where}: {n.said}", {where: n.evidence}) for n in rows.notes)
        if rows.unreadable:
            said = f"lines of {source.name} that are no row are not used"
            lines = [line.line for line in rows.unreadable[:_MOST_LINES]]
            evidence = {where: {"unreadable": len(rows.unreadable), "lines": lines}}
            done.notes.append(ReadingNote("data.unreadable_lines", said, evidence))
    return frames


def _read(workspace: Workspace, source: Enrichment, delivery: str) -> Rows:
    landing = workspace.landing.landing(zone_name(workspace.name, source.name), delivery)
    if landing is None:
        raise DataRejected(
            f"enrichment {source.name}: delivery {delivery} has gone from the landing zone",
            cause="data.landed_copy_damaged",
        )
    rows = reading.read(workspace.landing.fetch(landing))
    frame = rows.frame
    check_header(frame)
    needed = [*source.key, *source.columns, *([source.time] if source.time else [])]
    if missing := [c for c in needed if c not in frame.columns]:
        raise DataRejected(
            f"enrichment {source.name}: delivery {delivery} lacks {', '.join(missing)}; "
            f"found {', '.join(map(str, frame.columns))}",
            fix=f"correct enrichments.{source.name} or its source",
            cause="data.column_missing",
        )
    return rows


def must_wait(run: BatchRun) -> bool:
    """Say whether the batch waits for a source that has not delivered: the next run takes it up again."""
    workspace = run.workspace
    record = workspace.ledger.batch(workspace.name, run.batch_id)
    if record is None or record.pins is not None:
        return False  # it has been started
    waited = (workspace.now() - record.landed_at).total_seconds()
    for source in workspace.pipeline.enrichments:
        if _deliveries(workspace, source, run.batch_id):
            continue
        if waited < (source.window if source.required else source.delay):
            run.log("enrich").info("waiting", source=source.name, waited_seconds=round(waited))
            return True
    return False
