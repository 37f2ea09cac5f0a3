"""What was said of a batch: which cause, in which column, in how many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.failures.catalogue import catalogue
from evenkeel.quality.quarantine import cause_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenkeel.errors import DataRejected
    from evenkeel.stages.batch_run import BatchRun

Alarms = dict[tuple[str, str], int]
"""(cause, column or '' for rows) -> rows it was found in."""

# What follows from an alarm that is counted already, or watches the world and not the feed.
_CONSEQUENCES = frozenset({"data.suspect_column", "data.covariate_drift", "data.prior_drift"})
_FILE_CAUSES = frozenset(
    {"data.wrong_encoding", "data.wrong_delimiter", "data.unreadable_lines", "data.truncated"}
)


def noted(run: BatchRun) -> Alarms:
    """Return what a run noted of its data; the rows that it refused are told by :func:`refused`."""
    found: Alarms = {}
    for note in run.notes:
        if not note.cause.startswith("data.") or note.cause in _CONSEQUENCES:
            continue
        named = list(_named(note.evidence, run.landed))
        if not named and (note.stage != "validate" or note.cause in _FILE_CAUSES):
            named = [("", run.landed)]
        for column, rows in named:
            found[note.cause, column] = max(found.get((note.cause, column), 0), rows)
    return found


def refused(quarantined: pd.DataFrame) -> Alarms:
    """Return why rows were refused."""
    reasons = [(cause_of(r["check"]), r["column"]) for listed in quarantined["reasons"] for r in listed]
    counted = pd.Series(reasons, dtype=object).value_counts()
    return {(cause, column): int(rows) for (cause, column), rows in counted.items()}


def rejected(error: DataRejected) -> Alarms:
    """Return what a batch was refused for."""
    columns = error.evidence.get("columns") or [""]
    missing = error.evidence.get("missing")
    if isinstance(missing, dict):
        columns = sorted(missing)
    known = error.cause if error.cause in catalogue() else "data.not_the_format"
    return {(known, str(column)): 1 for column in columns}


def told(alarms: Alarms) -> str:
    """Return alarms for a person."""
    return ", ".join(f"{c.removeprefix('data.')}[{column}]x{rows}" for (c, column), rows in alarms.items())


def _named(evidence: Mapping[str, Any], landed: int) -> Iterator[tuple[str, int]]:
    """Yield the columns that a note's evidence names, and the rows."""
    for name, value in evidence.items():
        if isinstance(value, dict) and "columns" in value:
            rows = int(value.get("rows", landed))
            yield from ((str(column), rows) for column in value["columns"] or [""])
        elif name == "cells":
            yield from value.items()
        elif name == "columns" and isinstance(value, list):
            yield from ((str(column), landed) for column in value)
