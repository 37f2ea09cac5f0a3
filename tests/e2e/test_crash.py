"""A run is killed with no chance to say goodbye; the same command again makes good what it broke."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pandas as pd
import pytest

from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState
from evenkeel.domain.model_event import EventKind
from tests.e2e.market import LEARNED, NAME, Market

NEXT = LEARNED


@pytest.fixture
def twin(market, tmp_path, monkeypatch):
    """Score the dirty day in a copy of the home, undisturbed, and return that home's tables."""
    batch = market.land_dirty(NEXT)
    home = tmp_path / "twin"
    shutil.copytree(market.home, home)
    with monkeypatch.context() as patch:
        patch.setenv("EVENKEEL_HOME", str(home))
        undisturbed = Market(home)
        undisturbed.run()
        return {
            t: _rows(undisturbed, t, batch) for t in (Table.PREDICTIONS, Table.ACCEPTED, Table.QUARANTINE)
        }


@pytest.mark.parametrize("stage", ["read", "score", "publish"])
def test_a_killed_run_s_rerun_publishes_what_an_undisturbed_run_does(market, twin, prefect_server, stage):
    (batch,) = market.workspace().landing.landed(NAME)[NEXT:]
    _kill_after(stage, prefect_server, "run", NAME)
    state = market.workspace().ledger.batch(NAME, batch.batch_id).state
    assert state is not BatchState.PUBLISHED, "the kill came in the middle"

    market.run()

    for table, undisturbed in twin.items():
        pd.testing.assert_frame_equal(_rows(market, table, batch.batch_id), undisturbed)
    incidents = [(i.batch_id, i.cause) for i in market.workspace().ledger.incidents(NAME)]
    assert max(Counter(incidents).values()) == 1
    assert market.workspace().ledger.batch(NAME, batch.batch_id).state is BatchState.PUBLISHED
    assert market.audit().breaches == []
    assert market.run() == {}, "nothing is left to do"


@pytest.mark.parametrize("stage", ["train", "register", "promote"])
def test_a_killed_retrain_s_rerun_promotes_once_and_leaves_no_ghost(
    market, prefect_server, monkeypatch, stage
):
    monkeypatch.setenv("EVENKEEL_GATES__MARGIN", "1")
    before = market.workspace().ledger.events(NAME)
    _kill_after(stage, prefect_server, "retrain", NAME, "--force")

    market.retrain()

    since = market.workspace().ledger.events(NAME)[len(before) :]
    assert [e.kind for e in since] == [EventKind.REGISTERED, EventKind.PROMOTED]
    assert [v.ref.version for v in market.workspace().registry.versions(NAME)] == ["1", "2"]
    assert market.workspace().registry.aliases(NAME) == {"champion": "2", "previous": "1"}
    assert market.champion() == "2"
    assert market.audit().breaches == []


def _kill_after(stage, server, *words):
    """Run the command in a process of its own and kill it the moment it has ended the stage."""
    environment = os.environ | {
        "PREFECT_API_URL": server,
        "EVENKEEL_PLATFORM__LOG__LEVEL": "info",
        "EVENKEEL_PLATFORM__LOG__FORMAT": "json",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "evenkeel", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if line.startswith("{") and _ended(json.loads(line)) == stage:
                break
        else:
            pytest.fail(f"the run ended before stage {stage}: {''.join(said)}")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def _ended(record):
    return record["stage"] if record["event"] == "step ended" else None


def _rows(market, table, batch):
    rows = market.read(table, batch).drop(columns=["run_id", "scored_at"], errors="ignore")
    return rows.sort_values(["settlement", *(["raw"] if "raw" in rows else [])]).reset_index(drop=True)
