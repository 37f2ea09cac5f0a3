"""Which faults are put into which batch, in which columns, with which seed; and what is told of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chaos.faults.data import FAULTS, SEVERITIES, DataFault
from chaos.faults.data.cells import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.faults.problem import Problem

# What takes a script's memory away takes the bench's, too: these are left to the drill.
_NOT_HERE = frozenset({"file_gzip_bomb", "file_long_line", "file_parquet_claims"})
_HISTORY = 20  # batches between the training window and the first batch that is judged
_SEEDS = 100
# Causes that say the same of some damage as the one injected.
_AS_GOOD: dict[str, frozenset[str]] = {
    "outliers": frozenset({"data.out_of_range"}),
    "out_of_range": frozenset({"data.outliers"}),
    "file_cut_off": frozenset({"data.unreadable_lines"}),
    "file_parquet_cut": frozenset({"data.not_the_format"}),
    "file_wrong_footer": frozenset({"data.truncated"}),
}
# Where most lines are broken it is the file that is not what it says.
_MOST_LINES: dict[str, frozenset[str]] = {
    "file_too_few_cells": frozenset({"data.not_the_format"}),
    "file_too_many_cells": frozenset({"data.not_the_format"}),
    "file_broken_json_lines": frozenset({"data.not_the_format"}),
    "file_undecodable": frozenset({"data.wrong_encoding"}),
    "file_nul_bytes": frozenset({"data.wrong_encoding"}),
}
_MOST = 0.5
# Where every row is hit these leave one value in the column, or none.
_ALL_ROWS: dict[str, frozenset[str]] = {
    "data.sentinel_values": frozenset({"data.constant_column"}),
    "data.unseen_category": frozenset({"data.constant_column", "data.category_recoding"}),
    "data.nulls": frozenset({"data.column_missing"}),
}


@dataclass(frozen=True)
class Case:
    """One fault in one batch.

    Attributes:
        fault: The fault.
        level: ``slight``, ``clear`` or ``gross``.
        columns: The columns it is in.
        number: The batch.
        seed: The fault's.
    """

    fault: DataFault
    level: str
    columns: tuple[str, ...]
    number: int
    seed: int

    @property
    def severity(self) -> float:
        """The fault's severity."""
        return self.fault.severities[self.level]

    @property
    def accepted(self) -> frozenset[str]:
        """Causes that name it right."""
        name, cause = self.fault.name, self.fault.cause
        named = {cause} | _AS_GOOD.get(name, frozenset())
        if self.severity > _MOST:
            named |= _MOST_LINES.get(name, frozenset())
        if self.severity == 1:
            named |= _ALL_ROWS.get(cause, frozenset())
        return frozenset(named)


@dataclass
class Told:
    """What one side made of a case.

    Attributes:
        detected: Whether it raised an alarm that the sound batch does not.
        right: Whether cause and column are right, and no other column is accused.
        loss: Points that its answers lose, over the rows that it answered; None where there is no truth.
        strict: The same, a row without an answer counted as the prior's.
        answered: Share of the rows that it answered.
        said: Its alarms, for a person.
    """

    detected: bool = False
    right: bool = False
    loss: float | None = None
    strict: float | None = None
    answered: float = 0.0
    said: str = ""


@dataclass
class Record:
    """A case and what each side made of it.

    Attributes:
        case: ``<fault> <level> <columns> batch <n> seed <n>``.
        fault: Name of the fault.
        level: Its severity.
        cost: Points that the bare script loses; None where there is no truth.
        sides: ``evenkeel``, ``evidently preset``, ``evidently any column``, ``pandera`` -> what it made of it.
    """

    case: str
    fault: str
    level: str
    cost: float | None
    sides: dict[str, Told] = field(default_factory=dict)


def judged(problem: Problem, most: int) -> range:
    """Return at most so many batches, evenly spread, from after the training window and a history."""
    later = range(problem.train + _HISTORY, len(problem.batches))
    return later[:: -(-len(later) // most)]


def broken(problem: Problem, numbers: Sequence[int], per: int, first_seed: int) -> list[Case]:
    """Return ``per`` cases of each fault of the feed at each severity, in some of the batches; sorted by batch."""
    faults = [f for f in FAULTS.values() if not f.genuine and f.on != "labels" and f.name not in _NOT_HERE]
    found = []
    for place, (fault, level) in enumerate((f, s) for f in faults for s in SEVERITIES):
        for repeat in range(per):
            seed = first_seed + (37 * place + 53 * repeat) % _SEEDS
            random = np.random.default_rng([seed, place, repeat])
            number = int(random.choice(numbers))
            columns = _columns(fault, problem, problem.batches[number], random)
            if columns is not None:
                found.append(Case(fault, level, columns, number, seed))
    return sorted(found, key=lambda c: c.number)


def changed(
    problem: Problem, numbers: Sequence[int], first_seed: int, count: int
) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Yield batches of a changed world, with what changed: the problem's own, and rows drawn otherwise."""
    for place, frame in enumerate(problem.changed[:count]):
        yield "another world", problem.train + len(problem.changed[:place]), frame
    fault = FAULTS["covariate_drift"]
    for place in range(count):
        random = np.random.default_rng([first_seed, place])
        level = list(SEVERITIES)[place % len(SEVERITIES)]
        severity = fault.severities[level]
        wide = int(np.ceil(0.9 / (1 - 0.7 * severity)))
        number = int(random.choice([n for n in numbers if n + wide <= len(problem.batches)]))
        pool = pd.concat(problem.batches[number : number + wide], ignore_index=True)
        columns = _columns(fault, problem, pool, random)
        if columns is not None:
            damaged = fault.function(pool, severity=severity, columns=columns, seed=first_seed + place)
            yield f"{level} drift of {columns[0]}", number, damaged.frame


def _columns(
    fault: DataFault, problem: Problem, batch: pd.DataFrame, random: np.random.Generator
) -> tuple[str, ...] | None:
    """Pick columns that the fault can damage; None where the problem has none."""
    if fault.takes == 0:
        return ()
    pool: Sequence[str] = (problem.time,) if fault.on == "key" else problem.features
    fitting: list[Any] = [c for c in pool if kind_of(batch[c]) in fault.kinds]
    if fault.needs_previous:
        return tuple(fitting)
    if not fitting:
        return None
    first = str(random.choice(fitting))
    if fault.takes != 2:  # noqa: PLR2004 - one column, or several of which one is enough
        return (first,)
    alike = [c for c in fitting if c != first and kind_of(batch[c]) == kind_of(batch[first])]
    return (first, str(random.choice(alike))) if alike else None
