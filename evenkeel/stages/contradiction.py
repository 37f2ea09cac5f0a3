"""Hold the labels of a file against the answers that were given before anybody knew them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState
from evenkeel.domain.incident import Incident
from evenkeel.domain.ladder import Rung
from evenkeel.errors import DataRejected
from evenkeel.learning.flipped import FEWEST_ROWS, changed_numbers, flipped_classes
from evenkeel.stages.resolve import tainted_batches
from evenkeel.stages.row_key import typed_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from evenkeel.bootstrap import Workspace
    from evenkeel.learning.flipped import Contradiction

CAUSE = "data.labels_flipped"
_EARLIER_BATCHES = 40


@dataclass(frozen=True)
class Held:
    """A file's labels held against the answers.

    Attributes:
        batches: Batches of the answers that they are for, sorted.
        rows: Answers of a champion among them.
        found: What is wrong with them; None where nothing is, or nothing can be said.
    """

    batches: tuple[str, ...]
    rows: int
    found: Contradiction | None


def hold_against(workspace: Workspace, labels: pd.DataFrame, earlier: pd.DataFrame) -> Held:
    """Compare new labels with the champion's answers, as earlier labels agreed with them.

    Answers of batches whose feed broke are no measure of anything, and are left out.

    Args:
        workspace: The pipeline's workspace.
        labels: The row key and ``label``.
        earlier: The newest label of each row that has one.
    """
    key = list(workspace.pipeline.row_key)
    where = _champions(workspace, None, [*key, "batch_id"])
    batches = tuple(sorted(where.merge(labels[key], on=key)["batch_id"].unique()))
    columns = [*key, "batch_id", "prediction", "confidence", "rung", "revision"]
    answered = _champions(workspace, batches, columns).merge(labels, on=key)
    if len(answered) < FEWEST_ROWS:
        return Held(batches, len(answered), None)
    newest = [b.batch_id for b in workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])]
    before = _champions(workspace, newest[-_EARLIER_BATCHES:], columns).merge(earlier, on=key)
    before = before.merge(labels[key], on=key, how="left", indicator="new").query("new == 'left_only'")
    pipeline = workspace.pipeline
    found = (
        flipped_classes(answered, before, pipeline.target.classes)
        if pipeline.is_classification
        else changed_numbers(answered, before)
    )
    return Held(batches, len(answered), found)


def enter(workspace: Workspace, held: Held, *, source: str, digest: str, trust: bool) -> None:
    """Enter what was found of a file, or that its batches have labels now that contradict nothing.

    Args:
        workspace: The pipeline's workspace.
        held: What was found.
        source: Where the file comes from, for messages.
        digest: sha256 of the file.
        trust: Whether a person vouches for it.

    Raises:
        DataRejected: The labels contradict the answers, and nobody vouches for them.
    """
    if held.found is None:
        _resolve_earlier(workspace, held)
        return
    now = workspace.now()
    evidence = {"file": source, "transform": held.found.transform, "batches": list(held.batches)}
    evidence |= held.found.evidence
    workspace.ledger.open_incident(
        Incident(
            pipeline=workspace.name,
            batch_id="",
            cause=CAUSE,
            stage=f"label {digest[:12]}",
            response="taken all the same: a person vouches for it" if trust else "the file was refused whole",
            evidence=evidence | ({"resolved_by": "hand"} if trust else {}),
            opened_at=now,
            resolved_at=now if trust else None,
        )
    )
    if not trust:
        facts = ", ".join(f"{what} {value}" for what, value in held.found.evidence.items())
        raise DataRejected(
            f"{source}: its labels contradict the answers and every earlier label, as if by"
            f" {held.found.transform} ({facts}); nothing was stored",
            fix="correct the file; or, if it is right and the answers are wrong,"
            f" `evenkeel label {workspace.name} FILE --trust`",
            cause=CAUSE,
            evidence=evidence,
        )


def _resolve_earlier(workspace: Workspace, held: Held) -> None:
    """Resolve refusals whose batches have got other labels, enough of them to be held against the answers."""
    if held.rows >= FEWEST_ROWS:
        over = [
            i
            for i in workspace.ledger.incidents(workspace.name, open_only=True)
            if i.cause == CAUSE and set(i.evidence.get("batches", ())) & set(held.batches)
        ]
        workspace.ledger.resolve_incidents(over, at=workspace.now())


def _champions(workspace: Workspace, batches: Sequence[str] | None, columns: list[str]) -> pd.DataFrame:
    """Return the champion's answers to sound batches, of the newest revision."""
    wanted = [*dict.fromkeys([*columns, "batch_id", "revision", "rung"])]
    rows = workspace.lake.read(workspace.name, Table.PREDICTIONS, columns=wanted, batch_ids=batches)
    newest = rows.groupby("batch_id")["revision"].transform("max")
    sound = ~rows["batch_id"].isin(tainted_batches(workspace))
    rows = rows[(rows["revision"] == newest) & (rows["rung"] == Rung.CHAMPION.value) & sound]
    return typed_key(workspace, rows[columns])
