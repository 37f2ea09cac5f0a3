"""The charts as plain geometry; the template draws them as SVG in its own colours, sharp at any size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.domain.ladder import Rung
from evenkeel.report.axes import Scale, Tick, label_ticks, scale_of, slot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evenkeel.report.data import BatchLine

RUNGS = tuple(str(rung) for rung in Rung)
_GAP = 0.16  # share of a slot left empty between bars
_GAPLESS = 150  # with more batches than this the gaps would only flicker


@dataclass(frozen=True)
class Box:
    """A rectangle; ``kind`` is its CSS class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """A polyline as an SVG path, broken where there is no value."""

    kind: str
    path: str


@dataclass(frozen=True)
class Dot:
    """A point."""

    kind: str
    x: float
    y: float


@dataclass(frozen=True)
class Plot:
    """One chart.

    Attributes:
        title: What it shows, for a reader who cannot see it.
        boxes: Bars, or parts of them.
        lines: Lines, drawn over the bars.
        dots: Points, drawn last.
        y_ticks: Labels of the vertical axis.
        x_ticks: Labels under the plot.
        notes: Per batch, what a person reads when pointing at it.
        empty: Why there is nothing to draw; then nothing else is set.
    """

    title: str
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_ticks: tuple[Tick, ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = ""


def rows_plot(batches: Sequence[BatchLine]) -> Plot:
    """Draw where the rows of each batch ended: answered, by rung, or quarantined, held, waiting."""
    if not any(b.landed for b in batches):
        return Plot("Rows per batch", empty="No batch has landed yet.")
    scale = scale_of([float(b.landed) for b in batches], from_zero=True)
    boxes: list[Box] = []
    for i, batch in enumerate(batches):
        below = 0
        for kind, rows in outcomes(batch).items():
            if rows:
                boxes.append(_bar(kind, (i, len(batches)), scale, below, below + rows))
            below += rows
    title = "Rows per batch: by the rung that answered them, quarantined, held, waiting"
    return _plot(title, batches, scale, _rows_note, boxes)


def outcomes(batch: BatchLine) -> dict[str, int]:
    """Return the rows of a batch by where they ended, in the order in which they are stacked."""
    rungs = {rung: batch.per_rung.get(rung, 0) for rung in RUNGS}
    return {**rungs, "quarantined": batch.quarantined, "held": batch.held, "waiting": batch.waiting}


def quarantine_plot(batches: Sequence[BatchLine]) -> Plot:
    """Draw the share of each batch's rows that was quarantined."""
    shares = [b.quarantined / b.landed if b.landed else 0.0 for b in batches]
    if not any(shares):
        return Plot("Quarantined share", empty="No row has been quarantined.")
    scale = scale_of(shares, from_zero=True, ceiling=1.0, percent=True)
    boxes = [_bar("quarantined", (i, len(batches)), scale, 0, v) for i, v in enumerate(shares) if v]
    title = "Share of rows quarantined per batch"
    return _plot(
        title, batches, scale, lambda b: f"{b.quarantined:,} of {b.landed:,} rows quarantined", boxes
    )


def imputed_plot(batches: Sequence[BatchLine]) -> Plot:
    """Draw the number of cells filled in each batch."""
    if not any(b.imputed_cells for b in batches):
        return Plot("Imputed cells", empty="No cell has been imputed.")
    scale = scale_of([float(b.imputed_cells) for b in batches], from_zero=True)
    cells = [b.imputed_cells for b in batches]
    boxes = [_bar("imputed", (i, len(batches)), scale, 0, n) for i, n in enumerate(cells) if n]
    return _plot(
        "Imputed cells per batch", batches, scale, lambda b: f"{b.imputed_cells:,} cells imputed", boxes
    )


def drift_plot(batches: Sequence[BatchLine]) -> Plot:
    """Draw each batch's distance from the reference against its threshold; drifted batches stand out."""
    measured = [_drawable(b.drift_statistic) for b in batches]
    limits = [_drawable(b.drift_threshold) for b in batches]
    if all(v is None for v in measured):
        return Plot("Drift", empty="No batch has been measured against a champion's reference yet.")
    scale = scale_of([v for v in measured + limits if v is not None], from_zero=True)
    dots = [
        Dot("drifted" if b.drifted else "steady", _middle(i, len(batches)), scale.y(value))
        for i, (b, value) in enumerate(zip(batches, measured, strict=True))
        if value is not None
    ]
    lines = (Line("threshold", _steps(limits, scale)), Line("statistic", _path(measured, scale)))
    return _plot(
        "Drift statistic per batch, and its threshold", batches, scale, _drift_note, dots=dots, lines=lines
    )


def metric_plot(batches: Sequence[BatchLine], name: str, *, share: bool) -> Plot:
    """Draw the realised metric per batch where labels exist: overall as a line, by rung as points.

    Args:
        batches: Oldest first.
        name: What the metric measures.
        share: Whether it is a share of rows, labelled in percent.
    """
    overall = [_drawable(b.metric) for b in batches]
    by_rung = [{r: v for r, v in b.metric_by_rung.items() if _drawable(v) is not None} for b in batches]
    values = [v for v in overall if v is not None] + [v for rungs in by_rung for v in rungs.values()]
    if not values:
        return Plot(name, empty="No labels have arrived yet.")
    scale = scale_of(values, from_zero=False, ceiling=1.0 if share else None, percent=share)
    dots = [
        Dot(rung, _middle(i, len(batches)), scale.y(value))
        for i, (whole, rungs) in enumerate(zip(overall, by_rung, strict=True))
        for rung, value in _worst_first(rungs or ({} if whole is None else {"metric": whole}))
    ]

    def note(batch: BatchLine) -> str:
        if batch.metric is None:
            return "no labels yet"
        parts = ", ".join(f"{rung} {value:.3g}" for rung, value in batch.metric_by_rung.items())
        return f"{name} {batch.metric:.3g}" + (f" ({parts})" if parts else "")

    line = Line("metric", _path(overall, scale))
    return _plot(f"Realised {name} per batch", batches, scale, note, dots=dots, lines=(line,))


def _plot(
    title: str,
    batches: Sequence[BatchLine],
    scale: Scale,
    note: Callable[[BatchLine], str],
    boxes: Sequence[Box] = (),
    *,
    lines: Sequence[Line] = (),
    dots: Sequence[Dot] = (),
) -> Plot:
    return Plot(
        title=title,
        boxes=tuple(boxes),
        lines=tuple(line for line in lines if line.path),
        dots=tuple(dots),
        y_ticks=scale.ticks,
        x_ticks=label_ticks([b.batch_id for b in batches]),
        notes=tuple(f"{b.batch_id}: {note(b)}" for b in batches),
    )


def _bar(kind: str, place: tuple[int, int], scale: Scale, low: float, high: float) -> Box:
    index, count = place
    left, width = slot(index, count)
    gap = 0.0 if count > _GAPLESS else width * _GAP
    top, foot = scale.y(high), scale.y(low)
    return Box(kind, round(left + gap / 2, 4), top, round(width - gap, 4), round(foot - top, 3))


def _middle(index: int, count: int) -> float:
    left, width = slot(index, count)
    return round(left + width / 2, 3)


def _path(values: Sequence[float | None], scale: Scale) -> str:
    parts: list[str] = []
    for i, value in enumerate(values):
        if value is not None:
            joined = i > 0 and values[i - 1] is not None
            parts.append(f"{'L' if joined else 'M'}{_middle(i, len(values))} {scale.y(value)}")
    return "".join(parts)


def _steps(values: Sequence[float | None], scale: Scale) -> str:
    parts: list[str] = []
    for i, value in enumerate(values):
        if value is not None:
            left, width = slot(i, len(values))
            joined = i > 0 and values[i - 1] is not None
            parts.append(f"{'L' if joined else 'M'}{left} {scale.y(value)}H{round(left + width, 4)}")
    return "".join(parts)


def _drawable(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _worst_first(by_rung: Mapping[str, float]) -> list[tuple[str, float]]:
    """Order points so that the best rung is drawn last, on top."""
    order = {rung: i for i, rung in enumerate(RUNGS)}
    return sorted(by_rung.items(), key=lambda item: -order.get(item[0], len(order)))


def _rows_note(batch: BatchLine) -> str:
    return f"{batch.state}, {batch.landed:,} rows landed: {_listed(outcomes(batch)) or 'none in place'}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {rows:,}" for kind, rows in counts.items() if rows)


def _drift_note(batch: BatchLine) -> str:
    if batch.drift_statistic is None:
        return "not measured"
    against = "" if batch.drift_threshold is None else f" against {batch.drift_threshold:.3g}"
    return f"{batch.drift_statistic:.3g}{against}, {'drifted' if batch.drifted else 'no drift'}"
