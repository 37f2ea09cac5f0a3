"""A batch from landing to published answers."""

import sqlite3

import pandas as pd
import pytest

from evenkeel.adapters.lake import Table
from evenkeel.demo.market import FEATURES
from evenkeel.errors import UsageError
from evenkeel.stages.land import land_files
from evenkeel.stages.revise import reopen
from tests.e2e.market import DAYS, LEARNED, NAME

NEXT = LEARNED


def test_a_clean_batch_is_answered_by_the_champion_and_nothing_else_happens(market):
    batch = market.land(NEXT)

    report = market.run()

    assert report[batch] | {"incidents": []} == {
        "state": "published",
        "landed": 48,
        "scored": 48,
        "quarantined": 0,
        "held": 0,
        "incidents": [],
    }
    answers = market.read(Table.PREDICTIONS, batch)
    assert set(answers["rung"]) == {"champion"}
    assert set(answers["model_version"]) == {market.champion()}
    assert answers["confidence"].between(0.5, 1).all()
    assert set(answers["prediction"]) <= {"UP", "DOWN"}
    assert market.audit().clean


def test_a_dirty_batch_loses_nothing_and_says_what_was_done(market):
    batch = market.land_dirty(NEXT)
    landed = len(pd.read_csv(market.home / "files" / f"{batch}.csv"))

    counts = market.run()[batch]

    answers, refused = market.read(Table.PREDICTIONS, batch), market.read(Table.QUARANTINE, batch)
    assert len(answers) + len(refused) == counts["landed"] == landed
    assert len(refused) > 0
    assert all(len(reasons) for reasons in refused["reasons"])
    imputed = market.read(Table.ACCEPTED, batch).set_index("settlement")["imputed"]
    assert sum(map(len, imputed)) > 0
    assert market.read(Table.ACCEPTED, batch)[list(FEATURES)].notna().all().all()
    assert market.causes(batch) >= {"data.nulls"}
    assert market.audit().clean


def test_before_anything_was_learned_every_row_still_has_an_answer_that_says_so(new_market):
    batch = new_market.land(0)
    new_market.run()

    answers = new_market.read(Table.PREDICTIONS, batch)

    assert set(answers["rung"]) == {"heuristic"}
    assert set(answers["prediction"]) == {"DOWN"}, "target.default is the last resort"
    assert answers["confidence"].isna().all()
    assert new_market.causes(batch) == {"model.no_champion"}
    assert new_market.audit().clean


def test_landing_and_running_twice_changes_nothing(market):
    batch = market.land(NEXT)
    market.run()
    before, answers = market.table_versions(), market.read(Table.PREDICTIONS, batch)

    market.land(NEXT)
    assert market.run() == {}

    assert market.table_versions() == before
    pd.testing.assert_frame_equal(market.read(Table.PREDICTIONS, batch), answers)


def test_the_same_content_under_another_id_is_not_doubled(market):
    batch = market.land(NEXT)
    copy = market.home / "files" / "again.csv"
    copy.write_bytes((market.home / "files" / f"{batch}.csv").read_bytes())

    (result,) = land_files(market.workspace(), [str(copy)], None)

    assert (result.new, result.landing.batch_id) == (False, batch)
    assert list(market.run()) == [batch]


def test_other_content_under_a_landed_id_is_refused(market):
    batch = market.land(NEXT)

    with pytest.raises(UsageError, match=f"batch {batch} has landed with other content"):
        market.land(NEXT, price=50.0)


def test_a_rerun_after_the_commit_leaves_the_published_answers_alone(market):
    batch = market.land(NEXT)
    market.run()
    published = market.read(Table.PREDICTIONS, batch)
    set_back(market, batch)
    before = market.table_versions()

    report = market.run()

    assert report[batch]["state"] == "published"
    assert report[batch]["scored"] == 48
    assert market.table_versions() == before
    pd.testing.assert_frame_equal(market.read(Table.PREDICTIONS, batch), published)


def test_a_published_batch_is_never_held_whatever_changed_since(market, monkeypatch):
    batch = market.land_dirty(NEXT)
    market.run()
    published = market.answers(batch)
    set_back(market, batch)
    monkeypatch.setenv("EVENKEEL_QUALITY__MAX_QUARANTINED_SHARE", "0")

    report = market.run()

    assert report[batch]["state"] == "published"
    pd.testing.assert_frame_equal(market.answers(batch), published)


def test_what_fails_after_the_commit_has_its_incident_all_the_same(market, monkeypatch):
    # A reference that cannot be read: drift cannot be measured, answers can be given.
    for reference in (market.home / "cache").rglob("reference.parquet"):
        reference.chmod(0o644)
        reference.write_bytes(reference.read_bytes()[:-1])
    monkeypatch.setenv("EVENKEEL_PLATFORM__REGISTRY__URI", "http://127.0.0.1:1")
    batch = market.land(NEXT)

    assert market.run()[batch]["state"] == "published"
    assert "model.artifact_corrupt" in market.causes(batch)
    assert set(market.read(Table.PREDICTIONS, batch)["rung"]) == {"champion"}


def test_a_batch_that_cannot_be_trusted_is_held_whole_and_the_next_goes_on(market):
    bad = market.land(NEXT, settlement="#ERR")
    good = market.land(NEXT + 1)

    report = market.run()

    assert report[bad]["state"] == "held"
    assert report[bad]["held"] == 48
    assert report[good]["state"] == "published"
    for table in (Table.PREDICTIONS, Table.ACCEPTED, Table.QUARANTINE):
        assert market.read(table, bad).empty
    assert market.causes(bad) == {"data.column_retyped"}
    assert market.audit().clean


