"""Make a challenger from labelled rows, judge it at the gates, and register it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import structlog

from evenkeel.adapters.lake import Table
from evenkeel.adapters.model_folder import prepare_model_folder
from evenkeel.domain.batch import BatchState, ModelRef
from evenkeel.errors import Permanent
from evenkeel.learning.bundle import Bundle, write_parts
from evenkeel.learning.features import model_frame
from evenkeel.learning.gates import judge
from evenkeel.learning.manifest import MANIFEST, seal
from evenkeel.learning.plots import draw
from evenkeel.learning.predictor import predict
from evenkeel.learning.scorer import mismatch
from evenkeel.learning.training import train
from evenkeel.quality.imputed import unimputed
from evenkeel.resilience.degraded import Degraded
from evenkeel.stages.label import newest_labels
from evenkeel.stages.resolve import tainted_batches, tell
from evenkeel.stages.row_key import typed_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.gates import GateReport
    from evenkeel.learning.trained import Trained


_EXAMPLE_ROWS = 5
_FRESH_ROWS = 5000


@dataclass(frozen=True)
class Examples:
    """Labelled rows in time order.

    Attributes:
        frame: Features and time, the imputed cells empty again.
        target: Their labels, same index.
        batch_rows: The usual number of rows of a batch.
        batches: The batches they came in, sorted.
        left_out: Batches that would have been among them but for open incidents -> their causes.
    """

    frame: pd.DataFrame
    target: pd.Series[Any]
    batch_rows: int
    batches: tuple[str, ...] = ()
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def gather_examples(workspace: Workspace) -> Examples:
    """Return the newest published rows whose label has arrived, at most the training window.

    Batches under an open incident that taints their rows are left out, and older ones fill the window.
    """
    pipeline = workspace.pipeline
    batches, left_out = _newest_batches(workspace, rows=2 * pipeline.training.window)
    columns = [*dict.fromkeys([*pipeline.row_key, pipeline.time, *pipeline.features.columns])]
    rows = workspace.lake.read(
        workspace.name, Table.ACCEPTED, columns=[*columns, "batch_id", "imputed"], batch_ids=batches
    )
    rows = typed_key(workspace, rows)
    labelled = rows.merge(newest_labels(workspace), on=list(pipeline.row_key), how="inner")
    labelled = labelled.sort_values([pipeline.time, *pipeline.row_key], kind="stable")
    labelled = labelled.tail(pipeline.training.window).reset_index(drop=True)
    frame = unimputed(labelled.drop(columns="arrived_at"), pipeline.features.columns)
    sizes = workspace.lake.counts(workspace.name, Table.ACCEPTED)
    usual = int(pd.Series([sizes[b] for b in batches], dtype=float).median()) if batches else 0
    if left_out:
        structlog.get_logger().warning(
            "batches left out of training", pipeline=workspace.name, stage="examples", left_out=tell(left_out)
        )
    return Examples(
        frame=frame.drop(columns=["label", "batch_id"]),
        target=labelled["label"],
        batch_rows=usual,
        batches=tuple(sorted(labelled["batch_id"].unique())),
        left_out=left_out,
    )


def train_challenger(workspace: Workspace, examples: Examples) -> Trained:
    """Train on the examples; the card says which batches they came in, and which were left out and why.

    Raises:
        Permanent: Too few rows, one class only, or no candidate that works; where batches were left out,
            the message names them.
    """
    left_out = examples.left_out
    try:
        trained = train(
            examples.frame,
            examples.target,
            workspace.pipeline,
            workspace.kinds,
            batch_rows=examples.batch_rows,
        )
    except Permanent as error:
        if not left_out:
            raise
        raise Permanent(
            f"{error.message}; {_left_out_note(left_out)}",
            fix=f"once their rows are right, `evenkeel incidents {workspace.name} --resolve BATCH`",
            cause=error.cause,
            evidence=error.evidence | {"left_out": {b: list(causes) for b, causes in left_out.items()}},
        ) from error
    notes = (*trained.card.notes, *([_left_out_note(left_out)] if left_out else []))
    return replace(trained, card=replace(trained.card, batches=examples.batches, notes=notes))


def _left_out_note(left_out: Mapping[str, tuple[str, ...]]) -> str:
    return f"{len(left_out)} batches left out until their incidents are resolved: {tell(left_out)}"


@dataclass(frozen=True)
class Judged:
    """A challenger with its bundle on disk and what the gates say.

    Attributes:
        trained: As training left it.
        folder: Its sealed bundle.
        digest: sha256 of the bundle's manifest.
        report: The gates'.
        against: Digest of the champion it was compared with; empty where there was none.
    """

    trained: Trained
    folder: Path
    digest: str
    report: GateReport
    against: str


def judge_challenger(workspace: Workspace, trained: Trained, champion: Bundle | Degraded | None) -> Judged:
    """Write the challenger's bundle and judge it against the champion on the same recent rows."""
    folder = _spooled(workspace, trained)
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    report = judge(
        trained,
        sum(f.stat().st_size for f in folder.iterdir()),
        _rival(workspace, champion),
        champion.reason if isinstance(champion, Degraded) else "",
        pipeline=workspace.pipeline,
        kinds=workspace.kinds,
        fresh=_fresh_rows(workspace),
    )
    against = champion.digest if isinstance(champion, Bundle) else ""
    return Judged(trained=trained, folder=folder, digest=digest, report=report, against=against)


