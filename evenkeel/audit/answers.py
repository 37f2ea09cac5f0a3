"""P3: every answer says how it was made, and a sample of them is made again to see that it was made so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.audit.labels import check_labels, name_answers
from evenkeel.domain.ladder import Rung
from evenkeel.domain.quality import Severity
from evenkeel.errors import EvenkeelError
from evenkeel.failures.catalogue import Response, catalogue
from evenkeel.resilience.degraded import Degraded
from evenkeel.serving.ladder import answer
from evenkeel.serving.rung import RungModel, build_rungs
from evenkeel.stages.models import open_model, standby

if TYPE_CHECKING:
    from evenkeel.audit.book import Book
    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import ModelRef, Pins
    from evenkeel.domain.incident import Incident
    from evenkeel.learning.bundle import Bundle

_SAMPLE = 5_000
_TIMEOUT = 600.0
_STALE = {"data.source_late", "data.source_stale"}
_OURS = ("batch_id", "imputed", "stale", "repaired", "original")


class AnswerCheck:
    """Checks the answers of one pipeline, opening each model version once."""

    def __init__(self, workspace: Workspace, findings: Findings) -> None:
        self._workspace = workspace
        self._findings = findings
        self._models: dict[str, Bundle | Degraded] = {}

    def check(self, book: Book, incidents: list[Incident]) -> None:
        """Check one batch's newest answers."""
        rows = book.newest
        if rows.empty:
            return
        self._findings.check("P3", len(rows))
        pins = book.pins
        if pins is None:
            self._findings.breach("P3", book.batch_id, "answered, but the ledger does not know with what")
            return
        check_labels(self._workspace, book, pins, self._findings)
        self._check_incidents(book, rows, incidents)
        self._check_again(book, rows, pins, _suspect(incidents))

    def _check_incidents(self, book: Book, rows: pd.DataFrame, incidents: list[Incident]) -> None:
        """Anything but the plain champion path has the incident that tells it."""
        causes = {i.cause for i in incidents}
        stepped_over = any(Rung.CHAMPION.value in i.evidence for i in incidents)
        lower = rows[rows["rung"] != Rung.CHAMPION.value]
        imputed = rows[rows["imputed"].map(len) > 0]
        stale = rows[rows["stale"].map(len) > 0]
        other = rows[rows["rule_overrides"].map(len) > 0]
        nothing = pd.Series([[]] * len(rows), index=rows.index)
        mended = _repaired(incidents)
        repaired = rows[[not mended.issuperset(names) for names in rows.get("repaired", nothing)]]
        for part, told, what in (
            (repaired, False, "rest on repaired values"),
            (lower, stepped_over, "come from a lower rung than the champion's"),
            (imputed, "data.nulls" in causes, "rest on imputed values"),
            (stale, bool(causes & _STALE), "lack a source or rest on older rows than they should"),
            (other, bool(incidents), "are overridden"),
        ):
            if not told:
                self._breach(book, part, f"{what}, and no incident says so")

    def _check_again(self, book: Book, rows: pd.DataFrame, pins: Pins, suspect: frozenset[str]) -> None:
        """Make the answers again with the rung they name; of a large batch a sample."""
        key = list(self._workspace.pipeline.row_key)
        sample = rows
        if len(rows) > _SAMPLE:
            sample = rows.sample(_SAMPLE, random_state=0)
            self._findings.notes.append(
                f"batch {book.batch_id}: a sample of {_SAMPLE} of its {len(rows)} answers was made again"
            )
        features = book.accepted.drop(columns=list(_OURS), errors="ignore").drop_duplicates(key)
        rungs = self._rungs(pins)
        for (name, version), part in sample.groupby(["rung", "model_version"]):
            one = [r for r in rungs if r.name == name and r.version == version]
            if not one:
                continue  # a rung or version that was not pinned was named above
            if name == Rung.HEURISTIC and not book.of_today:
                continue  # heuristics answer by the configuration
            joined = part.merge(features, on=key, how="inner")
            again = answer(
                joined[features.columns],
                one,
                target=self._workspace.pipeline.target,
                timeout=_TIMEOUT,
                suspect=suspect,
            )
            failed = [s for s in again.skipped if s.rung == name]
            if failed and failed[0].cause == "data.suspect_column" and book.of_today:
                self._breach(book, joined, f"say rung {name}, which {failed[0].reason}")
            elif failed:
                self._findings.notes.append(
                    f"batch {book.batch_id}: {len(joined)} answers of rung {name} could not be made again: "
                    f"{failed[0].reason}"
                )
            else:
                differ = [_differ(joined[c], again.frame[c]) for c in ("prediction", "confidence")]
                self._breach(
                    book, joined[np.logical_or(*differ)], f"say rung {name}, which answers otherwise"
                )

    def _rungs(self, pins: Pins) -> tuple[RungModel, ...]:
        champion, previous = (
            standby(self._workspace, ref, self._model(ref)) if ref else None
            for ref in (pins.champion, pins.previous)
        )
        return build_rungs(champion, previous, self._workspace.pipeline, self._workspace.kinds)

    def _model(self, ref: ModelRef) -> Bundle | Degraded:
        if ref.sha256 not in self._models:
            try:
                self._models[ref.sha256] = open_model(self._workspace, ref)
            except EvenkeelError as error:
                self._models[ref.sha256] = Degraded(error.cause, str(error))
        return self._models[ref.sha256]

    def _breach(self, book: Book, rows: pd.DataFrame, what: str) -> None:
        name_answers(self._workspace, book, rows, what, self._findings)


def _repaired(incidents: list[Incident]) -> set[str]:
    """Return the columns that the batch's incidents say were repaired, or could have been."""
    causes = {c.cause for c in catalogue().values() if c.response is Response.REPAIR}
    told = [e for i in incidents if i.cause in causes for e in (i.evidence, *i.evidence.values())]
    return {str(c) for e in told if isinstance(e, dict) for c in _listed(e.get("columns"))}


def _listed(columns: Any) -> list[Any]:
    return columns if isinstance(columns, list) else []


def _suspect(incidents: list[Incident]) -> frozenset[str]:
    """Return the columns that were taken from the rungs, as the batch's incidents say."""
    found = [e for i in incidents for e in i.evidence.values() if isinstance(e, dict)]
    return frozenset(c for e in found if e.get("severity") == Severity.DEGRADE.value for c in e["columns"])


def _differ(said: pd.Series[Any], again: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    if pd.api.types.is_numeric_dtype(again):
        same = np.isclose(said.to_numpy(float), again.to_numpy(float), rtol=1e-9, atol=1e-9, equal_nan=True)
    else:
        same = said.to_numpy(str) == again.to_numpy(str)
    differ: npt.NDArray[np.bool_] = np.logical_not(same)
    return differ
