"""The row key of a frame, typed one way, so that rows of any two places can be joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.bootstrap import Workspace


def typed_key(workspace: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its row key typed by the schema, so that a table not yet written can be joined too."""
    return frame.assign(
        **{k: workspace.schema.coerce(k, frame[k]).values for k in workspace.pipeline.row_key}
    )
