"""Replay batches through the real flows: land, score, label when labels are due, retrain when asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from evenkeel.domain.batch import BatchState
from evenkeel.stages.label import newest_labels, take_labels
from evenkeel.stages.land import land_files
from evenkeel.stages.request import open_request

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.bootstrap import Workspace


class Batch(Protocol):
    """What a replay needs of a batch."""

    @property
    def batch_id(self) -> str:
        """Its id."""

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write its rows and its labels and return both paths."""


RunFlow = Callable[..., dict[str, Any]]


@dataclass
class Replay:
    """A replay over one pipeline.

    Attributes:
        workspace: The pipeline's workspace.
        run_flow: Runs a flow by name in this process.
        incoming: Folder the batches' files are written to.
        label_lag: Batches after which a batch's labels arrive.
        retrains: Reports of the retrains so far.
    """

    workspace: Workspace
    run_flow: RunFlow
    incoming: Path
    label_lag: int
    retrains: list[dict[str, Any]] = field(default_factory=list)
    _due: deque[Path] = field(default_factory=deque)

    def play(self, batches: Iterable[Batch], advance: Callable[[str], None]) -> None:
        """Play the batches in order; ``advance`` is told each one's id when it is done."""
        for batch in batches:
            self.play_one(batch)
            advance(batch.batch_id)

    def play_one(self, batch: Batch) -> None:
        """Land and score one batch, take the labels that are due, and retrain where it is asked for."""
        rows, labels = batch.write(self.incoming)
        land_files(self.workspace, [str(rows)], batch.batch_id)
        if self._unpublished(batch.batch_id):
            self.run_flow("score", self.workspace.settings, batch=batch.batch_id)
        self._due.append(labels)
        if len(self._due) > self.label_lag:
            # History is what it is, and nobody is there to ask; what contradicts the answers is entered.
            take_labels(self.workspace, str(self._due.popleft()), trust=True)
            self._retrain_if_asked()

    def _unpublished(self, batch_id: str) -> bool:
        record = self.workspace.ledger.batch(self.workspace.name, batch_id)
        return record is None or record.state not in (BatchState.PUBLISHED, BatchState.HELD)

    def _retrain_if_asked(self) -> None:
        workspace = self.workspace
        first = workspace.ledger.standing(workspace.name).champion is None and self._enough_for_a_first()
        if first or open_request(workspace):
            self.retrains.append(self.run_flow("retrain", workspace.settings))

    def _enough_for_a_first(self) -> bool:
        return len(newest_labels(self.workspace)) >= self.workspace.pipeline.training.min_rows