def _fresh_rows(workspace: Workspace) -> pd.DataFrame:
    """Return the newest accepted rows that wait for their label, in time order, the imputed cells empty again."""
    pipeline = workspace.pipeline
    key = list(pipeline.row_key)
    batches = _newest_batches(workspace, rows=_FRESH_ROWS)[0]
    columns = [*dict.fromkeys([*key, pipeline.time, *pipeline.features.columns]), "imputed"]
    rows = workspace.lake.read(workspace.name, Table.ACCEPTED, columns=columns, batch_ids=batches)
    rows = typed_key(workspace, rows).merge(newest_labels(workspace), on=key, how="left")
    waiting = rows[rows["label"].isna()].sort_values([pipeline.time, *key], kind="stable")
    return unimputed(waiting.drop(columns="arrived_at"), pipeline.features.columns).drop(columns="label")


def _rival(workspace: Workspace, champion: Bundle | Degraded | None) -> Bundle | None:
    """Return the champion to compare with; one that cannot answer the pipeline as it is now is none."""
    if not isinstance(champion, Bundle) or mismatch(champion.card(), workspace.pipeline, workspace.kinds):
        return None
    return champion


def register_challenger(workspace: Workspace, judged: Judged) -> ModelRef:
    """Log the challenger to the registry, passed or not, and keep it in the local cache.

    Raises:
        Transient: The registry is away: nothing is promoted.
    """
    with tempfile.TemporaryDirectory() as folder:
        plots = draw(judged.trained, Path(folder))
        return workspace.registry.register(
            workspace.name,
            judged.folder,
            judged.digest,
            judged.trained.card,
            plots=plots,
        )


def _spooled(workspace: Workspace, trained: Trained) -> Path:
    """Return the challenger's sealed bundle on this disk, the same one when training was interrupted and repeated.

    The same data gives the same model but not the same bytes (skops writes memory addresses), so what was
    sealed first is what gets registered: a rerun makes no second version.
    """
    spool = workspace.settings.home / "spool" / workspace.name
    folder = spool / source_of(workspace, trained)[:32]
    if not (folder / MANIFEST).is_file():
        spool.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=spool) as scratch:
            fresh = Path(scratch) / "bundle"
            write_parts(trained, fresh)
            _describe_for_registry(workspace, trained, fresh)
            seal(fresh)
            fresh.rename(folder)
    return folder


def source_of(workspace: Workspace, trained: Trained) -> str:
    """Return the digest of what a challenger was made from: its rows and labels, and the configuration."""
    return hashlib.sha256(f"{trained.card.fingerprint} {workspace.settings.digest}".encode()).hexdigest()


def forget_spooled(judged: Judged) -> None:
    """Remove the spooled bundle of a challenger that has been settled."""
    shutil.rmtree(judged.folder, ignore_errors=True)


def _describe_for_registry(workspace: Workspace, trained: Trained, folder: Path) -> None:
    """Write what makes the folder a model in MLflow's eyes: signature, flavours, requirements."""
    rows = trained.holdout.head(_EXAMPLE_ROWS)
    seen = model_frame(
        trained.imputer.apply(rows, last_good={}).frame,
        workspace.pipeline,
        workspace.kinds,
        columns=trained.card.columns,
    )
    predictions, _ = predict(trained.model, seen, task=trained.card.task, confidence=trained.confidence)
    prepare_model_folder(folder, seen, predictions, created=trained.card.window[1])


def _newest_batches(workspace: Workspace, *, rows: int) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Return the newest published batches that hold at least so many rows, and the tainted ones between."""
    sizes = workspace.lake.counts(workspace.name, Table.ACCEPTED)
    tainted = tainted_batches(workspace)
    chosen: list[str] = []
    left_out: dict[str, tuple[str, ...]] = {}
    total = 0
    for batch in reversed(workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])):
        if total >= rows:
            break
        if batch.batch_id not in sizes:
            continue
        if batch.batch_id in tainted:
            left_out[batch.batch_id] = tainted[batch.batch_id]
        else:
            chosen.append(batch.batch_id)
            total += sizes[batch.batch_id]
    return chosen, left_out
