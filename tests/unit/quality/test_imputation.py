"""Gaps are filled, said row by row, and filled the same way every time; too many of them are refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.errors import DataRejected
from evenkeel.learning.skops_types import REVIEWED
from evenkeel.quality.imputation import Imputer, fit_imputer, refuse_rows
from evenkeel.quality.schema import load_schema, split
from evenkeel.settings import Pipeline
from tests.unit.quality.conftest import CONFIG

KINDS = {
    "id": "numeric",
    "at": "time",
    "x": "numeric",
    "n": "numeric",
    "colour": "categorical",
    "open": "boolean",
}
FEATURES = ["x", "n", "colour", "open"]


def pipeline(**columns):
    return Pipeline.model_validate(CONFIG | {"impute": {"columns": columns}})


def rows(x, n, colour, open_):
    size = len(x)
    return pd.DataFrame(
        {
            "id": np.arange(size),
            "at": pd.date_range("2026-01-01", periods=size, freq="h", tz="UTC"),
            "x": np.array(x, dtype="float64"),
            "n": np.array(n, dtype="float64"),
            "colour": pd.Series(colour, dtype=object),
            "open": pd.Series(open_, dtype="boolean"),
        }
    )


def reference(size=200):
    x = np.linspace(0, 100, size)
    colours = np.where(np.arange(size) % 3 == 0, "red", "blue")
    return rows(x, 3 * x + 1, colours, np.arange(size) % 4 != 0)


NONE = float("nan")
GAPS = rows([1, NONE, 3, NONE], [NONE, 40, 50, 60], [None, "red", None, "red"], [None, True, True, False])


def test_each_column_is_filled_by_its_strategy_and_every_row_says_which():
    imputer = fit_imputer(
        reference(),
        pipeline(
            n={"strategy": "constant", "fill_value": -1}, open={"strategy": "constant", "fill_value": "false"}
        ),
        KINDS,
    )
    done = imputer.apply(GAPS, last_good={})
    assert done.frame["x"].tolist() == [1, 50, 3, 50]
    assert done.frame["n"].tolist() == [-1, 40, 50, 60]
    assert done.frame["colour"].tolist() == ["blue", "red", "blue", "red"]
    assert done.frame["open"].tolist() == [False, True, True, False]
    assert done.columns_per_row.tolist() == [["n", "colour", "open"], ["x"], ["colour"], ["x"]]
    assert done.counts == {"x": 2, "n": 1, "colour": 2, "open": 1}
    assert GAPS["x"].isna().sum() == 2


@pytest.mark.parametrize("strategy", ["knn", "iterative"])
def test_numbers_can_be_filled_from_the_other_numbers_of_the_row(strategy):
    imputer = fit_imputer(reference(), pipeline(x={"strategy": strategy}), KINDS)
    done = imputer.apply(rows([NONE, NONE, NONE], [31, 271, 1e9], ["red"] * 3, [True] * 3), last_good={})
    assert done.frame["x"].to_numpy() == pytest.approx([10, 90, 100], abs=2)


def test_last_known_good_carries_on_in_time_order_then_from_before_then_the_median():
    imputer = fit_imputer(
        reference(), pipeline(**{c: {"strategy": "last_known_good"} for c in FEATURES}), KINDS
    )
    shuffled = GAPS.iloc[[3, 0, 2, 1]]
    done = imputer.apply(shuffled, last_good={"n": 7, "open": True, "colour": None}).frame.sort_index()
    assert done["x"].tolist() == [1, 1, 3, 3]
    assert done["n"].tolist() == [7, 40, 50, 60]
    assert done["colour"].tolist() == ["blue", "red", "red", "red"]
    assert done["open"].tolist() == [True, True, True, False]
    assert imputer.apply(GAPS.assign(x=NONE), last_good={}).frame["x"].tolist() == [50] * 4


def test_a_batch_without_gaps_is_given_back_as_it_is():
    imputer = fit_imputer(reference(), pipeline(), KINDS)
    whole = reference(5)
    done = imputer.apply(whole, last_good={})
    assert done.frame is whole
    assert done.columns_per_row.tolist() == [[]] * 5
    assert done.counts == {}


@pytest.mark.parametrize("strategy", ["median", "knn", "iterative", "last_known_good", "most_frequent"])
def test_a_column_that_the_reference_never_knew_is_still_filled(strategy):
    empty = reference(50).assign(
        x=NONE, colour=pd.Series([None] * 50, dtype=object), open=pd.array([None] * 50, dtype="boolean")
    )
    imputer = fit_imputer(empty, pipeline(x={"strategy": strategy}), KINDS)
    done = imputer.apply(GAPS.assign(x=NONE), last_good={}).frame
    assert done["x"].tolist() == [0] * 4
    assert done["colour"].tolist() == ["missing", "red", "missing", "red"]
    assert done["open"].tolist() == [False, True, True, False]


def test_imputers_survive_storage_without_unreviewed_types():
    strategies = {
        "x": {"strategy": "knn"},
        "n": {"strategy": "iterative"},
        "open": {"strategy": "last_known_good"},
    }
    imputer = fit_imputer(reference(), pipeline(**strategies), KINDS)
    stored = skops.io.dumps(imputer.parts)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(REVIEWED)
    again = Imputer.from_parts(skops.io.loads(stored, trusted=list(REVIEWED)))
    for one, other in zip(
        vars(imputer.apply(GAPS, last_good={})).values(),
        vars(again.apply(GAPS, last_good={})).values(),
        strict=True,
    ):
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
        else:
            assert list(one) == list(other)


def test_more_gaps_than_are_filled_at_once_give_the_same_values():
    imputer = fit_imputer(reference(), pipeline(x={"strategy": "knn"}), KINDS)
    many = pd.concat([reference(200)] * 60, ignore_index=True).assign(x=NONE)
    filled = imputer.apply(many, last_good={}).frame["x"].to_numpy()
    assert filled == pytest.approx(np.tile(filled[:200], 60))


CELLS = {
    "x": st.one_of(st.none(), st.floats(-1e6, 1e6)),
    "n": st.one_of(st.none(), st.integers(0, 9)),
    "colour": st.sampled_from([None, "red", "green"]),
    "open": st.sampled_from([None, True, False]),
}


@settings(max_examples=30)
@given(
    cells=st.lists(st.tuples(*CELLS.values()), max_size=8),
    strategy=st.sampled_from(["median", "knn", "iterative", "last_known_good"]),
)
def test_exactly_the_missing_cells_are_filled_and_marked(cells, strategy):
    batch = rows(*(zip(*cells, strict=True) if cells else ([],) * 4)).set_axis(
        range(10, 10 + len(cells)), axis=0
    )
    categorical = "last_known_good" if strategy == "last_known_good" else "most_frequent"
    chosen = {"x": {"strategy": strategy}, "n": {"strategy": strategy}, "colour": {"strategy": categorical}}
    done = fit_imputer(reference(40), pipeline(**chosen), KINDS).apply(batch, last_good={})
    assert not done.frame[FEATURES].isna().any(axis=None)
    assert list(done.columns_per_row.index) == list(done.frame.index) == list(batch.index)
    assert list(done.frame.columns) == list(batch.columns)
    assert (done.frame.dtypes == batch.dtypes).all()
    for label, marked in done.columns_per_row.items():
        assert marked == [c for c in FEATURES if pd.isna(batch.loc[label, c])]
    for column in batch.columns:
        kept = batch[column].notna()
        assert done.frame.loc[kept, column].tolist() == batch.loc[kept, column].tolist()


@pytest.fixture
def divide(shop):
    def run(*lines, **impute):
        settings = shop(impute=impute)
        frame = pd.DataFrame(
            [line.split("|") for line in lines], columns=["id", *list(KINDS)[1:]], dtype="string"
        )
        parted = split(frame, load_schema(settings), ["id"])
        return parted, refuse_rows(parted, frame, settings.pipeline)

    return run


def test_rows_with_too_many_gaps_are_refused_whole(divide):
    before, after = divide(
        "1|2026-01-01|5|2|red|1", "2|2026-01-01|900||blue|1", "3|2026-01-01|||red|", "4|2026-01-01|5||red|",
        "5|2026-01-01|5|2|red|1", "6|2026-01-01|5|2|red|1",
    )  # fmt: skip
    assert list(before.accepted.index) == [0, 2, 3, 4, 5]
    assert list(after.accepted.index) == [0, 3, 4, 5]
    assert list(after.quarantined.index) == [1, 2]
    assert after.quarantined["reasons"].loc[2] == [
        {"column": "*", "check": "missing_share", "value": "3 of 4"}
    ]
    assert json.loads(after.quarantined["raw"].loc[2])["colour"] == "red"
    assert list(after.quarantined["id"]) == ["2", "3"]
    assert after.causes == {"data.nulls": 1, "data.out_of_range": 1}


def test_a_batch_with_few_gaps_is_left_alone(divide):
    before, after = divide("1|2026-01-01|5|2|red|1", "2|2026-01-01||2|red|1")
    assert after is before


def test_a_batch_with_too_many_gaps_is_rejected(divide):
    with pytest.raises(
        DataRejected, match="50% of the batch's feature cells are missing, at most 40% may"
    ) as error:
        divide("1|2026-01-01|||red|1", "2|2026-01-01|||red|1")
    assert error.value.cause == "data.nulls"
    assert error.value.evidence == {"share": 0.5, "missing": {"x": 2, "n": 2}}


def test_an_empty_batch_has_no_gaps(divide):
    _, after = divide()
    assert after.accepted.empty
