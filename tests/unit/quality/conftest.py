"""A small pipeline whose configuration and expectations each test writes as it needs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from evenkeel.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG: dict[str, Any] = {
    "pipeline": "shop",
    "task": "regression",
    "target": {"column": "sales", "default": 0.0},
    "row_key": ["id"],
    "time": "at",
    "features": {"columns": ["x", "n", "colour", "open"]},
    "ladder": {"baseline_columns": ["x"]},
}
SCHEMA = """\
columns:
  id: {dtype: int64}
  at: {dtype: "datetime64[ns, UTC]"}
  x:
    dtype: float64
    nullable: true
    checks:
      in_range: {min_value: 0, max_value: 100}
  n: {dtype: int64, nullable: true, greater_than_or_equal_to: 1}
  colour: {dtype: str, nullable: true, isin: [red, blue], required: false}
  open: {dtype: bool, nullable: true, required: false}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that writes the pipeline's files and loads its settings."""

    def write(schema: str | None = SCHEMA, suite: Any = None, **config: Any) -> Settings:
        file = tmp_path / "configs" / "shop.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump(CONFIG | config))
        folder = tmp_path / "expectations" / "shop"
        folder.mkdir(parents=True, exist_ok=True)
        if schema is not None:
            (folder / "schema.yaml").write_text(schema)
        if suite is not None:
            text = suite if isinstance(suite, str) else json.dumps(suite, indent=2)
            (folder / "suite.json").write_text(text)
        return load_settings("shop", config_file=file)

    return write
