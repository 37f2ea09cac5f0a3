"""The market that is drilled: one home of it, its days in order, and what was injected into it last."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.cli.engine import run_flow
from evenkeel.demo.market import MarketDay, generate, write_day
from evenkeel.settings import load_settings
from evenkeel.settings.load import home_folder

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.domain.incident import Incident

PIPELINE = "market"
# Days of a prepared home, all of them answered and labelled: what its champion learned from, and those after.
LEARNED, ANSWERED = 14, 6
_DAYS = LEARNED + ANSWERED + 8
SEED = 11
_BOOK = "drill.json"


@cache
def days() -> list[MarketDay]:
    """Return the days of the market, whose rules never change: what a drill sees is its own doing."""
    return generate(_DAYS, SEED, regime_change=_DAYS + 1)


@dataclass
class Market:
    """One home of the market, and where its drill stands; kept in the home between two activities.

    Attributes:
        home: EVENKEEL_HOME.
        day: Number of the day that comes next.
        batch: The batch that was damaged.
        incidents: Incidents there were before that.
        report: What the run over it returned: batch -> state and counts.
    """

    home: Path
    day: int = 0
    batch: str = ""
    incidents: int = 0
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def incoming(self) -> Path:
        """The folder of the market's source."""
        return self.home / "incoming" / PIPELINE

    def workspace(self) -> Workspace:
        """Open the workspace with the settings as they are now."""
        return open_workspace(load_settings(PIPELINE))

    def next_day(self) -> MarketDay:
        """Return the day that comes next, and go on to the one after it."""
        day = days()[self.day]
        self.day += 1
        return day

    def bring(self, day: MarketDay) -> Path:
        """Let the source have a day's file; its labels stay out of the source's sight."""
        rows, _ = write_day(day, self.incoming)
        return rows

    def labels(self, day: MarketDay) -> Path:
        """Return the file of a day's labels."""
        return self.incoming / "labels" / f"{day.batch_id}.csv"

    def score(self) -> dict[str, Any]:
        """Run the score flow over what has come."""
        return run_flow("score", load_settings(PIPELINE))

    def opened(self) -> list[Incident]:
        """Return the incidents opened since the injection, of the damaged batch or of no batch at all."""
        workspace = self.workspace()
        try:
            found = workspace.ledger.incidents(PIPELINE)[self.incidents :]
        finally:
            workspace.close()
        return [i for i in found if i.batch_id in {"", self.batch}]

    def save(self) -> None:
        """Keep where the drill stands."""
        book = {k: getattr(self, k) for k in ("day", "batch", "incidents", "report")}
        (self.home / _BOOK).write_text(json.dumps(book, default=str), encoding="utf-8")


def market() -> Market:
    """Return the market of EVENKEEL_HOME."""
    home = home_folder()
    book = home / _BOOK
    return Market(home, **(json.loads(book.read_text(encoding="utf-8")) if book.is_file() else {}))


def about_to_break(*, skip: bool = True) -> tuple[Market, MarketDay]:
    """Take note of the incidents there are, and go on to the next day, whose batch is to be damaged.

    Args:
        skip: Whether the day is used up; False where none comes, or its batch is another.
    """
    at = market()
    workspace = at.workspace()
    at.incidents = len(workspace.ledger.incidents(PIPELINE))
    workspace.close()
    day = days()[at.day]
    at.day += int(skip)
    at.batch = day.batch_id if skip else ""
    at.save()
    return at, day
