"""The charts draw what the numbers say, and leave a gap where there is no number."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.report.charts import drift_plot, imputed_plot, metric_plot, quarantine_plot, rows_plot
from evenkeel.report.data import BatchLine

if TYPE_CHECKING:
    from evenkeel.report.charts import Plot

START = datetime(2026, 3, 1, tzinfo=UTC)
rows = st.integers(min_value=0, max_value=10_000)


def batch(number: int = 0, **facts: Any) -> BatchLine:
    return BatchLine(batch_id=f"b{number}", state="published", at=START + timedelta(days=number), **facts)


def drawn(plot: Plot, kind: str) -> float:
    """Return how many rows the boxes of one kind stand for, read off the axis as a person would."""
    top = float(plot.y_ticks[-1].label.replace(",", ""))
    return sum(box.height for box in plot.boxes if box.kind == kind) / 100 * top


@given(st.lists(st.tuples(rows, rows, rows, rows), min_size=1, max_size=20))
def test_the_stacks_add_up_to_what_landed(counts: list[tuple[int, int, int, int]]) -> None:
    batches = [
        batch(
            i,
            landed=champion + heuristic + bad + waiting,
            scored=champion + heuristic,
            quarantined=bad,
            per_rung={"champion": champion, "heuristic": heuristic},
        )
        for i, (champion, heuristic, bad, waiting) in enumerate(counts)
    ]
    plot = rows_plot(batches)

    if not any(b.landed for b in batches):
        assert plot.empty
        return
    total = sum(b.landed for b in batches)
    kinds = ("champion", "heuristic", "quarantined", "waiting")
    for kind, expected in zip(kinds, map(sum, zip(*counts, strict=True)), strict=True):
        assert drawn(plot, kind) == pytest.approx(expected, abs=1e-3 * total + 1)
    for x in {box.x for box in plot.boxes}:
        column = sorted((box for box in plot.boxes if box.x == x), key=lambda box: -box.y)
        assert column[0].y + column[0].height == pytest.approx(100, abs=0.01)
        for lower, upper in pairwise(column):
            assert upper.y + upper.height == pytest.approx(lower.y, abs=0.01)


def test_a_held_batch_shows_as_held() -> None:
    plot = rows_plot([batch(landed=48, held=48)])

    assert [box.kind for box in plot.boxes] == ["held"]
    assert plot.notes == ("b0: published, 48 rows landed: held 48",)


def test_the_quarantine_chart_shows_the_share_and_not_the_number() -> None:
    plot = quarantine_plot([batch(0, landed=10, quarantined=5), batch(1, landed=1000, quarantined=5)])

    half, little = plot.boxes
    assert half.height == pytest.approx(100 * little.height, rel=0.01)
    assert plot.notes[0] == "b0: 5 of 10 rows quarantined"


def test_cells_are_counted() -> None:
    plot = imputed_plot([batch(0, imputed_cells=0), batch(1, imputed_cells=7)])

    assert len(plot.boxes) == 1
    assert plot.notes == ("b0: 0 cells imputed", "b1: 7 cells imputed")


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_an_unmeasured_batch_is_a_gap_in_the_drift_line(missing: float | None) -> None:
    statistics = [0.5, missing, 1.5, 0.7]
    batches = [
        batch(i, drift_statistic=s, drift_threshold=1.0, drifted=s == 1.5) for i, s in enumerate(statistics)
    ]
    plot = drift_plot(batches)

    assert [dot.kind for dot in plot.dots] == ["steady", "drifted", "steady"]
    line = next(line for line in plot.lines if line.kind == "statistic")
    assert (line.path.count("M"), line.path.count("L")) == (2, 1)
    threshold = next(line for line in plot.lines if line.kind == "threshold")
    drifted = next(dot for dot in plot.dots if dot.kind == "drifted")
    assert drifted.y < float(threshold.path.split()[1].partition("H")[0])


def test_a_threshold_that_changes_with_the_champion_is_drawn_in_steps() -> None:
    plot = drift_plot([batch(i, drift_statistic=0.5, drift_threshold=t) for i, t in enumerate((1.0, 2.0))])

    path = next(line for line in plot.lines if line.kind == "threshold").path
    assert path.count("H") == 2
    assert "50.0" in path  # 1.0 on an axis up to 2
    assert " 0.0H" in path


def test_the_metric_is_shown_by_rung_with_the_best_rung_on_top() -> None:
    plot = metric_plot(
        [
            batch(0, metric=0.8, metric_by_rung={"champion": 0.9, "heuristic": 0.5}),
            batch(1),
            batch(2, metric=0.7),
        ],
        "accuracy",
        share=True,
    )

    assert [dot.kind for dot in plot.dots] == ["heuristic", "champion", "metric"]
    assert plot.notes == (
        "b0: accuracy 0.8 (champion 0.9, heuristic 0.5)",
        "b1: no labels yet",
        "b2: accuracy 0.7",
    )
    assert all(tick.label.endswith("%") for tick in plot.y_ticks)


def test_an_error_is_labelled_in_its_own_unit() -> None:
    plot = metric_plot([batch(0, metric=0.25), batch(1, metric=0.5)], "mean absolute error", share=False)

    assert not any("%" in tick.label for tick in plot.y_ticks)


@pytest.mark.parametrize("plot", [rows_plot, quarantine_plot, imputed_plot, drift_plot])
def test_nothing_to_draw_is_said(plot: Any) -> None:
    assert plot([]).empty
    assert plot([batch()]).empty
