"""The benches' problem: 20 numeric columns, a binary target, a schema, a suite; written as a user would."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

NAME = "wide"
COLUMNS = tuple(f"x{i:02d}" for i in range(20))


def write_problem(folder: Path) -> dict[str, str]:
    """Write config and expectations under ``folder`` and return the environment to run in."""
    config = {
        "pipeline": NAME,
        "task": "binary",
        "target": {"column": "y", "classes": ["no", "yes"], "default": "no"},
        "row_key": ["row"],
        "time": "at",
        "features": {"columns": list(COLUMNS)},
        "ladder": {"baseline_columns": ["x00"], "timeout": 120},
        "training": {"candidates": [{"estimator": "hist_gradient_boosting"}]},
    }
    columns = {
        "row": {"dtype": "int64", "nullable": False, "required": True},
        "at": {"dtype": "datetime64[ns, UTC]", "nullable": False, "required": True},
        **{
            c: {
                "dtype": "float64",
                "nullable": True,
                "required": True,
                "checks": {"in_range": {"min_value": -50, "max_value": 50}},
            }
            for c in COLUMNS
        },
    }
    suite = [
        {
            "type": "expect_table_row_count_to_be_between",
            "kwargs": {"min_value": 1},
            "meta": {"severity": "hold"},
        },
        *(
            {
                "type": "expect_column_mean_to_be_between",
                "kwargs": {"column": c, "min_value": -1, "max_value": 1},
                "meta": {"severity": "warn"},
            }
            for c in COLUMNS[:4]
        ),
        *(
            {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {"column": c, "mostly": 0.9},
                "meta": {"severity": "degrade"},
            }
            for c in COLUMNS[:4]
        ),
    ]
    (folder / "configs").mkdir()
    (folder / "configs" / f"{NAME}.yaml").write_text(json.dumps(config))
    expectations = folder / "expectations" / NAME
    expectations.mkdir(parents=True)
    (expectations / "schema.yaml").write_text(
        json.dumps({"schema_type": "dataframe", "name": NAME, "columns": columns})
    )
    (expectations / "suite.json").write_text(json.dumps({"name": NAME, "expectations": suite}))
    return os.environ | {
        "EVENKEEL_HOME": str(folder / "home"),
        "EVENKEEL_CONFIG_DIR": str(folder / "configs"),
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }


def write_rows(folder: Path, batch: str, rows: int, *, seed: int) -> tuple[Path, Path]:
    """Write a batch as parquet and its labels as csv; return both paths."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(rows, len(COLUMNS))), columns=list(COLUMNS))
    start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=365 * seed)
    frame.insert(0, "at", start + pd.to_timedelta(np.arange(rows), unit="s"))
    frame.insert(0, "row", np.arange(rows) + seed * 10_000_000)
    level = frame["x00"] + frame["x01"] * frame["x02"] + draw.normal(size=rows)
    labels = pd.DataFrame({"row": frame["row"], "y": np.where(level > 0, "yes", "no")})
    paths = folder / f"{batch}.parquet", folder / f"{batch}.labels.csv"
    frame.to_parquet(paths[0], index=False)
    labels.to_csv(paths[1], index=False)
    return paths
