"""A model's way into charge and out of it: trained, judged, registered, promoted, refused, rolled back."""

import shutil
import sys

import pytest
import yaml

from evenkeel.adapters.lake import Table
from evenkeel.cli.app import main
from evenkeel.cli.engine import run_flow
from evenkeel.domain.gates import GateReport, GateResult
from evenkeel.domain.model_event import EventKind
from evenkeel.errors import UsageError
from evenkeel.settings import load_settings
from evenkeel.settings.load import embedded_folder
from evenkeel.stages import rollout
from tests.e2e.market import LEARNED, NAME

NEXT = LEARNED + 1


def taken_back(market, **how):
    """Roll back as the command does: the ledger first, then the registry."""
    workspace = market.workspace()
    now = rollout.roll_back(workspace, workspace.ledger.standing(NAME), **how)
    rollout.mirror(workspace)
    return now


@pytest.fixture
def quick(monkeypatch):
    """Search one small model: what is tested is not the search."""
    monkeypatch.setenv("EVENKEEL_TRAINING__CANDIDATES", '[{"estimator": "linear"}]')


def test_a_challenger_that_fails_a_gate_is_refused_with_the_reason(market, quick, monkeypatch):
    monkeypatch.setenv("EVENKEEL_GATES__MARGIN", "1")
    monkeypatch.setenv("EVENKEEL_GATES__MAX_CALIBRATION_ERROR", "0.000001")

    report = market.retrain()

    assert not report["promoted"]
    assert report["why"].startswith("calibration: stated confidence is off by")
    refused = _events(market)[-1]
    assert (refused.kind, refused.version, refused.champion) == (EventKind.REFUSED, "2", "1")
    assert refused.why == report["why"]
    assert market.champion() == "1"
    assert _aliases(market) == {"champion": "1"}
    assert _pipeline_causes(market) == {"model.worse_than_champion"}
    assert market.audit().breaches == []


def test_a_challenger_worse_than_the_champion_is_refused(market, monkeypatch):
    # All it may learn from is one column that says little.
    monkeypatch.setenv("EVENKEEL_TRAINING__CANDIDATES", '[{"estimator": "linear", "grid": {"C": [1e-9]}}]')
    monkeypatch.setenv("EVENKEEL_GATES__MARGIN", "0")

    report = market.retrain()

    assert not report["promoted"]
    assert "beats_champion: accuracy is -" in report["why"]
    assert market.champion() == "1"


def test_too_few_labels_are_a_recorded_refusal(new_market):
    for number in range(2):
        new_market.land(number)
    new_market.run()
    for number in range(2):
        new_market.label(number)

    report = new_market.retrain()

    assert (report["promoted"], report["version"]) == (False, "")
    assert "300" in report["why"]
    (event,) = _events(new_market)
    assert (event.kind, event.why) == (EventKind.REFUSED, report["why"])
    assert _pipeline_causes(new_market) == {"model.training_fails"}
    assert new_market.audit().breaches == []


@pytest.mark.parametrize("came", [(), ("rows",), ("labels",)])
def test_a_retrain_before_rows_and_labels_came_is_a_recorded_refusal(new_market, came):
    if "rows" in came:
        new_market.land(0)
        new_market.run()
    if "labels" in came:
        new_market.label(0)

    assert not new_market.retrain()["promoted"]

    assert [e.kind for e in _events(new_market)] == [EventKind.REFUSED]


def test_without_the_registry_nobody_is_promoted(market, quick, monkeypatch):
    monkeypatch.setenv("EVENKEEL_GATES__MARGIN", "1")
    with monkeypatch.context() as patch:
        patch.setenv("EVENKEEL_PLATFORM__REGISTRY__URI", "http://127.0.0.1:1")
        patch.setenv("EVENKEEL_PLATFORM__POLICIES__REGISTRY__ATTEMPTS", "1")
        report = market.retrain()

    assert not report["promoted"]
    assert "not registered" in report["why"]
    assert market.champion() == "1"
    assert market.audit().breaches == []
    assert market.retrain()["promoted"], "the next retrain makes up for it"
    assert [v.ref.version for v in market.workspace().registry.versions(NAME)] == ["1", "2"]


def test_a_retrain_that_nothing_asks_for_does_nothing(market):
    before = _events(market)

    report = market.retrain(force=False)

    assert report == {"promoted": False, "version": "", "why": "nothing asks for a retrain"}
    assert _events(market) == before


def test_a_rollback_takes_hold_at_once_and_the_next_batch_shows_it(market_with_previous):
    market = market_with_previous
    assert market.champion() == "2"

    now = taken_back(market, why="it misbehaves")

    assert (now.champion.version, now.previous, now.reverted) == ("1", None, frozenset({"2"}))
    assert _aliases(market) == {"champion": "1"}
    versions = {v.ref.version: v.status for v in market.workspace().registry.versions(NAME)}
    assert versions == {"1": "", "2": "reverted"}
    assert "model.reverted" in _pipeline_causes(market)
    batch = market.land(NEXT)
    market.run()
    assert set(market.read(Table.PREDICTIONS, batch)["model_version"]) == {"1"}
    assert market.audit().breaches == []


def test_a_rollback_while_the_registry_is_away_holds_and_is_mirrored_later(
    market_with_previous, monkeypatch, capsys
):
    market = market_with_previous
    with monkeypatch.context() as patch:
        patch.setenv("EVENKEEL_PLATFORM__REGISTRY__URI", "http://127.0.0.1:1")
        assert _command(patch, "rollback", NAME) == 0
        assert "aliases follow with the next retrain" in capsys.readouterr().err
    assert market.champion() == "1"
    assert _aliases(market)["champion"] == "2", "the registry has not heard of it"

    market.retrain(force=False)

    assert _aliases(market) == {"champion": "1"}
    assert market.audit().breaches == []


