"""Folders that a command makes anew each time, and never over what somebody else put there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from evenkeel.errors import UsageError
from evenkeel.settings.load import home_folder

if TYPE_CHECKING:
    from pathlib import Path


def fresh_folder(name: str) -> Path:
    """Return an empty ``EVENKEEL_HOME/NAME``, what this command made there earlier removed.

    Raises:
        UsageError: The folder is there and was not made so.
    """
    folder, mark = home_folder() / name, f".evenkeel-{name}"
    if folder.exists() and any(folder.iterdir()) and not (folder / mark).is_file():
        raise UsageError(
            f"{folder}: holds files that no {name} made",
            fix="move them away, or set EVENKEEL_HOME to another folder",
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / mark).touch()
    return folder
