"""Where things stand in a plot: every coordinate is a percentage, so that a plot stretches to any width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_FEWEST = 14  # a first batch is a bar, not a wall


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in percent from the left or from the top."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """A vertical axis from ``low`` at the bottom of the plot to ``high`` at its top.

    Attributes:
        low: Value at the bottom.
        high: Value at the top, above ``low``.
        step: Distance of the ticks.
        percent: Whether labels are percentages of 1.
    """

    low: float
    high: float
    step: float
    percent: bool = False

    def y(self, value: float) -> float:
        """Return where a value stands, in percent from the top; values outside stand at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * (1 - min(1.0, max(0.0, share))), 3)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The axis labels, from the bottom up."""
        count = round((self.high - self.low) / self.step)
        values = [self.low + i * self.step for i in range(count + 1)]
        return tuple(Tick(self.y(v), self.label(v)) for v in values)

    def label(self, value: float) -> str:
        """Return a value as the axis writes it, with as many decimals as the step needs."""
        step = self.step * 100 if self.percent else self.step
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        if round(step, decimals) != round(step, decimals + 1):  # steps of 0.25
            decimals += 1
        shown = value * 100 if self.percent else value
        return f"{shown:,.{decimals}f}" + ("%" if self.percent else "")


def scale_of(
    values: Sequence[float], *, from_zero: bool, ceiling: float | None = None, percent: bool = False
) -> Scale:
    """Return a scale with round ends and three to six ticks that holds every finite value.

    Args:
        values: What will be drawn; non-finite values are left out.
        from_zero: Bars need their foot at zero; lines may zoom in.
        ceiling: A value that the axis never passes, as 1 for a share.
        percent: Label as percentages.
    """
    finite = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(finite), max(finite)
    if from_zero:
        low, high = min(0.0, low), max(0.0, high)
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = (
            (0.0, 1.0) if high == 0 else (low - 0.1 * abs(low) * (not from_zero), high + 0.1 * abs(high))
        )
    magnitude = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(n * magnitude for n in _NICE if (high - low) / (n * magnitude) <= 4 + 1e-9)
    bottom = math.floor(low / step + 1e-9) * step
    top = math.ceil(high / step - 1e-9) * step
    if ceiling is not None and max(finite) <= ceiling < top:
        top = ceiling
        bottom = top - math.ceil((top - bottom) / step - 1e-9) * step
    return Scale(low=bottom, high=top, step=step, percent=percent)


def slots(count: int) -> int:
    """Return into how many slots the width is divided for ``count`` batches."""
    return max(_FEWEST, count)


def slot(index: int, count: int) -> tuple[float, float]:
    """Return left edge and width of the slot of one of ``count`` batches, in percent."""
    width = 100 / slots(count)
    return round(index * width, 4), round(width, 4)


def label_ticks(labels: Sequence[str]) -> tuple[Tick, ...]:
    """Return up to four labels, spread evenly over the batches, at the middle of their slots."""
    count = len(labels)
    wanted = min(4, (count + 3) // 4)  # labels closer than four slots would touch on a phone
    picked = sorted({round(i * (count - 1) / max(1, wanted - 1)) for i in range(wanted)})
    return tuple(Tick(round((i + 0.5) * 100 / slots(count), 3), labels[i]) for i in picked)
