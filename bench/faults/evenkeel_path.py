"""evenkeel's own path from read rows to answers: the stages of the score flow over a real workspace."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.faults.alarms import Alarms, noted, refused, rejected
from bench.faults.problem import Problem, write
from evenkeel.adapters import sources
from evenkeel.adapters.lake import Table
from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.domain.batch import Pins
from evenkeel.errors import DataRejected
from evenkeel.learning.bundle import open_bundle, write_parts
from evenkeel.learning.manifest import seal
from evenkeel.learning.training import train
from evenkeel.serving.rung import Standby
from evenkeel.settings import load_settings
from evenkeel.stages import diagnose
from evenkeel.stages.batch_run import BatchRun
from evenkeel.stages.enrich import enrich_batch
from evenkeel.stages.impute import impute_batch
from evenkeel.stages.models import Models
from evenkeel.stages.past import open_past
from evenkeel.stages.score import score_batch
from evenkeel.stages.validate import validate_batch

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.diagnosis.past import Past
    from evenkeel.domain.rows import Rows
    from evenkeel.learning.trained import Trained


@dataclass(frozen=True)
class Outcome:
    """What came of a batch.

    Attributes:
        alarms: What was found, beyond nothing.
        answers: Position in the read rows -> answer.
        held: Whether the batch was held.
        touched: Cells repaired or emptied, rows refused, columns distrusted: what the alarms changed.
    """

    alarms: Alarms = field(default_factory=dict)
    answers: pd.Series[Any] = field(default_factory=lambda: pd.Series(dtype=object))
    held: bool = False
    touched: int = 0


@dataclass(frozen=True)
class Prepared:
    """A problem with its champion and its past in a workspace.

    Attributes:
        problem: The problem.
        workspace: Its workspace; the lake holds every batch as if it had been published.
        trained: The champion.
        models: The champion as the stages take it.
        ids: Batch ids.
        clock: The instant that the workspace believes in, in a list of one.
    """

    problem: Problem
    workspace: Workspace
    trained: Trained
    models: Models
    ids: tuple[str, ...]
    clock: list[Any]


def prepare(problem: Problem, folder: Path) -> Prepared:
    """Write the problem, train its champion, and put its batches into a lake under ``folder``."""
    os.environ["EVENKEEL_HOME"] = str(folder / "home")
    os.environ["EVENKEEL_PLATFORM__LOG__LEVEL"] = "error"
    settings = load_settings(problem.name, config_file=write(problem, folder))
    clock: list[Any] = [pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime()]
    workspace = open_workspace(settings, now=lambda: clock[0])
    typed = [_typed(workspace, batch) for batch in problem.batches]
    rows = pd.concat(typed[: problem.train], ignore_index=True)
    labels = pd.Series(np.concatenate(problem.labels[: problem.train]))
    trained = train(rows, labels, workspace.pipeline, workspace.kinds, batch_rows=len(problem.batches[0]))
    write_parts(trained, folder / "bundle")
    digest = seal(folder / "bundle")
    bundle = open_bundle(folder / "bundle", digest, workspace.pipeline)
    ids = tuple(f"b{number:05d}" for number in range(len(typed)))
    _publish(workspace, ids, typed)
    _land(workspace, ids, problem.batches, folder / "sound")
    _read_each_past_once()
    return Prepared(problem, workspace, trained, Models(Standby("1", bundle), None), ids, clock)


def answer(prepared: Prepared, number: int, rows: Rows, *, sent: pd.DataFrame | None = None) -> Outcome:
    """Take read rows that came as batch ``number`` from the classifier to the ladder.

    Args:
        prepared: The problem.
        number: Says which batches are its past.
        rows: The rows.
        sent: Whose newest time, and an hour, it is now; the sound batch of that number where nothing is given.
    """
    workspace = prepared.workspace
    history = workspace.pipeline.faults.history
    sound = prepared.problem.batches[number] if sent is None else sent
    newest = pd.to_datetime(sound[prepared.problem.time], utc=True).max()
    prepared.clock[0] = newest.to_pydatetime() + timedelta(hours=1)
    pins = Pins(
        champion=None,
        previous=None,
        config_sha256=workspace.settings.digest,
        inputs=(),
        as_of=workspace.now(),
        history=prepared.ids[max(0, number - history) : number],
    )
    run = BatchRun(workspace, f"damaged-{number}", "bench")
    run.landed = rows.landed
    for note in rows.notes:
        run.note(note.cause, "read", note.said, **note.evidence)
    try:
        enriched = enrich_batch(run, pins, rows)
        treatment = diagnose.diagnose_batch(run, pins, rows, enriched, prepared.models)
        checked = validate_batch(run, rows, enriched, treatment)
        filled = impute_batch(run, pins, checked, prepared.models)
        answers = score_batch(run, checked, filled, prepared.models)
    except DataRejected as error:
        return Outcome(alarms=noted(run) | rejected(error), held=True, touched=rows.landed)
    touched = sum(int(m.sum()) for masks in (treatment.repaired, treatment.emptied) for m in masks.values())
    return Outcome(
        alarms=noted(run) | refused(checked.quarantined),
        answers=answers.frame["prediction"],
        touched=touched + len(checked.quarantined) + len(checked.suspect),
    )


def _read_each_past_once() -> None:
    """Keep the last past that was read: all faults of a batch are compared with one, and reading it is not judged."""
    kept: dict[tuple[str, ...], Past] = {}

    def opened(run: BatchRun, pins: Pins, models: Models) -> Past:
        if pins.history not in kept:
            kept.clear()
            kept[pins.history] = open_past(run, pins, models)
        return kept[pins.history]

    diagnose.open_past = opened


def _typed(workspace: Workspace, batch: pd.DataFrame) -> pd.DataFrame:
    schema = workspace.schema
    return pd.DataFrame({c: schema.coerce(c, batch[c]).values for c in schema.columns if c in batch})


def _publish(workspace: Workspace, ids: tuple[str, ...], typed: list[pd.DataFrame]) -> None:
    """Write the batches to the lake as accepted, none of their cells imputed or repaired."""
    for batch_id, frame in zip(ids, typed, strict=True):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        rows = table.num_rows
        empty = pa.array([[]] * rows, pa.list_(pa.string()))
        table = table.append_column("batch_id", pa.repeat(pa.scalar(batch_id, pa.string()), rows))
        for name in ("imputed", "stale", "repaired"):
            table = table.append_column(name, empty)
        table = table.append_column("original", pa.nulls(rows, pa.string()))
        workspace.lake.replace_batch(workspace.name, Table.ACCEPTED, batch_id, table)


def _land(workspace: Workspace, ids: tuple[str, ...], batches: list[pd.DataFrame], folder: Path) -> None:
    """Land the batches: which columns used to come is read from their files."""
    folder.mkdir()
    for batch_id, batch in zip(ids, batches, strict=True):
        file = folder / f"{batch_id}.csv"
        batch.to_csv(file, index=False)
        workspace.landing.land(workspace.name, batch_id, sources.fetch_files([str(file)], max_bytes=2**30))
