"""What the tests of the landing zone share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters.landing import LandingZone
from tests.unit.adapters.zones import MAX

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def zone(tmp_path: Path) -> LandingZone:
    """A zone with one replica."""
    return LandingZone(str(tmp_path / "zone"), [str(tmp_path / "copy")], max_bytes=MAX)
