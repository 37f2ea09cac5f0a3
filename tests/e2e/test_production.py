"""The production profile on real servers: PostgreSQL, S3, MLflow and Prefect, from landing to a clean audit."""

import uuid

import pytest

from evenkeel.adapters.lake import Table
from tests import servers
from tests.e2e.market import DAYS, LEARNED, NAME, Market


@pytest.fixture
def production(prefect_server, postgresql_url, tmp_path, monkeypatch):
    bucket = f"s3://evenkeel-{uuid.uuid4().hex[:8]}"
    with servers.s3(tmp_path) as s3, servers.mlflow(tmp_path, postgresql_url) as mlflow:
        for name, value in {
            "EVENKEEL_PROFILE": "production",
            "EVENKEEL_HOME": str(tmp_path / "home"),
            "EVENKEEL_PLATFORM__LAKE__URI": f"{bucket}/lake",
            "EVENKEEL_PLATFORM__LANDING__URI": f"{bucket}/landing",
            "EVENKEEL_PLATFORM__LANDING__REPLICAS": f'["{bucket}/copy"]',
            "EVENKEEL_PLATFORM__LEDGER__URL": postgresql_url,
            "EVENKEEL_PLATFORM__REGISTRY__URI": mlflow,
            "EVENKEEL_PLATFORM__ORCHESTRATOR__API_URL": prefect_server,
            "EVENKEEL_PLATFORM__LOG__LEVEL": "error",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": s3,
        }.items():
            monkeypatch.setenv(name, value)
        _make_bucket(s3, bucket.removeprefix("s3://"))
        yield Market(tmp_path / "home")


def test_the_main_job_runs_on_shared_servers_and_is_audited_clean(production):
    for number in range(LEARNED):
        production.land(number)
    production.run()
    for number in range(LEARNED):
        production.label(number)
    assert production.retrain()["promoted"]
    batch = production.land_dirty(LEARNED)
    production.run()

    assert set(production.read(Table.PREDICTIONS, batch)["rung"]) == {"champion"}
    assert production.workspace().registry.aliases(NAME) == {"champion": production.champion()}
    findings = production.audit()
    assert findings.clean, findings.breaches
    assert findings.rows["landed"] >= 48 * len(DAYS[: LEARNED + 1])


def _make_bucket(endpoint, name):
    import s3fs

    s3fs.S3FileSystem(key="test", secret="test", client_kwargs={"endpoint_url": endpoint}).mkdir(name)
