"""What an experiment looks at; a look that does not find what must be raises, and its message is the reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chaos.drill.market import PIPELINE, Market, market
from evenkeel.adapters.lake import Table
from evenkeel.audit.audit import audit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLACES = ("landed", "scored", "quarantined", "held")


class NotAsPromisedError(Exception):
    """The system is not in the state that was expected."""


def promises_kept() -> bool:
    """Recount every promise over everything the market ever did, as `evenkeel audit` does."""
    workspace = market().workspace()
    try:
        findings = audit(workspace)
    finally:
        workspace.close()
    if findings.breaches:
        first = findings.breaches[0]
        raise NotAsPromisedError(
            f"{len(findings.breaches)} promises broken, first {first.promise} of {first.batch_id}: {first.what}"
        )
    return True


def clean_batch_is_answered_by_the_champion() -> bool:
    """Let a clean day come: every row is answered by the champion as it came, and no incident is opened."""
    at = market()
    day = at.next_day()
    at.bring(day)
    at.save()
    told = at.score().get(day.batch_id, {})
    rows = len(day.rows)
    _must_be(f"clean batch {day.batch_id}", told, {"state": "published", "scored": rows, "incidents": []})
    workspace = at.workspace()
    answers = workspace.lake.read(PIPELINE, Table.PREDICTIONS, batch_id=day.batch_id)
    workspace.close()
    rungs = sorted(set(answers["rung"]))
    if rungs != ["champion"] or answers["imputed"].map(len).any():
        raise NotAsPromisedError(f"clean batch {day.batch_id} was answered by {', '.join(rungs)}, or imputed")
    return True


def detected() -> str:
    """See that something was noticed in the same run; return which causes."""
    found = sorted({i.cause for i in market().opened()})
    if not found:
        raise NotAsPromisedError("no incident was opened")
    return ", ".join(found)


def attributed(cause: str, columns: Sequence[str] = (), besides: Sequence[str] = ()) -> str:
    """See that the incident names the cause and the columns, and that nothing else is blamed.

    Args:
        cause: The cause that was injected.
        columns: Columns that must be named, in the incident or in the reasons of the quarantined rows.
        besides: Causes that follow from it, and may be told too.

    Returns:
        The columns; ``yes`` where there are none to name.
    """
    at = market()
    opened = at.opened()
    told = {i.cause for i in opened}
    if cause not in told:
        raise NotAsPromisedError(f"expected {cause}, told: {', '.join(sorted(told)) or 'nothing'}")
    if wrong := sorted(told - {cause, *besides}):
        raise NotAsPromisedError(f"{', '.join(wrong)} told besides {cause}")
    named = {word for i in opened if i.cause == cause for word in _words(i.evidence)} | _refused_columns(at)
    if missing := [c for c in columns if c not in named]:
        raise NotAsPromisedError(f"{cause} does not name {', '.join(missing)}")
    return ", ".join(columns) or "yes"


def survived(state: str, **places: int) -> str:
    """See where the damaged batch ended, and that each of its rows is in exactly one place.

    Args:
        state: ``published`` or ``held``; ``refused`` where nothing of it may have landed.
        places: Rows expected in a place: ``scored``, ``quarantined``.

    Returns:
        Where its rows are.
    """
    at = market()
    told = at.report.get(at.batch)
    if state == "refused":
        if told is not None:
            raise NotAsPromisedError(f"batch {at.batch} was to be refused, it is {told['state']}")
        return "refused"
    if told is None:
        raise NotAsPromisedError(f"batch {at.batch} was not run: {', '.join(at.report) or 'nothing was'}")
    _must_be(f"batch {at.batch}", told, {"state": state, **places})
    if told["landed"] != told["scored"] + told["quarantined"] + told["held"]:
        raise NotAsPromisedError(f"batch {at.batch}: " + ", ".join(f"{told[p]} {p}" for p in _PLACES))
    counts = ", ".join(f"{told[p]} {p}" for p in _PLACES[1:] if told[p])
    return counts or state


def revised(revision: int) -> str:
    """See that every row of the damaged batch was answered anew, and that no answer is stale any more."""
    at = market()
    workspace = at.workspace()
    answers = workspace.lake.read(PIPELINE, Table.PREDICTIONS, batch_id=at.batch)
    workspace.close()
    late = int((answers["revision"] != revision).sum())
    stale = int(answers["stale"].map(len).astype(bool).sum())
    if answers.empty or late or stale:
        raise NotAsPromisedError(
            f"of {len(answers)} answers {late} are not of revision {revision}, {stale} are stale"
        )
    return f"{len(answers)} rows revised"


def _must_be(what: str, told: dict[str, Any], expected: dict[str, Any]) -> None:
    wrong = [f"{k} is {told.get(k)!r}, expected {v!r}" for k, v in expected.items() if told.get(k) != v]
    if wrong:
        raise NotAsPromisedError(f"{what}: {'; '.join(wrong)}")


def _words(evidence: Any) -> Iterator[str]:
    """Yield every name in an incident's evidence, keys and values."""
    if isinstance(evidence, dict):
        for key, value in evidence.items():
            yield str(key)
            yield from _words(value)
    elif isinstance(evidence, list | tuple):
        for value in evidence:
            yield from _words(value)
    elif isinstance(evidence, str):
        yield from re.findall(r"\w+", evidence)


def _refused_columns(at: Market) -> set[str]:
    workspace = at.workspace()
    refused = workspace.lake.read(PIPELINE, Table.QUARANTINE, batch_id=at.batch)
    workspace.close()
    return {name for reasons in refused["reasons"] for r in reasons for name in r["column"].split(",")}
