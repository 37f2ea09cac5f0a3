"""Resolve incidents: by a later batch that passed, by a replay that no longer shows them, or by a person."""

from __future__ import annotations

import difflib
from collections import defaultdict
from typing import TYPE_CHECKING

from evenkeel.domain.batch import BatchState
from evenkeel.errors import UsageError
from evenkeel.failures.catalogue import taints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.incident import Incident
    from evenkeel.stages.batch_run import BatchRun


def tainted_batches(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Return each batch whose answered rows may carry wrong values, with the open causes that say so, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for incident in workspace.ledger.incidents(workspace.name, open_only=True):
        if incident.batch_id and taints(incident.cause):
            found[incident.batch_id].add(incident.cause)
    return {batch: tuple(sorted(causes)) for batch, causes in found.items()}


def tell(causes: Mapping[str, Iterable[str]]) -> str:
    """Say batches and their causes in one line, as ``2026-01-17 (data.unit_change)``."""
    return ", ".join(f"{batch} ({', '.join(why)})" for batch, why in sorted(causes.items()))


def resolve_passed(run: BatchRun, *, judged: bool) -> None:
    """Resolve what this published batch shows to be over.

    That is what earlier batches left open and this one passed; but an incident that taints rows says
    something of those very rows, which no later batch can take back. Those of this batch are resolved where
    it was judged anew and no longer shows them, as after a replay.

    Args:
        run: The run, its incidents entered.
        judged: Whether this run read and judged the batch; False where it only closed it for a crashed one.
    """
    workspace = run.workspace
    incidents = workspace.ledger.incidents(workspace.name)
    mine = {i.cause for i in incidents if i.batch_id == run.batch_id}
    noted = {i.cause for i in run.notes}
    done = {b.batch_id for b in workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])}

    def over(incident: Incident) -> bool:
        if incident.batch_id == run.batch_id:
            return judged and incident.cause not in noted
        if taints(incident.cause):
            return False
        return incident.batch_id in done - {run.batch_id} and incident.cause not in mine

    passed = [i for i in incidents if i.resolved_at is None and over(i)]
    workspace.ledger.resolve_incidents(passed, at=workspace.now())


def resolve_by_hand(
    workspace: Workspace, batch_id: str, *, cause: str | None = None, why: str = "", by: str = "hand"
) -> list[Incident]:
    """Resolve the open incidents of a batch because a person says so; who and why are kept as evidence.

    Args:
        workspace: The pipeline's workspace.
        batch_id: The batch.
        cause: Only this cause; None for all.
        why: The reason, in the person's words.
        by: Who says so.

    Returns:
        What was resolved, oldest first.

    Raises:
        UsageError: There is no such batch, or nothing of it is open; the message names what is there.
    """
    incidents = workspace.ledger.incidents(workspace.name)
    known = {b.batch_id for b in workspace.ledger.batches(workspace.name)} | {i.batch_id for i in incidents}
    if not batch_id or batch_id not in known:
        near = difflib.get_close_matches(batch_id, sorted(known - {""}), n=3, cutoff=0.5)
        raise UsageError(
            f"{workspace.name}: no batch {batch_id!r}",
            fix=f"did you mean {' or '.join(near)}?" if near else _list_them(workspace),
        )
    still = [i for i in incidents if i.batch_id == batch_id and i.resolved_at is None]
    chosen = [i for i in still if cause in {None, i.cause}]
    if not chosen:
        of = f" of cause {cause!r}" if cause else ""
        there = ", ".join(i.cause for i in still)
        raise UsageError(
            f"{workspace.name}: batch {batch_id} has no open incident{of}",
            fix=f"open: {there}" if there else _what_is_open(workspace, incidents),
        )
    said = {"resolved_by": by} | ({"why": why} if why else {})
    workspace.ledger.resolve_incidents(chosen, at=workspace.now(), said=said)
    return chosen


def _what_is_open(workspace: Workspace, incidents: list[Incident]) -> str:
    batches = sorted({i.batch_id for i in incidents if i.batch_id and i.resolved_at is None})
    return f"batches with open incidents: {', '.join(batches)}" if batches else _list_them(workspace)


def _list_them(workspace: Workspace) -> str:
    return f"`evenkeel incidents {workspace.name} --open` lists what is open"
