"""Take late labels: the truth, joined to rows by their key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from evenkeel.adapters import reading, sources
from evenkeel.adapters.formats import stem
from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState
from evenkeel.errors import DataRejected, UsageError
from evenkeel.stages.contradiction import enter, hold_against
from evenkeel.stages.generated import key_labels
from evenkeel.stages.row_key import typed_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.bootstrap import Workspace


@dataclass(frozen=True)
class LabelReport:
    """What a label file brought.

    Attributes:
        taken: Labels stored.
        known: Of those, for rows that have been answered.
        early: Of those, for rows not seen yet; they are kept.
        refused: Rows without a readable key or label; not stored.
        new: Whether the file was new; the same file again stores nothing.
    """

    taken: int
    known: int
    early: int
    refused: int
    new: bool


def take_labels(
    workspace: Workspace, file: str | Fetched, *, batch: str | None = None, trust: bool = False
) -> LabelReport:
    """Store the labels of one file, named by its path or URL or fetched already.

    Args:
        workspace: The pipeline's workspace.
        file: The row key and the target of each row; with a generated key, the rows of one batch in order.
        batch: That batch; by default the one the file is named after.
        trust: Take the file even if its labels contradict the answers and every earlier label.

    Raises:
        UsageError: The file cannot be read, or lacks the row key or the target.
        DataRejected: Its labels contradict the answers, and it is not to be trusted; nothing was stored.
    """
    fetched = sources.fetch_files([file])[0] if isinstance(file, str) else file
    frame = read_given(fetched)
    pipeline = workspace.pipeline
    batch = batch or stem(fetched.name)
    key = pipeline.generated.key
    by_position = key is not None and key not in frame.columns
    if key is not None and by_position:
        frame = key_labels(workspace, frame, key, batch_id=batch, source=fetched.source)
    for column in (*pipeline.row_key, pipeline.target.column):
        if column not in frame.columns:
            raise UsageError(
                f"{fetched.source}: has no column {column!r}; found {', '.join(map(str, frame.columns))}",
                fix=f"labels need {', '.join(pipeline.row_key)} and {pipeline.target.column}"
                f" (row_key and target.column of {workspace.settings.config_file})",
            )
    labels = _typed(workspace, frame)
    good = labels.dropna()
    known = _known(workspace, good)
    # The same answers may be those of two batches: then the file alone does not tell which labels they are.
    digest = f"{fetched.sha256}:{batch}" if by_position else fetched.sha256
    if not _stored(workspace, digest):
        held = hold_against(workspace, good, newest_labels(workspace))
        enter(workspace, held, source=fetched.source, digest=digest, trust=trust)
    new = workspace.lake.append_labels(workspace.name, _table(workspace, good), file_sha256=digest)
    if new and len(good):
        _resolve_late(workspace)
    return LabelReport(
        taken=len(good) if new else 0,
        known=known,
        early=len(good) - known,
        refused=len(labels) - len(good),
        new=new,
    )


def labels_late(workspace: Workspace) -> dict[str, Any] | None:
    """Say what shows that labels have not come when they should have; None where they have, or nobody expects them.

    They are late where a batch was published longer ago than ``labels.expected_within`` and no label of any
    row has arrived since.
    """
    within = workspace.pipeline.labels.expected_within
    if within is None:
        return None
    arrived = workspace.lake.read(workspace.name, Table.LABELS, columns=["arrived_at"])["arrived_at"].max()
    newest = None if pd.isna(arrived) else pd.Timestamp(arrived)
    waiting = [
        b
        for b in workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])
        if b.published_at is not None and (newest is None or b.published_at > newest)
    ]
    oldest = min(waiting, key=lambda b: (b.published_at, b.batch_id), default=None)
    if oldest is None or oldest.published_at is None:
        return None
    waits = (workspace.now() - oldest.published_at).total_seconds()
    if waits <= within:
        return None
    return {
        "newest label": newest.isoformat() if newest is not None else "none",
        "batch": oldest.batch_id,
        "waits": round(waits),
        "expected_within": within,
    }


def read_given(file: Fetched) -> pd.DataFrame:
    """Read a file that a person named.

    Raises:
        UsageError: It cannot be read; nothing was stored.
    """
    try:
        return reading.read_fetched(file)
    except DataRejected as error:
        raise UsageError(error.message, fix=error.fix or "correct the file", cause=error.cause) from error


def _typed(workspace: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    pipeline = workspace.pipeline
    keys = {k: workspace.schema.coerce(k, frame[k]).values for k in pipeline.row_key}
    return pd.DataFrame(keys | {"label": typed_label(frame[pipeline.target.column], pipeline.target.classes)})


def typed_label(values: pd.Series[Any], classes: Sequence[str]) -> pd.Series[Any]:
    """Return labels as class text (null for a class that is not configured), or as float64 without classes."""
    if not classes:
        return pd.to_numeric(values, errors="coerce").astype("float64")
    text = values.astype("string").str.strip()
    # A class written as a number may come as 1, 1.0 or "1": compare numbers as numbers.
    numbers = pd.to_numeric(text, errors="coerce")
    by_number = {float(c): c for c in classes if _is_number(c)}
    named = text.where(text.isin(classes))
    return named.fillna(numbers.map(by_number)).astype("object") if by_number else named.astype("object")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _known(workspace: Workspace, labels: pd.DataFrame) -> int:
    key = list(workspace.pipeline.row_key)
    if not workspace.lake.exists(workspace.name, Table.PREDICTIONS):
        return 0
    answered = workspace.lake.read(workspace.name, Table.PREDICTIONS, columns=key).drop_duplicates()
    return len(labels[key].drop_duplicates().merge(answered, on=key))


def _stored(workspace: Workspace, digest: str) -> bool:
    same = [("source_sha256", "=", digest)]
    return len(workspace.lake.read(workspace.name, Table.LABELS, columns=["label"], filters=same)) > 0


def _resolve_late(workspace: Workspace) -> None:
    late = [
        i for i in workspace.ledger.incidents(workspace.name, open_only=True) if i.cause == "data.labels_late"
    ]
    workspace.ledger.resolve_incidents(late, at=workspace.now())


def _table(workspace: Workspace, labels: pd.DataFrame) -> pa.Table:
    arrived = workspace.now()
    return pa.Table.from_pandas(
        labels.assign(arrived_at=pd.Timestamp(arrived).as_unit("us")), preserve_index=False
    )


def newest_labels(workspace: Workspace) -> pd.DataFrame:
    """Return the newest label of each row key: the key columns, ``label`` and ``arrived_at``."""
    key = list(workspace.pipeline.row_key)
    columns = [*key, "label", "arrived_at"]
    labels = typed_key(workspace, workspace.lake.read(workspace.name, Table.LABELS, columns=columns))
    return labels.sort_values("arrived_at", kind="stable").drop_duplicates(key, keep="last")
