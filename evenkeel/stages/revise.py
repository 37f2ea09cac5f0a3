"""Answer a published batch again, as a new revision: when what was late has come, or when a person asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState
from evenkeel.errors import UsageError
from evenkeel.stages.enrich import LATE, joined_now
from evenkeel.stages.pin import fresh_pins

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import BatchRecord, Pins


def revise_late(workspace: Workspace) -> list[str]:
    """Reopen the published batches that lacked a source which has since brought more, within its window.

    They keep the models they were answered by: the revision differs by what came late alone.

    Returns:
        Their ids.
    """
    if not workspace.pipeline.enrichments:
        return []
    lacked = {
        i.batch_id: set(i.evidence) for i in workspace.ledger.incidents(workspace.name) if i.cause == LATE
    }
    return [
        record.batch_id
        for record in workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])
        if record.batch_id in lacked and _revised(workspace, record, lacked[record.batch_id])
    ]


def _revised(workspace: Workspace, record: BatchRecord, lacked: set[str]) -> bool:
    pins = record.pins
    age = (workspace.now() - record.landed_at).total_seconds()
    open_still = {s.name for s in workspace.pipeline.enrichments if s.name in lacked and age <= s.window}
    if pins is None or not open_still:
        return False
    now = joined_now(workspace, record.batch_id, pins.joined)
    came = {name: now[name] for name in open_still if now[name] != pins.joined.get(name, ())}
    if not came or not came.keys() & _lacking(workspace, record.batch_id):
        return False
    # Judged by the configuration of now, which is the only one there is, at the instant of the first answer:
    # who was in charge and what lay in the future then is not to change.
    again = replace(pins, joined=pins.joined | came, config_sha256=workspace.settings.digest)
    return workspace.ledger.revise(workspace.name, record.batch_id, _after(again, pins))


def _lacking(workspace: Workspace, batch_id: str) -> set[str]:
    """Return the sources that some answer of the batch still lacks, whatever its incident has come to."""
    rows = workspace.lake.read(workspace.name, Table.PREDICTIONS, batch_id=batch_id, columns=["stale"])
    return {source for sources in rows["stale"] for source in sources}


def reopen(workspace: Workspace, batch: str) -> None:
    """Let a batch be scored again by the models, configuration and sources of now.

    A held batch is pinned anew; a published one gets a new revision, which replaces its answers.

    Raises:
        UsageError: It is neither.
        DataRejected: The landing has gone from the landing zone.
    """
    if workspace.ledger.reopen(workspace.name, batch) or _revise(workspace, batch):
        return
    record = workspace.ledger.batch(workspace.name, batch)
    raise UsageError(
        f"{workspace.name}: batch {batch!r} is {record.state if record else 'not known'},"
        " neither held nor published",
        fix=f"`evenkeel status {workspace.name}` says what there is"
        + (f"; `evenkeel run {workspace.name}` scores what is pending" if record else ""),
    )


def _revise(workspace: Workspace, batch_id: str) -> bool:
    record = workspace.ledger.batch(workspace.name, batch_id)
    if record is None or record.state is not BatchState.PUBLISHED or record.pins is None:
        return False
    pins = _after(fresh_pins(workspace, batch_id, record.pins.joined), record.pins)
    return workspace.ledger.revise(workspace.name, batch_id, pins)


def _after(again: Pins, pins: Pins) -> Pins:
    """Number the revision; it remembers the one before, and no more."""
    return replace(again, revision=pins.revision + 1, earlier=replace(pins, earlier=None).to_json())
