"""Read a verdict from the journal that Chaos Toolkit keeps of an experiment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_YES, _NO = "yes", "NO"
# An activity's error comes as a traceback; at its end the error itself, its type before the message.
_RAISED = "ActivityFailed: "
_TYPES = re.compile(r"^(?:\w+\.)+\w+: ")


def verdict(name: str, journal: Mapping[str, Any], home: Path) -> dict[str, Any]:
    """Return what an experiment showed.

    Args:
        name: Of the experiment.
        journal: As Chaos Toolkit returned it.
        home: Where it was run.

    Returns:
        ``experiment``; ``injected``, ``detected``, ``attributed``, ``survived`` and ``promises kept``, each a
        word or a few, ``NO`` where it is not so; ``seconds``; ``told``, every cause that was noticed; ``holds``,
        whether all is as it must be; ``why``, what was found instead; ``home``, where to look then.
    """
    done = {run["activity"]["name"]: run for run in journal["run"]}
    why = list(_failures(journal))
    unmet = [when for when in ("before", "after") if not _met(journal, when)]
    told = _output(done.get("detected"))
    row = {
        "experiment": name,
        "injected": _output(done.get("inject")),
        "detected": told if told == _NO else _YES,
        "attributed": _output(done.get("attributed")),
        "survived": _output(done.get("survived")),
        "promises kept": _NO if unmet else _YES,
    }
    if unmet and not why:
        why.append(f"the steady state was not met {unmet[0]}")
    holds = not why and _NO not in row.values()
    return row | {
        "seconds": round(float(journal["duration"]), 1),
        "told": "" if told == _NO else told,
        "holds": holds,
        "why": why,
        "home": "" if holds else str(home),
    }


def _output(run: Mapping[str, Any] | None) -> str:
    return str(run["output"]) if run and run["status"] == "succeeded" else _NO


def _met(journal: Mapping[str, Any], when: str) -> bool:
    state = journal["steady_states"].get(when)
    return bool(state and state["steady_state_met"])


def _failures(journal: Mapping[str, Any]) -> Iterator[str]:
    """Yield what every failed activity said."""
    states = journal["steady_states"]
    parts = {
        "before": (states.get("before") or {}).get("probes", []),
        "": journal["run"],
        "after": (states.get("after") or {}).get("probes", []),
    }
    for when, runs in parts.items():
        for run in runs:
            if run["status"] == "failed":
                said = "".join(run["exception"]).strip().rpartition(_RAISED)[2]
                said = _TYPES.sub("", said)
                yield f"{when} {run['activity']['name']}: {said}".strip()
