"""Give rows the key and the time that their files lack, the same at every reading of the same landing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenkeel.adapters import reading
from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import Landing
    from evenkeel.settings import Pipeline


def add_generated(frame: pd.DataFrame, landing: Landing, pipeline: Pipeline) -> pd.DataFrame:
    """Return the rows with the columns of ``generated``; the very frame where there are none.

    A column of that name that came with the file gives way: two makers of one key would collide.

    Args:
        frame: n rows as they were read.
        landing: The batch they landed with.
        pipeline: Names the columns.
    """
    key, time = pipeline.generated.key, pipeline.generated.time
    made: dict[str, pd.Series[str] | pd.DatetimeIndex] = {}
    if key is not None:
        made[key] = generated_keys(landing.batch_id, len(frame)).set_axis(frame.index)
    if time is not None:
        landed = pd.Timestamp(landing.landed_at).tz_convert("UTC").as_unit("us")
        made[time] = landed + pd.to_timedelta(np.arange(len(frame)), unit="us")
    return frame.assign(**made) if made else frame


def key_labels(
    workspace: Workspace, frame: pd.DataFrame, key: str, *, batch_id: str, source: str
) -> pd.DataFrame:
    """Return labels with the generated row key, which their file does not give.

    Args:
        workspace: The pipeline's workspace.
        frame: n labels in the order of the batch's rows.
        key: The generated column.
        batch_id: The batch whose rows they are of.
        source: Where they came from, for messages.

    Raises:
        UsageError: No such batch landed, or its rows are not those of the label file: labels by position
            would be given to the wrong rows.
        DataRejected: The landed files cannot be read.
    """
    fix = f"give the batch with --batch, or add column {key!r} with the keys that `predictions` has of these rows"
    landing = workspace.landing.landing(workspace.name, batch_id)
    if landing is None:
        raise UsageError(
            f"{source}: has no column {key!r}, and no batch {batch_id!r} has landed whose rows it may be of",
            fix=fix,
        )
    landed = reading.read(workspace.landing.fetch(landing))
    if landed.unreadable or len(landed.frame) != len(frame):
        raise UsageError(
            f"{source}: has no column {key!r} and {len(frame)} rows, batch {batch_id!r} has {landed.landed}"
            + (f", {len(landed.unreadable)} of them unreadable" if landed.unreadable else ""),
            fix=fix,
        )
    target = workspace.pipeline.target.column
    shared = [c for c in frame.columns if c in landed.frame.columns and c != target]
    for column in shared:
        if not frame[column].reset_index(drop=True).equals(landed.frame[column].reset_index(drop=True)):
            raise UsageError(
                f"{source}: column {column!r} is not that of batch {batch_id!r}: its rows are others,"
                " or in another order",
                fix=fix,
            )
    return frame.assign(**{key: generated_keys(batch_id, len(frame)).set_axis(frame.index)})


def generated_keys(batch_id: str, rows: int) -> pd.Series[str]:
    """Return the keys of a batch's rows, in the order they landed."""
    return pd.Series([f"{batch_id}:{number:07d}" for number in range(1, rows + 1)], dtype=object)
