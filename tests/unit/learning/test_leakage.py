"""A leak is told from an honest feature: by what all others say together, and by when it is filled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.learning.leakage import known_afterwards, too_good
from evenkeel.learning.window import Part

LIMIT = 0.98


def strength(given, limit=LIMIT, **columns):
    """Judge a problem whose price, region or holiday was made from its labels."""
    rows, cut = given.rows.assign(**columns), len(given.rows) * 3 // 4
    parts = [Part(rows.iloc[a:b], given.target.iloc[a:b]) for a, b in ((0, cut), (cut, None))]
    return too_good(*parts, given.pipeline, given.kinds, limit=limit)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_honest_features_are_no_leak(problem, task):
    given = problem(task, n=1500)
    found = strength(given)
    assert found.leaking == ()
    assert max(found.alone, key=found.alone.get) == "load"


def test_a_strong_honest_feature_among_others_is_no_leak(problem):
    given = problem(n=1500)
    level = given.rows["load"] + 0.15 * np.random.default_rng(1).normal(size=1500)
    target = pd.Series(np.where(level > 0, "UP", "DOWN"), dtype=object)
    strong = strength(type(given)(given.pipeline, given.kinds, given.rows, target), limit=LIMIT)
    assert strong.alone["load"] > 0.95
    twin = given.rows["load"] + 0.1 * np.random.default_rng(2).normal(size=1500)
    assert strength(type(given)(given.pipeline, given.kinds, given.rows, target), price=twin).leaking == ()


@pytest.mark.parametrize(
    ("task", "column", "leak"),
    [
        ("binary", "price", lambda y: (y == "UP") + 0.1 * np.random.default_rng(3).normal(size=len(y))),
        ("binary", "price", lambda y: np.where(y == "UP", 1.0, np.nan)),
        ("binary", "region", lambda y: y.map({"UP": "won", "DOWN": "lost"})),
        ("binary", "holiday", lambda y: y == "UP"),
        ("multiclass", "price", lambda y: y.map({"low": 1.0, "middle": 5.0, "high": 3.0})),
        ("regression", "price", lambda y: 32 + 1.8 * y),
        ("regression", "price", lambda y: y + 0.05 * np.random.default_rng(3).normal(size=len(y))),
    ],
    ids=["noisy copy", "null for one class", "renamed", "flag", "codes", "another unit", "noisy number"],
)
def test_a_feature_made_from_the_label_is_named(problem, task, column, leak):
    given = problem(task, n=1500)
    found = strength(given, **{column: leak(given.target)})
    assert found.leaking == (column,)
    assert found.without < 0.97


def test_copies_of_a_leak_do_not_vouch_for_each_other(problem):
    given = problem(n=1500)
    told = (given.target == "UP").astype(float)
    assert set(strength(given, price=told, load=-told).leaking) == {"price", "load"}


def test_parts_that_sum_up_to_the_label_are_named_together(problem):
    given = problem("regression", n=1500)
    part = pd.Series(np.random.default_rng(4).normal(size=1500)) * given.target.std()
    found = strength(given, price=part, load=given.target - part)
    assert set(found.leaking) == {"price", "load"}
    assert max(found.alone.values()) < LIMIT


def test_a_label_that_follows_its_own_past_makes_no_leak_of_its_last_value(problem):
    given = problem("regression", n=1500)
    walk = pd.Series(np.cumsum(np.random.default_rng(5).normal(size=1500)) % 40)
    slow = type(given)(given.pipeline, given.kinds, given.rows, walk.rolling(20, min_periods=1).mean())
    found = strength(slow, price=slow.target.shift(1))
    assert found.alone["price"] > LIMIT
    assert found.leaking == ()


def test_a_leak_no_stronger_than_an_honest_feature_cannot_be_told_by_strength(problem):
    given = problem(n=1500)
    hint = (given.target == "UP") + np.random.default_rng(6).normal(size=1500)
    assert strength(given, price=hint).leaking == ()


def test_the_limit_of_one_turns_it_off_and_one_label_says_nothing(problem):
    given = problem(n=600)
    assert strength(given, limit=1.0, holiday=given.target == "UP").leaking == ()
    same = type(given)(
        given.pipeline, given.kinds, given.rows, given.target.mask(given.target.index > 400, "UP")
    )
    assert strength(same).alone == {}


def fresh_and_labelled(given, n=60):
    return given.rows.iloc[:-n], given.rows.iloc[-n:]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("load", np.nan, "filled in 100% of labelled rows and in 0% of later ones"),
        ("load", 0.0, "is 0.0 in nearly all rows without a label"),
        ("region", "unknown", "is unknown in nearly all rows without a label"),
    ],
)
def test_a_feature_that_arrives_with_the_label_is_named(problem, column, value, says):
    labelled, fresh = fresh_and_labelled(problem(n=1500))
    found = known_afterwards(
        labelled, fresh.assign(**{column: value}), ["load", "price", "region", "holiday"]
    )
    assert list(found) == [column]
    assert found[column].startswith(says)


def test_a_column_that_was_ever_as_empty_or_as_still_by_itself_is_no_leak(problem):
    labelled, fresh = fresh_and_labelled(problem(n=1500))
    months = [f"month {i // 300}" for i in range(len(labelled))]
    gaps = labelled["load"].where(np.arange(len(labelled)) >= 120)
    labelled = labelled.assign(region=months, load=gaps)
    fresh = fresh.assign(region="month 99", load=np.nan)
    assert known_afterwards(labelled, fresh, ["region", "load"]) == {}


def test_too_few_rows_say_nothing(problem):
    labelled, fresh = fresh_and_labelled(problem(n=600), n=29)
    assert known_afterwards(labelled, fresh.assign(load=np.nan), ["load"]) == {}
    assert known_afterwards(labelled.head(299), fresh.assign(load=np.nan), ["load"]) == {}
    assert known_afterwards(labelled, fresh.head(0), ["load"]) == {}


@given(st.integers(0, 10_000))
def test_rows_that_wait_for_their_label_as_all_others_did_show_no_leak(seed):
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "number": np.where(draw.random(700) < draw.random(), np.nan, draw.normal(size=700)),
            "flag": draw.random(700) < draw.random(),
            "name": draw.choice(["a", "b", "c"], size=700, p=draw.dirichlet([0.3] * 3)),
        }
    )
    labelled, fresh = rows.iloc[:600], rows.iloc[600:]
    assert known_afterwards(labelled, fresh, list(rows)) == {}
