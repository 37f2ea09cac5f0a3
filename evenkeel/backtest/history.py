"""Cut a history file into batches with their late labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evenkeel.adapters import sources
from evenkeel.errors import UsageError
from evenkeel.stages.generated import generated_keys
from evenkeel.stages.label import read_given

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenkeel.settings import Settings


@dataclass(frozen=True)
class PastBatch:
    """One batch of a history.

    Attributes:
        batch_id: Its number and the time of its first row.
        rows: What arrives: every column but the target.
        labels: What arrives later: the row key and the target.
    """

    batch_id: str
    rows: pd.DataFrame
    labels: pd.DataFrame

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both as csv and return the paths of rows and labels; the same batch gives the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        rows, labels = folder / f"{self.batch_id}.csv", folder / f"{self.batch_id}.labels.csv"
        self.rows.to_csv(rows, index=False, lineterminator="\n")
        self.labels.to_csv(labels, index=False, lineterminator="\n")
        return rows, labels


def past_batches(settings: Settings, path: str, *, limit: int | None = None) -> Iterator[PastBatch]:
    """Yield the batches of a history file, oldest first.

    Raises:
        UsageError: The pipeline says nothing about backtests, or the file lacks a column it needs.
    """
    pipeline = settings.pipeline
    if pipeline.backtest is None:
        raise UsageError(
            f"{settings.config_file}: key 'backtest' is missing",
            fix="add `backtest: {rows_per_batch: N, label_lag: 1}` with the rows of one batch",
        )
    frame = _with_clock(settings, read_given(sources.fetch_files([path])[0]))
    made = pipeline.generated
    needed = [*pipeline.row_key, pipeline.time, pipeline.target.column, *pipeline.features.columns]
    for column in needed:
        if column not in frame.columns and column not in made.columns:
            raise UsageError(
                f"{path}: has no column {column!r}; found {', '.join(map(str, frame.columns))}",
                fix=f"name the file's columns in {settings.config_file}",
            )
    size = pipeline.backtest.rows_per_batch
    starts = range(0, len(frame), size)
    for number, start in enumerate(starts if limit is None else starts[:limit], start=1):
        part = frame.iloc[start : start + size]
        day = "" if made.time else f"-{_day(part[pipeline.time].iloc[0])}"
        batch_id = f"{number:05d}{day}"
        keyed = part
        if made.key:
            keyed = part.assign(**{made.key: generated_keys(batch_id, len(part)).set_axis(part.index)})
        yield PastBatch(
            batch_id=batch_id,
            rows=part.drop(columns=[pipeline.target.column]),
            labels=keyed[[*pipeline.row_key, pipeline.target.column]],
        )


def _with_clock(settings: Settings, frame: pd.DataFrame) -> pd.DataFrame:
    """Give a file without a clock the one its backtest section states."""
    backtest = settings.pipeline.backtest
    if backtest is None or backtest.start is None or backtest.step is None:
        return frame
    clock = pd.date_range(
        backtest.start, periods=len(frame), freq=pd.Timedelta(seconds=backtest.step), tz="UTC"
    )
    return frame.assign(**{settings.pipeline.time: clock.strftime("%Y-%m-%dT%H:%M:%SZ")})


def _day(time: object) -> str:
    """Return the day of a time as text that may stand in a batch id; nothing where it cannot be read."""
    read = pd.to_datetime(str(time), errors="coerce", utc=True)
    return "undated" if pd.isna(read) else f"{read:%Y-%m-%d}"
