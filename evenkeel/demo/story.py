"""The demo's story: eight weeks of a market in which things go wrong, played through the real flows."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evenkeel.backtest.replay import Replay, RunFlow
from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.demo.market import MarketDay, dirty, generate, write_day
from evenkeel.settings import load_settings
from evenkeel.settings.fresh import fresh_folder
from evenkeel.settings.load import embedded_folder
from evenkeel.stages.land import land_files
from evenkeel.stages.rollout import mirror, roll_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PIPELINE = "market"


@dataclass(frozen=True)
class Script:
    """On which day (from 0) what happens.

    Attributes:
        regime_change: The neighbouring market opens; the world is another from here on.
        dirty_every: Every so many days some cells and rows come broken.
        held: The feed sends a day that nothing trustworthy can be said about.
        twice: The feed sends the day before again, under the same name.
        rollback: The newest champion is taken back by hand.
    """

    regime_change: int
    dirty_every: int
    held: int
    twice: int
    rollback: int


def script(days: int) -> Script:
    """Spread the events over the days."""
    return Script(
        regime_change=days * 5 // 10,
        dirty_every=3,
        held=days * 3 // 10,
        twice=days * 4 // 10,
        rollback=days * 8 // 10,
    )


@dataclass(frozen=True)
class Story:
    """A story ready to be played.

    Attributes:
        replay: Plays single days.
        days: The days, in order.
        script: What happens when.
        seed: Of the dirt.
    """

    replay: Replay
    days: list[MarketDay]
    script: Script
    seed: int

    def play(self, advance: Callable[[str], None]) -> None:
        """Play every day; ``advance`` is told each day's name when it is done."""
        for number, day in enumerate(self.days):
            self.replay.play_one(_Dressed(self._dressed(number, day)))
            if number == self.script.twice:
                self._land_again(self.days[number - 1])
            if number == self.script.rollback:
                self._take_back()
            advance(day.batch_id)

    def _dressed(self, number: int, day: MarketDay) -> MarketDay:
        if number == self.script.held:
            return replace(day, rows=day.rows.assign(price="#ERR"))
        if number % self.script.dirty_every == 0:
            return replace(day, rows=dirty(day, self.seed))
        return day

    def _land_again(self, day: MarketDay) -> None:
        land_files(self.replay.workspace, [str(self.replay.incoming / f"{day.batch_id}.csv")], None)

    def _take_back(self) -> None:
        before = self.replay.workspace.ledger.standing(PIPELINE)
        if before.previous is not None:
            roll_back(self.replay.workspace, before, why="the demo practises the way back")
            mirror(self.replay.workspace)


@dataclass(frozen=True)
class _Dressed:
    day: MarketDay

    @property
    def batch_id(self) -> str:
        return self.day.batch_id

    def write(self, folder: Path) -> tuple[Path, Path]:
        return write_day(self.day, folder)


def open_demo() -> Workspace:
    """Open a fresh workspace under ``EVENKEEL_HOME/demo``, removing an earlier demo's.

    Raises:
        UsageError: The folder is there and no demo made it.
    """
    home = fresh_folder("demo")
    # The flows read the settings again, in this process: they must find the same home.
    os.environ["EVENKEEL_HOME"] = str(home)
    os.environ["EVENKEEL_CONFIG_DIR"] = str(embedded_folder() / "configs")
    # What goes wrong is the story, and is told at its end; the lines in between would break the progress bar.
    os.environ.setdefault("EVENKEEL_PLATFORM__LOG__LEVEL", "error")
    return open_workspace(load_settings(PIPELINE))


def chapters(workspace: Workspace, run_flow: RunFlow, *, days: int, seed: int) -> Story:
    """Return the story of ``days`` days."""
    told = script(days)
    backtest = workspace.pipeline.backtest
    return Story(
        replay=Replay(
            workspace=workspace,
            run_flow=run_flow,
            incoming=workspace.settings.home / "incoming",
            label_lag=backtest.label_lag if backtest else 1,
        ),
        days=generate(days, seed, told.regime_change),
        script=told,
        seed=seed,
    )
