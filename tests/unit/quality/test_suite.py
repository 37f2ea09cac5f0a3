"""A batch is judged as a whole: each expectation has its severity, and none is passed unjudged."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from evenkeel.domain.quality import Severity
from evenkeel.errors import UsageError
from evenkeel.quality.suite import build_data_docs, judge, load_suite
from evenkeel.settings import load_settings


def entry(kind="expect_column_mean_to_be_between", severity="degrade", *, cause=None, **kwargs):
    kwargs = kwargs or {"column": "x", "min_value": 1, "max_value": 9}
    return {
        "type": kind,
        "kwargs": kwargs,
        "meta": {"severity": severity} | ({"cause": cause} if cause else {}),
    }


def suite_of(*entries):
    return {"name": "shop", "expectations": list(entries)}


def batch(x, size=4):
    return pd.DataFrame(
        {"id": range(size), "x": np.full(size, x), "colour": pd.Series(["red"] * size, dtype=object)}
    )


def test_a_failed_expectation_says_what_was_observed_and_what_follows(shop):
    suite = load_suite(shop(suite=suite_of(
        entry("expect_table_row_count_to_be_between", "hold", min_value=1),
        entry(),
        entry("expect_column_values_to_be_in_set", "warn", column="colour", value_set=["blue"], mostly=0.5),
    )))  # fmt: skip
    verdict = judge(batch(50.0), suite)
    assert [(r.expectation.split("_to_")[0], r.success, r.observed, r.cause) for r in verdict.results] == [
        ("expect_table_row_count", True, "4", "data.truncated"),
        ("expect_column_mean", False, "50", "data.out_of_range"),
        ("expect_column_values", False, "4 of 4 unexpected (100%)", "data.unseen_category"),
    ]
    assert not verdict.hold
    assert verdict.suspect_columns == {"x"}
    assert [r.columns for r in verdict.failed(Severity.WARN)] == [("colour",)]


def test_what_cannot_be_computed_has_failed_and_the_rest_is_still_judged(shop):
    suite = load_suite(shop(suite=suite_of(
        entry(severity="hold"),
        entry("expect_column_max_to_be_between", "warn", column="colour", min_value=1, max_value=2),
        entry("expect_column_unique_value_count_to_be_between", "warn", column="colour", max_value=1),
    )))  # fmt: skip
    verdict = judge(batch(5.0).drop(columns="x"), suite)
    assert [r.success for r in verdict.results] == [False, False, True]
    assert verdict.hold
    assert 'could not be computed: Error: The column "x"' in verdict.results[0].observed
    assert verdict.results[1].observed.startswith("could not be computed")


def test_no_values_are_no_mean(shop):
    suite = load_suite(shop(suite=suite_of(entry())))
    assert not judge(batch(np.nan), suite).results[0].success
    assert not judge(batch(5.0).iloc[:0], suite).results[0].success
    assert judge(batch(5.0), suite).results[0].success


def test_the_same_expectation_twice_is_judged_twice(shop):
    suite = load_suite(shop(suite=suite_of(entry(severity="hold"), entry(severity="warn"))))
    assert [r.severity for r in judge(batch(99.0), suite).results] == [Severity.HOLD, Severity.WARN]


def test_a_row_condition_may_use_columns_that_no_expectation_names(shop):
    given = entry(column="x", max_value=9, row_condition="id < 2", condition_parser="pandas")
    frame = batch(5.0).assign(x=[1.0, 1.0, 99.0, 99.0])
    assert judge(frame, load_suite(shop(suite=suite_of(given)))).results[0].observed == "1"


def test_judging_makes_no_noise_and_no_files(shop, tmp_path, monkeypatch, capfd, caplog):
    suite = load_suite(
        shop(suite=suite_of(entry(), entry("expect_column_values_to_not_be_null", column="x")))
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with caplog.at_level(logging.WARNING):
        judge(batch(5.0), suite)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not list(empty.iterdir())


def test_an_empty_suite_imports_no_great_expectations(shop):
    shop(suite=suite_of())
    code = (
        "import sys, pandas as pd\n"
        "from pathlib import Path\n"
        "from evenkeel.settings import load_settings\n"
        "from evenkeel.quality.suite import judge, load_suite\n"
        "suite = load_suite(load_settings('shop', config_file=Path(sys.argv[1])))\n"
        "assert judge(pd.DataFrame({'x': [1]}), suite).results == ()\n"
        "assert not [m for m in sys.modules if m.startswith(('great_expectations', 'pandera', 'sklearn'))]\n"
    )
    file = shop(suite=suite_of()).config_file
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)


def test_data_docs_are_built_on_demand(shop, tmp_path):
    suite = load_suite(shop(suite=suite_of(entry())))
    index = build_data_docs(batch(50.0), suite, tmp_path / "docs" / "batch")
    assert index == tmp_path / "docs" / "batch" / "index.html"
    assert "shop" in index.read_text()
    assert list((tmp_path / "docs" / "batch" / "validations").rglob("*.html"))


@pytest.mark.parametrize("seed", range(3))
def test_the_suite_that_ships_passes_a_day_of_clean_market(seed):
    random = np.random.default_rng(seed)
    price = random.gamma(6, 9, 48)
    price[random.integers(48, size=2)] = 3000
    day = pd.DataFrame(
        {
            "settlement": pd.date_range("2026-01-01", periods=48, freq="30min", tz="UTC"),
            "price": price,
            "demand": 8500 + 3000 * np.sin(np.arange(48) / 8),
            "neighbour_price": price * 0.9,
            "neighbour_demand": random.uniform(4000, 9000, 48),
            "transfer": random.uniform(-600, 600, 48),
        }
    )
    day.loc[random.integers(48, size=10), "transfer"] = np.nan
    suite = load_suite(load_settings("market"))
    assert [r for r in judge(day, suite).results if not r.success] == []
    assert judge(day.iloc[:0], suite).hold
    assert "demand" in judge(day.assign(demand=day["demand"] * 1000), suite).suspect_columns
    assert "price" in judge(day.assign(price=np.nan), suite).suspect_columns


@pytest.mark.parametrize(
    ("suite", "told"),
    [
        ({"expectations": [{"type": "expect_column_mean_to_be_between",
                            "kwargs": {"column": "x", "min_value": 1}}]},
         "key expectations.0.meta.severity: missing Fix: use one of warn, degrade, hold"),
        (suite_of(entry(severity="holt")),
         "line 12: key expectations.0.meta.severity: found 'holt' Fix: did you mean 'hold'"),
        (suite_of(entry("expect_column_mean_to_be_betwen")),
         "did you mean 'expect_column_mean_to_be_between'"),
        (suite_of(entry("unexpected_rows_expectation")), "needs a database"),
        (suite_of(entry(colum="x")),
         "expectations.0.kwargs.colum: unknown argument 'colum' Fix: did you mean 'column'"),
        (suite_of(entry(min_value=1)), "expectations.0.kwargs.column: field required"),
        (suite_of(entry(column="x", min_value="low")), "expectations.0.kwargs.min_value"),
        (suite_of(entry(column="x")), "it can never fail"),
        (suite_of(entry(column="x", min_value=3, max_value=1)), "swap them"),
        (suite_of(entry(column="xx", min_value=3)),
         "'xx' is not a column of the schema Fix: did you mean 'x'"),
        (suite_of(entry(cause="data.null")), "unknown cause 'data.null' Fix: did you mean 'data.nulls'"),
        ({"expectation": []}, "unknown key 'expectation' Fix: did you mean 'expectations'"),
        ({"expectations": {}}, "Fix: write a list"),
        (suite_of("x"), "found 'x'"),
        (suite_of(entry() | {"kwarg": {}}), "unknown key 'kwarg' Fix: did you mean 'kwargs'"),
        ('{"expectations": [}', "line 1: not JSON"),
        ("[]", "holds a list"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_suite_is_told_by_file_line_key_and_fix(shop, suite, told):
    with pytest.raises(UsageError) as error:
        load_suite(shop(suite=suite))
    assert told in str(error.value)
    assert "suite.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_suite_is_told(shop):
    with pytest.raises(UsageError, match=r"suite\.json: no such file"):
        load_suite(shop())
