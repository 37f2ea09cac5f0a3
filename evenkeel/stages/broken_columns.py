"""Feature columns that most rows break the schema by: the column is lost then, not the rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from evenkeel.quality.coercion import null_column
from evenkeel.quality.quarantine import cause_of

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.domain.quality import Split
    from evenkeel.quality.treatment import Treatment
    from evenkeel.stages.batch_run import BatchRun

_MOST = 0.5  # of a column's cells: below, what is left of it still tells something, and rows are to blame


def without_broken_columns(
    run: BatchRun, frame: pd.DataFrame, parted: Split, treatment: Treatment
) -> Treatment | None:
    """Give up the feature columns most of whose cells would have their rows refused, more than the batch may lose.

    Their cells are met as those of a column that did not come: imputed, or kept from every rung that rests
    on them, as ``quality.lost_column`` says; each is noted on the run with what it broke.

    Args:
        run: The run.
        frame: The batch as it came.
        parted: It divided by the schema.
        treatment: What was done about its faults so far.

    Returns:
        The treatment without them; None where there are none, or the batch is to be held for them.
    """
    pipeline = run.workspace.pipeline
    if pipeline.quality.lost_column == "hold":
        return None
    limit = max(pipeline.quality.max_quarantined_share, _MOST) * len(frame)
    if len(parted.quarantined) <= limit:
        return None  # no column can have broken more rows than were refused
    broken = _broken(run, parted, limit=limit)
    if not broken:
        return None
    degrade = pipeline.quality.lost_column == "degrade"
    for column, checks in broken.items():
        check, rows = checks.most_common(1)[0]
        told = {
            "columns": [column],
            "check": check,
            "rows": rows,
            "severity": "degrade" if degrade else "warn",
        }
        done = "answered from rungs that do not need it" if degrade else "the whole column imputed"
        run.note(cause_of(check), "validate", f"{column}: {done}", **{column: told})
    nothing = {c: null_column(frame.index, run.workspace.kinds[c]) for c in broken}
    return treatment.losing(nothing, distrust=degrade)


def _broken(run: BatchRun, parted: Split, *, limit: float) -> dict[str, Counter[str]]:
    """Return column -> check -> rows that break it, for the feature columns past the limit."""
    pipeline = run.workspace.pipeline
    found: dict[str, Counter[str]] = {}
    rows: Counter[str] = Counter()
    for reasons in parted.quarantined["reasons"]:
        rows.update({r["column"] for r in reasons})
        for reason in reasons:
            found.setdefault(reason["column"], Counter())[reason["check"]] += 1
    return {c: found[c] for c in pipeline.features.columns if rows[c] > limit and c not in pipeline.vital}
