"""Answers every row from the best rung that can, and keeps the reason for every rung that could not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.domain.ladder import Answers, Rung, SkippedRung
from evenkeel.errors import ModelUnusable
from evenkeel.serving.deadline import Deadline, Overdue
from evenkeel.serving.output import Output, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from evenkeel.serving.rung import RungModel
    from evenkeel.settings.pipeline import Target

# Between chunks a rung that is out of time is given up. The cut is by position, so a rerun cuts the same:
# the last bits of a matrix product depend on how many rows it is given (1e-14 in a logistic regression).
_CHUNK_ROWS = 250_000


@dataclass(frozen=True)
class _Part:
    """Rows answered by one model; ``positions`` None means all rows of the batch."""

    positions: npt.NDArray[np.int64] | None
    rung: Rung
    version: str
    predictions: npt.NDArray[Any]
    confidences: npt.NDArray[np.float64]


def answer(
    frame: pd.DataFrame,
    rungs: Sequence[RungModel],
    *,
    target: Target,
    timeout: float,
    suspect: frozenset[str] = frozenset(),
    clock: Callable[[], float] = time.monotonic,
) -> Answers:
    """Go down the rungs; each answers the rows that are still open.

    A model is stepped over for all of them when it cannot be loaded, rests on a suspect column, raises,
    gives the wrong shape or type, or takes longer than ``timeout``; single rows it cannot answer fall to
    the next. Heuristics have no deadline and no confidence, and never see a suspect column. Rows that no
    rung answers get ``target.default``.

    Args:
        frame: The batch's imputed rows, n of them, any index.
        rungs: Best first, as :func:`~evenkeel.serving.rung.build_rungs` makes them.
        target: The classes that may be answered (none for a regression) and the last resort.
        timeout: Seconds each model may take, loading included.
        suspect: Columns that no answer may rest on.
        clock: Seconds, monotonic.

    Returns:
        Answers with ``prediction`` (object str or float64), ``confidence`` (float64), and ``rung`` and
        ``model_version`` as pandas categories of text: a million equal words cost one byte each.
    """
    parts: list[_Part] = []
    skipped: list[SkippedRung] = []
    open_rows: npt.NDArray[np.int64] | None = None  # None: all
    for rung in rungs:
        left = len(frame) if open_rows is None else len(open_rows)
        if not left:
            break
        rows = frame if open_rows is None else frame.iloc[open_rows]
        try:
            output = _output(rung, rows, target, Deadline(timeout, clock), suspect)
        except ModelUnusable as error:
            skipped.append(SkippedRung(rung.name, rung.version, left, error.cause, error.message))
            continue
        skipped += [SkippedRung(rung.name, rung.version, n, cause, why) for cause, why, n in output.faults]
        if output.usable is None or output.usable.any():
            parts.append(_part(rung, open_rows, output))
        bad = np.empty(0, np.int64) if output.usable is None else np.flatnonzero(~output.usable)
        open_rows = bad if open_rows is None else open_rows[bad]
    if len(frame) and (open_rows is None or len(open_rows)):
        parts.append(_last_resort(open_rows, len(frame), target))
    return Answers(_assembled(frame.index, parts, target), tuple(skipped))


def _output(
    rung: RungModel, rows: pd.DataFrame, target: Target, deadline: Deadline, suspect: frozenset[str]
) -> Output:
    """Return a rung's checked output, with every way it can fail told as ModelUnusable and its cause."""
    if resting := sorted(rung.needs & suspect):
        raise ModelUnusable(f"rests on suspect column {', '.join(resting)}", cause="data.suspect_column")
    heuristic = rung.name is Rung.HEURISTIC
    try:
        if heuristic:
            seen = rows.drop(columns=[c for c in rows.columns if c in suspect]) if suspect else rows
            given = rung.load()(seen)
        else:
            given = deadline.run(lambda: _in_chunks(rung, rows, deadline))
        return checked(*given, len(rows), target.classes, confident=not heuristic)
    except Overdue:
        raise ModelUnusable(f"took longer than {deadline.seconds:g} s", cause="model.slow") from None
    except ModelUnusable as error:
        cause = error.cause or "model.unloadable"
        raise ModelUnusable(error.message, fix=error.fix, cause=cause, evidence=error.evidence) from error
    except Exception as error:  # foreign model code may raise anything, and the next rung must still answer
        first = (str(error).splitlines() or [""])[0]
        raise ModelUnusable(f"{type(error).__name__}: {first}", cause="model.raises") from error


def _in_chunks(rung: RungModel, rows: pd.DataFrame, deadline: Deadline) -> tuple[Any, Any]:
    answering = rung.load()
    given = []
    for start in range(0, len(rows), _CHUNK_ROWS):
        deadline.check()
        chunk = rows.iloc[start : start + _CHUNK_ROWS]
        predictions, confidences = (np.asarray(values) for values in answering(chunk))
        for values in (predictions, confidences):
            if values.shape != (len(chunk),):
                raise ModelUnusable(
                    f"gave shape {values.shape}, expected ({len(chunk)},)", cause="model.wrong_output"
                )
        given.append((predictions, confidences))
    if len(given) == 1:
        return given[0]
    return np.concatenate([p for p, _ in given]), np.concatenate([c for _, c in given])


def _part(rung: RungModel, open_rows: npt.NDArray[np.int64] | None, output: Output) -> _Part:
    if output.usable is None:
        return _Part(open_rows, rung.name, rung.version, output.predictions, output.confidences)
    at = np.flatnonzero(output.usable)
    positions = at if open_rows is None else open_rows[at]
    return _Part(positions, rung.name, rung.version, output.predictions[at], output.confidences[at])


def _last_resort(open_rows: npt.NDArray[np.int64] | None, rows: int, target: Target) -> _Part:
    left = rows if open_rows is None else len(open_rows)
    default = str(target.default) if target.classes else float(target.default)
    predictions = np.full(left, default, dtype=object if target.classes else np.float64)
    return _Part(open_rows, Rung.HEURISTIC, "", predictions, np.full(left, np.nan))


def _assembled(index: pd.Index[Any], parts: Sequence[_Part], target: Target) -> pd.DataFrame:
    rows = len(index)
    if len(parts) == 1 and parts[0].positions is None:
        predictions, confidences = parts[0].predictions, parts[0].confidences
    else:
        predictions = np.empty(rows, dtype=object if target.classes else np.float64)
        confidences = np.empty(rows, dtype=np.float64)
        for part in parts:
            predictions[part.positions] = part.predictions
            confidences[part.positions] = part.confidences
    return pd.DataFrame(
        {
            "prediction": predictions,
            "confidence": confidences,
            "rung": _words([str(part.rung) for part in parts], parts, rows),
            "model_version": _words([part.version for part in parts], parts, rows),
        },
        index=index,
        copy=False,
    )


def _words(words: Sequence[str], parts: Sequence[_Part], rows: int) -> pd.Categorical:
    known = list(dict.fromkeys(words))
    codes: Any = np.zeros(rows, dtype=np.int8)
    for word, part in zip(words, parts, strict=True):
        if part.positions is not None:
            codes[part.positions] = known.index(word)
    return pd.Categorical.from_codes(codes, categories=pd.Index(known))
