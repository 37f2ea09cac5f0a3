"""Public data sets, from the folder that EVENKEEL_DATA names; the bench does without those that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.faults.problem import Problem, cut

if TYPE_CHECKING:
    from pathlib import Path

_VARIES_FROM = 17_424  # row of elec2 from which all its columns vary
_DAY = 48
_HOURS = 96
_CALLS = 200


def elec2(folder: Path) -> Problem:
    """Return the New South Wales electricity market (Harries 1999) from where all of its columns vary."""
    frame = pd.read_csv(folder / "elec2.csv").iloc[_VARIES_FROM:].reset_index(drop=True)
    times = pd.Timestamp("1997-05-05") + pd.to_timedelta(np.arange(len(frame)) * 30, unit="min")
    features = ("nswprice", "nswdemand", "vicprice", "vicdemand", "transfer")
    rows = frame[list(features)]
    rows.insert(0, "at", times.strftime("%Y-%m-%dT%H:%M:%SZ"))
    batches, labels = cut(rows, frame["class"].to_numpy(dtype=object), _DAY)
    return Problem(
        name="elec2",
        task="binary",
        target="class",
        classes=("DOWN", "UP"),
        key=("at",),
        time="at",
        kinds={"at": "time"} | dict.fromkeys(features, "numeric"),
        features=features,
        calendar=("half_hour", "weekday"),
        batches=batches,
        labels=labels,
        train=120,
    )


def bike(folder: Path) -> Problem:
    """Return Washington's bike rentals by the hour (Fanaee-T and Gama 2014), 96 hours a batch; regression."""
    frame = pd.read_csv(folder / "bike_hour.csv")
    days = pd.to_datetime(frame["dteday"], format="%m/%d/%Y")
    at = days + pd.to_timedelta(frame["hr"], unit="h")
    numeric = ("temp", "atemp", "hum", "windspeed")
    names = {"season": "s", "weathersit": "w"}
    rows = frame[list(numeric)]
    rows.insert(0, "at", at.dt.strftime("%Y-%m-%d %H:%M:%S"))
    for column, prefix in names.items():
        rows[column] = prefix + frame[column].astype(str)
    for column in ("holiday", "workingday"):
        rows[column] = np.where(frame[column] == 1, "true", "false")
    batches, labels = cut(rows, frame["cnt"].to_numpy(dtype=float), _HOURS)
    return Problem(
        name="bike",
        task="regression",
        target="cnt",
        classes=(),
        key=("at",),
        time="at",
        kinds={"at": "time"}
        | dict.fromkeys(numeric, "numeric")
        | dict.fromkeys(names, "categorical")
        | {"holiday": "boolean", "workingday": "boolean"},
        features=(*numeric, *names, "holiday", "workingday"),
        calendar=("hour", "weekday"),
        batches=batches,
        labels=labels,
        train=90,
    )


def bank(folder: Path) -> Problem:
    """Return a Portuguese bank's calls (Moro et al. 2014) in the order they were made, 200 a batch."""
    frame = pd.read_csv(folder / "bank_full.csv")
    numeric = ("age", "balance", "duration", "campaign", "pdays", "previous")
    named = ("job", "marital", "education", "contact", "poutcome")
    flags = ("default", "housing", "loan")
    rows = frame[[*numeric, *named, *flags]]
    at = pd.Timestamp("2008-05-05") + pd.to_timedelta(np.arange(len(frame)) * 20, unit="min")
    rows.insert(0, "call", np.arange(len(frame)))
    rows.insert(1, "at", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    batches, labels = cut(rows, frame["y"].to_numpy(dtype=object), _CALLS)
    return Problem(
        name="bank",
        task="binary",
        target="y",
        classes=("no", "yes"),
        key=("call",),
        time="at",
        kinds={"call": "numeric", "at": "time"}
        | dict.fromkeys(numeric, "numeric")
        | dict.fromkeys(named, "categorical")
        | dict.fromkeys(flags, "boolean"),
        features=(*numeric, *named, *flags),
        calendar=(),
        batches=batches,
        labels=labels,
        train=90,
    )


REAL = {"elec2.csv": elec2, "bike_hour.csv": bike, "bank_full.csv": bank}
