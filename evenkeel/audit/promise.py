"""What an audit says: each promise kept or broken, with the rows that break it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMISES = {
    "P1": "nothing lost, nothing doubled",
    "P2": "always an answer",
    "P3": "no silent degradation",
    "P4": "no bad promotion",
    "P5": "every failure is attributed",
}


@dataclass(frozen=True)
class Breach:
    """One place where a promise is broken.

    Attributes:
        promise: ``P1`` to ``P5``.
        batch_id: The batch, or empty.
        what: One line that names the rows, versions or incidents.
    """

    promise: str
    batch_id: str
    what: str


@dataclass
class Findings:
    """What the checks of one audit add to.

    Attributes:
        breaches: Broken promises.
        checked: Promise -> how many things were checked for it.
        notes: What could not be checked and why, or is still under way.
        rows: Where the landed rows ended: landed, scored, quarantined, held, pending.
    """

    breaches: list[Breach] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROMISES, 0))
    notes: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("landed", "scored", "quarantined", "held", "pending"), 0)
    )

    def check(self, promise: str, count: int = 1) -> None:
        """Count things that were checked."""
        self.checked[promise] += count

    def breach(self, promise: str, batch_id: str, what: str) -> None:
        """Add a breach."""
        self.breaches.append(Breach(promise, batch_id, what))

    def broken(self, promise: str) -> list[Breach]:
        """Return the breaches of one promise."""
        return [b for b in self.breaches if b.promise == promise]

    @property
    def clean(self) -> bool:
        """Whether every promise is kept."""
        return not self.breaches

    def summary(self) -> Iterator[dict[str, str | int]]:
        """Yield a line per promise."""
        for promise, title in PROMISES.items():
            broken = self.broken(promise)
            yield {
                "promise": promise,
                "title": title,
                "checked": self.checked[promise],
                "broken": len(broken),
                "first": f"{broken[0].batch_id}: {broken[0].what}" if broken else "",
            }


def shown(names: list[str], limit: int = 5) -> str:
    """Return the first names and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
