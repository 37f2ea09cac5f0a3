"""A landing zone with one replica, and files to land in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.adapters.sources import fetch_files

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.adapters.landing import LandingResult, LandingZone

MAX = 10_000_000


def file_in(folder: Path, name: str, content: bytes = b"id,x\n1,2\n") -> str:
    """Write a file and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return str(folder / name)


def land(zone: LandingZone, batch: str, *files: str) -> LandingResult:
    """Land files as a batch of the market."""
    return zone.land("market", batch, fetch_files(files))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, by its path in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
