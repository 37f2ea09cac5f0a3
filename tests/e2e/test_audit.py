"""Tampering: whatever is changed behind the pipeline's back, the audit finds it and names it."""

import dataclasses
import json
import shutil
import sys
from datetime import timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa
from deltalake import DeltaTable, write_deltalake

from evenkeel.adapters.lake import Table
from evenkeel.cli.app import main
from evenkeel.domain.incident import Incident
from evenkeel.domain.model_event import EventKind
from evenkeel.quality.quarantine import cause_of
from evenkeel.stages.land import land_files
from tests.e2e.market import DAYS, LEARNED, NAME, Market

DIRTY, SUSPECT, PLAIN, HELD = (DAYS[LEARNED + n].batch_id for n in range(4))


@pytest.fixture(scope="module")
def _eventful_home(_learned_home, tmp_path_factory):
    """A learned home that met a dirty batch, a suspect column, a plain day and a batch that was held."""
    home = tmp_path_factory.mktemp("eventful") / "home"
    shutil.copytree(_learned_home, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENKEEL_HOME", str(home))
        market = Market(home)
        market.land_dirty(LEARNED)
        half = DAYS[LEARNED + 1].rows
        market.land(LEARNED + 1, neighbour_price=half["neighbour_price"].where(half.index % 2 == 0))
        market.land(LEARNED + 2)
        market.land(LEARNED + 3, settlement="#ERR")
        market.run()
    return home


@pytest.fixture
def market(_eventful_home, tmp_path, monkeypatch):
    home = tmp_path / "market"
    shutil.copytree(_eventful_home, home)
    monkeypatch.setenv("EVENKEEL_HOME", str(home))
    return Market(home)


def test_what_nobody_touched_audits_clean(market):
    findings = market.audit()

    assert findings.breaches == []
    assert all(findings.checked.values()), "every promise was looked at"
    rows = findings.rows
    assert rows["landed"] == rows["scored"] + rows["quarantined"] + rows["held"]
    assert (rows["held"], rows["pending"]) == (48, 0)
    assert rows["quarantined"] == len(market.read(Table.QUARANTINE, DIRTY)) > 0


def test_a_dropped_answer_is_named(market):
    key = _keys(market, PLAIN)[3]
    _delta(market, Table.PREDICTIONS).delete(f"batch_id = '{PLAIN}' and {_is(key)}")

    assert _found(market, "P1", PLAIN, key)
    assert _found(market, "P2", PLAIN, key), "an accepted row without an answer"


def test_a_doubled_answer_is_named(market):
    key = _keys(market, PLAIN)[3]
    table = _delta(market, Table.PREDICTIONS)
    row = table.to_pyarrow_table(filters=[("batch_id", "=", PLAIN), ("settlement", "=", key)])
    write_deltalake(table, row, mode="append")

    assert _found(market, "P1", PLAIN, "more often than landed", key)


@pytest.mark.parametrize("rung", ["previous", "heuristic", "oracle"])
def test_a_champion_s_answer_under_another_name_is_found(market, rung):
    key = _keys(market, PLAIN)[0]
    _forge(market, PLAIN, key, rung=f"'{rung}'")

    assert _found(market, "P3", PLAIN, key)


def test_a_lower_rung_s_answers_under_the_champion_s_name_are_found(market):
    assert set(market.read(Table.PREDICTIONS, SUSPECT)["rung"]) == {"baseline"}
    _delta(market, Table.PREDICTIONS).update({"rung": "'champion'"}, predicate=f"batch_id = '{SUSPECT}'")

    assert _found(market, "P3", SUSPECT, "champion")


def test_answers_of_a_version_that_was_not_pinned_are_found(market):
    key = _keys(market, PLAIN)[5]
    _forge(market, PLAIN, key, model_version="'99'")

    assert _found(market, "P3", PLAIN, "'99'", key)


def test_a_heuristic_that_calls_itself_champion_is_found(new_market):
    batch = new_market.land(0)
    new_market.run()
    forged = {"rung": "'champion'", "model_version": "'1'", "confidence": "0.9"}
    _delta(new_market, Table.PREDICTIONS).update(forged, predicate=f"batch_id = '{batch}'")

    assert _found(new_market, "P3", batch, "48 answers", "champion")


def test_a_forged_prediction_is_named(market):
    row = market.read(Table.PREDICTIONS, PLAIN).iloc[7]
    other = "DOWN" if row["prediction"] == "UP" else "UP"
    _forge(market, PLAIN, row["settlement"], prediction=f"'{other}'")

    assert _found(market, "P3", PLAIN, "1 answers", row["settlement"])


def test_a_forged_confidence_is_named(market):
    row = market.read(Table.PREDICTIONS, PLAIN).iloc[7]
    _forge(market, PLAIN, row["settlement"], confidence=str(1.5 - row["confidence"]))

    assert _found(market, "P3", PLAIN, "1 answers", row["settlement"])


@pytest.mark.parametrize(
    ("column", "value", "promise"),
    [
        ("prediction", "null", "P2"),
        ("prediction", "'SIDEWAYS'", "P2"),
        ("confidence", "null", "P3"),
        ("confidence", "1.5", "P3"),
    ],
)
def test_an_answer_that_is_none_is_named(market, column, value, promise):
    key = _keys(market, PLAIN)[2]
    _forge(market, PLAIN, key, **{column: value})

    assert _found(market, promise, PLAIN, key)


def test_an_imputation_that_is_kept_quiet_is_named(market):
    rows = market.read(Table.PREDICTIONS, DIRTY)
    key = rows.loc[rows["imputed"].map(len) > 0, "settlement"].iloc[0]
    _empty_list(market, Table.PREDICTIONS, DIRTY, key, "imputed")

    assert _found(market, "P3", DIRTY, key)


def test_an_imputation_that_is_kept_quiet_everywhere_is_named(market):
    rows = market.read(Table.PREDICTIONS, DIRTY)
    key = rows.loc[rows["imputed"].map(len) > 0, "settlement"].iloc[0]
    for table in (Table.PREDICTIONS, Table.ACCEPTED):
        _empty_list(market, table, DIRTY, key, "imputed")

    assert _found(market, "P3", DIRTY, key)


def test_a_feature_changed_after_the_answer_is_found(market):
    key = _keys(market, PLAIN)[4]
    _delta(market, Table.ACCEPTED).update(
        {"price": "price + 1"}, predicate=f"batch_id = '{PLAIN}' and {_is(key)}"
    )

    assert _found(market, "P3", PLAIN, key)


def test_a_dropped_quarantined_row_is_named(market):
    refused = market.read(Table.QUARANTINE, DIRTY).iloc[0]
    _delta(market, Table.QUARANTINE).delete(
        f"batch_id = '{DIRTY}' and settlement = '{refused['settlement']}' and raw = '{refused['raw']}'"
    )

    assert _found(market, "P1", DIRTY, "neither answered nor quarantined", _day_of(refused["settlement"]))


def test_quarantine_without_a_reason_is_named(market):
    refused = market.read(Table.QUARANTINE, DIRTY).iloc[0]
    _empty_list(market, Table.QUARANTINE, DIRTY, refused["settlement"], "reasons")

    assert _found(market, "P5", DIRTY, "without a reason", refused["settlement"])


@pytest.mark.parametrize("how", ["altered", "deleted"])
def test_a_landed_file_that_is_not_what_landed_is_named(market, how):
    (file,) = (market.home / "landing" / NAME / PLAIN).glob("*.csv")
    if how == "deleted":
        file.unlink()
    else:
        file.chmod(0o644)
        file.write_bytes(file.read_bytes().replace(b"mild", b"hot", 1))

    assert _found(market, "P1", PLAIN, file.name)


def test_a_batch_of_the_lake_that_never_landed_is_named(market):
    shutil.rmtree(market.home / "landing" / NAME / PLAIN)

    assert _found(market, "P1", PLAIN, "48 answers", "never landed")


def test_a_landing_whose_manifest_is_damaged_is_named_and_the_audit_goes_on(market):
    manifest = market.home / "landing" / NAME / PLAIN / "batch.json"
    manifest.chmod(0o644)
    manifest.write_text("{")

    assert _found(market, "P1", PLAIN, "the landing's manifest is damaged")


def test_answers_of_a_held_batch_are_found(market):
    table = _delta(market, Table.PREDICTIONS)
    rows = table.to_pyarrow_table(filters=[("batch_id", "=", PLAIN)])
    ids = pa.array([HELD] * rows.num_rows, pa.string())
    write_deltalake(
        table, rows.set_column(rows.schema.get_field_index("batch_id"), "batch_id", ids), mode="append"
    )

    assert _found(market, "P1", HELD, "held", "48 answers")


@pytest.mark.parametrize("detail", [{}, {"gates": []}, {"gates": [{"gate": "latency", "passed": False}]}])
def test_a_promotion_without_passed_gates_is_named(market, detail):
    ledger = market.workspace().ledger
    promoted = next(e for e in ledger.events(NAME) if e.kind is EventKind.PROMOTED)
    forged = dataclasses.replace(promoted.model, version="7")
    ledger.add_event(
        dataclasses.replace(
            promoted, version="7", model=forged, at=market.workspace().now(), champion="7", detail=detail
        )
    )

    assert _found(market, "P4", "", "version 7", "without passing its gates")


def test_a_promotion_with_gates_of_its_own_making_is_named(market):
    ledger = market.workspace().ledger
    promoted = next(e for e in ledger.events(NAME) if e.kind is EventKind.PROMOTED)
    forged = dataclasses.replace(promoted.model, version="7")
    ledger.add_event(dataclasses.replace(promoted, version="7", model=forged, champion="7"))

    assert _found(market, "P4", "", "version 7", "without passing its gates")


@pytest.mark.parametrize("to", ["another version", None])
def test_an_alias_moved_by_hand_is_named(market, to):
    client = _mlflow(market)
    if to is None:
        client.delete_registered_model_alias(NAME, "champion")
    else:
        first = client.get_model_version(NAME, market.champion())
        to = client.create_model_version(NAME, first.source, first.run_id).version
        client.set_registered_model_alias(NAME, "champion", to)

    assert _found(market, "P4", "", f"champion is version {to}", f"history's is {market.champion()}")


def test_an_incident_of_no_known_cause_is_named(market):
    market.workspace().ledger.open_incident(
        Incident(NAME, PLAIN, "data.gremlins", "score", "none", evidence={"rows": 1})
    )

    assert _found(market, "P5", PLAIN, "data.gremlins")


@pytest.mark.parametrize("column", ["stage", "response"])
def test_an_incident_that_does_not_say_what_was_done_is_named(market, column):
    _sql(market, f"update incidents set {column} = '' where batch_id = '{SUSPECT}' and cause = 'data.nulls'")

    assert _found(market, "P5", SUSPECT, "data.nulls", column)


@pytest.mark.parametrize(("batch", "promise"), [(DIRTY, "P3"), (DIRTY, "P5"), (SUSPECT, "P3"), (HELD, "P5")])
def test_a_degraded_batch_without_incidents_is_named(market, batch, promise):
    _sql(market, f"delete from incidents where batch_id = '{batch}'")

    assert _found(market, promise, batch)


@pytest.mark.parametrize("cause", ["data.nulls", "data.suspect_column"])
def test_another_incident_does_not_speak_for_the_one_that_is_gone(market, cause):
    assert market.causes(SUSPECT) >= {"data.nulls", "data.suspect_column"}
    _sql(market, f"delete from incidents where batch_id = '{SUSPECT}' and cause = '{cause}'")

    assert _found(market, "P3", SUSPECT)


def test_pins_changed_to_another_champion_are_named(market):
    ledger = market.workspace().ledger
    pins = ledger.batch(NAME, PLAIN).pins
    forged = dataclasses.replace(pins, champion=dataclasses.replace(pins.champion, version="7"))
    _sql(
        market,
        "update batches set pins = :pins where batch_id = :batch",
        pins=json.dumps(forged.to_json()),
        batch=PLAIN,
    )

    assert _found(market, "P4", PLAIN, "version 7", f"version {market.champion()} was in charge")


def test_a_batch_that_the_ledger_forgot_is_named(market):
    _sql(market, f"delete from batches where batch_id = '{PLAIN}'")

    assert _found(market, "P3", PLAIN, "the ledger does not know")


@pytest.mark.parametrize(
    ("column", "value"), [("needs_review", "not needs_review"), ("arm", "'canary'"), ("revision", "2")]
)
def test_a_forged_word_of_an_answer_on_itself_is_named(market, column, value):
    key = _keys(market, PLAIN)[6]
    _forge(market, PLAIN, key, **{column: value})

    assert _found(market, "P3", PLAIN, "1 answers", column.partition("_")[0], key)


def test_a_stale_source_that_no_accepted_row_knows_is_named(market):
    key = _keys(market, DIRTY)[6]
    _rewrite(
        market, Table.PREDICTIONS, DIRTY, "stale", lambda row: ["feed"] if row["settlement"] == key else []
    )

    assert _found(market, "P3", DIRTY, "1 answers", "stale sources", key)


@pytest.mark.parametrize("raw", ["price", "not JSON", "[]"])
def test_a_quarantined_row_rewritten_is_named(market, raw):
    first = market.read(Table.QUARANTINE, DIRTY)["raw"].iloc[0]
    forged = json.dumps(json.loads(first) | {"price": "1.25"}) if raw == "price" else raw
    _rewrite(
        market, Table.QUARANTINE, DIRTY, "raw", lambda row: forged if row["raw"] == first else row["raw"]
    )

    assert _found(market, "P1", DIRTY, "raw values that did not land")


def test_reasons_rewritten_to_nonsense_are_named(market):
    nonsense = [{"column": "moon", "check": "phase", "value": "full"}]
    _rewrite(market, Table.QUARANTINE, DIRTY, "reasons", lambda _: nonsense)

    assert _found(market, "P5", DIRTY, "rows quarantined for data.invalid_value")


def test_quarantine_s_own_incident_is_missed_beside_another(market):
    reasons = market.read(Table.QUARANTINE, DIRTY)["reasons"].iloc[0]
    cause = cause_of(reasons[0]["check"])
    _sql(market, f"delete from incidents where batch_id = '{DIRTY}' and cause = '{cause}'")
    assert market.causes(DIRTY)

    assert _found(market, "P5", DIRTY, f"rows quarantined for {cause}", "without an incident")


@pytest.mark.parametrize("place", [Table.ACCEPTED, Table.QUARANTINE])
def test_rows_of_a_held_batch_are_found(market, place):
    table = _delta(market, place)
    rows = table.to_pyarrow_table(filters=[("batch_id", "=", DIRTY)])
    ids = pa.array([HELD] * rows.num_rows, pa.string())
    write_deltalake(
        table, rows.set_column(rows.schema.get_field_index("batch_id"), "batch_id", ids), mode="append"
    )

    assert _found(market, "P1", HELD, "held", place.value)


def test_a_held_batch_whose_rows_the_ledger_denies_is_named(market):
    _sql(market, f"update batches set held = 0 where batch_id = '{HELD}'")

    assert _found(market, "P1", HELD, "0 rows said to be held", "48 landed")


@pytest.mark.parametrize("place", ["landed", "scored", "quarantined"])
def test_counts_of_the_ledger_that_are_not_the_lake_s_are_named(market, place):
    _sql(market, f"update batches set {place} = 7 where batch_id = '{PLAIN}'")

    assert _found(market, "P1", PLAIN, f"7 rows {place} says the ledger")


def test_a_reversal_to_a_version_that_never_was_champion_is_named(market):
    ledger = market.workspace().ledger
    promoted = next(e for e in ledger.events(NAME) if e.kind is EventKind.PROMOTED)
    at = market.workspace().now()
    forged = dataclasses.replace(promoted.model, version="7")
    event = dataclasses.replace(promoted, at=at, detail={}, version="7", model=forged, champion="")
    ledger.add_event(dataclasses.replace(event, kind=EventKind.REGISTERED, champion=promoted.version))
    ledger.add_event(
        dataclasses.replace(
            event, kind=EventKind.REVERTED, version=promoted.version, model=promoted.model, champion="7"
        )
    )

    assert _found(market, "P4", "", "version 7", "without ever being promoted")


def test_pins_changed_to_another_previous_are_named(market):
    pins = market.workspace().ledger.batch(NAME, PLAIN).pins
    _pin(market, PLAIN, dataclasses.replace(pins, previous=dataclasses.replace(pins.champion, version="7")))

    assert _found(market, "P4", PLAIN, "version 7", "the one before")


@pytest.mark.parametrize(("seconds", "clean"), [(3, True), (60, False)])
def test_a_batch_that_started_while_the_charge_changed_may_know_either(market, seconds, clean):
    ledger = market.workspace().ledger
    promoted = next(e for e in ledger.events(NAME) if e.kind is EventKind.PROMOTED)
    pins = ledger.batch(NAME, PLAIN).pins
    _pin(market, PLAIN, dataclasses.replace(pins, as_of=promoted.at - timedelta(seconds=seconds)))

    assert (market.audit().broken("P4") == []) is clean


def test_a_mirror_that_is_behind_is_noted(market_with_previous):
    _mlflow(market_with_previous).set_registered_model_alias(NAME, "champion", "1")

    findings = market_with_previous.audit()

    assert findings.breaches == []
    assert any("has not caught up" in n for n in findings.notes)


def test_a_first_promotion_that_could_not_be_mirrored_is_noted(market):
    _mlflow(market).delete_registered_model_alias(NAME, "champion")
    market.workspace().ledger.open_incident(
        Incident(NAME, "", "dependency.mlflow_down", "mirror", "went on without", evidence={"error": "away"})
    )

    findings = market.audit()

    assert findings.breaches == []
    assert any("has not caught up" in n for n in findings.notes)


def test_batches_of_another_configuration_are_not_judged_by_today_s(market, monkeypatch):
    monkeypatch.setenv("EVENKEEL_REVIEW__BELOW", "0.99")
    monkeypatch.setenv("EVENKEEL_TARGET__DEFAULT", "DOWN")

    findings = market.audit()

    assert findings.breaches == []
    (told,) = [n for n in findings.notes if "another configuration" in n]
    assert told.startswith(f"{LEARNED + 4} batches")


def test_rows_of_another_configuration_are_counted_all_the_same(market, monkeypatch):
    monkeypatch.setenv("EVENKEEL_REVIEW__BELOW", "0.99")
    key = _keys(market, PLAIN)[3]
    _delta(market, Table.PREDICTIONS).delete(f"batch_id = '{PLAIN}' and {_is(key)}")

    assert _found(market, "P1", PLAIN, key)


def test_a_pending_batch_that_cannot_be_read_is_noted_and_the_audit_goes_on(market):
    file = market.home / "broken.parquet"
    file.write_bytes(b"PAR1 and then nothing of the kind PAR1")
    land_files(market.workspace(), [str(file)], "broken")

    findings = market.audit()

    assert findings.breaches == []
    assert any("batch broken cannot be read" in n for n in findings.notes)


def test_a_sample_of_many_answers_is_said_to_be_one(market, monkeypatch):
    monkeypatch.setattr("evenkeel.audit.answers._SAMPLE", 10)

    assert any(PLAIN in n and "sample of 10 of its 48" in n for n in market.audit().notes)


def test_the_command_prints_a_breach_and_exits_1(market, monkeypatch, capsys):
    key = _keys(market, PLAIN)[3]
    _delta(market, Table.PREDICTIONS).delete(f"batch_id = '{PLAIN}' and {_is(key)}")

    assert _command(monkeypatch, "audit", NAME) == 1

    printed = capsys.readouterr().out
    assert f"BROKEN P1 {PLAIN}" in printed
    assert str(key.date()) in printed


def test_the_command_exits_0_where_every_promise_is_kept(market, monkeypatch, capsys):
    assert _command(monkeypatch, "audit", NAME) == 0
    assert "every promise is kept" in capsys.readouterr().out


def test_the_command_s_json_tells_the_same(market, monkeypatch, capsys):
    key = _keys(market, PLAIN)[3]
    _delta(market, Table.PREDICTIONS).delete(f"batch_id = '{PLAIN}' and {_is(key)}")
    findings = market.audit()

    assert _command(monkeypatch, "audit", NAME, "--json") == 1

    (told,) = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(dataclasses.asdict(findings)))
    assert {b["promise"] for b in told["breaches"]} == {"P1", "P2"}


