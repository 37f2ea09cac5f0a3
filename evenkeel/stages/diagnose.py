"""Find the silent faults of a batch, and do about each the mildest thing that is safe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.diagnosis.past import Subject
from evenkeel.errors import DataRejected
from evenkeel.failures.catalogue import Response, catalogue
from evenkeel.quality.coercion import null_column
from evenkeel.quality.quarantine import Finding, cells_as_text
from evenkeel.quality.treatment import Treatment
from evenkeel.stages.columns import fit_columns
from evenkeel.stages.past import open_past

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from evenkeel.domain.batch import Pins
    from evenkeel.domain.diagnosis import Fault
    from evenkeel.domain.rows import Rows
    from evenkeel.quality.coercion import Coerced
    from evenkeel.quality.schema import TableSchema
    from evenkeel.settings import Pipeline
    from evenkeel.settings.enrichment import Enrichment
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.enrich import Enriched
    from evenkeel.stages.models import Models

_STALE, _NULLS, _OUTLIERS = "data.stale_feed", "data.nulls", "data.outliers"
_HALF = 0.5
_REFUSED_AS = {"data.future_timestamps": "not_future"}


def diagnose_batch(run: BatchRun, pins: Pins, rows: Rows, enriched: Enriched, models: Models) -> Treatment:
    """Fit the batch's columns to the schema, find its silent faults and treat them; all is noted on the run.

    A repaired value is used where the transform is certain and ``faults.repair`` is ``auto``. Else the
    faulty cells are emptied, to be imputed, and a whole column is met as ``quality.lost_column`` says.

    Raises:
        DataRejected: Nothing trustworthy can be said about the batch.
    """
    from evenkeel.diagnosis.diagnose import diagnose

    workspace = run.workspace
    subject = _subject(run, pins)
    past = open_past(run, pins, models)
    frame = enriched.frame(rows.frame)
    outdone = [c for c in enriched.values if c in rows.frame.columns]
    fitted = fit_columns(run, pins, frame, past, subject, outdone=outdone)
    named = Treatment(names=fitted.names).named(frame)
    schema = workspace.schema
    read = {c: schema.coerce(c, named[c]) for c in schema.columns if c in named.columns}
    batch = pd.DataFrame({c: coerced.values for c, coerced in read.items()})
    diagnosis = diagnose(batch, past, subject)
    course = _Course(run, named, batch)
    for name in fitted.names:
        course.take(name)
        course.repaired[name] |= course.values[name].notna().to_numpy()
    for name in fitted.lost:
        course.lose(name)
    for name, rows_without in enriched.lacking.items():
        course.take(name)
        course.emptied[name] |= rows_without
    for fault in _not_refused_anyway(diagnosis.faults, batch, schema):
        if fault.confidence >= workspace.pipeline.faults.certainty and not _known(fault, read, enriched):
            course.treat(fault)
    for source in workspace.pipeline.enrichments:
        course.give_up_misjoined(source)
    run.log("diagnose").info(
        "batch diagnosed",
        faults=[f"{f.cause} {'/'.join(f.columns)} {f.confidence:.2f}" for f in diagnosis.faults],
        changed=list(diagnosis.changed),
        note=diagnosis.note,
    )
    # What another source brings in place of the batch's own column is not what came.
    came = {c: coerced for c, coerced in read.items() if c not in enriched.values}
    return course.treatment(fitted.names, came)


def _subject(run: BatchRun, pins: Pins) -> Subject:
    schema, pipeline = run.workspace.schema, run.workspace.pipeline
    return Subject(
        kinds=schema.kinds,
        features=pipeline.features.columns,
        row_key=pipeline.row_key,
        time=pipeline.time,
        whole=schema.whole,
        as_of=pins.as_of,
        joined=frozenset(c for source in pipeline.enrichments for c in source.columns),
    )


def _not_refused_anyway(faults: Sequence[Fault], batch: pd.DataFrame, schema: TableSchema) -> list[Fault]:
    """Leave single wild values to the schema where it refuses them: their owner said what becomes of such rows."""
    if not any(f.cause == _OUTLIERS for f in faults):
        return list(faults)
    refused: dict[str, set[int]] = {}
    for broken in schema.rules.broken(batch):
        if broken.rows is not None:
            refused.setdefault(broken.column, set()).update(broken.rows.tolist())
    left = []
    for fault in faults:
        if fault.cause == _OUTLIERS and fault.rows is not None:
            rows = [r for r in fault.rows.tolist() if r not in refused.get(fault.columns[0], ())]
            left += [replace(fault, rows=np.array(rows, dtype=np.intp))] if rows else []
        else:
            left.append(fault)
    return left


def _known(fault: Fault, read: Mapping[str, Coerced], enriched: Enriched) -> bool:
    """Say whether a fault only tells in other words what is known and dealt with already.

    That the values of an earlier batch come again is no news where it stands in for this one, and cells that
    cannot be read as their type are no gaps: the schema refuses them.
    """
    if fault.cause == _STALE:
        return bool(enriched.repeats)
    if fault.cause != _NULLS or fault.rows is None:
        return False
    flawed = read[fault.columns[0]].flawed.get("dtype")
    return flawed is not None and bool(flawed[fault.rows].mean() > _HALF)


@dataclass(frozen=True)
class _Done:
    """What was done about one fault, for a person and for the audit."""

    words: str
    severity: str = "warn"


class _Course:
    """The treatment of one batch as it grows, fault by fault."""

    def __init__(self, run: BatchRun, frame: pd.DataFrame, batch: pd.DataFrame) -> None:
        self._run = run
        self._pipeline: Pipeline = run.workspace.pipeline
        self._frame = frame
        self._batch = batch
        self._refused: list[Finding] = []
        self._distrusted: set[str] = set()
        self.values: dict[str, pd.Series[Any]] = {}
        self.repaired: dict[str, npt.NDArray[np.bool_]] = {}
        self.emptied: dict[str, npt.NDArray[np.bool_]] = {}

    def treatment(self, names: Mapping[str, str], read: Mapping[str, Coerced]) -> Treatment:
        """Return what was done."""
        return Treatment(
            names=names,
            read=read,
            values=self.values,
            repaired={c: m for c, m in self.repaired.items() if m.any()},
            emptied={c: m for c, m in self.emptied.items() if m.any()},
            refused=tuple(self._refused),
            distrusted=frozenset(self._distrusted),
        )

    def take(self, column: str) -> None:
        """Begin to treat a column."""
        nowhere = np.zeros(len(self._frame), dtype=np.bool_)
        if column not in self.values:
            kind = self._run.workspace.kinds[column]
            self.values[column] = self._batch.get(column, null_column(self._batch.index, kind)).copy()
        self.repaired.setdefault(column, nowhere.copy())
        self.emptied.setdefault(column, nowhere.copy())

    def lose(self, column: str) -> None:
        """Do without a whole feature column."""
        if self._pipeline.quality.lost_column == "degrade":
            self._distrusted.add(column)
        self._empty(column, np.ones(len(self._frame), dtype=np.bool_))

    def give_up_misjoined(self, source: Enrichment) -> None:
        """Empty what was joined to rows by a key or a time that was repaired since: it belongs to other rows."""
        by = [*source.key, *([self._pipeline.time] if source.time else [])]
        wrong = np.zeros(len(self._frame), dtype=np.bool_)
        for column in by:
            wrong |= self.repaired.get(column, wrong)
        rows = wrong & np.any([self._came(c) for c in source.columns], axis=0)
        if rows.any():
            for column in source.columns:
                self._empty(column, rows)
            told = {"columns": list(source.columns), "rows": int(rows.sum()), "joined by": by}
            said = f"{source.name} was joined by values that were repaired: imputed"
            self._run.note("data.nulls", "diagnose", said, **{source.name: told})

    def treat(self, fault: Fault) -> None:
        """Do about a fault what the catalogue and the configuration say, and note it."""
        done = self._done(fault)
        rows = len(self._frame) if fault.rows is None else len(fault.rows)
        named = "/".join(fault.columns) or "rows"
        what = f"{fault.transform} " if fault.transform else ""
        self._run.note(
            fault.cause,
            "diagnose",
            f"{named}: {what}{done.words}",
            **{named: fault.told(rows=rows, severity=done.severity)},
        )

    def _done(self, fault: Fault) -> _Done:
        match catalogue()[fault.cause].response:
            case Response.QUARANTINE:
                return self._refuse(fault)
            case Response.FALLBACK:
                return self._distrust(fault)
            case Response.REPAIR if self._may_repair(fault):
                return self._repair(fault)
            case Response.REPAIR | Response.IMPUTE:
                return self._empty_cells(fault)
            case _:
                return _Done("answered all the same")

    def _may_repair(self, fault: Fault) -> bool:
        return self._pipeline.faults.repair == "auto" and bool(fault.repaired)

    def _repair(self, fault: Fault) -> _Done:
        """Put in the repaired values; a cell that has none, for it had another fault too, is emptied."""
        rows = self._rows(fault)
        for column, values in fault.repaired.items():
            self.take(column)
            self.values[column] = self.values[column].where(~rows, values)
            there = self.values[column].notna().to_numpy()
            self.repaired[column] = np.where(rows, there, self.repaired[column])
            self.emptied[column] |= rows & ~there & self._came(column)
        return _Done("repaired")

    def _empty_cells(self, fault: Fault) -> _Done:
        """Take the faulty cells away; of the key and the time, without which a row is nothing, it cannot be done."""
        vital = self._pipeline.vital & set(fault.columns)
        policy = self._pipeline.quality.lost_column
        if not any(self._came(c)[self._rows(fault)].any() for c in fault.columns):
            return _Done("imputed as every gap is")
        if vital or (fault.rows is None and policy == "hold"):
            raise self._rejected(fault)
        for column in fault.columns:
            if fault.rows is None:
                self.lose(column)
            else:
                self._empty(column, self._rows(fault))
        if fault.rows is None and policy == "degrade":
            return _Done("answered from rungs that do not need it", "degrade")
        return _Done("imputed")

    def _empty(self, column: str, rows: npt.NDArray[np.bool_]) -> None:
        self.take(column)
        nothing = null_column(self._batch.index, self._run.workspace.kinds[column])
        came = self._came(column)
        self.values[column] = self.values[column].where(~rows, nothing)
        self.repaired[column] &= ~rows
        self.emptied[column] |= rows & came

    def _came(self, column: str) -> npt.NDArray[np.bool_]:
        """Return which cells brought a value; of a column that did not come all of them, for it is missed."""
        if column not in self._batch.columns:
            return np.ones(len(self._frame), dtype=np.bool_)
        return self._batch[column].notna().to_numpy()

    def _refuse(self, fault: Fault) -> _Done:
        rows = np.flatnonzero(self._rows(fault))
        check = _REFUSED_AS.get(fault.cause, "unique")
        column = fault.columns[0] if fault.columns else self._pipeline.row_key[0]
        self._refused.append(Finding(column, check, rows, cells_as_text(self._frame[column], rows)))
        return _Done("quarantined")

    def _distrust(self, fault: Fault) -> _Done:
        """Let no answer rest on columns that say nothing about these rows; known rows have their answers."""
        if fault.evidence.get("keys_repeat"):
            raise self._rejected(fault)
        self._distrusted.update(self._pipeline.features.columns)
        return _Done("answered by the heuristic", "degrade")

    def _rows(self, fault: Fault) -> npt.NDArray[np.bool_]:
        mask = np.full(len(self._frame), fault.rows is None)
        if fault.rows is not None:
            mask[fault.rows] = True
        return mask

    def _rejected(self, fault: Fault) -> DataRejected:
        title = catalogue()[fault.cause].title
        what = f" ({fault.transform})" if fault.transform else ""
        return DataRejected(
            f"batch {self._run.batch_id}: {', '.join(fault.columns)}: {title}{what}",
            fix="have the source send the batch again, then replay it",
            cause=fault.cause,
            evidence=fault.told(),
        )
