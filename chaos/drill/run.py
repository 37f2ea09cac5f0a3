"""Run experiments, one after another, and say of each what was injected, noticed, blamed and kept."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING, Any

from chaos.drill.experiments import experiment
from chaos.drill.homes import environment, living_in, prepare
from chaos.drill.verdict import verdict
from evenkeel.settings.fresh import fresh_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PREPARING = "a market that has learned"


def run(names: Sequence[str], begin: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Run experiments, each in its own copy of one prepared home, all on one Prefect server.

    The copy of an experiment that does not hold is kept, and its verdict says where.

    Args:
        names: The experiments.
        begin: Is told each step's name before it is taken: the preparation, then every experiment.

    Yields:
        Verdicts, as :func:`chaos.drill.verdict.verdict` has them.
    """
    chosen = {name: experiment(name) for name in names}
    folder = fresh_folder("drill")
    # What goes wrong is what is wanted: the table tells it, and no line in between.
    logging.getLogger("chaostoolkit").setLevel(logging.CRITICAL + 1)
    defaults = {"EVENKEEL_PLATFORM__LOG__LEVEL": "error", "PREFECT_HOME": str(folder / "prefect")}
    with environment({key: os.environ.get(key, value) for key, value in defaults.items()}):
        begin(PREPARING)
        prepared = folder / "prepared"
        prepare(prepared)
        for name, content in chosen.items():
            begin(name)
            found = _run_one(name, content, prepared, folder / name)
            if found["holds"]:
                shutil.rmtree(folder / name)
            yield found


def _run_one(name: str, content: dict[str, Any], prepared: Path, home: Path) -> dict[str, Any]:
    from chaoslib.experiment import ensure_experiment_is_valid, run_experiment

    shutil.copytree(prepared, home)
    with living_in(home):
        ensure_experiment_is_valid(content)
        journal = run_experiment(content)
    if journal["status"] == "interrupted":
        raise KeyboardInterrupt  # Chaos Toolkit swallows it
    return verdict(name, journal, home)