def test_a_column_that_cannot_be_read_is_lost_and_not_its_rows(market):
    batch = market.land(NEXT, price="#ERR")

    report = market.run()[batch]

    assert (report["state"], report["scored"], report["quarantined"]) == ("published", 48, 0)
    assert {"data.column_retyped", "data.nulls"} <= market.causes(batch)
    assert all("price" in names for names in market.answers(batch)["imputed"])
    assert set(market.read(Table.ACCEPTED, batch)["original"]) == {'{"price": "#ERR"}'}
    assert market.audit().clean


def test_a_suite_that_says_hold_holds(market):
    batch = market.land_day(_emptied(DAYS[NEXT]))

    assert market.run()[batch]["state"] == "held"
    assert market.audit().clean


def test_a_suspect_column_is_answered_from_rungs_that_do_not_need_it(market):
    gaps = DAYS[NEXT].rows["neighbour_price"].where(DAYS[NEXT].rows.index % 2 == 0)
    batch = market.land(NEXT, neighbour_price=gaps)
    market.run()

    answers = market.read(Table.PREDICTIONS, batch)

    assert set(answers["rung"]) == {"baseline"}
    assert "data.suspect_column" in market.causes(batch)
    assert market.audit().clean


def test_a_column_that_stops_coming_is_imputed_and_named(market):
    rows, _ = _written(market, DAYS[NEXT].rows.drop(columns=["price"]))
    land_files(market.workspace(), [str(rows)], "without-price")

    assert market.run()["without-price"]["state"] == "published"
    assert {"data.column_missing", "data.nulls"} <= market.causes("without-price")
    assert all("price" in names for names in market.answers("without-price")["imputed"])
    assert market.audit().clean


@pytest.mark.parametrize(("policy", "state"), [("degrade", "published"), ("hold", "held")])
def test_a_column_that_stops_coming_is_met_as_configured(market, monkeypatch, policy, state):
    monkeypatch.setenv("EVENKEEL_QUALITY__LOST_COLUMN", policy)
    rows, _ = _written(market, DAYS[NEXT].rows.drop(columns=["price"]))
    land_files(market.workspace(), [str(rows)], "without-price")

    assert market.run()["without-price"]["state"] == state
    # Every rung but the heuristic needs the price.
    assert set(market.answers("without-price")["rung"]) == ({"heuristic"} if state == "published" else set())
    assert market.audit().clean


def test_a_batch_that_failed_does_not_keep_the_next_from_being_scored(market):
    first, second = market.land(NEXT), market.land(NEXT + 1)
    # The first batch's landed file is damaged, and there is no replica to repair it from.
    (landed,) = (market.home / "landing" / NAME / first).glob("*.csv")
    landed.chmod(0o644)
    landed.write_bytes(landed.read_bytes()[:-50])

    report = market.run()

    assert report[first]["state"] == "held"
    assert market.causes(first) == {"data.landed_copy_damaged"}
    assert report[second]["state"] == "published"


def test_drift_is_measured_stored_and_asks_for_a_retrain_by_rule(market):
    # The world changes and the feed does not break: a level that the past has not seen, with its old spread.
    days = [market.land(n, demand=DAYS[n].rows["demand"] + 2500) for n in range(NEXT, NEXT + 3)]
    market.run()

    verdicts = market.workspace().ledger.drift(NAME)
    requests = [e for e in market.workspace().ledger.events(NAME) if e.kind == "requested"]

    shifted = [b for b in days if verdicts[b].drifted]
    assert shifted == days
    assert all("demand" in {c.column for c in verdicts[b].columns if c.drifted} for b in shifted)
    assert len(requests) == 1
    assert (market.home / "reports" / NAME / "drift" / f"{shifted[0]}.html").is_file()
    assert market.audit().clean


def test_an_incident_is_resolved_when_a_later_batch_passes_without_it(market):
    dirty = market.land_dirty(NEXT)
    market.run()
    assert {i.batch_id for i in market.workspace().ledger.incidents(NAME, open_only=True)} >= {dirty}

    market.land(NEXT + 1)
    market.run()

    still_open = {(i.batch_id, i.cause) for i in market.workspace().ledger.incidents(NAME, open_only=True)}
    assert not {c for b, c in still_open if b == dirty} & {"data.nulls", "data.out_of_range"}


def _emptied(day):
    from dataclasses import replace

    return replace(day, rows=day.rows.head(3))


def _written(market, rows):
    path = market.home / "files" / "changed.csv"
    path.parent.mkdir(exist_ok=True)
    rows.to_csv(path, index=False)
    return path, None


def set_back(market, batch):
    """Leave the ledger as a crash between the lake's commit and its own does."""
    with sqlite3.connect(market.home / "ledger.db") as ledger:
        ledger.execute("UPDATE batches SET state = 'scored' WHERE batch_id = ?", [batch])


def test_a_held_batch_is_replayed_after_the_fix(market, monkeypatch):
    price = DAYS[NEXT].rows["price"].astype(str).where(DAYS[NEXT].rows.index % 3 > 0, "#ERR")
    with monkeypatch.context() as strict:
        strict.setenv("EVENKEEL_QUALITY__MAX_QUARANTINED_SHARE", "0.1")
        batch = market.land(NEXT, price=price)
        assert market.run()[batch]["state"] == "held"
    assert market.run() == {}, "a held batch waits for a person"

    reopen(market.workspace(), batch)
    report = market.run(batch)

    assert (report[batch]["state"], report[batch]["scored"], report[batch]["quarantined"]) == (
        "published",
        32,
        16,
    )
    assert market.audit().clean
    with pytest.raises(UsageError, match="neither held nor published"):
        reopen(market.workspace(), "2031-01-01")
