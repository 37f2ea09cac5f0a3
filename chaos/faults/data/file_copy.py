"""Where a damaged copy of a file goes, and what it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chaos.faults.data.damage import check_severity, draw

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


def copy_as(path: Path, fault: str, content: bytes, suffix: str | None = None) -> Path:
    """Write ``content`` beside ``path`` as ``damaged/<fault>/<the same name>`` and return that path.

    Args:
        path: The sound file.
        fault: Name of the fault.
        content: Of the damaged copy.
        suffix: In place of the file's own, where the fault lives in another format.
    """
    folder = path.parent / "damaged" / fault
    folder.mkdir(parents=True, exist_ok=True)
    name = path.name if suffix is None else f"{path.name.partition('.')[0]}{suffix}"
    target = folder / name
    target.write_bytes(content)
    return target


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a text file without their ends.

    Raises:
        ValueError: It has no header and at least one row.
    """
    lines = path.read_bytes().splitlines()
    if len(lines) < 2:  # noqa: PLR2004  # a header and a row
        raise ValueError(f"{path} has {len(lines)} lines; this fault needs a header and at least one row")
    return lines


def joined(lines: list[bytes]) -> bytes:
    """Return lines as a file, each with its end."""
    return b"".join(line + b"\n" for line in lines)


def hit_lines(lines: list[bytes], share: float, seed: int) -> np.ndarray:
    """Return the indices of ``share`` of the rows among ``lines``, ascending; at least one above 0."""
    rows = len(lines) - 1
    count = min(rows, int(-(-check_severity(share) * rows // 1)))
    picked = draw(seed).permutation(rows)[:count] + 1
    picked.sort()
    return picked


def table_of(path: Path) -> pd.DataFrame:
    """Return the table of a csv file, typed as pandas guesses."""
    return pd.read_csv(path)
