"""What a pipeline's file may say of the sources that are joined to its rows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from evenkeel.settings import Pipeline

ONE: dict[str, Any] = {"name": "weather", "uri": "w/*.csv", "key": ["id"], "columns": ["heat"]}


def pipeline(*enrichments: dict[str, Any]) -> Pipeline:
    """Return a pipeline with these enrichments."""
    return Pipeline.model_validate(
        {
            "pipeline": "shop",
            "task": "regression",
            "target": {"column": "sales", "default": 0.0},
            "row_key": ["id"],
            "time": "at",
            "features": {"columns": ["x"]},
            "ladder": {"baseline_columns": ["x"]},
            "sources": [{"name": "tills", "uri": "t/*.csv"}],
            "enrichments": enrichments,
        }
    )


@pytest.mark.parametrize(
    ("enrichments", "message"),
    [
        ([ONE, ONE | {"columns": ["rain"]}], "'weather' is the name of several"),
        ([ONE | {"name": "tills"}], "'tills' is the name of several"),
        ([ONE, ONE | {"name": "other"}], "weather and other both bring 'heat'"),
        ([ONE | {"key": ["x"], "columns": ["id"]}], "brings 'id', which is the row key"),
        ([ONE | {"columns": ["at"]}], "brings 'at', which is the row key, the time"),
        ([ONE | {"columns": ["sales"]}], "brings 'sales', which is the row key, the time or the target"),
        ([ONE | {"key": ["at"], "time": "since"}], "has 'at' in key and time 'since'"),
        ([ONE | {"time": "heat"}], "columns names ['heat']"),
        ([ONE | {"time": "id"}], "key names 'id', which is time"),
        ([ONE, ONE | {"name": "more", "key": ["heat"], "columns": ["rain"]}], "which weather brings"),
    ],
)
def test_what_cannot_be_joined_is_refused(enrichments: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        pipeline(*enrichments)

    assert message in str(refused.value)


def test_sources_of_other_columns_stand_side_by_side() -> None:
    both = pipeline(ONE | {"time": "since"}, ONE | {"name": "rain", "columns": ["rain"]}).enrichments

    assert [one.name for one in both] == ["weather", "rain"]
