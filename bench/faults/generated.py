"""Data sets made on the spot, of three kinds: a market by the half hour, rides by the hour, applications by number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.faults.problem import Problem, as_csv, cut
from evenkeel.demo.market import generate
from evenkeel.settings.load import embedded_folder

TRAIN, LATER = 60, 130
_GAPS = 0.03
_POOR = 20_000  # of income
_CHANGED = 30
_RIDES, _APPLICATIONS = 96, 150  # rows of a batch


def market(seed: int) -> Problem:
    """Return the demo's market: autocorrelated, 48 rows a day; its other regime is the changed world."""
    days = generate(TRAIN + LATER, seed, regime_change=TRAIN + LATER)
    other = generate(TRAIN + _CHANGED, seed, regime_change=TRAIN)[TRAIN:]
    kinds = dict.fromkeys(days[0].rows.columns, "numeric")
    kinds |= {"settlement": "time", "region_weather": "categorical"}
    return Problem(
        name="market",
        task="binary",
        target="direction",
        classes=("DOWN", "UP"),
        key=("settlement",),
        time="settlement",
        kinds=kinds,
        features=tuple(c for c in kinds if c != "settlement"),
        calendar=("half_hour", "weekday"),
        batches=[as_csv(day.rows) for day in days],
        labels=[day.labels["direction"].to_numpy(dtype=object) for day in days],
        train=TRAIN,
        changed=[as_csv(day.rows) for day in other],
        expectations=embedded_folder() / "expectations" / "market",
    )


def rides(seed: int) -> Problem:
    """Return rides of a day, 96 a batch: seasons in time, skewed numbers, zones, flags; regression of minutes."""
    frame, minutes = _ride_rows(seed, (TRAIN + LATER) * _RIDES, hotter=0.0, downtown=0.0)
    batches, labels = cut(frame, minutes, _RIDES)
    start = TRAIN * _RIDES
    other, other_minutes = _ride_rows(seed, start + _CHANGED * _RIDES, hotter=9.0, downtown=0.35)
    kinds = {
        "ride": "numeric",
        "at": "time",
        "km": "numeric",
        "temperature": "numeric",
        "wind": "numeric",
        "load": "numeric",
        "fare": "numeric",
        "zone": "categorical",
        "vehicle": "categorical",
        "member": "boolean",
        "rain": "boolean",
    }
    return Problem(
        name="rides",
        task="regression",
        target="minutes",
        classes=(),
        key=("ride",),
        time="at",
        kinds=kinds,
        features=tuple(kinds)[2:],
        calendar=("hour", "weekday"),
        batches=batches,
        labels=labels,
        train=TRAIN,
        changed=cut(other.iloc[start:], other_minutes[start:], _RIDES)[0],
    )


