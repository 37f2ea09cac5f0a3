"""Pictures of a challenger for people: how sure, how right, and what else was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.learning.trained import Trained

_BINS = 10
_MAX_POINTS = 5000
_SEARCH = "search/"


def draw(trained: Trained, folder: Path) -> list[Path]:
    """Write PNGs on the holdout into ``folder`` and return their paths.

    ``calibration.png`` (stated confidence against the share that was right), ``confusion.png`` for
    classes or ``predicted.png`` for numbers, and ``search.png`` (score of every candidate).

    Args:
        trained: A challenger with its holdout answers.
        folder: Exists already.
    """
    from matplotlib.figure import Figure

    answer = _confusion if trained.card.task != "regression" else _predicted
    drawn = []
    for name, draw_on in (
        ("calibration", _calibration),
        ("confusion" if answer is _confusion else "predicted", answer),
        ("search", _search),
    ):
        figure = Figure(figsize=(5.5, 4.5), layout="constrained")
        draw_on(figure.add_subplot(), trained)
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=100, metadata={"Software": None})
        drawn.append(path)
    return drawn


def _calibration(axes: Any, trained: Trained) -> None:
    sure = trained.holdout_answers["confidence"].to_numpy(dtype=np.float64)
    answers, truth = trained.holdout_answers["prediction"].to_numpy(), trained.holdout_target.to_numpy()
    tolerance = trained.card.tolerance
    right = answers == truth if tolerance is None else np.abs(answers - truth) <= tolerance
    bins = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    rows = np.bincount(bins, minlength=_BINS)
    filled = rows > 0
    stated = np.bincount(bins, weights=sure, minlength=_BINS)[filled] / rows[filled]
    realised = np.bincount(bins, weights=right, minlength=_BINS)[filled] / rows[filled]
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
    axes.plot(stated, realised, marker="o", label="holdout")
    for x, y, n in zip(stated, realised, rows[filled], strict=True):
        axes.annotate(f"{n}", (x, y), textcoords="offset points", xytext=(6, -10), fontsize=7)
    meaning = "right class" if tolerance is None else f"within {tolerance:.4g} of the truth"
    axes.set(xlabel="stated confidence", ylabel=f"share of rows: {meaning}", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title("Calibration on the holdout")
    axes.legend(loc="upper left")


def _confusion(axes: Any, trained: Trained) -> None:
    answers, truth = trained.holdout_answers["prediction"].to_numpy(), trained.holdout_target.to_numpy()
    classes = sorted(set(trained.card.classes) | set(truth.tolist()))
    counts = np.array([[np.sum((truth == t) & (answers == a)) for a in classes] for t in classes])
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        axes.text(column, row, f"{count}", ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(len(classes)), classes, rotation=45 if len(classes) > 5 else 0)  # noqa: PLR2004
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion on the holdout")


def _predicted(axes: Any, trained: Trained) -> None:
    answers = trained.holdout_answers["prediction"].to_numpy(dtype=np.float64)[-_MAX_POINTS:]
    truth = trained.holdout_target.to_numpy(dtype=np.float64)[-_MAX_POINTS:]
    low, high = min(answers.min(), truth.min()), max(answers.max(), truth.max())
    axes.plot([low, high], [low, high], color="0.7", linestyle="--")
    axes.scatter(truth, answers, s=6, alpha=0.4)
    axes.set(xlabel="true", ylabel="predicted", title="Predicted against true on the holdout")


def _search(axes: Any, trained: Trained) -> None:
    scores = {k.removeprefix(_SEARCH): v for k, v in trained.card.metrics.items() if k.startswith(_SEARCH)}
    axes.scatter(list(scores.values()), list(scores))
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="y", color="0.9")
    axes.set(xlabel=f"mean {trained.card.metric} over the folds", title="Candidates of the search")
