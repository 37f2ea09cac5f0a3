"""A prediction problem of the bench: its batches, its labels, and its configuration as a person would write it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

DTYPES = {"numeric": "float64", "categorical": "str", "boolean": "bool", "time": "datetime64[ns, UTC]"}


@dataclass(frozen=True)
class Problem:
    """One data set, cut into batches in the order of time.

    Attributes:
        name: Its name.
        task: ``binary`` or ``regression``.
        target: Name of the label.
        classes: For ``binary``, the labels.
        key: The columns that identify a row.
        time: The time column.
        kinds: Column -> kind; key and time among them.
        features: What the model sees.
        calendar: Parts of the time that the model sees.
        batches: As csv gives them.
        labels: For each batch, of its rows.
        train: How many batches the champion is trained on.
        changed: Batches of the same feed after the world changed: nothing is broken in them.
        expectations: Folder with a schema and a suite to use; None to write them from the training batches.
    """

    name: str
    task: str
    target: str
    classes: tuple[str, ...]
    key: tuple[str, ...]
    time: str
    kinds: dict[str, str]
    features: tuple[str, ...]
    calendar: tuple[str, ...]
    batches: list[pd.DataFrame]
    labels: list[npt.NDArray[Any]]
    train: int
    changed: list[pd.DataFrame] = field(default_factory=list)
    expectations: Path | None = None

    @cached_property
    def prior(self) -> Any:
        """The answer of somebody who knows the training labels only: the majority or the median."""
        known = pd.Series(np.concatenate(self.labels[: self.train]))
        return known.mode()[0] if self.task == "binary" else float(known.median())


def as_csv(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as a csv reader that guesses nothing gives it: text cells, None where empty."""
    text = frame.to_csv(index=False)
    cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return cells.mask(cells == "", None)


def cut(
    frame: pd.DataFrame, labels: npt.NDArray[Any], rows: int
) -> tuple[list[pd.DataFrame], list[npt.NDArray[Any]]]:
    """Cut rows into whole batches of ``rows``."""
    starts = range(0, len(frame) - rows + 1, rows)
    parts = [as_csv(frame.iloc[start : start + rows]).reset_index(drop=True) for start in starts]
    return parts, [labels[start : start + rows] for start in starts]


def write(problem: Problem, folder: Path) -> Path:
    """Write configuration and expectations under ``folder``; return the configuration's file."""
    default: Any = problem.classes[0] if problem.classes else problem.prior
    numeric = [c for c in problem.features if problem.kinds[c] == "numeric"]
    config = {
        "pipeline": problem.name,
        "task": problem.task,
        "target": {"column": problem.target, "classes": list(problem.classes), "default": default},
        "row_key": list(problem.key),
        "time": problem.time,
        "features": {"columns": list(problem.features), "calendar": list(problem.calendar)},
        "faults": {"repair": "auto"},
        "ladder": {"baseline_columns": numeric[:2], "timeout": 60},
        "training": {
            "folds": 2,
            "candidates": [{"estimator": "hist_gradient_boosting", "grid": {"learning_rate": [0.08]}}],
        },
    }
    file = folder / "configs" / f"{problem.name}.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(config), encoding="utf-8")
    expectations = folder / "expectations" / problem.name
    expectations.mkdir(parents=True)
    for name, document in (("schema.yaml", _schema(problem)), ("suite.json", _suite(problem))):
        given = problem.expectations
        text = (given / name).read_text(encoding="utf-8") if given else json.dumps(document)
        (expectations / name).write_text(text, encoding="utf-8")
    return file


def _schema(problem: Problem) -> dict[str, Any]:
    """Return what a person who knows the domain writes: every clean row keeps it, with once the range on each side."""
    seen = pd.concat(problem.batches)
    columns: dict[str, Any] = {}
    for name, kind in problem.kinds.items():
        vital = name in {*problem.key, problem.time}
        whole = name in problem.key and kind == "numeric"
        entry: dict[str, Any] = {
            "dtype": "int64" if whole else DTYPES[kind],
            "nullable": not vital,
            "required": True,
        }
        if kind == "numeric" and not vital:
            values = pd.to_numeric(seen[name])
            low, high = float(values.min()), float(values.max())
            entry["checks"] = {"in_range": {"min_value": 2 * low - high, "max_value": 2 * high - low}}
        if kind == "categorical" and not vital:
            entry["checks"] = {"isin": sorted(seen[name].dropna().unique())}
        columns[name] = entry
    return {"schema_type": "dataframe", "name": problem.name, "columns": columns}


def _suite(problem: Problem) -> dict[str, Any]:
    rows = int(np.median([len(batch) for batch in problem.batches[: problem.train]]))
    count = {
        "type": "expect_table_row_count_to_be_between",
        "kwargs": {"min_value": rows // 2, "max_value": 3 * rows},
        "meta": {"severity": "hold", "cause": "data.truncated"},
    }
    return {"name": problem.name, "expectations": [count]}
