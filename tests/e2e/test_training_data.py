"""Training is protected: nothing is learned from rows of a broken feed until somebody says that they are right."""

import json
import sys
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
import structlog

from evenkeel.cli.app import main
from evenkeel.domain.batch import BatchState
from evenkeel.domain.incident import Incident
from evenkeel.domain.model_event import EventKind
from evenkeel.errors import Permanent
from evenkeel.stages.batch_run import BatchRun
from evenkeel.stages.drift import measure_drift, request_retrain
from evenkeel.stages.impute import Filled
from evenkeel.stages.label import labels_late, take_labels
from evenkeel.stages.models import Models, open_model, standby
from evenkeel.stages.publish import conclude_batch
from evenkeel.stages.train import gather_examples, train_challenger
from tests.e2e.market import DAYS, LEARNED, NAME

TAINTED, OTHER, LAST = (DAYS[n].batch_id for n in (LEARNED - 2, LEARNED - 5, LEARNED - 1))


@pytest.fixture
def market(market):
    """A learned market on which nothing is open."""
    workspace = market.workspace()
    workspace.ledger.resolve_incidents(workspace.ledger.incidents(NAME), at=workspace.now())
    return market


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command as the shell would; return its exit code and what it wrote."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["evenkeel", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out + said.err

    return call


@pytest.fixture
def quick(monkeypatch):
    """Search one small model: what is tested is not the search."""
    monkeypatch.setenv("EVENKEEL_TRAINING__CANDIDATES", '[{"estimator": "linear"}]')


def broke(market, batch, cause="data.unit_change", **changes):
    """Enter what the classifier would have found in a batch."""
    workspace = market.workspace()
    evidence = {"price": {"transform": "x1000", "confidence": 0.99}}
    found = Incident(NAME, batch, cause, "diagnose", "price: repaired", evidence, workspace.now())
    workspace.ledger.open_incident(replace(found, **changes))


def open_causes(market, batch):
    open_ones = market.workspace().ledger.incidents(NAME, open_only=True)
    return {i.cause for i in open_ones if i.batch_id == batch and i.failure_class == "data"}


def _of(market, batch, cause):
    found = market.workspace().ledger.incidents(NAME)
    return [i for i in found if (i.batch_id, i.cause) == (batch, cause)]


def days(rows):
    return sorted(rows["settlement"].dt.strftime("%Y-%m-%d").unique())


def test_rows_of_a_broken_feed_are_left_out_and_the_card_and_the_log_say_so(market, quick):
    broke(market, TAINTED)
    broke(market, OTHER, "data.covariate_drift")  # the world changed: that is what a retrain is for

    with structlog.testing.capture_logs() as logs:
        examples = gather_examples(market.workspace())

    assert days(examples.frame) == [d.batch_id for d in DAYS[:LEARNED] if d.batch_id != TAINTED]
    assert TAINTED not in examples.batches
    assert len(examples.batches) == LEARNED - 1
    assert [entry["left_out"] for entry in logs if "left_out" in entry] == [f"{TAINTED} (data.unit_change)"]
    card = train_challenger(market.workspace(), examples).card
    assert card.batches == examples.batches
    note = f"1 batches left out until their incidents are resolved: {TAINTED} (data.unit_change)"
    assert card.notes[-1] == note


def test_older_batches_fill_the_window(market, monkeypatch):
    monkeypatch.setenv("EVENKEEL_TRAINING__WINDOW", "96")
    broke(market, LAST)
    broke(market, TAINTED, "data.sign_flip")

    examples = gather_examples(market.workspace())

    assert days(examples.frame) == [DAYS[LEARNED - 4].batch_id, DAYS[LEARNED - 3].batch_id]
    assert examples.left_out == {LAST: ("data.unit_change",), TAINTED: ("data.sign_flip",)}


def test_training_that_lacks_rows_for_it_is_refused_and_names_batches_and_causes(market):
    for day in DAYS[: LEARNED - 3]:
        broke(market, day.batch_id)

    with pytest.raises(Permanent) as refused:
        train_challenger(market.workspace(), gather_examples(market.workspace()))

    assert "144 labelled rows" in refused.value.message
    for day in DAYS[: LEARNED - 3]:
        assert f"{day.batch_id} (data.unit_change)" in refused.value.message
    assert f"evenkeel incidents {NAME} --resolve BATCH" in refused.value.fix


def test_a_later_batch_takes_nothing_back_that_taints_rows(market):
    broke(market, TAINTED)
    broke(market, TAINTED, "data.nulls")
    market.land(LEARNED)
    market.run()

    assert open_causes(market, TAINTED) == {"data.unit_change"}, "the rest is over, as ever"


