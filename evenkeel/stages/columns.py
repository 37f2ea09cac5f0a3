"""Fit the columns of a batch to the schema: renamed, added, missing; their order is of no matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.adapters import reading
from evenkeel.errors import DataRejected
from evenkeel.quality.schema import check_header, column_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject
    from evenkeel.domain.batch import Pins
    from evenkeel.domain.diagnosis import Fault
    from evenkeel.stages.batch_run import BatchRun


@dataclass(frozen=True)
class Fitted:
    """How the columns of a batch fit the schema.

    Attributes:
        names: Schema column -> the name it came under, where that is another.
        lost: Required feature columns that did not come.
    """

    names: dict[str, str]
    lost: tuple[str, ...]


def fit_columns(
    run: BatchRun,
    pins: Pins,
    frame: pd.DataFrame,
    past: Past,
    subject: Subject,
    *,
    outdone: Sequence[str] = (),
) -> Fitted:
    """Find the schema's columns in a batch; what is not as it should be is noted on the run.

    A column under another name is recognised by its content. It is used where that is certain and
    ``faults.repair`` is ``auto``, else proposed. Columns of the batch that are ``outdone``, because another
    source brings them, count as added.

    Raises:
        DataRejected: Two columns have one name, a column of the row key, the time, or a lost feature whose
            ``quality.lost_column`` is ``hold`` is missing.
    """
    check_header(frame)
    schema, pipeline = run.workspace.schema, run.workspace.pipeline
    absent = [c for c in schema.columns if c not in frame.columns]
    unknown = [c for c in frame.columns if c not in schema.kinds and c != pipeline.target.column]
    renamed = _recognised(run, frame[unknown], absent, past, subject) if absent and unknown else {}
    added = [*(c for c in unknown if c not in renamed.values()), *outdone]
    if added and (new := _not_seen_before(run, pins, added)):
        run.note("data.column_added", "diagnose", "ignored", columns=new)
    missing = [c for c in schema.required if c in absent and c not in renamed]
    vital = [c for c in missing if c in pipeline.vital]
    if vital or (missing and pipeline.quality.lost_column == "hold"):
        raise column_missing(missing, frame.columns, schema)
    if missing:
        _check_that_it_came(run, missing, frame, past)
        run.note(
            "data.column_missing",
            "diagnose",
            "imputed"
            if pipeline.quality.lost_column == "impute"
            else "answered from rungs that do not need it",
            lost={"columns": missing, "severity": _severity(pipeline.quality.lost_column)},
            found=list(frame.columns),
        )
    return Fitted(renamed, tuple(missing))


def _severity(policy: str) -> str:
    return "degrade" if policy == "degrade" else "warn"


def _recognised(
    run: BatchRun, unknown: pd.DataFrame, absent: list[str], past: Past, subject: Subject
) -> dict[str, str]:
    from evenkeel.diagnosis.columns import recognise

    schema, faults = run.workspace.schema, run.workspace.pipeline.faults
    names: dict[str, str] = {}
    for fault in recognise(
        unknown, absent, past, subject, lambda name, cells: schema.coerce(name, cells).values
    ):
        used = faults.repair == "auto" and fault.confidence >= faults.certainty
        _note_rename(run, fault, used=used)
        if used:
            names[fault.columns[0]] = str(fault.evidence["from"])
    return names


def _note_rename(run: BatchRun, fault: Fault, *, used: bool) -> None:
    run.note(
        fault.cause,
        "diagnose",
        f"{fault.transform}: {'used' if used else 'proposed'}",
        **{fault.columns[0]: fault.told(used=used)},
    )


def _not_seen_before(run: BatchRun, pins: Pins, added: list[str]) -> list[str]:
    """Return the columns that the last good batch did not bring either; none before a first batch."""
    workspace = run.workspace
    landing = workspace.landing.landing(workspace.name, pins.history[-1]) if pins.history else None
    if landing is None:
        return []
    try:
        known = {c for file, path in workspace.landing.fetch(landing) for c in reading.columns_of(file, path)}
    except DataRejected:
        return []
    return [c for c in added if c not in known]


def _check_that_it_came(run: BatchRun, missing: list[str], frame: pd.DataFrame, past: Past) -> None:
    """Refuse a batch that lacks what none ever had: there is nothing to impute it from."""
    never = [c for c in missing if c not in past.rows.columns]
    if never:
        raise column_missing(never, frame.columns, run.workspace.schema)
