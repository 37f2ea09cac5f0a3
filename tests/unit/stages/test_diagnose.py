"""What is done about a fault, cell by cell, and what the audit makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.unit.stages.shop import Shop

DAYS, ROWS = 4, 80


def day(number: int) -> pd.DataFrame:
    """Return the rows of one day, its own every time."""
    random = np.random.default_rng(number)
    start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=number)
    times = start + pd.to_timedelta(np.arange(ROWS) * 18, unit="min")
    return pd.DataFrame(
        {
            "id": np.arange(number * ROWS, (number + 1) * ROWS),
            "at": times.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x": random.normal(50, 3, ROWS),
        }
    )


def heat(number: int) -> pd.DataFrame:
    """Return the weather of a day."""
    values = np.random.default_rng(number + 50).normal(20, 2, ROWS)
    return pd.DataFrame({"id": day(number)["id"], "heat": values})


@pytest.fixture
def known(shop: Shop) -> Shop:
    """A shop that has seen some days, and the weather of the next one."""
    shop.configure({}, faults={"repair": "auto"})
    for number in range(DAYS):
        shop.land(day(number), f"day{number}")
    for number in range(DAYS + 1):
        shop.deliver(f"w{number}", heat(number))
    shop.run()
    return shop


def test_a_cell_that_cannot_be_read_is_refused_also_where_its_column_is_repaired(known: Shop) -> None:
    cells = (day(DAYS)["x"] * 1000).astype(object)
    cells.iloc[7] = "much"
    known.land(day(DAYS).assign(x=cells), "next")

    assert {"data.unit_change", "data.column_retyped"} <= known.run()["next"]

    rows = known.accepted("next")
    assert len(rows) == ROWS - 1
    assert rows["x"].to_numpy() == pytest.approx(day(DAYS)["x"].drop(7).to_numpy())
    assert known.breaches() == []


def test_of_a_repaired_column_only_repaired_cells_are_called_so(known: Shop) -> None:
    cells = (day(DAYS)["x"] * 1000).where(np.arange(ROWS) % 4 > 0, -999)
    known.land(day(DAYS).assign(x=cells), "next")

    assert {"data.unit_change", "data.sentinel_values"} <= known.run()["next"]

    rows = known.accepted("next").reset_index(drop=True)
    assert [names == ["x"] for names in rows["repaired"]] == [n % 4 > 0 for n in range(ROWS)]
    assert rows["x"].isna().tolist() == [n % 4 == 0 for n in range(ROWS)]
    assert {float(json.loads(text)["x"]) for text in rows["original"][rows["x"].isna()]} == {-999.0}
    assert known.breaches() == []


def test_a_feed_that_repeats_is_found_also_where_fresh_columns_are_joined_to_it(known: Shop) -> None:
    known.land(day(DAYS).assign(x=day(DAYS - 1)["x"]), "next")

    assert "data.stale_feed" in known.run()["next"]


def test_what_was_joined_by_a_time_that_was_repaired_is_given_up(shop: Shop) -> None:
    shop.configure({"key": [], "time": "since"}, faults={"repair": "auto"})
    shop.deliver("w", pd.DataFrame({"since": day(0)["at"].head(1), "heat": [20.0]}))
    for number in range(DAYS):
        shop.land(day(number), f"day{number}")
    shop.run()
    late = pd.to_datetime(day(DAYS)["at"]) + pd.Timedelta(hours=10)
    shop.land(day(DAYS).assign(at=late.dt.strftime("%Y-%m-%dT%H:%M:%SZ")), "next")

    assert {"data.time_zone_shift", "data.nulls"} <= shop.run()["next"]

    assert shop.accepted("next")["heat"].isna().all()
    assert shop.breaches() == []
