"""The table: shares over cases, for each side and data set, and over all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.faults.judge import EVENKEEL, PANDERA, SIDES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.faults.cases import Record
    from bench.faults.judge import Judged

_COSTLY = 5.0  # points of the champion's metric
_HARMLESS = frozenset({("column_retyped", "slight")})


@dataclass(frozen=True)
class Share:
    """``hits`` of ``of``."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.of if self.of else None

    def __str__(self) -> str:
        return f"{self.hits / self.of:.1%} of {self.of}" if self.of else "-"


def faults_of(records: Sequence[Record]) -> list[Record]:
    """Return the cases in which something is wrong: columns in another order harm nothing."""
    return [r for r in records if r.fault != "columns_reordered" and (r.fault, r.level) not in _HARMLESS]


def row(judged: Sequence[Judged], side: str) -> dict[str, Any]:
    """Return one side's line of the table."""
    records = faults_of([r for j in judged for r in j.records])
    costly = [r for r in records if r.cost is not None and r.cost >= _COSTLY]
    gross = [r for r in records if r.level == "gross"]
    detected = [r for r in records if r.sides[side].detected]
    priced = [r for r in records if r.cost is not None]
    lost = sum(r.cost or 0.0 for r in priced)
    kept = sum(r.sides[side].loss or 0.0 for r in priced)
    strict = sum(r.sides[side].strict or 0.0 for r in priced)
    clean = [flag for j in judged for flag in j.clean[side]]
    world = [flag for j in judged for flag in j.world[side]]
    named = side in {EVENKEEL, PANDERA}
    return {
        "clean batches changed": Share(sum(clean), len(clean)),
        "costly faults detected": Share(sum(r.sides[side].detected for r in costly), len(costly)),
        "gross faults detected": Share(sum(r.sides[side].detected for r in gross), len(gross)),
        "cause and column right": Share(
            sum(r.sides[side].right for r in detected), len(detected) if named else 0
        ),
        "loss kept of the bare script's": round(kept / lost, 4) if lost else None,
        "the same, unanswered as prior": round(strict / lost, 4) if lost else None,
        "rows answered": round(sum(r.sides[side].answered for r in priced) / max(1, len(priced)), 4),
        "changed world alarms": Share(sum(world), len(world)),
    }


def table(judged: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Return the lines of all sides."""
    return {side: row(judged, side) for side in SIDES}


def show(title: str, lines: dict[str, dict[str, Any]], bare: str) -> None:
    """Print a table, a measure a line."""
    print(f"\n{title} ({bare})")
    names = list(lines)
    print(f"{'':32}" + "".join(f"{name:>24}" for name in names))
    for measure in next(iter(lines.values())):
        cells = [lines[name][measure] for name in names]
        print(f"{measure:32}" + "".join(f"{_text(cell):>24}" for cell in cells))


def as_json(lines: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a table that JSON takes: each share as its hits, of how many, and the value."""
    return {
        side: {
            measure: {"hits": v.hits, "of": v.of, "share": v.value} if isinstance(v, Share) else v
            for measure, v in line.items()
        }
        for side, line in lines.items()
    }


def _text(cell: Any) -> str:
    return "-" if cell is None else f"{cell:.1%}" if isinstance(cell, float) else str(cell)
