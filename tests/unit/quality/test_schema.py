"""A batch is divided by its schema: every row in exactly one part, every reason kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera import config

from evenkeel.errors import DataRejected, UsageError
from evenkeel.quality.schema import load_schema, missing_required, split
from evenkeel.settings import load_settings
from tests.unit.quality.conftest import CONFIG, SCHEMA


def texts(*rows, columns="id at x n colour open"):
    """Return rows as a csv reader gives them: text or None."""
    return pd.DataFrame([row.split("|") for row in rows], columns=columns.split(), dtype="string")


GOOD = "1|2026-01-01T00:00|5|2|red|true"


def reasons(part):
    return {
        i: {(r["column"], r["check"], r["value"]) for r in found}
        for i, found in part.quarantined["reasons"].items()
    }


@pytest.fixture
def schema(shop):
    return load_schema(shop())


def test_text_is_read_as_the_types_the_schema_declares(schema):
    part = split(
        texts("1|2026-01-01T00:00| 1e1 |2.0|red|yes", "2|2026-01-01T10:00+10:00|||| 0 "), schema, ["id"]
    )
    assert part.quarantined.empty
    assert {c: str(t) for c, t in part.accepted.dtypes.items()} == {
        "id": "int64", "at": "datetime64[ns, UTC]", "x": "float64", "n": "float64", "colour": "object",
        "open": "boolean",
    }  # fmt: skip
    first, second = part.accepted.to_dict("records")
    assert first == {"id": 1, "at": pd.Timestamp("2026-01-01", tz="UTC"), "x": 10.0, "n": 2.0,
                     "colour": "red", "open": True}  # fmt: skip
    assert second["at"] == pd.Timestamp("2026-01-01T00:00", tz="UTC")
    assert second["colour"] is None
    assert second["open"] is False
    assert np.isnan(second["x"])


def test_every_reason_of_a_row_is_kept_with_the_value_as_it_came(schema):
    part = split(texts(GOOD, "2|soon|1e3|1.5|green|maybe", "3|2026-01-02|inf|0|blue|no"), schema, ["id"])
    assert list(part.accepted.index) == [0]
    assert reasons(part) == {
        1: {("at", "dtype", "soon"), ("x", "in_range", "1e3"), ("n", "dtype", "1.5"),
            ("colour", "isin", "green"), ("open", "dtype", "maybe")},
        2: {("x", "finite", "inf"), ("x", "in_range", "inf"), ("n", "greater_than_or_equal_to", "0")},
    }  # fmt: skip
    assert part.causes == {"data.column_retyped": 1, "data.out_of_range": 2, "data.unseen_category": 1}
    assert list(part.quarantined["id"]) == ["2", "3"]


def test_raw_is_the_row_exactly_as_it_came_with_unknown_columns(schema):
    frame = texts("1|now|5|2|red|true").assign(more="x", gap=pd.Series([None], dtype="string"))
    part = split(frame, schema, ["id"])
    assert json.loads(part.quarantined["raw"].iloc[0]) == {
        "id": "1", "at": "now", "x": "5", "n": "2", "colour": "red", "open": "true", "more": "x", "gap": None,
    }  # fmt: skip
    assert part.ignored_columns == ("more", "gap")


def test_raw_holds_what_json_has_no_word_for(schema):
    cells = {
        "id": [1], "at": [datetime(2026, 1, 1, tzinfo=UTC)], "x": [-5.0], "n": [Decimal("2.50")],
        "colour": [b"\xffred"], "open": [float("nan")], "day": [date(2026, 1, 1)], "inf": [float("inf")],
        "deep": [{"a": [1, np.float64("nan")]}], "half": ["\ud800"], "na": [pd.NA], "nat": [pd.NaT],
    }  # fmt: skip
    part = split(pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in cells.items()}), schema, ["id"])
    raw = part.quarantined["raw"].iloc[0]
    raw.encode()
    assert json.loads(raw) == {
        "id": 1, "at": "2026-01-01T00:00:00+00:00", "x": -5.0, "n": "2.50", "colour": "\\xffred",
        "open": None, "day": "2026-01-01", "inf": "inf", "deep": {"a": [1, None]}, "half": "\ud800",
        "na": None, "nat": None,
    }  # fmt: skip


def test_rows_without_a_readable_key_are_refused_once(schema):
    part = split(texts(GOOD, "|2026-01-01|5|2|red|true", "x7|2026-01-01|5|2|red|true"), schema, ["id"])
    assert reasons(part) == {1: {("id", "not_nullable", "")}, 2: {("id", "dtype", "x7")}}
    assert list(part.quarantined["id"]) == [None, None]


def test_the_first_row_of_a_key_that_breaks_nothing_else_is_kept(schema):
    part = split(
        texts(
            "1|2026-01-01|999|2|red|1", "1|2026-01-01|5|2|red|1", "1|2026-01-01|6|2|red|1", "2|2026-01-01||||"
        ),
        schema,
        ["id"],
    )
    assert list(part.accepted.index) == [1, 3]
    assert reasons(part) == {0: {("x", "in_range", "999")}, 2: {("id", "unique", "1")}}


def test_a_key_of_several_columns_is_one_key(shop):
    schema = load_schema(shop(row_key=["id", "at"]))
    part = split(texts(GOOD, GOOD, GOOD.replace("01-01", "01-02")), schema, ["id", "at"])
    assert list(part.accepted.index) == [0, 2]
    assert reasons(part) == {1: {("id, at", "unique", "1, 2026-01-01 00:00:00+00:00")}}


def test_large_whole_keys_stay_exact(schema):
    part = split(
        texts(GOOD.replace("1|", "9007199254740993|", 1), "9223372036854775808|2026-01-01||||"),
        schema,
        ["id"],
    )
    assert part.accepted["id"].tolist() == [9007199254740993]
    assert reasons(part) == {1: {("id", "dtype", "9223372036854775808")}}


def test_naive_times_are_utc_whatever_zone_their_neighbours_have(schema):
    given_times = [
        "2026-01-01T10:00+10:00",
        "2026-01-01 00:00:00",
        "2025-12-31T20:30:00.5-0330",
        "2026-01-01",
    ]
    part = split(texts(*(f"{i}|{t}||||" for i, t in enumerate(given_times))), schema, ["id"])
    assert [t.isoformat() for t in part.accepted["at"]] == [
        "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.500000+00:00",
        "2026-01-01T00:00:00+00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "time", ["now", "today", "2026", "01/02/2026", "2026-02-30", "9999-12-31", "2026-01-01T25:00"]
)
def test_what_is_no_iso_8601_time_is_refused_not_guessed(schema, time):
    part = split(texts(f"1|{time}|5|2|red|true"), schema, ["id"])
    assert reasons(part) == {0: {("at", "dtype", time)}}


def test_other_formats_of_time_can_be_declared(shop):
    text = SCHEMA + 'metadata: {time_formats: {at: "%d/%m/%Y %H:%M"}}\n'
    part = split(texts("1|02/01/2026 03:30||||", "2|2026-01-02||||"), load_schema(shop(text)), ["id"])
    assert part.accepted["at"].tolist() == [pd.Timestamp("2026-01-02T03:30", tz="UTC")]
    assert list(part.quarantined.index) == [1]


def test_typed_columns_of_parquet_are_taken_as_they_are_or_refused(schema):
    frame = pd.DataFrame(
        {
            "id": pd.array([1, 2], dtype="uint64"),
            "at": np.array(["2026-01-01", "9999-01-01"], dtype="datetime64[us]"),
            "x": pd.array([5, None], dtype="Int64"),
            "n": np.array([True, False]),
            "colour": pd.Categorical(["red", None]),
            "open": [1.0, 2.0],
        }
    )
    part = split(frame, schema, ["id"])
    assert part.accepted.empty
    assert reasons(part) == {
        0: {("n", "dtype", "True")},
        1: {("at", "dtype", "9999-01-01T00:00:00"), ("n", "dtype", "False"), ("open", "dtype", "2.0")},
    }


def test_cells_of_mixed_types_are_read_one_by_one(schema):
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "at": ["2026-01-01"] * 3,
            "x": pd.Series(["1.5", 2, {"a": 1}], dtype=object),
            "n": pd.Series([Decimal(3), True, None], dtype=object),
            "colour": pd.Series(["red", 7, None], dtype=object),
        }
    )
    part = split(frame, schema, ["id"])
    assert part.accepted[["x", "n"]].to_numpy().tolist() == [[1.5, 3.0]]
    assert reasons(part) == {
        1: {("n", "dtype", "True"), ("colour", "isin", "7")},
        2: {("x", "dtype", '{"a": 1}')},
    }


def test_a_missing_optional_column_is_added_empty_and_said(schema):
    part = split(texts(GOOD).drop(columns=["colour", "open"]), schema, ["id"])
    assert part.filled_columns == ("colour", "open")
    assert list(part.accepted.columns) == list(schema.columns)
    assert part.accepted["colour"].iloc[0] is None
    assert str(part.accepted["open"].dtype) == "boolean"


def test_a_missing_required_column_rejects_the_batch_by_name(schema):
    assert missing_required(["id", "at"], schema) == ("x", "n")
    with pytest.raises(DataRejected, match="lacks x") as rejected:
        split(texts(GOOD).drop(columns="x"), schema, ["id"])
    assert rejected.value.cause == "data.column_missing"
    assert rejected.value.evidence["columns"] == ["x"]


@pytest.mark.parametrize("columns", [["id", "id", "at", "x", "n", "open"], ["id", 7, "at", "x", "n", "open"]])
def test_an_ambiguous_header_rejects_the_batch(schema, columns):
    with pytest.raises(DataRejected) as rejected:
        split(texts(GOOD).set_axis(columns, axis=1), schema, ["id"])
    assert rejected.value.cause == "data.not_the_format"


def test_the_index_is_kept_and_the_batch_untouched(schema):
    frame = texts(GOOD, "2|x||||", "3|2026-01-01||||").set_axis([30, 10, 20], axis=0)
    before = frame.copy(deep=True)
    part = split(frame, schema, ["id"])
    assert list(part.accepted.index) == [30, 20]
    assert list(part.quarantined.index) == [10]
    pd.testing.assert_frame_equal(frame, before)


def test_an_empty_batch_gives_two_empty_parts_of_the_right_types(schema):
    part = split(texts(GOOD).iloc[:0], schema, ["id"])
    assert (len(part.accepted), len(part.quarantined), part.causes) == (0, 0, {})
    assert str(part.accepted["at"].dtype) == "datetime64[ns, UTC]"
    assert list(part.quarantined.columns) == ["raw", "reasons", "id"]


def test_a_check_that_no_row_can_be_blamed_for_rejects_the_batch(shop):
    schema = load_schema(shop(SCHEMA.replace("isin: [red, blue]", "unique_values_eq: [red, blue]")))
    both = split(texts(GOOD, "2|2026-01-01|||blue|"), schema, ["id"])
    assert len(both.accepted) == 2
    with pytest.raises(DataRejected, match="unique_values_eq") as rejected:
        split(texts(GOOD, "2|bad|||blue|"), schema, ["id"])
    assert rejected.value.evidence["failures"][0]["column"] == "colour"


def test_what_only_bad_rows_broke_does_not_reject_the_batch(shop):
    schema = load_schema(shop(SCHEMA.replace("isin: [red, blue]", "unique_values_eq: [red]")))
    part = split(texts(GOOD, "2|bad|||blue|"), schema, ["id"])
    assert list(part.accepted.index) == [0]


def test_other_unique_columns_keep_the_first(shop):
    schema = load_schema(shop(SCHEMA.replace("x:\n", "x:\n    unique: true\n")))
    part = split(texts(GOOD, GOOD.replace("1|", "2|", 1)), schema, ["id"])
    assert reasons(part) == {1: {("x", "unique", "5")}}


def test_a_check_with_its_own_message_is_still_named(shop):
    text = SCHEMA.replace("isin: [red, blue]", "isin: {allowed_values: [red], error: wrong paint}")
    part = split(texts(GOOD.replace("red", "blue")), load_schema(shop(text)), ["id"])
    assert reasons(part) == {0: {("colour", "isin", "blue")}}


def test_pandera_switched_off_by_its_environment_still_validates(schema):
    with config.config_context(validation_enabled=False):
        assert len(split(texts(GOOD.replace("red", "green")), schema, ["id"]).quarantined) == 1


CELL = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.sampled_from(
        ["1", "2", "1", " 3", "1e1", "-1", "nan", "inf", "2026-01-01", "2026-01-01T00:00Z", "red", "yes"]
    ),
)


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(*[CELL] * 6), max_size=8), dtype=st.sampled_from(["string", "object"]))
def test_no_junk_loses_or_doubles_a_row(junk_schema, rows, dtype):
    frame = pd.DataFrame(rows, columns=["id", "at", "x", "n", "colour", "open"], dtype=dtype)
    part = split(frame, junk_schema, ["id"])
    assert sorted([*part.accepted.index, *part.quarantined.index]) == list(range(len(rows)))
    assert part.accepted["id"].is_unique
    assert part.accepted[["id", "at"]].notna().all().all()
    for position, (raw, found) in part.quarantined[["raw", "reasons"]].iterrows():
        assert found
        assert json.loads(raw) == dict(zip(frame.columns, rows[position], strict=True))
    again = split(part.accepted, junk_schema, ["id"])
    assert again.quarantined.empty
    pd.testing.assert_frame_equal(again.accepted, part.accepted)


ANY_CELL = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.binary(max_size=4),
    st.datetimes(), st.dates(), st.decimals(allow_nan=False), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.floats(), max_size=2), st.just("\ud800"),
)  # fmt: skip


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(*[ANY_CELL] * 6), min_size=1, max_size=6))
def test_no_cell_of_any_type_loses_a_row(junk_schema, rows):
    columns = dict(zip(["id", "at", "x", "n", "colour", "open"], zip(*rows, strict=True), strict=True))
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    part = split(frame, junk_schema, ["id"])
    assert sorted([*part.accepted.index, *part.quarantined.index]) == list(range(len(rows)))
    for raw in part.quarantined["raw"]:
        json.loads(raw.encode())


@pytest.fixture(scope="module")
def junk_schema(tmp_path_factory):
    root = tmp_path_factory.mktemp("junk")
    (root / "configs").mkdir()
    (root / "expectations" / "shop").mkdir(parents=True)
    (root / "configs" / "shop.yaml").write_text(json.dumps(CONFIG))
    (root / "expectations" / "shop" / "schema.yaml").write_text(SCHEMA)
    return load_schema(load_settings("shop", config_file=root / "configs" / "shop.yaml"))


def test_the_schema_that_ships_is_read():
    schema = load_schema(load_settings("market"))
    assert schema.kinds["settlement"] == "time"
    assert schema.kinds["region_weather"] == "categorical"
    assert set(schema.required) == {"settlement", "price", "demand"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("dtype: float64", "dtype: flaot64"), ("line 5: key columns.x.dtype: unknown dtype 'flaot64' Fix: "
         "did you mean 'float64'")),
        (("dtype: float64", "dtype: timedelta64[ns]"), "dtype 'timedelta64[ns]' cannot be used"),
        (("in_range:", "in_rnage:"), ("line 8: key columns.x.checks.in_rnage: unknown check "
         "'in_rnage' Fix: did you mean 'in_range'")),
        (("nullable: true\n", "nulable: true\n"), ("line 6: key columns.x.nulable: unknown key 'nulable' "
         "Fix: did you mean 'nullable'")),
        (("max_value: 100", "maximum: 100"), "key columns.x.in_range"),
        (("max_value: 100", "max_value: high"), "key columns.x.checks.in_range: found"),
        (("[red, blue]", "[red, yes]"), "quoted where YAML would read another type"),
        (("{dtype: int64}", "{dtype: int64, drop_invalid_rows: true}"), "lets bad rows pass silently"),
        (("isin: [red, blue]", "isin: {allowed_values: [red], raise_warning: true}"), ("belongs in "
         "suite.json")),
        (("isin: [red, blue]", "str_matches: '['"), "key columns.colour.str_matches"),
        (("greater_than_or_equal_to: 1", "str_length: 3"), "use it on a column of dtype str"),
        (("id: {dtype: int64}", "id: {dtype: int64, nullable: true}"),
         ("the column is the pipeline's row_key Fix: say nullable: "
         "false")),
        (("id: {dtype: int64}", "id: {dtype: int64, required: false}"), "Fix: say required: true"),
        (('"datetime64[ns, UTC]"', "str"), "it is the pipeline's time Fix: use datetime64[ns, UTC]"),
        (("  n:", "  m:"), "key features.columns: 'n' is not a column of"),
        (("  id:", "  idd:"), "key row_key: 'id' is not a column of"),
        (("columns:", "colums:"), "line 1: key colums: unknown key 'colums' Fix: did you mean 'columns'"),
        (("columns:", "checks: {less_than: 3}\ncolumns:"), "Fix: put them in suite.json"),
        (("columns:", "strict: true\ncolumns:"), "columns that the schema does not know are ignored"),
        (("columns:", "unique: [idd]\ncolumns:"), "key unique: found ['idd']"),
        (("columns:", "metadata: {time_formats: {att: '%d'}}\ncolumns:"), "did you mean 'at'"),
        ((SCHEMA, "columns: {"), "not YAML"),
        ((SCHEMA, "- a"), "holds a list"),
        ((SCHEMA, "columns: {}"), "expected at least one column"),
        ((SCHEMA, "columns: {7: {dtype: str}}"), 'write "7" in quotes'),
    ],
)  # fmt: skip
def test_a_mistake_in_the_schema_is_told_by_file_line_key_and_fix(shop, change, told):
    with pytest.raises(UsageError) as error:
        load_schema(shop(SCHEMA.replace(*change)))
    assert told in str(error.value)
    assert "shop" in str(error.value).split(":")[0]
    assert "\n" not in str(error.value)
    assert error.value.fix


def test_a_missing_schema_is_told(shop):
    with pytest.raises(
        UsageError, match=r"schema\.yaml: no such file Fix: write it as expectations/market/schema\.yaml is"
    ):
        load_schema(shop(None))


@pytest.mark.parametrize(
    ("impute", "told"),
    [
        (
            {"columns": {"colour": {"strategy": "median"}}},
            "impute.columns.colour: strategy 'median' is for numbers",
        ),
        ({"categorical": {"strategy": "knn"}}, "impute.categorical: strategy 'knn' is for numbers"),
        (
            {"columns": {"x": {"strategy": "constant", "fill_value": "none"}}},
            "fill_value 'none' is no number",
        ),
        ({"columns": {"open": {"strategy": "constant", "fill_value": "perhaps"}}}, "neither true nor false"),
    ],
)
def test_a_strategy_that_does_not_fit_its_column_is_told(shop, impute, told):
    with pytest.raises(UsageError) as error:
        load_schema(shop(impute=impute))
    assert told in str(error.value)
