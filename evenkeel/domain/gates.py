"""Gates: the checks a model must pass to become champion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class GateResult:
    """One gate, judged.

    Attributes:
        gate: Its name, as ``beats_champion``.
        passed: A gate that cannot be computed has not passed.
        observed: What was measured, for a person.
        required: What was asked for.
        why: One line; for a refusal, the reason.
    """

    gate: str
    passed: bool
    observed: str
    required: str
    why: str


@dataclass(frozen=True)
class GateReport:
    """All gates of one challenger."""

    results: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate passed; no gates means no."""
        return bool(self.results) and all(r.passed for r in self.results)

    @property
    def refused(self) -> tuple[str, ...]:
        """Names of the gates that were not passed."""
        return tuple(r.gate for r in self.results if not r.passed)

    @property
    def why(self) -> str:
        """The failed gates' reasons, or that all passed."""
        failed = [f"{r.gate}: {r.why}" for r in self.results if not r.passed]
        return "; ".join(failed) if failed else f"all {len(self.results)} gates passed"

    def to_json(self) -> list[dict[str, Any]]:
        """Return a JSON-serialisable form."""
        return [asdict(r) for r in self.results]
