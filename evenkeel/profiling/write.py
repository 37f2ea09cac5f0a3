"""Put a pipeline's files in place: whole, or not at all, and never over others unless asked to."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from evenkeel.errors import UsageError
from evenkeel.profiling.trial import Trial, try_out
from evenkeel.settings.load import load_settings
from evenkeel.settings.sources import Name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from evenkeel.profiling.render import Written


@dataclass(frozen=True)
class Place:
    """Where the files of a pipeline go.

    Attributes:
        config: ``configs/NAME.yaml``.
        schema: ``expectations/NAME/schema.yaml``.
        suite: ``expectations/NAME/suite.json``.
    """

    config: Path
    schema: Path
    suite: Path

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """All three; the configuration last, as it makes a pipeline known."""
        return self.schema, self.suite, self.config


def place_of(name: str, folder: Path) -> Place:
    """Return where the files of a pipeline go, beside each other as they are looked for.

    Raises:
        UsageError: The name is not allowed.
    """
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise UsageError(
            f"{name!r} cannot be the name of a pipeline",
            fix="use lower-case letters, digits, - and _, a letter first, at most 63",
        ) from None
    expectations = folder.parent / "expectations" / name
    return Place(folder / f"{name}.yaml", expectations / "schema.yaml", expectations / "suite.json")


def check_free(place: Place) -> None:
    """Refuse to write over a pipeline.

    Raises:
        UsageError: One of its files is there.
    """
    if there := [f for f in place.files if f.exists()]:
        raise UsageError(f"{there[-1]} is there already", fix="choose another name, or say --force")


def prove(written: Written, name: str, frame: pd.DataFrame, order: npt.NDArray[np.intp]) -> Trial:
    """Load the texts as every command will, in a folder of their own, and try them on the history."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-init-") as scratch:
        place = place_of(name, Path(scratch) / "configs")
        _write(written, place)
        return try_out(load_settings(name, config_file=place.config), frame, order)


def put(written: Written, place: Place) -> None:
    """Write the files: first all under other names, then all in place.

    Raises:
        UsageError: They cannot be written.
    """
    aside = Place(*(f.with_name(f".{f.name}.part") for f in (place.config, place.schema, place.suite)))
    try:
        _write(written, aside)
        for unfinished, file in zip(aside.files, place.files, strict=True):
            unfinished.replace(file)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: cannot be written: {error.strerror}",
            fix="make the folder writable, or set EVENKEEL_CONFIG_DIR to another",
        ) from None
    finally:
        for unfinished in aside.files:
            unfinished.unlink(missing_ok=True)


def _write(written: Written, place: Place) -> None:
    for file, text in (
        (place.config, written.config),
        (place.schema, written.schema),
        (place.suite, written.suite),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
