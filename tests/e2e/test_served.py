"""The flows as a Prefect server runs them: deployed from prefect.yaml, taken by a process worker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evenkeel.adapters.lake import Table
from tests.e2e.market import LEARNED, NAME

ROOT = Path(__file__).parents[2]
POOL = "evenkeel"
# A bound on a hang, not an expectation.
PATIENCE = 240


@pytest.fixture(scope="module")
def deployed(prefect_server):
    """Register every deployment of prefect.yaml with the server, on a process work pool."""
    _prefect(prefect_server, "work-pool", "create", POOL, "--type", "process")
    return _prefect(prefect_server, "deploy", "--all")


def test_the_committed_deployments_are_those_of_the_configs():
    said = subprocess.run(
        [sys.executable, "-m", "evenkeel", "deployments"], cwd=ROOT, capture_output=True, check=True
    ).stdout

    assert said == (ROOT / "prefect.yaml").read_bytes()


def test_every_pipeline_is_deployed_with_its_schedule(deployed, prefect_server):
    found = {f"{name}/{d.name}": d for name, d in _deployments()}

    assert set(found) == {
        f"{flow}/{pipeline}" for flow in ("score", "retrain", "rollback") for pipeline in ("elec2", "market")
    }
    assert [s.schedule.cron for s in found["score/market"].schedules] == ["20 * * * *"]
    assert all(d.work_pool_name == POOL for d in found.values())


def test_a_worker_scores_what_landed_and_shows_it(deployed, market, prefect_server):
    batch = market.land_dirty(LEARNED)
    run = _ask_for("score/market")

    _prefect(prefect_server, "worker", "start", "--pool", POOL, "--run-once", "--install-policy", "never")

    done = _run(run.id)
    assert done.state.is_completed(), done.state
    assert done.name == f"score {NAME}"
    shown = {a.key: a for a in _artifacts(run.id)}
    assert set(shown) == {"market-batch", "market-drift"}
    assert batch in shown["market-batch"].description
    assert "| price |" in shown["market-drift"].data
    assert set(market.read(Table.PREDICTIONS, batch)["run_id"]) == {str(run.id)}
    assert market.audit().breaches == []


def _prefect(server, *words):
    """Run Prefect's own command line in the project's folder to its end and return what it said."""
    ended = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *words],
        cwd=ROOT,
        env=os.environ | {"PREFECT_API_URL": server, "PREFECT_LOGGING_LEVEL": "INFO"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def _client():
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


def _deployments():
    with _client() as client:
        flows = {f.id: f.name for f in client.read_flows()}
        return [(flows[d.flow_id], d) for d in client.read_deployments()]


def _ask_for(deployment):
    with _client() as client:
        return client.create_flow_run_from_deployment(client.read_deployment_by_name(deployment).id)


def _run(run_id):
    with _client() as client:
        return client.read_flow_run(run_id)


def _artifacts(run_id):
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    with _client() as client:
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        return client.read_artifacts(artifact_filter=chosen)
