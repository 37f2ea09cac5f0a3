"""Join the enrichment sources to a batch: with what is there now, and again when the rest has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.adapters import reading
from evenkeel.errors import DataRejected
from evenkeel.quality.joining import join

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import Pins
    from evenkeel.domain.rows import Rows
    from evenkeel.settings.enrichment import Enrichment
    from evenkeel.stages.batch_run import BatchRun

LATE = "data.source_late"


@dataclass(frozen=True)
class Enriched:
    """What the sources brought to a batch.

    Attributes:
        values: Column -> n values, typed by the schema.
        lacking: Column -> rows that its source had nothing for.
        stale: Source -> rows that were answered without it, or with older rows than they should be.
        problems: Source -> what kept a delivery from being used.
        repeats: The earlier batch that stands in for this one; empty for none.
    """

    values: dict[str, pd.Series[Any]] = field(default_factory=dict)
    lacking: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    stale: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    problems: dict[str, DataRejected] = field(default_factory=dict)
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
            for row in np.flatnonzero(mask[index.to_numpy()]):
                lists[row].append(name)
        return pd.Series(lists, index=index, dtype=object)


def zone_name(pipeline: str, source: str) -> str:
    """Return the name that a source's deliveries have in the landing zone; no pipeline can bear it."""
    return f"{pipeline}.{source}"


def joined_now(workspace: Workspace, batch_id: str) -> dict[str, tuple[str, ...]]:
    """Return, for each enrichment source, the deliveries that the batch would be joined from now, oldest first.

    Where a source that delivers for each batch has not delivered for this one, its newest delivery stands in
    if ``last_known_good`` allows it.
    """
    return {s.name: _deliveries(workspace, s, batch_id) for s in workspace.pipeline.enrichments}


def _deliveries(workspace: Workspace, source: Enrichment, batch_id: str) -> tuple[str, ...]:
    landed = workspace.landing.landed(zone_name(workspace.name, source.name))
    landed.sort(key=lambda d: (d.landed_at, d.batch_id))
    if source.many:
        return tuple(d.batch_id for d in landed[-source.deliveries :])
    if batch_id in {d.batch_id for d in landed}:
        return (batch_id,)
    if not landed or source.last_known_good is None:
        return ()
    age = (workspace.now() - landed[-1].landed_at).total_seconds()
    return (landed[-1].batch_id,) if age <= source.last_known_good.max_staleness else ()


def enrich_batch(run: BatchRun, pins: Pins, rows: Rows) -> Enriched:
    """Join every enrichment source from the deliveries that the batch is pinned to; what lacks is noted.

    Raises:
        DataRejected: A required source has not delivered in its whole window.
    """
    for source in run.workspace.pipeline.enrichments:
        if source.required and not pins.joined.get(source.name):
            raise DataRejected(
                f"batch {run.batch_id}: {source.name} has not delivered in {timedelta(seconds=source.window)}",
                fix="see to the source, then replay the batch",
                cause=LATE,
                evidence={"source": source.name},
            )
    enriched = joined_as_pinned(run.workspace, run.batch_id, pins, rows.frame)
    for name, problem in enriched.problems.items():
        run.note(problem.cause, "enrich", f"went on without {name}", **{name: problem.message})
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
        deliveries = _readable(workspace, source, pins.joined[source.name], done.problems)
        brought = join(frame, deliveries, source, workspace.schema, time=workspace.pipeline.time)
        stands_in = not source.many and pins.joined[source.name] not in {(), (batch_id,)}
        done.values.update(brought.values)
        done.lacking.update(dict.fromkeys(source.columns, ~brought.found))
        done.stale[source.name] = np.full(len(frame), stands_in) | ~brought.found
    return done


def _readable(
    workspace: Workspace, source: Enrichment, pinned: tuple[str, ...], problems: dict[str, DataRejected]
) -> list[pd.DataFrame]:
    """Return the deliveries that can be used; one that cannot is as if it had not come, and is named."""
    frames = []
    for delivery in pinned:
        try:
            frames.append(_read(workspace, source, delivery))
        except DataRejected as error:
            problems[source.name] = error
    return frames


def _read(workspace: Workspace, source: Enrichment, delivery: str) -> pd.DataFrame:
    landing = workspace.landing.landing(zone_name(workspace.name, source.name), delivery)
    if landing is None:
        raise DataRejected(
            f"enrichment {source.name}: delivery {delivery} has gone from the landing zone",
            cause="data.landed_copy_damaged",
        )
    frame = reading.read(workspace.landing.fetch(landing)).frame
    needed = [*source.key, *source.columns, *([source.time] if source.time else [])]
    if missing := [c for c in needed if c not in frame.columns]:
        raise DataRejected(
            f"enrichment {source.name}: delivery {delivery} lacks {', '.join(missing)}; "
            f"found {', '.join(map(str, frame.columns))}",
            fix=f"correct enrichments.{source.name} or its source",
            cause="data.column_missing",
        )
    return frame


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
