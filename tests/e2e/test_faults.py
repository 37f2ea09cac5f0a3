"""Silent faults of the feed, injected for real: named in the same batch, mended or met mildly, and accounted for."""

import json

import pandas as pd
import pytest

from evenkeel.adapters.lake import Table
from evenkeel.stages.land import land_files
from tests.e2e.market import DAYS, LEARNED, NAME

NEXT = LEARNED
ROWS = DAYS[NEXT].rows


def land_rows(market, rows, batch="damaged"):
    file = market.home / "files" / f"{batch}.csv"
    file.parent.mkdir(exist_ok=True)
    rows.to_csv(file, index=False)
    land_files(market.workspace(), [str(file)], batch)
    return batch


def plain(market):
    """Return the answers to the undamaged day, from a batch of its own."""
    batch = land_rows(market, ROWS, "plain")
    market.run(batch)
    return market.answers(batch)


def incident(market, batch, cause):
    return next(
        i for i in market.workspace().ledger.incidents(NAME) if (i.batch_id, i.cause) == (batch, cause)
    )


def same_predictions(answers, others):
    return (answers["prediction"].tolist(), answers["rung"].tolist()) == (
        others["prediction"].tolist(),
        others["rung"].tolist(),
    )


@pytest.mark.parametrize(
    ("damage", "cause", "columns"),
    [
        ({"demand": ROWS["demand"] * 1000}, "data.unit_change", ["demand"]),
        ({"demand": -ROWS["demand"]}, "data.sign_flip", ["demand"]),
        (
            {"price": ROWS["demand"], "demand": ROWS["price"]},
            "data.columns_swapped",
            ["price", "demand"],
        ),
    ],
)
def test_a_certain_fault_is_repaired_flagged_and_both_values_are_kept(market, damage, cause, columns):
    batch = land_rows(market, ROWS.assign(**damage))

    report = market.run()[batch]

    assert (report["state"], report["scored"]) == ("published", 48)
    assert cause in report["incidents"]
    answers = market.answers(batch)
    assert all(set(names) == set(columns) for names in answers["repaired"])
    accepted = market.read(Table.ACCEPTED, batch).sort_values("settlement")
    for column in columns:
        assert accepted[column].to_numpy() == pytest.approx(ROWS[column].to_numpy())
        kept = [float(json.loads(text)[column]) for text in accepted["original"]]
        assert kept == pytest.approx(damage[column].to_numpy())
    told = incident(market, batch, cause).evidence
    assert {c for entry in told.values() for c in entry["columns"]} == set(columns)
    assert same_predictions(answers, plain(market))
    assert market.audit().clean


def test_without_leave_to_repair_the_column_is_imputed_and_named(market, monkeypatch):
    monkeypatch.setenv("EVENKEEL_FAULTS__REPAIR", "never")
    batch = land_rows(market, ROWS.assign(demand=ROWS["demand"] * 1000))

    report = market.run()[batch]

    assert (report["state"], report["scored"]) == ("published", 48)
    answers = market.answers(batch)
    assert all("demand" in names for names in answers["imputed"])
    assert (answers["repaired"].map(len) == 0).all()
    assert market.audit().clean


def test_a_renamed_column_is_recognised_by_what_is_in_it(market):
    batch = land_rows(market, ROWS.rename(columns={"demand": "load_mw"}))

    report = market.run()[batch]

    assert "data.column_renamed" in report["incidents"]
    answers = market.answers(batch)
    assert all(names == ["demand"] for names in answers["repaired"])
    assert same_predictions(answers, plain(market))
    assert market.audit().clean


def test_an_added_column_is_ignored_and_noted_and_another_order_is_of_no_matter(market):
    rows = ROWS.assign(humidity=0.5)[["humidity", *reversed(ROWS.columns)]]
    batch = land_rows(market, rows)

    assert market.run()[batch]["incidents"] == ["data.column_added"]

    accepted = market.read(Table.ACCEPTED, batch).sort_values("settlement")
    assert "humidity" not in accepted.columns
    assert accepted["demand"].to_numpy() == pytest.approx(ROWS["demand"].to_numpy())
    assert set(market.answers(batch)["rung"]) == {"champion"}
    assert market.audit().clean


def test_yesterday_s_values_under_today_s_keys_are_not_answered_by_a_model(market):
    yesterday = DAYS[NEXT - 1].rows.assign(settlement=ROWS["settlement"])
    batch = land_rows(market, yesterday)

    report = market.run()[batch]

    assert "data.stale_feed" in report["incidents"]
    assert set(market.answers(batch)["rung"]) == {"heuristic"}
    assert market.audit().clean


def test_yesterday_s_file_under_another_name_is_held(market):
    # The same rows, other bytes: the landing zone cannot know them.
    batch = land_rows(market, DAYS[NEXT - 1].rows.iloc[::-1])

    assert market.run()[batch]["state"] == "held"

    assert market.causes(batch) == {"data.stale_feed"}
    assert market.audit().clean


def test_a_repaired_time_is_published_repaired_and_counted_by_what_landed(market):
    shifted = pd.to_datetime(ROWS["settlement"]) + pd.Timedelta(hours=10)
    batch = land_rows(market, ROWS.assign(settlement=shifted.dt.strftime("%Y-%m-%dT%H:%M:%SZ")))

    report = market.run()[batch]

    assert "data.time_zone_shift" in report["incidents"]
    answers = market.answers(batch)
    assert answers["settlement"].tolist() == pd.to_datetime(ROWS["settlement"], utc=True).tolist()
    assert market.audit().clean


def test_clean_days_are_answered_without_a_word(market):
    batches = [market.land(n) for n in range(NEXT, NEXT + 6)]

    report = market.run()

    assert {b: report[b]["incidents"] for b in batches} == {b: [] for b in batches}
