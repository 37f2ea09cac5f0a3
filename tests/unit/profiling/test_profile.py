"""What is found out about whole files: target, identity, roles, limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evenkeel.errors import UsageError
from evenkeel.profiling.profile import Profile, Wish, profile

WISH = Wish("new", "history.csv", "y")


def as_text(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.astype("string").astype(object).where(frame.notna(), None)


def found(frame: pd.DataFrame, **asked: Any) -> Profile:
    return profile(frame, replace(WISH, **asked))


def noisy(rows: int, seed: int = 0) -> dict[str, Any]:
    """Columns that nobody could call a key, and a target they tell something of."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return {"x": x, "z": rng.normal(size=rows), "y": np.where(x + rng.normal(size=rows) > 0, "yes", "no")}


def test_measurements_that_are_unique_by_chance_are_no_key() -> None:
    identity = found(as_text(**noisy(300))).identity

    assert (identity.row_key, identity.key_made, identity.time_made) == (("row",), True, True)


def test_a_made_column_takes_no_name_that_is_taken() -> None:
    identity = found(as_text(row="a", Landed_At="b", **noisy(100))).identity

    assert (identity.row_key, identity.time) == (("row_made",), "landed_at_made")


def test_a_date_and_an_hour_make_a_key_together() -> None:
    hours = pd.date_range("2024-01-01", periods=600, freq="h")
    identity = found(as_text(day=hours.strftime("%m/%d/%Y"), hr=hours.hour, **noisy(600))).identity

    assert (identity.row_key, identity.time) == (("day", "hr"), "day")


def test_an_id_is_the_key_whatever_else_is_unique() -> None:
    times = pd.date_range("2024-01-01", periods=200, freq="7min").astype(str)
    identity = found(as_text(at=times, **noisy(200), order_id=[f"o{i}" for i in range(200)])).identity

    assert (identity.row_key, identity.time) == (("order_id",), "at")


@pytest.mark.parametrize(
    ("labels", "task", "classes"),
    [
        (["no", "yes"], "binary", ("no", "yes")),
        (["yes", "no"], "binary", ("no", "yes")),
        (["1.0", "0.0"], "binary", ("0", "1")),
        (["DOWN", "UP"], "binary", ("DOWN", "UP")),
        (["b", "a", "c"], "multiclass", ("a", "b", "c")),
        (["3", "10", "1"], "multiclass", ("1", "3", "10")),
        ([str(i / 7) for i in range(60)], "regression", ()),
    ],
)
def test_the_task_and_the_classes(labels: list[str], task: str, classes: tuple[str, ...]) -> None:
    rows = 240
    frame = as_text(**{**noisy(rows), "y": (labels * rows)[:rows]})

    target = found(frame).target

    assert (target.task, target.classes) == (task, classes)


def test_what_gives_the_target_away_is_left_out_and_said() -> None:
    rng = np.random.default_rng(1)
    casual, registered = rng.integers(0, 99, 500), rng.integers(0, 300, 500)
    temp = casual + rng.normal(0, 30, 500)

    roles = found(as_text(temp=temp, casual=casual, registered=registered, y=casual + registered)).roles

    assert list(roles.features) == ["temp"]
    assert "casual and registered" in roles.left_out["casual"]


def test_columns_that_cannot_help_are_left_out() -> None:
    rows = 400
    roles = found(
        as_text(
            **noisy(rows),
            constant="k",
            empty=None,
            counter=np.arange(rows) * 2.5,
            note=[f"the parcel of {i} was left" for i in range(rows)],
            prediction=np.random.default_rng(2).normal(size=rows),
        ).assign(copy=lambda f: f["x"])
    ).roles

    assert set(roles.features) == {"x", "z"}
    assert set(roles.left_out) == {"constant", "empty", "counter", "note", "prediction", "copy"}


def test_bounds_leave_room_and_a_column_that_grows_has_more() -> None:
    rng = np.random.default_rng(3)
    grows = np.linspace(0, 100, 1000) + rng.normal(0, 15, 1000)
    limits = found(as_text(**noisy(1000), grows=grows)).bounds

    assert limits["x"] is not None
    assert limits["x"].low < -4
    assert limits["grows"] is not None
    assert limits["grows"].high > 200


def test_categories_that_keep_coming_are_not_fixed() -> None:
    rng = np.random.default_rng(4)
    late = np.where(np.arange(600) < 400, "old", rng.choice(["old", "new"], 600))
    categories = found(as_text(**noisy(600), settled=rng.choice(["a", "b"], 600), late=late)).categories

    assert sorted(categories["settled"] or ()) == ["a", "b"]
    assert categories["late"] is None


def test_imputation_is_chosen_by_what_brings_masked_cells_back() -> None:
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.normal(size=800))
    walk = walk - np.linspace(0, walk[-1], 800)
    twin = rng.normal(size=800)
    fillings = found(
        as_text(**noisy(800), walk=walk, twin=twin, other=twin * 3 + rng.normal(0, 0.01, 800))
    ).fillings

    assert fillings["walk"].strategy == "last_known_good"
    assert fillings["other"].strategy == "knn"
    assert fillings["z"].strategy == "median"


def test_the_hour_that_matters_becomes_a_season() -> None:
    times = pd.date_range("2024-01-01", periods=1200, freq="h")
    rng = np.random.default_rng(6)
    load = 100 + 50 * np.sin(times.hour / 24 * 2 * np.pi) + rng.normal(0, 5, 1200)
    seasons = found(as_text(at=times.astype(str), x=rng.normal(size=1200), y=load)).seasons

    assert "hour" in seasons.calendar
    assert (seasons.kind, seasons.season) == ("seasonal", ("hour",))


@pytest.mark.parametrize(
    ("columns", "asked", "says"),
    [
        ({}, {"target": "yy"}, "did you mean 'y'"),
        ({}, {"time": "x"}, "no times"),
        ({}, {"key": ("y",)}, "is the target"),
        ({"flag": "k"}, {"key": ("flag",)}, "repeat the key"),
        ({"y": "same"}, {}, "in every row"),
        ({"y": None}, {}, "empty in every row"),
        ({"y": [f"t{i}" for i in range(100)]}, {}, "these are no classes"),
        ({}, {"task": "regression"}, "is no number"),
    ],
)
def test_what_cannot_work_is_one_clear_error(
    columns: dict[str, Any], asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        found(as_text(**{**noisy(100), **columns}), **asked)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="has 20 rows"):
        found(as_text(**noisy(20)))
