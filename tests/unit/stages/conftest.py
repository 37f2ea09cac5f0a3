"""A shop of each test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.stages.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))
    made = Shop(tmp_path)
    made.configure({})
    return made
