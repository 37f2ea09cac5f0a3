"""Homes for a drill: one is prepared, every experiment gets a copy of its own."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import yaml

from chaos.drill.market import ANSWERED, LEARNED, PIPELINE, Market
from evenkeel.cli.engine import run_flow
from evenkeel.errors import Permanent
from evenkeel.settings import load_settings
from evenkeel.settings.load import embedded_folder
from evenkeel.stages.label import take_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Whatever a source may send is taken up, not only *.csv; and what is certain is repaired.
_CHANGES = {
    "sources": [{"name": "market", "uri": "{home}/incoming/market/*.*"}],
    "faults": {"repair": "auto"},
}


def prepare(home: Path) -> None:
    """Make a home whose market has a champion, and some days that it has answered and got the labels of.

    Raises:
        Permanent: The challenger was refused.
    """
    _configure(home)
    with living_in(home):
        market = Market(home)
        _live_through(market, LEARNED)
        report = run_flow("retrain", load_settings(PIPELINE), force=True)
        if not report["promoted"]:
            raise Permanent(f"the market to be drilled has no champion: {report['why']}")
        _live_through(market, ANSWERED)
        market.save()


def _live_through(market: Market, count: int) -> None:
    """Let days come, be answered, and be given their labels."""
    past = [market.next_day() for _ in range(count)]
    for day in past:
        market.bring(day)
    market.score()
    workspace = market.workspace()
    for day in past:
        take_labels(workspace, str(market.labels(day)))
    workspace.close()


@contextmanager
def living_in(home: Path) -> Iterator[None]:
    """Let commands and flows of this process find their state and configuration in ``home``."""
    with environment({"EVENKEEL_HOME": str(home), "EVENKEEL_CONFIG_DIR": str(home / "configs")}):
        yield


@contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Change the environment for a while."""
    before = {key: os.environ.get(key) for key in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _configure(home: Path) -> None:
    """Give a home its own configuration, which an experiment may change."""
    own = embedded_folder()
    shutil.copytree(own / "expectations" / PIPELINE, home / "expectations" / PIPELINE)
    (home / "configs").mkdir()
    config = yaml.safe_load((own / "configs" / f"{PIPELINE}.yaml").read_text(encoding="utf-8"))
    write_config(home, config | _CHANGES)


def read_config(home: Path) -> dict[str, object]:
    """Return a home's configuration of the market."""
    found: dict[str, object] = yaml.safe_load(_config(home).read_text(encoding="utf-8"))
    return found


def write_config(home: Path, config: dict[str, object]) -> None:
    """Write a home's configuration of the market."""
    _config(home).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _config(home: Path) -> Path:
    return home / "configs" / f"{PIPELINE}.yaml"
