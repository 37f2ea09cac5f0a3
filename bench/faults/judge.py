"""One problem through all sides: sound batches, batches of a changed world, and every case."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.faults import cases
from bench.faults.alarms import rejected, told
from bench.faults.cases import Case, Record, Told
from bench.faults.evenkeel_path import Outcome, Prepared, answer, prepare
from bench.faults.outsiders import Evidently, bare, pandera_alone
from bench.faults.scoring import named_right, origin, points
from evenkeel.adapters import reading
from evenkeel.adapters.formats import detect
from evenkeel.domain.batch import LandedFile
from evenkeel.domain.rows import Rows
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.faults.problem import Problem

EVENKEEL, PRESET, ANY_COLUMN, PANDERA = "evenkeel", "evidently preset", "evidently, any column", "pandera"
SIDES = (EVENKEEL, PRESET, ANY_COLUMN, PANDERA)
# What the schema finds in single rows says nothing of the feed as a whole.
_OF_ROWS = frozenset({"data.nulls", "data.out_of_range", "data.unseen_category"})


@dataclass
class Judged:
    """All that was measured on one problem.

    Attributes:
        name: The problem.
        records: One for each case.
        clean: Side -> for each sound batch whether its alarms changed the outcome.
        world: The same for batches of a changed world; for evenkeel, whether a fault of the feed was claimed.
    """

    name: str
    records: list[Record] = field(default_factory=list)
    clean: dict[str, list[bool]] = field(default_factory=lambda: {side: [] for side in SIDES})
    world: dict[str, list[bool]] = field(default_factory=lambda: {side: [] for side in SIDES})


def judge(
    problem: Problem, *, per: int, first_seed: int, clean: int, world: int, notes: Path | None
) -> Judged:
    """Judge a problem by every side.

    Args:
        problem: The problem.
        per: Cases of each fault at each severity.
        first_seed: Of the faults.
        clean: At most so many sound batches.
        world: So many batches of each kind of changed world.
        notes: File to add to what was missed or accused wrongly, as it is found.
    """
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as scratch:
        bench = _Bench(prepare(problem, Path(scratch)), Path(scratch) / "files", notes)
        numbers = cases.judged(problem, clean)
        bench.sound_batches(numbers)
        for what, number, frame in cases.changed(problem, numbers, first_seed, world):
            bench.changed_batch(what, number, frame)
        for case in cases.broken(problem, numbers, per, first_seed):
            bench.case(case)
        return bench.judged


@dataclass(frozen=True)
class _Injected:
    """A damaged batch.

    Attributes:
        came: What the bare script gets: cells, or a file.
        rows: What evenkeel read of it.
        refused: What came of it where it could not be read.
        columns: The columns that were hit.
    """

    came: pd.DataFrame | Path
    rows: Rows = field(default_factory=lambda: Rows(pd.DataFrame()))
    refused: Outcome | None = None
    columns: tuple[str, ...] = ()


class _Bench:
    def __init__(self, prepared: Prepared, folder: Path, notes: Path | None) -> None:
        self._prepared = prepared
        self._folder = folder
        self._notes = notes
        self._evidently = Evidently(prepared)
        self._sound: dict[int, dict[str, Any]] = {}
        self.judged = Judged(prepared.problem.name)

    def sound_batches(self, numbers: Sequence[int]) -> None:
        """Judge the batches as they are."""
        for number in numbers:
            sound = self._sound_one(number)
            self.judged.clean[EVENKEEL].append(sound["outcome"].touched > 0 or sound["outcome"].held)
            self.judged.clean[PRESET].append(self._evidently.preset(sound["drifted"]))
            self.judged.clean[ANY_COLUMN].append(bool(sound["drifted"]))
            self.judged.clean[PANDERA].append(sound["pandera"].touched > 0)
            if self.judged.clean[EVENKEEL][-1]:
                self._note("FALSE ALARM", f"batch {number}", told(sound["outcome"].alarms))

    def changed_batch(self, what: str, number: int, frame: pd.DataFrame) -> None:
        """Judge a batch of a changed world."""
        outcome = self._ours(number, Rows(frame), sent=frame)
        drifted = self._evidently.drifted(frame)
        claimed = {k for k in outcome.alarms if k[0] not in _OF_ROWS}
        self.judged.world[EVENKEEL].append(bool(claimed))
        self.judged.world[PRESET].append(self._evidently.preset(drifted))
        self.judged.world[ANY_COLUMN].append(bool(drifted))
        self.judged.world[PANDERA].append(pandera_alone(self._prepared, frame).touched > 0)
        if claimed:
            self._note("CHANGED WORLD CALLED BROKEN", f"{what}, batch {number}", told(outcome.alarms))

    def case(self, case: Case) -> None:
        """Judge one case; one whose fault finds nothing to damage is none."""
        problem = self._prepared.problem
        batch = problem.batches[case.number]
        injected = self._inject(case, batch)
        if injected is None:
            return
        script = bare(self._prepared, injected.came)
        truth = problem.labels[case.number] if case.fault.name != "stale_file" else None
        cost = None if truth is None else self._cost(case.number, truth, script)
        name = f"{case.fault.name} {case.level} {'/'.join(case.columns)} batch {case.number} seed {case.seed}"
        record = Record(name, case.fault.name, case.level, cost)
        outcome = injected.refused or self._ours(case.number, injected.rows)
        # Neither Evidently nor pandera reads files: where evenkeel refuses one, theirs is what pandas reads.
        seen = script[0] if script else None
        frame = injected.rows.frame if not injected.refused else seen
        drifted = self._evidently.drifted(frame) if frame is not None else list(problem.features)
        quiet = Told(loss=cost, strict=cost, answered=1.0)
        alone = Outcome({("", ""): 1}, held=True) if frame is None else pandera_alone(self._prepared, frame)
        record.sides = {
            EVENKEEL: self._told(case, injected, outcome, self._sound_one(case.number)["outcome"], truth),
            PRESET: replace(quiet, detected=self._evidently.preset(drifted)),
            ANY_COLUMN: replace(quiet, detected=bool(drifted)),
            PANDERA: self._told(
                case,
                replace(injected, rows=Rows(frame if frame is not None else batch[:0])),
                alone,
                self._sound_one(case.number)["pandera"],
                truth,
            ),
        }
        self._note_miss(case, record)
        self.judged.records.append(record)

    def _cost(
        self, number: int, truth: npt.NDArray[Any], script: tuple[pd.DataFrame, npt.NDArray[Any]] | None
    ) -> float:
        """Return the points that the bare script loses."""
        problem = self._prepared.problem
        batch = problem.batches[number]
        answers = np.full(len(batch), problem.prior, dtype=object)
        if script is not None:
            at = origin(script[0], batch, problem)
            answers[at[at >= 0]] = script[1][at >= 0]
        whole: float = self._sound_one(number)["points"]
        return whole - points(problem, truth, answers)

    def _sound_one(self, number: int) -> dict[str, Any]:
        """Return what each side makes of a batch as it is; the batches are asked for in any order."""
        if number not in self._sound:
            problem = self._prepared.problem
            batch = problem.batches[number]
            script = bare(self._prepared, batch)
            if script is None:
                raise RuntimeError(f"the bare script cannot answer batch {number} of {problem.name}")
            self._sound[number] = {
                "outcome": answer(self._prepared, number, Rows(batch)),
                "drifted": self._evidently.drifted(batch),
                "pandera": pandera_alone(self._prepared, batch),
                "points": points(problem, problem.labels[number], script[1]),
                "answers": script[1],
            }
        return self._sound[number]

    def _ours(self, number: int, rows: Rows, sent: pd.DataFrame | None = None) -> Outcome:
        try:
            return answer(self._prepared, number, rows, sent=sent)
        except Exception:  # noqa: BLE001 - a crash is a finding of the bench, told and counted as not detected
            self._note("CRASH", f"batch {number}", traceback.format_exc(limit=-3))
            return Outcome()

    def _inject(self, case: Case, batch: pd.DataFrame) -> _Injected | None:
        """Put the fault into the batch; None where it finds nothing to damage."""
        fault, problem = case.fault, self._prepared.problem
        if not fault.is_file:
            before = {"previous": problem.batches[case.number - 1]} if fault.needs_previous else {}
            damaged = fault.function(
                batch, severity=case.severity, columns=case.columns, seed=case.seed, **before
            )
            if damaged.frame.equals(batch):
                return None
            # What a csv of it gives: text cells.
            cells = damaged.frame.astype(object).where(damaged.frame.notna() & (damaged.frame != ""), None)
            return _Injected(damaged.frame, Rows(cells), columns=damaged.columns)
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"batch-{case.number}.csv"
        batch.to_csv(path, index=False)
        broken = fault.function(path, severity=case.severity, seed=case.seed)
        if broken.name == path.name and broken.read_bytes() == path.read_bytes():
            return None
        landed = LandedFile(broken.name, "", broken.stat().st_size, "", detect(broken, broken.name))
        try:
            rows = reading.read([(landed, broken)])
        except DataRejected as error:
            return _Injected(broken, refused=Outcome(rejected(error), held=True, touched=len(batch)))
        if rows.frame.empty:
            return _Injected(broken, refused=Outcome({("data.empty", ""): 1}, held=True, touched=len(batch)))
        return _Injected(broken, rows)

    def _told(
        self,
        case: Case,
        injected: _Injected,
        outcome: Outcome,
        sound: Outcome,
        truth: npt.NDArray[Any] | None,
    ) -> Told:
        """Return what a side made of a case, given what it made of the sound batch."""
        new = {k: v for k, v in outcome.alarms.items() if v > sound.alarms.get(k, 0)}
        made = Told(detected=bool(new), right=named_right(case, injected.columns, new), said=told(new))
        if truth is None:
            return made
        problem = self._prepared.problem
        batch = problem.batches[case.number]
        answers = np.full(len(batch), None, dtype=object)
        if len(outcome.answers):
            at = origin(injected.rows.frame, batch, problem)[outcome.answers.index.to_numpy()]
            answers[at[at >= 0]] = outcome.answers.to_numpy(dtype=object)[at >= 0]
        given = np.array([a is not None for a in answers])
        reference = self._sound_one(case.number)
        made.answered = float(given.mean())
        made.loss = 0.0
        if given.any():
            whole = points(problem, truth[given], reference["answers"][given])
            made.loss = whole - points(problem, truth[given], answers[given])
        made.strict = reference["points"] - points(problem, truth, np.where(given, answers, problem.prior))
        return made

    def _note(self, what: str, where: str, said: str) -> None:
        if self._notes:
            with self._notes.open("a", encoding="utf-8") as file:
                file.write(f"{self.judged.name}: {what}: {where}: {said}\n")

    def _note_miss(self, case: Case, record: Record) -> None:
        ours = record.sides[EVENKEEL]
        cost = f"costs {record.cost:.1f}" if record.cost is not None else "no cost"
        if not case.fault.cause or (case.fault.name == "column_retyped" and case.level == "slight"):
            if ours.detected:
                self._note("HARMLESS CALLED BROKEN", record.case, ours.said)
        elif not ours.detected:
            self._note("MISSED", record.case, cost)
        elif not ours.right:
            self._note("WRONG", f"{record.case} ({case.fault.cause})", f"said {ours.said}; {cost}")
