"""Enrichment sources that come late: answers with what is there, and again, as a new revision, with the rest."""

import shutil
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
import yaml

from evenkeel.adapters.lake import Table
from evenkeel.bootstrap import open_workspace
from evenkeel.domain.batch import BatchState
from evenkeel.settings import load_settings
from evenkeel.settings.load import embedded_folder
from evenkeel.stages.land import land_files
from evenkeel.stages.revise import reopen, revise_late
from tests.e2e.market import DAYS, LEARNED, NAME

NEXT = LEARNED
WEATHER = {
    "name": "weather",
    "uri": "{home}/incoming/weather/{batch}.csv",
    "key": ["settlement"],
    "columns": ["region_weather"],
}


@pytest.fixture
def enriched(market, tmp_path, monkeypatch):
    """The market whose weather comes from a source of its own; call it with changes to that source."""

    def configured(**changes):
        for part in ("configs", "expectations"):
            shutil.copytree(embedded_folder() / part, tmp_path / part)
        file = tmp_path / "configs" / f"{NAME}.yaml"
        config = yaml.safe_load(file.read_text())
        config["enrichments"] = [WEATHER | changes]
        config["sources"] = []
        file.write_text(yaml.safe_dump(config))
        monkeypatch.setenv("EVENKEEL_CONFIG_DIR", str(tmp_path / "configs"))
        return market

    return configured


def land_without_weather(market, number=NEXT):
    day = DAYS[number]
    file = market.home / "files" / f"{day.batch_id}.csv"
    file.parent.mkdir(exist_ok=True)
    day.rows.drop(columns=["region_weather"]).to_csv(file, index=False)
    land_files(market.workspace(), [str(file)], None)
    return day.batch_id


def deliver(market, name, rows):
    folder = market.home / "incoming" / "weather"
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / f"{name}.csv", index=False)


def weather_of(number=NEXT):
    return DAYS[number].rows[["settlement", "region_weather"]]


def test_what_comes_in_time_is_joined_and_the_answers_are_those_of_one_file(enriched, market):
    whole = market.land(NEXT)
    market.run()
    expected = market.answers(whole)
    market = enriched()
    batch = land_without_weather(market, NEXT + 1)
    deliver(market, batch, weather_of(NEXT + 1))

    assert market.run()[batch]["incidents"] == []

    answers = market.answers(batch)
    assert (answers["stale"].map(len) == 0).all()
    assert set(answers["rung"]) == set(expected["rung"]) == {"champion"}
    accepted = market.read(Table.ACCEPTED, batch).sort_values("settlement")
    assert accepted["region_weather"].tolist() == weather_of(NEXT + 1)["region_weather"].tolist()
    assert market.audit().clean


def test_a_late_source_does_not_stop_the_batch_and_its_answers_are_revised_when_it_comes(enriched):
    market = enriched()
    batch = land_without_weather(market)

    assert market.run()[batch]["state"] == "published"

    first = market.answers(batch)
    assert first["stale"].tolist() == [["weather"]] * len(first)
    assert first["imputed"].tolist() == [["region_weather"]] * len(first)
    assert "data.source_late" in market.causes(batch)
    assert market.audit().clean

    deliver(market, batch, weather_of())
    assert market.run()[batch]["state"] == "published"

    second = market.answers(batch)
    assert (set(first["revision"]), set(second["revision"])) == ({1}, {2})
    assert second["settlement"].tolist() == first["settlement"].tolist()
    assert (second["stale"].map(len) == 0).all()
    assert (second["imputed"].map(len) == 0).all()
    assert set(second["model_version"]) == set(first["model_version"])
    assert [i.cause for i in market.workspace().ledger.incidents(NAME, open_only=True)] == []
    assert market.audit().clean
    assert market.run() == {}, "nothing is left to be revised"


def test_only_rows_that_found_nothing_are_stale(enriched):
    market = enriched()
    batch = land_without_weather(market)
    deliver(market, batch, weather_of().head(30))

    market.run()

    stale = market.answers(batch)["stale"]
    assert stale.map(len).tolist() == [0] * 30 + [1] * 18
    assert market.audit().clean


def test_an_unreadable_delivery_is_named_and_does_not_stop_the_batch(enriched):
    market = enriched()
    batch = land_without_weather(market)
    deliver(market, batch, weather_of().rename(columns={"region_weather": "wetter"}))

    assert market.run()[batch]["state"] == "published"

    assert {"data.column_missing", "data.source_late"} <= market.causes(batch)
    assert market.audit().clean


def test_a_row_takes_the_newest_value_that_held_at_its_time(enriched):
    market = enriched(uri="{home}/incoming/weather/*.csv", key=[], time="since", tolerance=6 * 3600)
    batch = land_without_weather(market)
    day = pd.to_datetime(DAYS[NEXT].rows["settlement"].iloc[0])
    changes = {0: "hot", 6: "cold", 9: "storm"}  # hour -> weather; after 15:00 nothing is known
    since = [(day + timedelta(hours=h)).isoformat() for h in changes]
    deliver(market, "measured", pd.DataFrame({"since": since, "region_weather": list(changes.values())}))

    market.run()

    rows = market.read(Table.ACCEPTED, batch).sort_values("settlement")
    known = rows[rows["stale"].map(len) == 0]
    assert known["region_weather"].tolist() == ["hot"] * 12 + ["cold"] * 6 + ["storm"] * 13
    assert market.audit().clean


@pytest.mark.parametrize("changes", [{"required": True}, {"delay": 3600}])
def test_a_batch_waits_for_a_source_as_configured(enriched, changes):
    market = enriched(**changes)
    batch = land_without_weather(market)

    assert market.run()[batch]["state"] == "landed"

    assert market.answers(batch).empty
    deliver(market, batch, weather_of())
    assert market.run()[batch]["state"] == "published"
    assert market.audit().clean


def test_a_required_source_that_never_comes_ends_in_a_held_batch(enriched):
    market = enriched(required=True, window=1e-6)
    batch = land_without_weather(market)

    assert market.run()[batch]["state"] == "held"

    assert market.causes(batch) == {"data.source_late"}
    assert market.audit().clean


def test_what_comes_after_its_window_changes_nothing(enriched):
    market = enriched(window=3600)
    batch = land_without_weather(market)
    market.run()
    deliver(market, batch, weather_of())
    later = open_workspace(load_settings(NAME), now=lambda: datetime.now(UTC) + timedelta(hours=2))

    assert revise_late(later) == []


def test_a_published_batch_is_answered_anew_by_a_replay(market):
    batch = market.land(NEXT)
    market.run()
    first = market.answers(batch)

    reopen(market.workspace(), batch)
    assert market.workspace().ledger.batch(NAME, batch).state is BatchState.LANDED
    assert market.audit().clean, "the earlier answers stand until the new ones do"
    market.run()

    second = market.answers(batch)
    assert set(second["revision"]) == {2}
    pd.testing.assert_frame_equal(first.drop(columns="revision"), second.drop(columns="revision"))
    assert market.audit().clean


def test_a_revision_that_would_be_held_leaves_the_earlier_answers(market, monkeypatch):
    batch = market.land_dirty(NEXT)
    market.run()
    first = market.answers(batch)
    reopen(market.workspace(), batch)
    monkeypatch.setenv("EVENKEEL_IMPUTE__MAX_BATCH_SHARE", "0")

    assert market.run()[batch]["state"] == "published"

    pd.testing.assert_frame_equal(first, market.answers(batch))
    assert market.audit().clean
