"""What has landed is not read again, until it may be another version."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters.seen import Seen
from evenkeel.adapters.zone_copy import ZoneCopy
from tests.looking import look

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "b.csv"
    path.parent.mkdir()
    path.write_text("id\n1\n")
    return path


def _listed(file: Path):
    looked = look(file.parent, uri=str(file.parent / "*.csv"))
    looked.offers()
    return looked.listed("b")


def _seen(tmp_path: Path) -> Seen:
    return Seen(ZoneCopy(str(tmp_path / "zone")), "market", "main")


def _rested(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file be as old as it must be to be told from its next version by its time."""
    later = file.stat().st_ctime + 60
    monkeypatch.setattr("time.time", lambda: later)


def test_a_version_that_landed_is_known_in_the_next_run(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _rested(file, monkeypatch)
    seen = _seen(tmp_path)
    assert not seen.landed(_listed(file), {"b"})
    seen.add(_listed(file), "b")
    seen.save()
    assert _seen(tmp_path).landed(_listed(file), {"b"})
    assert not _seen(tmp_path).landed(_listed(file), {"other"})  # its batch is gone: it must land again


@pytest.mark.parametrize("change", ["size", "time", "other file of the same size and time"])
def test_another_version_is_not_known(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    _rested(file, monkeypatch)
    seen = _seen(tmp_path)
    seen.add(_listed(file), "b")
    before = file.stat()
    if change == "size":
        file.write_text("id\n1\n2\n")
    elif change == "time":
        os.utime(file, (0, 0))
    else:
        file.unlink()
        file.write_text("id\n2\n")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    _rested(file, monkeypatch)
    assert not seen.landed(_listed(file), {"b"})


def test_a_file_just_written_is_looked_at_again(file: Path, tmp_path: Path) -> None:
    seen = _seen(tmp_path)
    seen.add(_listed(file), "b")
    assert not seen.landed(_listed(file), {"b"})


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff\xfe"])
def test_a_damaged_memory_costs_a_second_look_only(file: Path, tmp_path: Path, content: bytes) -> None:
    memory = tmp_path / "zone/market/.seen/main.json"
    memory.parent.mkdir(parents=True)
    memory.write_bytes(content)
    assert not _seen(tmp_path).landed(_listed(file), {"b"})
