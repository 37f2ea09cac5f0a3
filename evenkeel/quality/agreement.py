"""Whether a pipeline's configuration and its schema speak of the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenkeel.errors import UsageError
from evenkeel.settings.document import Document, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.quality.kind import Kind
    from evenkeel.settings import Settings
    from evenkeel.settings.quality import ColumnImpute

_NUMBERS_ONLY = ("median", "knn", "iterative")
_FOR_OTHERS = "most_frequent, constant or last_known_good"


def check_columns(
    document: Document, settings: Settings, declared: Mapping[str, dict[str, Any]], kinds: Mapping[str, Kind]
) -> None:
    """Refuse a configuration that names columns the schema lacks or that cannot play their part.

    Raises:
        UsageError: Naming the file, the key and the column.
    """
    pipeline = settings.pipeline
    named = [("row_key", c) for c in pipeline.row_key]
    named += [("time", pipeline.time), *(("features.columns", c) for c in pipeline.features.columns)]
    for number, source in enumerate(pipeline.enrichments):
        key = f"enrichments[{number}]"
        named += [(f"{key}.key", c) for c in source.key] + [(f"{key}.columns", c) for c in source.columns]
    for key, column in named:
        if column not in declared:
            raise UsageError(
                f"{settings.config_file}: key {key}: {column!r} is not a column of {document.file}",
                fix=f"{nearest(column, declared)}declare it there, or use one of {', '.join(declared)}",
            )
    if kinds[pipeline.time] != "time":
        found = declared[pipeline.time]["dtype"]
        raise document.error(
            ["columns", pipeline.time, "dtype"],
            f"found {found!r}, but it is the pipeline's time",
            fix="use datetime64[ns, UTC]",
        )
    for column in dict.fromkeys([*pipeline.row_key, pipeline.time]):
        for key, must in (("required", True), ("nullable", False)):
            if declared[column].get(key, must) is not must:
                part = "row_key" if column in pipeline.row_key else "time"
                message = f"found {not must}, but the column is the pipeline's {part}"
                raise document.error(["columns", column, key], message, fix=f"say {key}: {str(must).lower()}")
    for column in pipeline.features.columns:
        if kinds[column] == "time":
            raise UsageError(
                f"{settings.config_file}: key features.columns: {column!r} is a time",
                fix="use features.calendar for parts of the row's time",
            )


def check_strategies(settings: Settings, kinds: Mapping[str, Kind]) -> None:
    """Refuse an imputation strategy that does not fit its column's kind.

    Raises:
        UsageError: Naming the file, the key, the strategy and those that fit.
    """
    impute = settings.pipeline.impute
    for column in settings.pipeline.features.columns:
        numeric = kinds[column] == "numeric"
        if column in impute.columns:
            key, chosen = f"impute.columns.{column}", impute.columns[column]
        else:
            key = "impute.numeric" if numeric else "impute.categorical"
            chosen = impute.numeric if numeric else impute.categorical
        if problem := _problem(chosen, kinds[column]):
            raise UsageError(
                f"{settings.config_file}: key {key}: {problem[0]}, and {column!r} is {kinds[column]}",
                fix=problem[1],
            )


def _problem(chosen: ColumnImpute, kind: Kind) -> tuple[str, str] | None:
    """Return what is wrong and the fix, or None."""
    if kind != "numeric" and chosen.strategy in _NUMBERS_ONLY:
        return f"strategy {chosen.strategy!r} is for numbers", f"use {_FOR_OTHERS}"
    value = chosen.fill_value
    if chosen.strategy != "constant":
        return None
    if kind == "numeric" and not isinstance(value, float | int):
        return f"fill_value {value!r} is no number", "give a number"
    if kind == "categorical" and not isinstance(value, str):
        return f"fill_value {value!r} is no text", "put it in quotes"
    if kind == "boolean" and str(value).lower() not in ("true", "false", "0", "1", "0.0", "1.0"):
        return f"fill_value {value!r} is neither true nor false", 'give "true" or "false"'
    return None