def _ride_rows(seed: int, count: int, *, hotter: float, downtown: float) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng([seed, 1])
    step = np.arange(count)
    at = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(step * 15, unit="min")
    hour = np.asarray(at.hour + at.minute / 60)
    rush = np.exp(-(((hour - 8) / 1.5) ** 2)) + np.exp(-(((hour - 17.5) / 2) ** 2))
    weather = np.repeat(random.normal(size=count // 96 + 1), 96)[:count]
    temperature = 56 + hotter * 1.8 + 9 * weather + 10 * np.sin((hour - 9) / 24 * 2 * np.pi)
    temperature += 2 * random.normal(size=count)
    rain = random.random(count) < 0.12 + 0.1 * (weather < -1)
    zones = np.array(["centre", "north", "south", "harbour", "airport"])
    shares = np.array([0.34 + downtown, 0.26, 0.2, 0.14, 0.06])
    zone = random.choice(5, size=count, p=shares / shares.sum())
    vehicle = random.choice(3, size=count, p=[0.6, 0.3, 0.1])
    km = random.gamma(2.2, 1.6, count) * np.array([0.7, 1.0, 1.1, 1.3, 2.6])[zone]
    load = 40 + 55 * rush + 8 * random.normal(size=count)
    fare = 2.5 + 1.7 * km * np.array([1.0, 1.25, 1.6])[vehicle] + 0.4 * random.normal(size=count)
    wind = random.gamma(4, 3.5, count)
    member = random.random(count) < 0.4 + 0.3 * (vehicle == 0)
    speed = np.array([0.9, 1.1, 1.0, 1.2, 1.6])[zone] * np.array([1.0, 1.15, 0.85])[vehicle]
    minutes = 3 + km * (2.2 + load / 45 + 0.9 * rain) / speed + 0.05 * np.abs(temperature - 65) * km
    minutes += 2.0 * ~member + 0.05 * wind + 1.2 * random.normal(size=count)
    frame = pd.DataFrame(
        {
            "ride": 100_000 + step,
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "km": km.round(2),
            "temperature": temperature.round(1),
            "wind": wind.round(1),
            "load": load.round(1),
            "fare": fare.round(2),
            "zone": zones[zone],
            "vehicle": np.array(["car", "van", "bike"])[vehicle],
            "member": np.where(member, "true", "false"),
            "rain": np.where(rain, "true", "false"),
        }
    )
    return frame, minutes.round(2)


def applications(seed: int) -> Problem:
    """Return loan applications, 150 a batch: rows that know nothing of each other, many categories, gaps."""
    count = (TRAIN + LATER) * _APPLICATIONS
    frame, granted = _application_rows(seed, count, younger=0.0)
    batches, labels = cut(frame, granted, _APPLICATIONS)
    start = TRAIN * _APPLICATIONS
    other, other_granted = _application_rows(seed, start + _CHANGED * _APPLICATIONS, younger=8.0)
    kinds = {
        "application": "numeric",
        "received": "time",
        "age": "numeric",
        "income": "numeric",
        "amount": "numeric",
        "months": "numeric",
        "debt_ratio": "numeric",
        "past_defaults": "numeric",
        "job": "categorical",
        "purpose": "categorical",
        "home": "categorical",
        "region": "categorical",
        "married": "boolean",
    }
    return Problem(
        name="applications",
        task="binary",
        target="granted",
        classes=("no", "yes"),
        key=("application",),
        time="received",
        kinds=kinds,
        features=tuple(kinds)[2:],
        calendar=(),
        batches=batches,
        labels=labels,
        train=TRAIN,
        changed=cut(other.iloc[start:], other_granted[start:], _APPLICATIONS)[0],
    )


def _application_rows(seed: int, count: int, *, younger: float) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng([seed, 2])
    age = np.clip(random.normal(43 - younger, 11, count), 18, 85).round()
    jobs = np.array(["clerk", "worker", "manager", "nurse", "teacher", "retired", "student"])
    weights = np.array([0.2, 0.25, 0.15, 0.12, 0.13, 0.1, 0.05])
    job = random.choice(7, size=count, p=weights)
    income = np.exp(random.normal(10.2, 0.35, count)) * np.array([1, 0.9, 1.7, 1.05, 1.1, 0.7, 0.4])[job]
    purpose = random.choice(["car", "home", "study", "repair"], size=count, p=[0.4, 0.3, 0.1, 0.2])
    amount = np.exp(random.normal(9.2, 0.6, count)) * np.where(purpose == "home", 2.2, 1.0)
    months = random.choice([12, 24, 36, 48, 60], size=count, p=[0.15, 0.25, 0.3, 0.2, 0.1])
    debt_ratio = np.clip(random.beta(2, 5, count) + 0.08 * (income < _POOR), 0, 1)
    defaults = random.poisson(0.35 + 0.5 * debt_ratio)
    home = random.choice(["rent", "own", "family"], size=count, p=[0.45, 0.4, 0.15])
    region = random.choice(["León", "Sur", "Norte", "Cádiz"], size=count, p=[0.4, 0.3, 0.2, 0.1])
    married = random.random(count) < np.clip((age - 15) / 60, 0.05, 0.8)
    payment = amount / months / (income / 12)
    level = 1.6 - 9 * payment - 4 * debt_ratio - 1.1 * defaults + 0.02 * (age - 40)
    level += (
        0.9 * (home == "own")
        + 0.8 * np.isin(jobs[job], ["manager", "teacher"])
        - 1.0 * (jobs[job] == "student")
        + 0.4 * married
    )
    level += 0.5 * (region == "León") + 1.0
    granted = np.where(level + random.logistic(0, 0.35, count) > 0, "yes", "no").astype(object)
    at = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(np.arange(count) * 9, unit="min")
    frame = pd.DataFrame(
        {
            "application": 1 + np.arange(count),
            "received": at.strftime("%Y-%m-%d %H:%M:%S"),
            "age": age.astype(int),
            "income": income.round(2),
            "amount": amount.round(),
            "months": months,
            "debt_ratio": debt_ratio.round(3),
            "past_defaults": defaults,
            "job": jobs[job],
            "purpose": purpose,
            "home": home,
            "region": region,
            "married": np.where(married, "yes", "no"),
        }
    )
    gaps = random.random((count, 2)) < _GAPS
    frame[["income", "job"]] = frame[["income", "job"]].astype(object).mask(gaps, None)
    return frame, granted
