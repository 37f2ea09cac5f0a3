"""The last known good copy of a source that no place has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from evenkeel.adapters.fetched import Brought, Fetched
from evenkeel.domain.batch import BatchState
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.adapters.fetched import Check
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import Landing
    from evenkeel.errors import EvenkeelError
    from evenkeel.settings.sources import Feed


def last_known_good(workspace: Workspace, source: Feed, why: EvenkeelError, *, zone: str) -> Landing:
    """Return the newest landed copy of a source that came from the source itself and was not held.

    Args:
        workspace: The pipeline's workspace.
        source: The source, with ``last_known_good``.
        why: Why no place has it now.
        zone: The part of the landing zone its batches lie in: the pipeline's name for a main source.

    Raises:
        DataRejected: ``data.file_missing``: there is none, or it landed longer ago than ``max_staleness``.
    """
    held = {b.batch_id for b in workspace.ledger.batches(zone, [BatchState.HELD])}
    own = [
        landing
        for landing in workspace.landing.landed(zone)
        if not landing.repeats
        and not landing.stale
        and landing.batch_id not in held
        and {f.origin for f in landing.files} == {source.name}
    ]
    newest = max(own, key=lambda landing: (landing.landed_at, landing.batch_id), default=None)
    limit = source.last_known_good.max_staleness if source.last_known_good else 0.0
    if newest is None:
        raise _missing(source, why, "and no copy of it has landed before")
    age = (workspace.now() - newest.landed_at).total_seconds()
    if age > limit:
        raise _missing(
            source,
            why,
            f"and batch {newest.batch_id} landed {age:.0f} s ago, more than the {limit:g} allowed",
        )
    return newest


def copied(workspace: Workspace, landing: Landing, source: Feed) -> list[Fetched]:
    """Return a landed batch's files, verified and marked stale, as they may land again."""
    files = []
    for landed, path in workspace.landing.fetch(landing):
        name = landed.name.partition("-")[2]  # without the part of the sum that landing puts before it
        file = Fetched(name, landed.source, partial(_there, path), origin=source.name)
        file.stale = source.name
        files.append(file)
    return files


def _there(path: Path, _scratch: Path, _check: Check) -> Brought:
    return Brought(path)


def _missing(source: Feed, why: EvenkeelError, more: str) -> DataRejected:
    return DataRejected(
        f"sources.{source.name}: no place has it, {more}: {why.message}",
        fix=why.fix or "bring a place of the source back",
        cause="data.file_missing",
    )
