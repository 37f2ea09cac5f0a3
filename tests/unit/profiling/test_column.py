"""What kind a column is taken for."""

from __future__ import annotations

import pandas as pd
import pytest

from evenkeel.profiling.column import type_column


def column(*cells: object) -> pd.Series:
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    ("cells", "kind", "time_format"),
    [
        (["1.5", "-2", None], "numeric", None),
        (["007", "123"], "categorical", None),
        (["NA", "US"], "categorical", None),
        (["yes", "No"], "boolean", None),
        (["2026-01-02", "2026-01-03T04:05:06Z"], "time", None),
        (["1/31/2011", "2/1/2011"], "time", "%m/%d/%Y"),
        (["13.02.2020 10:00", "14.02.2020 11:30"], "time", "%d.%m.%Y %H:%M"),
        (["1/3/20 4:05", "1/25/20 16:05"], "time", "%m/%d/%y %H:%M"),
        (["20110101", "20110102"], "time", "%Y%m%d"),
        (["12345678", "87654321"], "numeric", None),
        (["3:30", "4:20"], "categorical", None),
        (["may", "june"], "categorical", None),
        ([None, None], "categorical", None),
        (["", " "], "categorical", None),
        ([True, False], "boolean", None),
        ([[1], {"a": 2}], None, None),
    ],
)
def test_the_kind_and_the_format_of_times(
    cells: list[object], kind: str | None, time_format: str | None
) -> None:
    typed = type_column("c", column(*cells))

    assert (typed.kind, typed.time_format) == (kind, time_format)


def test_day_first_and_month_first_are_told_apart_by_the_order_of_the_file() -> None:
    days = pd.date_range("2024-01-01", "2024-12-12", freq="D")
    days = days[days.day <= 12]

    assert type_column("d", column(*days.strftime("%d/%m/%Y"))).time_format == "%d/%m/%Y"
    assert type_column("d", column(*days.strftime("%m/%d/%Y"))).time_format == "%m/%d/%Y"


def test_words_for_missing_among_numbers_are_no_category() -> None:
    typed = type_column("c", column("1.5", "NA", "?", "2", "NA"))

    assert (typed.kind, typed.null_texts, typed.missing) == ("numeric", ("NA", "?"), 0.6)


def test_whole_numbers_are_believed_after_enough_rows() -> None:
    assert type_column("c", column(*map(str, range(400)))).dtype == "int64"
    assert type_column("c", column(*map(str, range(60)))).dtype == "float64"


def test_zero_and_one_may_still_become_counts_in_a_short_history() -> None:
    assert type_column("c", column(*"01" * 20)).kind == "numeric"
    assert type_column("c", column(*"01" * 200)).kind == "boolean"