def test_a_replay_that_no_longer_shows_it_resolves_it(market):
    broke(market, TAINTED)
    broke(market, TAINTED, "data.sign_flip")
    run = BatchRun(market.workspace(), TAINTED, "replay")
    run.counts = run.workspace.ledger.batch(NAME, TAINTED).counts
    run.note("data.sign_flip", "diagnose", "price: repaired", price={})

    conclude_batch(run, judged=False)
    assert open_causes(market, TAINTED) == {"data.unit_change", "data.sign_flip"}, "closed, not judged"
    conclude_batch(run)

    assert run.state is BatchState.PUBLISHED
    assert open_causes(market, TAINTED) == {"data.sign_flip"}


def test_a_person_resolves_it_and_the_rows_are_learned_from(market, command):
    broke(market, TAINTED)
    broke(market, TAINTED, "data.sign_flip")
    _, said = command("status", NAME)
    assert f"{TAINTED} (data.sign_flip, data.unit_change)" in said

    code, _ = command("incidents", NAME, "--resolve", TAINTED, "--cause", "data.sign_flip")
    assert code == 0
    assert open_causes(market, TAINTED) == {"data.unit_change"}
    why = "compared with the meter"
    asked = ("--resolve", TAINTED, "--cause", "data.unit_change", "--why", why, "--by", "ada", "--json")
    code, said = command("incidents", NAME, *asked)

    assert code == 0
    (resolved,) = json.loads(said)
    assert (resolved["cause"], bool(resolved["resolved"])) == ("data.unit_change", True)
    kept = {"price": {"transform": "x1000", "confidence": 0.99}, "resolved_by": "ada", "why": why}
    assert resolved["evidence"] == kept
    assert TAINTED in gather_examples(market.workspace()).batches


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--resolve", "2026-1-15"], f"did you mean {TAINTED}"),
        (["--resolve", "elsewhere"], "`evenkeel incidents market --open` lists"),
        (["--resolve", DAYS[LEARNED].batch_id], f"batches with open incidents: {TAINTED}"),
        (["--resolve", TAINTED, "--cause", "data.noise"], "open: data.unit_change"),
        (["--why", "because"], "--resolve BATCH"),
    ],
)
def test_resolving_what_is_not_there_is_bad_usage_and_says_what_is(market, command, arguments, named):
    broke(market, TAINTED)
    market.land(LEARNED)

    code, said = command("incidents", NAME, *arguments)

    assert code == 2
    assert named in said
    assert open_causes(market, TAINTED) == {"data.unit_change"}


def test_what_a_person_resolved_opens_anew_when_it_shows_again(market, command):
    broke(market, TAINTED)
    command("incidents", NAME, "--resolve", TAINTED)
    (before,) = _of(market, TAINTED, "data.unit_change")

    broke(market, TAINTED)

    (again,) = _of(market, TAINTED, "data.unit_change")
    assert again.resolved_at is None
    assert again.opened_at > before.resolved_at


@pytest.mark.parametrize(("opened", "found"), [(-1, True), (1, False)], ids=["before", "after"])
def test_the_audit_names_a_version_that_learned_from_rows_tainted_by_then(market, opened, found):
    events = market.workspace().ledger.events(NAME)
    (registered,) = [e for e in events if e.kind is EventKind.REGISTERED]
    broke(market, TAINTED, opened_at=registered.at + timedelta(seconds=opened))

    breaches = [(b.promise, b.batch_id, b.what) for b in market.audit().breaches]

    what = "version 1 learned from its rows under an open data.unit_change"
    assert breaches == ([("P4", TAINTED, what)] if found else [])


def test_a_feature_that_tells_the_label_is_refused_until_a_person_vouches_for_it(
    new_market, quick, monkeypatch
):
    for number, day in enumerate(DAYS[:8]):
        new_market.land(number, transfer=day.labels["direction"].map({"UP": 100.0, "DOWN": -100.0}))
    new_market.run()
    for number in range(8):
        new_market.label(number)

    report = new_market.retrain()

    assert not report["promoted"]
    assert "leakage: transfer alone tells the label" in report["why"]
    refused = new_market.workspace().ledger.events(NAME)[-1]
    assert (refused.kind, refused.why) == (EventKind.REFUSED, report["why"])
    assert leaks(new_market) == [None]
    assert new_market.audit().breaches == []

    monkeypatch.setenv("EVENKEEL_GATES__MAX_SINGLE_FEATURE", "1")
    assert "leakage" not in new_market.retrain()["why"]
    assert None not in leaks(new_market)


def leaks(market):
    """Return when each incident of a leak was resolved."""
    found = market.workspace().ledger.incidents(NAME)
    return [i.resolved_at for i in found if i.cause == "data.label_leakage"]


