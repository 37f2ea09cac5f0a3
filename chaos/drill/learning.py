"""What an experiment does to the truth, and to what is learned from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from chaos.drill.market import PIPELINE, about_to_break, days, market
from chaos.drill.probes import NotAsPromisedError
from chaos.faults.data import FAULTS, SEVERITIES
from evenkeel.adapters.lake import Table
from evenkeel.cli.engine import run_flow
from evenkeel.errors import DataRejected
from evenkeel.settings import load_settings
from evenkeel.stages.label import take_labels

_TARGET = "direction"


def answer(count: int) -> str:
    """Let clean days come and be answered; their labels have not come yet."""
    at = market()
    for _ in range(count):
        at.bring(at.next_day())
    at.save()
    at.score()
    return f"{count} days answered"


def label_wrongly(fault: str, days_back: int = 3, severity: str = "gross", seed: int = 1) -> str:
    """Send the labels of the last days in one file, damaged, and see that the file is refused.

    Args:
        fault: Name of a fault of labels, as in :data:`chaos.faults.data.FAULTS`.
        days_back: How many days.
        severity: ``slight``, ``clear`` or ``gross``.
        seed: Of everything random.

    Raises:
        NotAsPromisedError: It was taken.
    """
    at, _ = about_to_break(skip=False)
    labels = pd.concat([day.labels for day in days()[at.day - days_back : at.day]], ignore_index=True)
    done = FAULTS[fault].function(labels, severity=SEVERITIES[severity], columns=(_TARGET,), seed=seed)
    file = at.home / "labels.csv"
    done.frame.to_csv(file, index=False, lineterminator="\n")
    workspace = at.workspace()
    try:
        taken = take_labels(workspace, str(file))
    except DataRejected:
        return f"{_TARGET} {done.transform}, {len(labels)} rows"
    finally:
        workspace.close()
    raise NotAsPromisedError(f"{taken.taken} damaged labels were taken")


def draw_by_label(severity: str = "clear", seed: int = 1) -> str:
    """Let the next batch bring two days' rows of one label rather than of the other, every one genuine."""
    at, day = about_to_break()
    whole = pd.concat([d.rows.merge(d.labels, on="settlement") for d in (day, at.next_day())])
    at.save()
    fault = FAULTS["prior_drift"].function
    done = fault(whole.reset_index(drop=True), severity=SEVERITIES[severity], columns=(_TARGET,), seed=seed)
    at.bring(replace(day, rows=done.frame.drop(columns=[_TARGET])))
    shares = done.frame[_TARGET].value_counts(normalize=True)
    return ", ".join(f"{share:.0%} {label}" for label, share in shares.items())


def bring_known_afterwards(column: str, count: int = 2) -> str:
    """Let days come whose column stands empty until their labels are known."""
    at, day = about_to_break()
    at.bring(replace(day, rows=day.rows.assign(**{column: None})))
    for _ in range(count - 1):
        day = at.next_day()
        at.bring(replace(day, rows=day.rows.assign(**{column: None})))
    at.save()
    return f"{column} empty until the label comes"


def retrain() -> dict[str, Any]:
    """Ask for a challenger, as a person does."""
    report: dict[str, Any] = run_flow("retrain", load_settings(PIPELINE), force=True)
    return report


def champion_stays(version: str) -> str:
    """See that the version in charge is still the one it was."""
    workspace = market().workspace()
    champion = workspace.ledger.standing(PIPELINE).champion
    workspace.close()
    now = champion.version if champion else "none"
    if now != version:
        raise NotAsPromisedError(f"champion is version {now}, expected {version}")
    return f"champion {now} stays"


def no_label_was_stored() -> str:
    """See that none of the last clean day's rows has a label."""
    at = market()
    workspace = at.workspace()
    stored = workspace.lake.read(PIPELINE, Table.LABELS, columns=["settlement"])
    workspace.close()
    day = days()[at.day - 1].batch_id
    found = int((stored["settlement"].astype(str).str[: len(day)] == day).sum())
    if found:
        raise NotAsPromisedError(f"{found} labels of {day} are stored")
    return "refused whole"
