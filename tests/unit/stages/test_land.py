"""Landing as a person and a run ask for it: all or nothing by hand, one source at a time in a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.cli import data
from evenkeel.demo.market import generate, write_day
from evenkeel.errors import DataRejected, EvenkeelError, Transient, UsageError
from evenkeel.settings import load_settings
from evenkeel.settings.sources import Source
from evenkeel.stages.incoming import land_incoming
from evenkeel.stages.land import check_pending, land_files

DAYS = generate(2, 11, regime_change=10_000)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def days(tmp_path: Path) -> list[str]:
    """Two files of rows."""
    return [str(write_day(day, tmp_path / "files")[0]) for day in DAYS]


def _bad_file(folder: Path, kind: str) -> str:
    folder.mkdir()
    (folder / "empty.csv").touch()
    (folder / "rows.xlsx").write_bytes(b"PK\x03\x04")
    return {
        "absent": str(folder / "absent.csv"),
        "empty": str(folder / "empty.csv"),
        "folder": str(folder),
        "unknown format": str(folder / "rows.xlsx"),
        "does not answer": "http://127.0.0.1:9/x.csv",
    }[kind]


@pytest.mark.parametrize("kind", ["absent", "empty", "folder", "unknown format", "does not answer"])
@pytest.mark.parametrize("command", ["land", "label"])
def test_a_bad_file_leaves_nothing_in_a_new_home(
    tmp_path: Path, days: list[str], command: str, kind: str
) -> None:
    bad = _bad_file(tmp_path / "bad", kind)
    with pytest.raises(EvenkeelError):
        data.land("market", [days[0], bad]) if command == "land" else data.label("market", bad)
    assert not (tmp_path / "home").exists()


def test_an_id_that_cannot_be_used_leaves_nothing_in_a_new_home(tmp_path: Path, days: list[str]) -> None:
    with pytest.raises(UsageError, match=r"'\.\./up'"):
        data.land("market", days, batch="../up")
    assert not (tmp_path / "home").exists()


def test_one_file_that_is_refused_keeps_the_others_named_with_it_out(tmp_path: Path, days: list[str]) -> None:
    workspace = open_workspace(load_settings("market"))
    land_files(workspace, [days[1]], None)
    changed = Path(days[1])
    changed.write_text(changed.read_text() + changed.read_text().splitlines()[-1] + "\n")
    with pytest.raises(UsageError, match="has landed with other content"):
        land_files(workspace, days, None)
    assert [x.batch_id for x in workspace.landing.landed("market")] == [DAYS[1].batch_id]
    assert [b.batch_id for b in workspace.ledger.batches("market")] == [DAYS[1].batch_id]


def test_a_source_that_fails_in_any_way_keeps_no_other_away(tmp_path: Path, days: list[str]) -> None:
    sources = (
        Source(name="wrong", uri="http://127.0.0.1:9/*.csv"),
        Source(name="none", uri=str(tmp_path / "absent-{batch}.csv")),
        Source(name="good", uri=days[0]),
    )
    arrivals = land_incoming(_with(sources), "b", scheduled=NOW)
    assert arrivals.landed == ("b",)
    assert [type(e) for e in arrivals.refused] == [UsageError, DataRejected]


def test_a_silent_source_keeps_no_other_away_and_is_worth_another_try(days: list[str]) -> None:
    sources = (
        Source(name="away", uri="http://127.0.0.1:9/{batch}.csv"),
        Source(name="good", uri=days[0]),
    )
    workspace = _with(sources)

    arrivals = land_incoming(workspace, "b", scheduled=NOW)
    with pytest.raises(Transient):
        arrivals.check_answered()

    assert [x.batch_id for x in workspace.landing.landed("market")] == ["b"]


def _with(sources: tuple[Source, ...]) -> Workspace:
    settings = load_settings("market")
    return open_workspace(
        replace(settings, pipeline=settings.pipeline.model_copy(update={"sources": sources}))
    )


def test_a_copy_that_was_repaired_is_told(
    tmp_path: Path, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENKEEL_PLATFORM__LANDING__REPLICAS", f'["{tmp_path / "copy"}"]')
    workspace = open_workspace(load_settings("market"))
    [result] = land_files(workspace, [days[0]], None)
    batch, [file] = result.landing.batch_id, result.landing.files
    held = workspace.settings.home / "landing/market" / batch / file.name
    whole = held.read_bytes()
    held.write_bytes(whole[:-1] + b"x")

    check_pending(workspace, batch)

    assert held.read_bytes() == whole
    [incident] = workspace.ledger.incidents("market")
    assert (incident.cause, incident.batch_id) == ("data.landed_copy_damaged", batch)
    assert incident.response == "repaired from a good copy"
