"""The report page: one self-contained HTML file that asks nothing of the network."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evenkeel.report.axes import slots
from evenkeel.report.charts import (
    RUNGS,
    drift_plot,
    imputed_plot,
    metric_plot,
    outcomes,
    quarantine_plot,
    rows_plot,
)
from evenkeel.report.history import marks, reigns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from evenkeel.report.data import ReportData

# Batches drawn, the newest: more would be thinner than a pixel on a phone.
CHARTED = 250
# Incidents, model events and batches listed, the newest: a page that a browser opens at once.
LISTED = 300


def render(data: ReportData, path: Path) -> Path:
    """Write the page, whole or not at all.

    Everything that came from data is escaped; the page holds no script and forbids itself to load anything.

    Args:
        data: What to show.
        path: The HTML file; its folder is made where it is missing.

    Returns:
        The path.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evenkeel.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "instant": _instant, "compact": _compact}
    page = environment.get_template("report.html.j2").render(_view(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    # A file name from outside may hold bytes that are no text: they are shown, not refused.
    unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")
    return unfinished.replace(path)


def _view(data: ReportData) -> dict[str, Any]:
    charted = data.batches[-CHARTED:]
    before = data.batches[: -len(charted)] if charted else ()
    marked = [e for e in data.events if not before or e.at >= before[-1].at]
    totals: Counter[str] = Counter()
    for batch in data.batches:
        totals.update(outcomes(batch))
    return {
        "data": data,
        "rungs": RUNGS,
        "charted": len(charted),
        "slots": slots(len(charted)),
        "listed": LISTED,
        "landed": sum(b.landed for b in data.batches),
        "scored": sum(b.scored for b in data.batches),
        "totals": totals,
        "states": Counter(b.state for b in data.batches),
        "imputed_cells": sum(b.imputed_cells for b in data.batches),
        "drifted": sum(b.drifted is True for b in data.batches),
        "measured": sum(b.drifted is not None for b in data.batches),
        "promotions": sum(e.kind == "promoted" for e in data.events),
        "classes": Counter(i.failure_class for i in data.incidents),
        "open": sum(i.resolved_at is None for i in data.incidents),
        "kept": sum(p.kept is True for p in data.audit),
        "broken": [p.promise for p in data.audit if p.kept is False],
        "plots": {
            "rows": rows_plot(charted),
            "quarantine": quarantine_plot(charted),
            "imputed": imputed_plot(charted),
            "drift": drift_plot(charted),
            "metric": metric_plot(charted, data.metric_name, share=data.task != "regression"),
        },
        "marks": marks(charted, marked),
        "reigns": reigns(charted, data.events),
    }


def _count(number: float) -> str:
    return f"{number:,}"


def _instant(at: datetime | None) -> str:
    """Write an instant in UTC, to the minute."""
    if at is None:
        return ""
    known = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return known.strftime("%Y-%m-%d %H:%M")


def _compact(evidence: Mapping[str, Any]) -> str:
    return json.dumps(evidence, ensure_ascii=False, indent=1, default=str)