def test_a_retried_rollback_takes_back_one_version_only(market_with_previous, monkeypatch):
    market = market_with_previous
    workspace = market.workspace()
    before = workspace.ledger.standing(NAME)

    first = rollout.roll_back(workspace, before)
    again = rollout.roll_back(workspace, before)

    assert first.champion.version == again.champion.version == "1"
    assert again.reverted == {"2"}


def test_a_rollback_flow_while_the_registry_is_away_takes_back_one_version_only(
    market_with_previous, monkeypatch
):
    monkeypatch.setenv("EVENKEEL_PLATFORM__REGISTRY__URI", "http://127.0.0.1:1")

    report = run_flow("rollback", load_settings(NAME))

    assert report == {"champion": "1", "previous": ""}


def test_a_challenger_from_the_same_rows_as_a_reverted_one_is_refused(market_with_previous, monkeypatch):
    market = market_with_previous
    monkeypatch.setenv("EVENKEEL_GATES__MARGIN", "1")  # as when version 2 was made
    taken_back(market)

    report = market.retrain()

    assert not report["promoted"]
    assert report["why"] == "made from the same rows and configuration as version 2, which was taken back"
    assert market.champion() == "1"
    assert market.audit().breaches == []


def test_with_nothing_to_go_back_to_a_rollback_is_refused_in_one_line(market, monkeypatch, capsys):
    before = _events(market)

    assert _command(monkeypatch, "rollback", NAME) == 2

    said = capsys.readouterr().err
    assert said.startswith("error: market: no version before the champion to go back to Fix: ")
    assert said.count("\n") == 1
    assert _events(market) == before


def test_a_rollback_before_any_promotion_is_refused(new_market):
    with pytest.raises(UsageError, match="no champion to take back"):
        taken_back(new_market)


@pytest.mark.parametrize("to", ["2", "9"])
def test_a_rollback_goes_only_to_a_version_that_was_in_charge_before(market_with_previous, to):
    with pytest.raises(UsageError, match=f"no version {to} to go back to"):
        taken_back(market_with_previous, to=to)


def test_a_version_that_passed_its_gates_may_be_promoted_by_hand(market_with_previous, monkeypatch, capsys):
    market = market_with_previous

    assert _command(monkeypatch, "promote", NAME, "--to", "1") == 0

    assert market.champion() == "1"
    assert _aliases(market) == {"champion": "1", "previous": "2"}
    assert _events(market)[-1].by == "hand"
    assert market.audit().breaches == []


def test_no_other_version_may_be_promoted_by_hand(market_with_previous):
    workspace = market_with_previous.workspace()
    bad = GateReport((GateResult("latency", False, "9 s", "2 s", "too slow"),))
    unfit = workspace.registry.versions(NAME)[0].ref.__class__("3", "f" * 64, "run")
    rollout.record_registered(workspace, unfit, bad, by="hand", source="s")
    rollout.roll_back(workspace, workspace.ledger.standing(NAME))

    with pytest.raises(UsageError, match="version 3 did not pass: latency: too slow"):
        rollout.promote_by_hand(workspace, "3")
    with pytest.raises(UsageError, match="version 2 was reverted"):
        rollout.promote_by_hand(workspace, "2")
    with pytest.raises(UsageError, match="no registered version 9"):
        rollout.promote_by_hand(workspace, "9")
    assert market_with_previous.champion() == "1"


def test_the_registry_shows_what_a_model_was_made_of(market):
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    uri = f"sqlite:///{market.home / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    version = client.get_model_version_by_alias(NAME, "champion")
    run = client.get_run(version.run_id)

    assert run.info.status == "FINISHED"
    assert run.data.params["estimator"] in {"hist_gradient_boosting", "linear"}
    assert {"accuracy", "baseline_accuracy", "heuristic_accuracy"} <= set(run.data.metrics)
    assert run.data.metrics["accuracy"] > run.data.metrics["heuristic_accuracy"]
    source = client.get_model_version_download_uri(NAME, version.version)
    signature = Model.load(download_artifacts(artifact_uri=source, tracking_uri=uri)).signature
    assert {"price", "demand", "region_weather"} <= set(signature.inputs.input_names())


def _events(market):
    return market.workspace().ledger.events(NAME)


def _aliases(market):
    return market.workspace().registry.aliases(NAME)


def _pipeline_causes(market):
    return {i.cause for i in market.workspace().ledger.incidents(NAME) if not i.batch_id}


def _command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def test_a_column_that_is_taken_out_does_not_keep_the_next_model_away(market, tmp_path, monkeypatch):
    for folder in ("configs", "expectations"):
        shutil.copytree(embedded_folder() / folder, tmp_path / folder)
    config, schema = tmp_path / "configs" / "market.yaml", tmp_path / "expectations" / NAME / "schema.yaml"
    config.write_text(config.read_text().replace(", region_weather]", "]"))
    columns = yaml.safe_load(schema.read_text())
    del columns["columns"]["region_weather"]
    schema.write_text(yaml.safe_dump(columns))
    monkeypatch.setenv("EVENKEEL_CONFIG_DIR", str(tmp_path / "configs"))
    batch = market.land(NEXT)

    assert market.run()[batch]["state"] == "published"
    assert "model.wrong_signature" in market.causes(batch)
    assert market.retrain()["promoted"], "the old champion cannot answer any more: it is no rival"
