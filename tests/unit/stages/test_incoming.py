"""What a look at the sources lands, tells and stands in for."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from evenkeel.adapters.fetched import Fetched
from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.domain.batch import BatchState
from evenkeel.errors import DataRejected, Transient, UsageError
from evenkeel.settings import load_settings
from evenkeel.settings.sources import Source
from evenkeel.stages.incoming import Arrivals, land_incoming, land_offered

if TYPE_CHECKING:
    from pathlib import Path

DEAD = "http://127.0.0.1:9/{batch}.csv"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def _workspace(*sources: dict[str, Any], now: datetime | None = None) -> Workspace:
    settings = load_settings("market")
    described = tuple(Source.model_validate(s) for s in sources)
    pipeline = settings.pipeline.model_copy(update={"sources": described})
    return open_workspace(replace(settings, pipeline=pipeline), now=lambda: now or datetime.now(UTC))


def _look(
    workspace: Workspace, batch: str | None = None, *, day: datetime = DAY, last: bool = True
) -> Arrivals:
    return land_incoming(workspace, batch, scheduled=day, last=last)


def _causes(arrivals: Arrivals) -> list[str]:
    return sorted(n.cause for n in arrivals.notes)


def _incidents(workspace: Workspace, batch: str) -> list[str]:
    return sorted(i.cause for i in workspace.ledger.incidents("market") if i.batch_id == batch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file."""
    place = tmp_path / "in"
    place.mkdir()
    (place / "all.csv").write_text("id,x\n1,2\n")
    return place


def test_what_one_source_refuses_is_told_though_another_is_silent(folder: Path) -> None:
    workspace = _workspace(
        {"name": "away", "uri": DEAD},
        {"name": "none", "uri": str(folder / "absent.csv")},
        {"name": "good", "uri": str(folder / "all.csv")},
    )
    arrivals = _look(workspace)
    assert arrivals.landed == ("2026-03-01",)
    assert _causes(arrivals) == ["data.file_missing", "dependency.source_down"]
    with pytest.raises(Transient, match=r"127\.0\.0\.1:9"):
        arrivals.check_answered()
    early = _look(workspace, last=False)
    assert early.notes == ()  # the look is made again, and tells then
    assert early.away


def test_a_replica_that_is_used_is_told_until_its_source_is_back(folder: Path) -> None:
    source = {"uri": str(folder / "main.csv"), "replicas": [{"uri": str(folder / "all.csv")}]}
    workspace = _workspace(source)
    [note] = _look(workspace).notes
    assert (note.cause, note.response) == ("data.file_missing", "another copy of the source is used")
    assert note.evidence["places"][0]["place"] == "sources.main"
    (folder / "main.csv").write_text("id,x\n1,2\n")
    assert _look(workspace).notes == ()


def test_what_was_wrong_with_a_batch_is_told_with_it_and_once(folder: Path) -> None:
    (folder / "other.csv").write_text("id,x\n1,9\n")
    source = {
        "uri": str(folder / "all.csv"),
        "replicas": [{"uri": str(folder / "other.csv")}],
        "compare": "all",
    }
    workspace = _workspace(source)
    arrivals = _look(workspace)
    assert arrivals.notes == ()
    assert _incidents(workspace, "2026-03-01") == ["data.sources_disagree"]
    open_now = workspace.ledger.incidents("market", open_only=True)
    workspace.ledger.resolve_incidents(open_now, at=DAY)
    _look(workspace)
    assert workspace.ledger.incidents("market", open_only=True) == []


def test_a_copy_that_fails_its_checksum_everywhere_never_lands(folder: Path) -> None:
    (folder / "all.csv.sha256").write_text("0" * 64)
    workspace = _workspace({"uri": str(folder / "all.csv"), "checksum": "sidecar"})
    arrivals = _look(workspace)
    assert arrivals.landed == ()
    assert _causes(arrivals) == ["data.checksum_mismatch"]
    assert workspace.landing.landed("market") == []


SNAPSHOT = {"snapshot": True, "last_known_good": {"max_staleness": 3 * 86400}}


