"""What an experiment does to the market."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from chaos.drill.homes import read_config, write_config
from chaos.drill.market import PIPELINE, SEED, about_to_break, days, market
from chaos.faults.data import FAULTS, SEVERITIES, Damaged
from evenkeel.demo.market import generate
from evenkeel.settings.load import embedded_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def inject(
    fault: str,
    severity: str | float = "gross",
    columns: Sequence[str] = (),
    *,
    share: float = 1.0,
    seed: int = 1,
) -> str:
    """Let the source send the next day damaged; it is not answered yet.

    Args:
        fault: Name of the fault, as in :data:`chaos.faults.data.FAULTS`.
        severity: ``slight``, ``clear`` or ``gross``, or a number from 0 to 1.
        columns: The columns it is done to, for faults of columns.
        share: Share of the rows, from the end, that come so; for faults that leave each row in its place.
        seed: Of everything random.

    Returns:
        What was done, for a person.
    """
    at, day = about_to_break()
    kind = FAULTS[fault]
    level = SEVERITIES[severity] if isinstance(severity, str) else severity
    file = at.bring(day)
    if kind.is_file:
        damaged = kind.function(file, severity=level, seed=seed)
        _replace(file, damaged)
        said = fault.removeprefix("file_").replace("_", " ")
    else:
        before = {"previous": days()[at.day - 2].rows} if kind.needs_previous else {}
        done = kind.function(day.rows, severity=level, columns=tuple(columns), seed=seed, **before)
        sound = round((1 - share) * len(day.rows))
        rows = pd.concat([day.rows[:sound], done.frame[sound:]]) if sound else done.frame
        rows.to_csv(file, index=False, lineterminator="\n")
        said = _said(done)
    return said if share == 1 else f"{said}, {share:.0%} of the rows"


def change_the_world() -> str:
    """Let the source send the next day of a market whose rules have changed: the feed is right."""
    at, _ = about_to_break()
    number = at.day - 1
    at.bring(generate(number + 1, SEED, regime_change=number)[number])
    return "the first day after a change of regime"


def expect(column: str, checks: dict[str, Any]) -> str:
    """Give a column of the schema other checks."""
    file = market().home / "expectations" / PIPELINE / "schema.yaml"
    schema = yaml.safe_load(file.read_text(encoding="utf-8"))
    schema["columns"][column]["checks"] = checks
    file.write_text(yaml.safe_dump(schema, sort_keys=False), encoding="utf-8")
    return f"{column}: {', '.join(checks)}"


def expect_of_the_batch(expectation: dict[str, Any]) -> str:
    """Add an expectation to the suite."""
    file = market().home / "expectations" / PIPELINE / "suite.json"
    suite = json.loads(file.read_text(encoding="utf-8"))
    suite["expectations"].append(expectation)
    file.write_text(json.dumps(suite, indent=2), encoding="utf-8")
    return str(expectation["type"])


def restore_expectations() -> str:
    """Expect what the market expects by default."""
    own = embedded_folder() / "expectations" / PIPELINE
    shutil.copytree(own, market().home / "expectations" / PIPELINE, dirs_exist_ok=True)
    return "schema and suite as they were"


def score() -> dict[str, Any]:
    """Run the score flow, as a schedule would."""
    at = market()
    at.report = at.score()
    at.save()
    return at.report


def configure(changes: dict[str, Any]) -> str:
    """Change the pipeline's configuration, key by key of its top level; what it held before goes on to hold."""
    at = market()
    write_config(at.home, read_config(at.home) | changes)
    return ", ".join(changes)


def _said(done: Damaged) -> str:
    """Say what was done, in a line that fits a table."""
    more = f" and {len(done.columns) - 1} more" if len(done.columns) > 1 else ""
    named = "" if not done.columns or done.columns[0] in done.transform else f"{done.columns[0]}{more} "
    rows = f", {len(done.rows)} rows" if done.rows is not None else ""
    return f"{named}{done.transform}{rows}"


def _replace(file: Path, damaged: Path) -> None:
    """Put a damaged copy in the place of the file, under the copy's suffix."""
    file.unlink()
    shutil.move(damaged, file.with_name(damaged.name))
