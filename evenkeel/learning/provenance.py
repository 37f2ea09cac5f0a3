"""What a model came from: the fingerprint of its rows, the versions of the code and the libraries."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import evenkeel
from evenkeel.learning.features import model_frame, nanoseconds, utc_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.learning.window import Part
    from evenkeel.settings import Pipeline

_LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy", "pandas")
_COMMIT_CHARACTERS = 12


def fingerprint(part: Part, pipeline: Pipeline, kinds: Mapping[str, str]) -> str:
    """Return the sha256 over rows and labels: the same for the same values, whatever their index or dtype."""
    frame = model_frame(part.rows, pipeline, kinds)
    frame["time"] = nanoseconds(utc_times(part.rows[pipeline.time]))
    frame["label"] = part.target.to_numpy()
    digest = hashlib.sha256(json.dumps(list(frame.columns)).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().astype("<u8").tobytes())
    return digest.hexdigest()


def library_versions() -> dict[str, str]:
    """Return library -> version of what a stored model depends on."""
    return {name: version(name) for name in _LIBRARIES}


def code_version() -> str:
    """Return evenkeel's version, in a git checkout with the commit, as ``0.1.0+0a1b2c3d4e5f``."""
    commit = _commit(Path(evenkeel.__file__).resolve().parent.parent / ".git")
    return f"{evenkeel.__version__}+{commit}" if commit else evenkeel.__version__


def _commit(git: Path) -> str:
    head = git / "HEAD"
    if not head.is_file():
        return ""
    text = head.read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text[:_COMMIT_CHARACTERS]
    branch = git / text.removeprefix("ref: ")
    if branch.is_file():
        return branch.read_text(encoding="utf-8").strip()[:_COMMIT_CHARACTERS]
    packed = git / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    found = [line.split()[0] for line in lines if line.endswith(" " + text.removeprefix("ref: "))]
    return found[0][:_COMMIT_CHARACTERS] if found else ""
