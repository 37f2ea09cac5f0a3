"""Land files: copy them byte for byte before anything reads them, and enter the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.adapters import reading, sources
from evenkeel.adapters.formats import stem
from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState, LandedFile, check_batch_id
from evenkeel.domain.incident import Incident
from evenkeel.errors import DataRejected, UsageError
from evenkeel.quality.schema import missing_required
from evenkeel.stages.pin import pending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.adapters.landing import LandingResult
    from evenkeel.adapters.replicas import Finding
    from evenkeel.bootstrap import Workspace
    from evenkeel.settings import Settings


def land_files(
    workspace: Workspace, paths: Sequence[str | Fetched], batch: str | None
) -> list[LandingResult]:
    """Land files named by a person: one batch of all of them with ``batch``, else one per file.

    Args:
        workspace: The pipeline's workspace.
        paths: Files or URLs, or what :func:`fetch` returned for them.
        batch: Batch id for all files; None names each batch by its file.

    Raises:
        UsageError: A file is missing, empty, a folder or of no known format; a batch of that id has other
            content; or a file lacks a column that the schema requires and no batch ever had. Nothing landed.
    """
    named = [p for p in paths if isinstance(p, str)]
    fetched = [p for p in paths if not isinstance(p, str)] + fetch(workspace.settings, named, batch)
    groups: dict[str, list[Fetched]] = {}
    for file in fetched:
        groups.setdefault(check_batch_id(batch or stem(file.name)), []).append(file)
    for file in fetched:
        check_columns(workspace, LandedFile(file.source, "", file.size, file.source, file.format), file.path)
    for batch_id, files in groups.items():
        workspace.landing.check(workspace.name, batch_id, files)
    return [land(workspace, batch_id, files) for batch_id, files in groups.items()]


def fetch(settings: Settings, paths: Sequence[str], batch: str | None) -> list[Fetched]:
    """Bring the files that a person names to this machine, before anything is opened or written.

    Raises:
        UsageError: One is missing, empty, a folder or of no known format, or gives no usable batch id.
        Transient: A source does not answer.
        Permanent: A source refuses.
    """
    fetched = sources.fetch_files(paths, max_bytes=settings.platform.landing.max_bytes)
    for file in fetched:
        check_batch_id(batch or stem(file.name))
    return fetched


def land(
    workspace: Workspace,
    batch_id: str,
    files: Sequence[Fetched],
    *,
    verify: bool = True,
    repeats: str = "",
    findings: Sequence[Finding] = (),
) -> LandingResult:
    """Land one batch and enter it in the ledger; what has landed already is at most repaired.

    Args:
        workspace: The pipeline's workspace.
        batch_id: Batch id.
        files: Its files.
        verify: Whether what has landed already is read again in every copy.
        repeats: The earlier batch whose files these are, where they stand in for a source that is away.
        findings: What was wrong with its source: told before the batch can be scored.
    """
    result = workspace.landing.land(workspace.name, batch_id, files, verify=verify, repeats=repeats)
    _tell(workspace, result.landing.batch_id, findings)
    workspace.ledger.record_landing(result.landing)
    return result


def _tell(workspace: Workspace, batch_id: str, findings: Sequence[Finding]) -> None:
    """Open a batch's incidents, one per cause, once: a later look finds the same and has nothing to add."""
    if not findings:
        return
    told = {i.cause for i in workspace.ledger.incidents(workspace.name) if i.batch_id == batch_id}
    for cause in dict.fromkeys(f.cause for f in findings if f.cause not in told):
        found = [f for f in findings if f.cause == cause]
        said = "; ".join(dict.fromkeys(f.said for f in found))
        places = [{"place": f.place, "said": f.said, **f.evidence} for f in found]
        _open(workspace, batch_id, cause, said, places=places)


def _open(workspace: Workspace, batch_id: str, cause: str, response: str, **evidence: object) -> None:
    workspace.ledger.open_incident(
        Incident(
            pipeline=workspace.name,
            batch_id=batch_id,
            cause=cause,
            stage="land",
            response=response,
            evidence=evidence,
            opened_at=workspace.now(),
        )
    )


def check_pending(workspace: Workspace, batch: str | None) -> None:
    """See before a run that the schema and the landed files can fit together at all.

    Raises:
        UsageError: There is no such batch, or a pending file lacks a column that no batch ever had.
    """
    waiting = pending(workspace, batch)
    if batch is not None and not waiting:
        _explain_absence(workspace, batch)
    for batch_id in waiting:
        for file, path in _landed_files(workspace, batch_id):
            check_columns(workspace, file, path)


def _landed_files(workspace: Workspace, batch_id: str) -> list[tuple[LandedFile, Path]]:
    """Return a batch's files; none where they are damaged, which the run finds out and holds the batch for."""
    try:
        landing = workspace.landing.landing(workspace.name, batch_id)
        if landing is None:
            return []
        files = workspace.landing.fetch(landing)
    except DataRejected:
        return []
    if repaired := workspace.landing.repaired(landing):
        _open(workspace, batch_id, "data.landed_copy_damaged", "repaired from a good copy", copies=repaired)
    return files


def check_columns(workspace: Workspace, file: LandedFile, path: Path) -> None:
    """Refuse a file that lacks a required column which no accepted batch ever had: the schema is wrong, not the feed.

    A column that used to come and is now absent is a failure of the data: such a batch lands and is held.

    Raises:
        UsageError: A column the schema requires is in neither the file nor any earlier batch.
    """
    try:
        columns = reading.columns_of(file, path)
    except DataRejected:
        return  # unreadable: it lands as it is, and the run holds it whole
    joined = (c for source in workspace.pipeline.enrichments for c in source.columns)
    made = [*workspace.pipeline.generated.columns, *joined]
    missing = missing_required([*columns, *made], workspace.schema)
    unheard = [c for c in missing if c not in _seen(workspace)] if missing else []
    if unheard:
        raise UsageError(
            f"{file.name}: has no column {unheard[0]!r}, which {workspace.schema.file} requires"
            f" (columns.{unheard[0]}); found {_listed(columns)}",
            fix=f"correct columns.{unheard[0]} in the schema, or give it `required: false`",
        )


def _seen(workspace: Workspace) -> frozenset[str]:
    """Return the columns that accepted batches have had."""
    if not workspace.lake.exists(workspace.name, Table.ACCEPTED):
        return frozenset()
    return frozenset(workspace.lake.columns(workspace.name, Table.ACCEPTED))


def check_landed(workspace: Workspace, batch: str) -> None:
    """See after a run that the batch it was asked for is there, landed before or offered by a source.

    Raises:
        UsageError: It is not.
    """
    if workspace.ledger.batch(workspace.name, batch) is None:
        raise UsageError(
            f"{workspace.name}: no batch {batch!r} has landed",
            fix=f"land it: `evenkeel land {workspace.name} FILE --batch {batch}`",
        )


def _explain_absence(workspace: Workspace, batch: str) -> None:
    if not workspace.pipeline.sources:
        check_landed(workspace, batch)
    record = workspace.ledger.batch(workspace.name, batch)
    if record is not None and record.state is BatchState.HELD:
        raise UsageError(
            f"{workspace.name}: batch {batch!r} is held: {record.held_reason}",
            fix=f"correct what is wrong, then `evenkeel replay {workspace.name} --batch {batch}`",
        )


def _listed(names: Iterable[object]) -> str:
    return ", ".join(str(n) for n in names)
