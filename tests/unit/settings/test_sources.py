"""What ``sources`` may say, and how a person is told what it may not."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from evenkeel.errors import UsageError
from evenkeel.settings import load_settings
from evenkeel.settings.load import embedded_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that writes the market's ``sources`` and loads its settings."""
    shutil.copytree(embedded_folder() / "configs", tmp_path / "configs")
    monkeypatch.setenv("EVENKEEL_CONFIG_DIR", str(tmp_path / "configs"))

    def load(*sources: dict[str, Any]) -> Any:
        file = tmp_path / "configs" / "market.yaml"
        content = yaml.safe_load(file.read_text()) | {"sources": list(sources)}
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_settings("market").pipeline.sources

    return load


def test_a_source_with_everything_loads(configured: Any) -> None:
    [source] = configured(
        {
            "name": "customers",
            "uri": "s3://bucket/{batch}.csv",
            "replicas": [{"uri": "/copy/{batch}.csv"}, {"uri": "postgresql://h/d", "table": "customers"}],
            "max_age": 3600,
            "checksum": "sidecar",
            "compare": "all",
            "snapshot": True,
            "last_known_good": {"max_staleness": 86400},
        }
    )
    assert [r.is_database for r in source.replicas] == [False, True]
    assert source.last_known_good.max_staleness == 86400


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"replica": []}, r"line \d+: unknown key 'sources.0.replica'; did you mean 'replicas'"),
        ({"replicas": [{"url": "/a"}]}, r"'sources.0.replicas.0.ur[il]'"),
        (
            {"replicas": [{"uri": "/copy/*.csv"}]},
            r"line \d+: key 'sources.0': replicas\[0\].uri and uri must both",
        ),
        ({"compare": "all"}, "compare: all needs replicas"),
        ({"compare": "most", "replicas": [{"uri": "/a"}]}, "'sources.0.compare'.*'none' or 'all'"),
        ({"max_age": 0}, "'sources.0.max_age'.*greater than 0"),
        ({"checksum": "sidecar", "table": "rows"}, "a database states no checksum"),
        ({"last_known_good": {"max_staleness": 1}}, "set snapshot: true"),
        ({"last_known_good": {}, "snapshot": True}, "'sources.0.last_known_good.max_staleness' is missing"),
        ({"uri": "/in/*.csv", "snapshot": True}, "snapshot needs a batch that its schedule names"),
    ],
)
def test_what_a_source_may_not_say_is_told_with_file_and_key(
    configured: Any, source: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        configured({"uri": "/in/{batch}.csv"} | source)
    assert "market.yaml" in str(caught.value)


def test_two_sources_of_one_name_are_refused(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="'feed' is the name of several"):
        configured({"name": "feed", "uri": "/a"}, {"name": "feed", "uri": "/b"})
    monkeypatch.setenv("EVENKEEL_SOURCES", json.dumps([{"name": "feed", "uri": "/a"}]))
    assert configured({"name": "other", "uri": "/b"})[0].name == "feed"
