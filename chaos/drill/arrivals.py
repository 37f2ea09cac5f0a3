"""What an experiment does where batches come from: late, twice, altered, missing, or not what they seem."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from chaos.drill.market import PIPELINE, about_to_break, days, market
from evenkeel.stages.land import land_files

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.demo.market import MarketDay

_DAY = 86_400  # seconds


def bring() -> str:
    """Let the source send the next day as it is."""
    at, day = about_to_break()
    at.bring(day)
    return "a clean day"


def bring_late(age: int = 3) -> str:
    """Let the next day be there, as every file of the source is: last touched ``age`` days ago."""
    at, day = about_to_break()
    at.bring(day)
    then = time.time() - age * _DAY
    for file in at.incoming.iterdir():
        os.utime(file, (then, then))
    return f"every file {age} days old"


def bring_two_copies(altered: str, *, sums: bool = False) -> str:
    """Let the source and a replica of it have the next day, one digit of one of the two changed.

    Args:
        altered: The one that is altered: ``market``, or ``replica``.
        sums: Whether the sum of what it was lies beside each file.
    """
    at, day = about_to_break()
    at.bring(day)
    replica = at.home / "incoming" / "replica"
    shutil.copytree(at.incoming, replica)
    for file in (*at.incoming.glob("*.csv"), *replica.glob("*.csv")) if sums else ():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        file.with_name(f"{file.name}.sha256").write_text(f"{digest}  {file.name}\n", encoding="utf-8")
    file = at.home / "incoming" / altered / f"{day.batch_id}.csv"
    content = bytearray(file.read_bytes())
    digit = max(i for i, byte in enumerate(content) if chr(byte).isdigit())
    content[digit] = ord("1") if content[digit] != ord("1") else ord("2")
    file.write_bytes(content)
    return f"one digit of the copy in {altered}"


def send_nothing(batch: str) -> str:
    """Let the source have nothing for the batch that it is asked for."""
    at, _ = about_to_break(skip=False)
    at.batch = batch
    at.save()
    return f"no file for {batch}"


def link_out() -> str:
    """Put a link into the folder of the source, to a file that lies outside."""
    at, day = about_to_break()
    outside = _copy(day, at.home / "elsewhere")
    at.incoming.joinpath(outside.name).symlink_to(outside)
    return "a link to a file elsewhere"


def send_again() -> str:
    """Let the source send the last batch once more, with other content."""
    at, _ = about_to_break(skip=False)
    day = days()[at.day - 1]
    at.batch = day.batch_id
    at.bring(replace(day, rows=day.rows.assign(price=day.rows["price"] + 1)))
    at.save()
    return f"{day.batch_id} again, other prices"


def damage_what_landed() -> str:
    """Let the next day land, then turn one bit of its copy in the landing zone."""
    at, day = about_to_break()
    land_again(at.bring(day))
    (landed,) = (at.home / "landing" / PIPELINE / day.batch_id).glob("*.csv")
    content = bytearray(landed.read_bytes())
    content[len(content) // 2] ^= 1
    landed.chmod(0o644)
    landed.write_bytes(content)
    return "one bit of the landed file"


def land_again(file: Path | None = None) -> str:
    """Land a file by hand, by default that of the damaged batch: the same content repairs the landing zone."""
    at = market()
    workspace = at.workspace()
    land_files(workspace, [str(file or at.incoming / f"{at.batch}.csv")], None)
    workspace.close()
    return "landed"


def bring_without(columns: list[str]) -> str:
    """Let the next day come without some columns, which another source is to bring."""
    at, day = about_to_break()
    at.bring(replace(day, rows=day.rows.drop(columns=columns)))
    return f"{', '.join(columns)} not there yet"


def deliver(source: str, columns: list[str]) -> str:
    """Let the other source bring its columns of the damaged batch, with their keys."""
    at = market()
    day = days()[at.day - 1]
    _copy(replace(day, rows=day.rows[["settlement", *columns]]), at.home / "incoming" / source)
    return f"{source} delivered"


def _copy(day: MarketDay, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{day.batch_id}.csv"
    day.rows.to_csv(file, index=False, lineterminator="\n")
    return file
