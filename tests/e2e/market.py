"""The demo's market as the end-to-end tests drive it: the real flows, the real stores, one home per test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evenkeel.adapters.lake import Table
from evenkeel.audit.audit import audit
from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.cli.engine import run_flow
from evenkeel.demo.market import MarketDay, dirty, generate, write_day
from evenkeel.settings import load_settings
from evenkeel.stages.label import take_labels
from evenkeel.stages.land import land_files

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from evenkeel.audit.promise import Findings

NAME = "market"
SEED = 11
LEARNED = 12  # days that the prepared home has scored and labelled
DAYS = generate(LEARNED + 8, SEED, regime_change=10_000)
# Differ between any two runs; everything else must not.
OF_THE_RUN = ["run_id", "scored_at"]


@dataclass
class Market:
    """One home of the market pipeline."""

    home: Path

    def workspace(self) -> Workspace:
        """Open the workspace with the settings as they are now."""
        return open_workspace(load_settings(NAME))

    def land(self, number: int, **changes: Any) -> str:
        """Land day ``number``, with columns replaced, and return its batch id."""
        day = DAYS[number]
        return self.land_day(replace(day, rows=day.rows.assign(**changes)) if changes else day)

    def land_dirty(self, number: int) -> str:
        """Land day ``number`` as a careless source would send it."""
        return self.land_day(replace(DAYS[number], rows=dirty(DAYS[number], SEED)))

    def land_day(self, day: MarketDay) -> str:
        """Land a day."""
        rows, _ = write_day(day, self.home / "files")
        land_files(self.workspace(), [str(rows)], None)
        return day.batch_id

    def label(self, number: int) -> None:
        """Take the labels of day ``number``."""
        _, labels = write_day(DAYS[number], self.home / "files")
        take_labels(self.workspace(), str(labels))

    def run(self, batch: str | None = None) -> dict[str, Any]:
        """Score what is pending."""
        return run_flow("score", load_settings(NAME), batch=batch)

    def retrain(self, *, force: bool = True) -> dict[str, Any]:
        """Train, judge, register, promote or refuse."""
        return run_flow("retrain", load_settings(NAME), force=force)

    def audit(self) -> Findings:
        """Recount the promises."""
        return audit(self.workspace())

    def read(self, table: Table, batch: str | None = None) -> pd.DataFrame:
        """Read a table of the lake."""
        return self.workspace().lake.read(NAME, table, batch_id=batch)

    def answers(self, batch: str) -> pd.DataFrame:
        """Return a batch's published answers without what differs between any two runs, by row key."""
        rows = self.read(Table.PREDICTIONS, batch).drop(columns=OF_THE_RUN)
        return rows.sort_values("settlement").reset_index(drop=True)

    def causes(self, batch: str) -> set[str]:
        """Return the causes of a batch's incidents."""
        return {i.cause for i in self.workspace().ledger.incidents(NAME) if i.batch_id == batch}

    def champion(self) -> str:
        """Return the version in charge."""
        standing = self.workspace().ledger.standing(NAME)
        return standing.champion.version if standing.champion else ""

    def table_versions(self) -> dict[str, int]:
        """Return the version of every Delta table: it moves with any write."""
        from deltalake import DeltaTable

        folders = (self.home / "lake" / NAME).iterdir()
        return {f.name: DeltaTable(str(f)).version() for f in folders}