@pytest.fixture
def late_labels(market):
    """Answer five more days; return label files: four days with their classes swapped, as they are, the fifth."""
    for number in range(LEARNED, LEARNED + 5):
        market.land(number)
    market.run()
    days_of = [day.labels for day in DAYS[LEARNED : LEARNED + 5]]
    right = pd.concat(days_of[:4])
    swapped = right.assign(direction=right["direction"].map({"UP": "DOWN", "DOWN": "UP"}))
    files = [market.home / f"{name}.csv" for name in ("swapped", "right", "fifth")]
    for file, labels in zip(files, (swapped, right, days_of[4]), strict=True):
        labels.to_csv(file, index=False)
    return files


def flips(market):
    return [i for i in market.workspace().ledger.incidents(NAME) if i.cause == "data.labels_flipped"]


def test_labels_whose_classes_changed_places_are_refused_whole_until_the_file_is_right(
    market, late_labels, command
):
    swapped, right, other = late_labels
    before = market.table_versions()

    code, said = command("label", NAME, swapped)

    assert code == 1
    assert "its labels contradict the answers and every earlier label, as if by UP->DOWN, DOWN->UP" in said
    assert "nothing was stored" in said
    assert "--trust" in said
    assert market.table_versions() == before
    (incident,) = flips(market)
    assert incident.resolved_at is None
    assert incident.evidence["batches"] == [day.batch_id for day in DAYS[LEARNED : LEARNED + 4]]
    assert command("label", NAME, other)[0] == 0
    assert flips(market)[0].resolved_at is None, "the labels of another day mend nothing"
    assert command("label", NAME, right)[0] == 0
    assert flips(market)[0].resolved_at is not None
    assert market.audit().breaches == []


def test_labels_are_not_held_against_answers_to_a_broken_feed(market, late_labels):
    for day in DAYS[LEARNED : LEARNED + 4]:
        broke(market, day.batch_id, "data.sign_flip")

    assert take_labels(market.workspace(), str(late_labels[0])).taken == 4 * 48


def test_labels_that_a_person_vouches_for_are_taken_all_the_same(market, late_labels, command):
    swapped, *_ = late_labels
    assert command("label", NAME, swapped)[0] == 1

    code, said = command("label", NAME, swapped, "--trust", "--json")

    assert code == 0
    assert json.loads(said)[0]["taken"] == 4 * 48
    (incident,) = flips(market)
    assert (incident.evidence["resolved_by"], incident.resolved_at is None) == ("hand", False)
    assert command("label", NAME, swapped)[0] == 0, "what is stored is stored: the same file says nothing new"


def test_labels_are_late_once_a_batch_has_waited_longer_than_it_should(market, late_labels, monkeypatch):
    assert labels_late(market.workspace()) is None, "nobody said when to expect them"
    monkeypatch.setenv("EVENKEEL_LABELS__EXPECTED_WITHIN", "3600")
    workspace = market.workspace()
    assert labels_late(workspace) is None
    now = workspace.now()
    workspace.now = lambda: now + timedelta(hours=2)

    late = labels_late(workspace)

    assert (late["batch"], late["expected_within"]) == (DAYS[LEARNED].batch_id, 3600)
    assert 7000 < late["waits"] < 7400
    late_one = Incident(NAME, "", "data.labels_late", "labels", "told", late, workspace.now())
    workspace.ledger.open_incident(late_one)
    take_labels(workspace, str(late_labels[2]))
    assert labels_late(workspace) is None
    assert not [i for i in workspace.ledger.incidents(NAME, open_only=True) if i.cause == "data.labels_late"]


@pytest.mark.parametrize("cause", [None, "data.unit_change"])
def test_drift_of_a_broken_feed_asks_for_no_retrain(market, monkeypatch, cause):
    monkeypatch.setenv("EVENKEEL_DRIFT__RETRAIN_WHEN", '{"drifted": 1, "of": 1}')
    workspace = market.workspace()
    champion = workspace.ledger.standing(NAME).champion
    models = Models(standby(workspace, champion, open_model(workspace, champion)), None)
    rows = workspace.schema.coerce  # typed as a batch is
    frame = DAYS[LEARNED].rows.assign(price=DAYS[LEARNED].rows["price"] * 1000)
    frame = frame.assign(**{c: rows(c, frame[c]).values for c in frame.columns})
    run = BatchRun(workspace, "today", "run")
    if cause:
        run.note(cause, "diagnose", "price: imputed", price={"transform": "x1000"})

    verdict = measure_drift(run, Filled(frame, frame["price"].map(lambda _: [])), models)
    asked = request_retrain(run)

    assert [c.column for c in verdict.columns if c.drifted] == ["price"], "kept as measured"
    assert (verdict.drifted, asked) == (cause is None, cause is None)
    assert ("data.covariate_drift" in {n.cause for n in run.notes}) is (cause is None)
    if cause:
        assert verdict.note.startswith("does not count: the feed broke (data.unit_change)")
        assert not workspace.ledger.drift(NAME)["today"].drifted
