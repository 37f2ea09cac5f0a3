"""An error nobody foresaw: one line for the person, the traceback in a file."""

from __future__ import annotations

import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from evenkeel.settings.load import home_folder


def explain(error: BaseException) -> str:
    """Write the traceback under EVENKEEL_HOME and return one line that says what happened and where it is."""
    from evenkeel.failures.attribution import attribute

    text = "".join(traceback.format_exception(error))
    name = f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    summary = (str(error).strip() or "no message").splitlines()[0]
    for folder in (home_folder() / "crashes", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / name
            file.write_text(text, encoding="utf-8")
        except OSError:
            continue  # a full or read-only disk must not hide the error itself
        return f"error ({attribute(error)}): {type(error).__name__}: {summary} (details: {file})"
    return f"error ({attribute(error)}): {type(error).__name__}: {summary}"