def test_the_last_known_good_copy_of_a_snapshot_stands_in_and_says_so(folder: Path) -> None:
    source = {"name": "customers", "uri": str(folder / "all.csv"), **SNAPSHOT}
    assert _look(_workspace(source)).landed == ("2026-03-01",)
    (folder / "all.csv").unlink()
    workspace = _workspace(source, now=datetime.now(UTC) + timedelta(days=2))
    arrivals = _look(workspace, day=DAY + timedelta(days=1))
    assert arrivals.landed == ("2026-03-02",)
    assert _causes(arrivals) == ["data.file_missing"]
    landing = workspace.landing.landing("market", "2026-03-02")
    assert (landing.repeats, landing.stale) == ("2026-03-01", ("customers",))
    assert [p.read_text() for _, p in workspace.landing.fetch(landing)] == ["id,x\n1,2\n"]
    assert _incidents(workspace, "2026-03-02") == ["data.source_stale"]
    assert workspace.ledger.batch("market", "2026-03-02").state is BatchState.LANDED
    again = _look(workspace, day=DAY + timedelta(days=1))  # as after a crash: nothing doubles
    assert again.landed == ()
    assert len(workspace.landing.landed("market")) == 2


def test_a_stand_in_that_a_crash_kept_from_the_ledger_is_entered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = _workspace({"uri": str(folder / "all.csv"), **SNAPSHOT})
    _look(workspace)
    (folder / "all.csv").unlink()

    def killed(_landing: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(workspace.ledger, "record_landing", killed)
        with pytest.raises(KeyboardInterrupt):
            _look(workspace, day=DAY + timedelta(days=1))
    assert workspace.ledger.batch("market", "2026-03-02") is None
    _look(workspace, day=DAY + timedelta(days=1))
    assert workspace.ledger.batch("market", "2026-03-02") is not None
    assert _incidents(workspace, "2026-03-02") == ["data.source_stale"]
    assert len(workspace.landing.landed("market")) == 2


def test_a_file_that_stands_still_is_late_in_the_end_though_it_was_read_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = (folder / "all.csv").stat().st_ctime
    monkeypatch.setattr("time.time", lambda: began + 60)
    (folder / "copy").mkdir()
    source = {
        "uri": str(folder / "all.csv"),
        "max_age": 3600,
        "replicas": [{"uri": str(folder / "copy" / "all.csv")}],
    }
    soon, later = (datetime.fromtimestamp(began + s, UTC) for s in (60, 7200))
    assert _look(_workspace(source, now=soon)).landed == ("2026-03-01",)
    (folder / "copy" / "all.csv").write_text("id,x\n1,5\n")
    os.utime(folder / "copy" / "all.csv", (began + 7000, began + 7000))
    arrivals = _look(_workspace(source, now=later), day=DAY + timedelta(days=1))
    assert arrivals.landed == ("2026-03-02",)
    assert _causes(arrivals) == ["data.file_late"]


def test_beyond_its_staleness_nothing_stands_in(folder: Path) -> None:
    source = {"name": "customers", "uri": str(folder / "all.csv"), **SNAPSHOT}
    _look(_workspace(source))
    (folder / "all.csv").unlink()
    workspace = _workspace(source, now=datetime.now(UTC) + timedelta(days=4))
    arrivals = _look(workspace, day=DAY + timedelta(days=1))
    assert arrivals.landed == ()
    assert {type(e) for e in arrivals.refused} == {DataRejected}
    assert any("more than the 259200 allowed" in e.message for e in arrivals.refused)
    assert _causes(arrivals) == ["data.file_missing"]
    never = _look(_workspace({**source, "name": "others"}), day=DAY + timedelta(days=1))
    assert any("no copy of it has landed before" in e.message for e in never.refused)


def test_a_held_copy_stands_in_for_nothing_nor_does_a_stand_in(folder: Path) -> None:
    source = {"uri": str(folder / "all.csv"), **SNAPSHOT}
    workspace = _workspace(source)
    _look(workspace)
    (folder / "all.csv").write_text("id,x\n1,broken\n")
    _look(workspace, day=DAY + timedelta(days=1))
    workspace.ledger.advance("market", "2026-03-02", BatchState.HELD)
    (folder / "all.csv").unlink()
    for days in (2, 3):
        _look(workspace, day=DAY + timedelta(days=days))
        landing = workspace.landing.landing("market", f"2026-03-0{1 + days}")
        assert landing.repeats == "2026-03-01"


def test_a_source_that_is_silent_is_tried_again_before_anything_stands_in(folder: Path) -> None:
    here = {"uri": str(folder / "all.csv"), **SNAPSHOT}
    _look(_workspace(here))
    workspace = _workspace({**here, "uri": DEAD})
    tomorrow = DAY + timedelta(days=1)
    early = _look(workspace, day=tomorrow, last=False)
    assert (early.landed, len(early.away)) == ((), 1)
    final = _look(workspace, day=tomorrow)
    assert final.landed == ("2026-03-02",)
    assert _causes(final) == ["dependency.source_down"]
    with pytest.raises(Transient):
        final.check_answered()


def test_the_rows_that_come_after_their_stand_in_are_told_not_lost_silently(folder: Path) -> None:
    source = {"uri": str(folder / "all.csv"), **SNAPSHOT}
    workspace = _workspace(source)
    _look(workspace)
    (folder / "all.csv").unlink()
    tomorrow = DAY + timedelta(days=1)
    _look(workspace, day=tomorrow)
    (folder / "all.csv").write_text("id,x\n1,3\n")
    [error] = _look(workspace, day=tomorrow).refused
    assert isinstance(error, UsageError)
    assert "was landed from batch 2026-03-01 while its source was away" in error.message
    assert _look(workspace, day=DAY + timedelta(days=2)).landed == ("2026-03-03",)


def _brought(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count which files are brought here."""
    names: list[str] = []
    plain = Fetched.bring

    def counted(self: Fetched, *args: Any) -> Any:
        names.append(self.name)
        return plain(self, *args)

    monkeypatch.setattr(Fetched, "bring", counted)
    return names


def test_what_has_landed_is_not_read_again_until_it_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = (folder / "all.csv").stat().st_ctime + 60
    monkeypatch.setattr("time.time", lambda: later)
    (folder / "bad name.csv").write_text("id\n1\n")
    workspace = _workspace({"uri": str(folder / "*.csv")})
    first = _look(workspace)
    assert (first.landed, len(first.refused)) == (("all",), 1)
    names = _brought(monkeypatch)
    assert _look(workspace).landed == ()
    assert names == []
    (folder / "all.csv").write_text("id,x\n1,3\n")
    changed = _look(workspace)
    assert set(names) == {"all.csv"}
    assert "data.duplicated_batch" in _causes(changed)


def test_what_the_landing_zone_or_the_ledger_has_lost_lands_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = (folder / "all.csv").stat().st_ctime + 60
    monkeypatch.setattr("time.time", lambda: later)
    workspace = _workspace({"uri": str(folder / "*.csv")})
    _look(workspace)
    for copy in (workspace.settings.home / "landing/market/all").glob("*"):
        copy.unlink()
    assert _look(workspace).landed == ("all",)
    workspace.close()
    for file in workspace.settings.home.glob("ledger.db*"):
        file.unlink()
    workspace = _workspace({"uri": str(folder / "*.csv")})
    _look(workspace)
    assert [b.batch_id for b in workspace.ledger.batches("market")] == ["all"]


def test_a_file_by_hand_is_taken_from_the_replica_and_told(folder: Path) -> None:
    source = {"uri": DEAD, "replicas": [{"uri": str(folder / "all.csv")}]}
    workspace = _workspace(source, now=DAY)
    [result] = land_offered(workspace, None)
    assert (result.new, result.landing.files[0].origin) == (True, "main")
    [incident] = workspace.ledger.incidents("market", open_only=True)
    assert (incident.cause, incident.batch_id, incident.stage) == ("dependency.source_down", "", "land")
