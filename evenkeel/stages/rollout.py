"""Who is in charge: promote, refuse, roll back; the ledger's history decides, the registry's aliases mirror it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenkeel.domain.incident import Incident
from evenkeel.domain.model_event import EventKind, ModelEvent, Standing
from evenkeel.errors import Permanent, UsageError
from evenkeel.learning.gates import LEAKAGE

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import ModelRef
    from evenkeel.domain.gates import GateReport


def record_registered(
    workspace: Workspace, model: ModelRef, report: GateReport, *, by: str, source: str
) -> None:
    """Enter a registered challenger with its gate results and what it was made from, once."""
    events = workspace.ledger.events(workspace.name)
    if any(e.kind is EventKind.REGISTERED and e.model == model for e in events):
        return
    _add(
        workspace,
        EventKind.REGISTERED,
        model,
        by=by,
        why=report.why,
        detail={"gates": report.to_json(), "passed": report.passed, "source": source},
    )


def promote(
    workspace: Workspace, model: ModelRef, report: GateReport, *, against: str, by: str = "gates"
) -> bool:
    """Put a challenger in charge when every gate passed; otherwise record the refusal with its why.

    Args:
        workspace: The pipeline's workspace.
        model: The challenger.
        report: What the gates say of it.
        against: Digest of the champion it was compared with; empty where there was none. Where another is
            in charge by now, the challenger has not met it, and is refused.
        by: Who promotes.

    Returns:
        Whether it is now champion.
    """
    now = workspace.ledger.standing(workspace.name)
    if now.champion == model:
        return True
    why = _obstacle(workspace, model, report, now, against)
    if not why:
        detail = {"gates": report.to_json(), "passed": True}
        event = _event(
            workspace, EventKind.PROMOTED, model, by=by, why=report.why, champion=model.version, detail=detail
        )
        if workspace.ledger.add_event_if(event, now.champion.version if now.champion else ""):
            return True
        why = _OVERTAKEN
    refuse(workspace, model, why, report=report, by=by)
    return False


_OVERTAKEN = "another version took charge while this one was judged"


def _obstacle(workspace: Workspace, model: ModelRef, report: GateReport, now: Standing, against: str) -> str:
    """Return why a challenger may not take charge; empty where it may."""
    if not report.passed:
        return report.why
    if twin := _reverted_twin(workspace, model, now):
        return f"made from the same rows and configuration as version {twin}, which was taken back"
    if against != (now.champion.sha256 if now.champion else ""):
        return _OVERTAKEN
    return ""


def _reverted_twin(workspace: Workspace, model: ModelRef, now: Standing) -> str:
    """Return the reverted version that was made from the same source as ``model``; empty where there is none."""
    events = workspace.ledger.events(workspace.name)
    sources = {e.version: e.detail.get("source") for e in events if e.kind is EventKind.REGISTERED}
    mine = sources.get(model.version)
    return next((v for v in sorted(now.reverted) if mine and sources.get(v) == mine), "")


def refuse(
    workspace: Workspace,
    model: ModelRef | None,
    why: str,
    *,
    report: GateReport | None = None,
    by: str = "gates",
) -> None:
    """Record that no promotion took place, and why.

    The incident closes at once, nothing is left to do; but a leak stays open until the next challenger is judged.
    """
    detail = {"gates": report.to_json()} if report else {}
    _add(workspace, EventKind.REFUSED, model, by=by, why=why, detail=detail)
    cause = "model.worse_than_champion" if report else "model.training_fails"
    leaks = report is not None and LEAKAGE in report.refused
    if leaks:
        cause = "data.label_leakage"
    now = workspace.now()
    workspace.ledger.open_incident(
        Incident(
            pipeline=workspace.name,
            batch_id="",
            cause=cause,
            # The step "gates" of the next retrain closes what is open under its name.
            stage="gates"
            if leaks
            else f"train {model.version if model else now.isoformat(timespec='seconds')}"[:32],
            response="not promoted: the champion stays",
            evidence={"why": why} | ({"version": model.version} if model else {}),
            opened_at=now,
            resolved_at=None if leaks else now,
        )
    )


def promote_by_hand(workspace: Workspace, version: str | None) -> ModelRef:
    """Put a registered version in charge that passed its gates.

    Args:
        workspace: The pipeline's workspace.
        version: The version; None takes the newest that passed its gates and was not reverted.

    Raises:
        UsageError: There is no such version, or it did not pass its gates, or it was reverted.
    """
    now = workspace.ledger.standing(workspace.name)
    registered = {
        e.version: e for e in workspace.ledger.events(workspace.name) if e.kind is EventKind.REGISTERED
    }
    fit = [v for v, e in registered.items() if e.detail.get("passed") and v not in now.reverted]
    if version is None and fit:
        version = fit[-1]
    if version is None or version not in registered:
        raise UsageError(
            f"{workspace.name}: no registered version {version or 'passed its gates'}",
            fix=f"registered: {', '.join(registered) or 'none'}; train one with `evenkeel retrain {workspace.name}`",
        )
    if version not in fit:
        what = "was reverted" if version in now.reverted else f"did not pass: {registered[version].why}"
        raise UsageError(
            f"{workspace.name}: version {version} {what}",
            fix=f"versions that may be promoted: {', '.join(fit) or 'none'}",
        )
    event = registered[version]
    if event.model is None:
        raise Permanent(f"{workspace.name}: the history of version {version} lacks its digest")
    if now.champion != event.model:
        _add(
            workspace,
            EventKind.PROMOTED,
            event.model,
            by="hand",
            why=f"by hand; its gates: {event.why}",
            champion=version,
            detail=event.detail,
        )
    mirror(workspace)
    return event.model


def roll_back(
    workspace: Workspace,
    before: Standing,
    *,
    to: str | None = None,
    why: str = "by hand",
    by: str = "hand",
) -> Standing:
    """Take the champion back at once and put ``to``, by default the previous champion, in charge.

    The ledger decides; :func:`mirror` then tells the registry. Called again with the same ``before``, as a
    retry does, it takes back nothing more.

    Args:
        workspace: The pipeline's workspace.
        before: Who was in charge when the rollback was asked for: that champion is taken back.
        to: The version to go back to.
        why: Kept in the history.
        by: Who asked.

    Raises:
        UsageError: There is nothing to go back to.
    """
    now = workspace.ledger.standing(workspace.name)
    if before.champion is not None and before.champion.version in now.reverted:
        return now
    events = workspace.ledger.events(workspace.name)
    served = {e.version: e.model for e in events if e.kind is EventKind.PROMOTED and e.model}
    target = to or (now.previous.version if now.previous else None)
    if now.champion is None:
        raise UsageError(f"{workspace.name}: no champion to take back", fix="nothing needs to be done")
    if target is None or target not in served or target in now.reverted or target == now.champion.version:
        fit = [v for v in served if v not in now.reverted and v != now.champion.version]
        raise UsageError(
            f"{workspace.name}: no version {target or 'before the champion'} to go back to",
            fix=f"versions that were in charge and were not reverted: {', '.join(fit) or 'none'}",
        )
    _add(
        workspace,
        EventKind.REVERTED,
        now.champion,
        by=by,
        why=why,
        champion=target,
    )
    workspace.ledger.open_incident(
        Incident(
            pipeline=workspace.name,
            batch_id="",
            cause="model.reverted",
            stage=f"rollback {now.champion.version}",
            response=f"version {target} put back in charge",
            evidence={"version": now.champion.version, "why": why},
            opened_at=workspace.now(),
            resolved_at=workspace.now(),
        )
    )
    return workspace.ledger.standing(workspace.name)


def mirror(workspace: Workspace) -> None:
    """Make the registry's aliases and tags tell what the ledger's history says.

    Raises:
        Transient: The registry is away; the next mirror makes up for it.
    """
    now = workspace.ledger.standing(workspace.name)
    workspace.registry.set_standing(workspace.name, now.champion, now.previous)
    events = workspace.ledger.events(workspace.name)
    refused = [
        e for e in events if e.kind is EventKind.REFUSED and e.version and e.version not in now.reverted
    ]
    if refused:
        workspace.registry.mark(workspace.name, refused[-1].version, "refused", refused[-1].why)
    for version in sorted(now.reverted):
        workspace.registry.mark(workspace.name, version, "reverted", "taken back; see the model history")


def _add(workspace: Workspace, kind: EventKind, model: ModelRef | None, **said: Any) -> None:
    workspace.ledger.add_event(_event(workspace, kind, model, **said))


def _event(
    workspace: Workspace,
    kind: EventKind,
    model: ModelRef | None,
    *,
    by: str,
    why: str,
    champion: str | None = None,
    detail: dict[str, Any] | None = None,
) -> ModelEvent:
    if champion is None:
        current = workspace.ledger.standing(workspace.name).champion
        champion = current.version if current else ""
    return ModelEvent(
        pipeline=workspace.name,
        kind=kind,
        version=model.version if model else "",
        by=by,
        why=why,
        at=workspace.now(),
        model=model,
        champion=champion,
        detail=detail or {},
    )