def _found(market, promise, batch, *words):
    """Say whether one breach of the promise names the batch and all the words; an empty audit explains itself."""
    breaches = market.audit().broken(promise)
    wanted = [str(w) for w in words]
    assert any(b.batch_id == batch and all(w in b.what for w in wanted) for b in breaches), breaches
    return True


def _keys(market, batch):
    return market.answers(batch)["settlement"].tolist()


def _is(key):
    return f"settlement = '{key.isoformat()}'"


def _day_of(key):
    return str(key)[:10]


def _delta(market, table):
    return DeltaTable(str(market.home / "lake" / NAME / table.value))


def _forge(market, batch, key, **cells):
    _delta(market, Table.PREDICTIONS).update(cells, predicate=f"batch_id = '{batch}' and {_is(key)}")


def _empty_list(market, table, batch, key, column):
    """Write one row's list anew: Delta's own update has no literal for an empty list."""
    delta = _delta(market, table)
    rows = delta.to_pyarrow_table(filters=[("batch_id", "=", batch)])
    lists = [
        [] if str(k) == str(key) else old
        for k, old in zip(rows["settlement"].to_pylist(), rows[column].to_pylist(), strict=True)
    ]
    at = rows.schema.get_field_index(column)
    changed = rows.set_column(at, rows.schema.field(at), pa.array(lists, rows.schema.field(at).type))
    assert not changed.equals(rows)
    write_deltalake(delta, changed, mode="overwrite", predicate=f"batch_id = '{batch}'")


def _rewrite(market, table, batch, column, cell):
    """Write one column of a batch anew, each cell made from its row."""
    delta = _delta(market, table)
    rows = delta.to_pyarrow_table(filters=[("batch_id", "=", batch)])
    at = rows.schema.get_field_index(column)
    cells = pa.array([cell(row) for row in rows.to_pylist()], rows.schema.field(at).type)
    changed = rows.set_column(at, rows.schema.field(at), cells)
    assert not changed.equals(rows)
    write_deltalake(delta, changed, mode="overwrite", predicate=f"batch_id = '{batch}'")


def _pin(market, batch, pins):
    _sql(
        market,
        "update batches set pins = :pins where batch_id = :batch",
        pins=json.dumps(pins.to_json()),
        batch=batch,
    )


def _sql(market, statement, **values):
    engine = sa.create_engine(f"sqlite:///{market.home / 'ledger.db'}")
    with engine.begin() as connection:
        assert connection.execute(sa.text(statement), values).rowcount > 0
    engine.dispose()


def _mlflow(market):
    from mlflow import MlflowClient

    uri = f"sqlite:///{market.home / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0
