"""Check ``suite.json`` entry by entry, so that no misspelt expectation goes unjudged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenkeel.domain.quality import Severity
from evenkeel.failures.catalogue import catalogue
from evenkeel.quality.expectation import Expectation
from evenkeel.settings.document import Document, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_KEYS = ("name", "expectations", "meta", "id", "notes")
_ENTRY_KEYS = (
    "type",
    "kwargs",
    "meta",
    "id",
    "notes",
    "description",
    "severity",
    "rendered_content",
)
# Arguments that are Great Expectations' own affair.
_OWN = (
    "batch_id",
    "catch_exceptions",
    "description",
    "id",
    "meta",
    "notes",
    "rendered_content",
    "result_format",
    "severity",
    "windows",
)
# They ask a database, and a batch is a frame.
_SQL_ONLY = (
    "unexpected_rows_expectation",
    "expect_query_results_to_match_comparison",
    "expect_table_row_count_to_equal_other_table",
)
_COLUMN_KEYS = ("column", "column_A", "column_B", "column_list", "column_set")
# What a failed expectation stands for where its meta does not say: the first part found in its type.
_CAUSES = (
    ("not_be_null", "data.nulls"),
    ("non_null_values", "data.nulls"),
    ("row_count", "data.truncated"),
    ("to_exist", "data.column_missing"),
    ("table_column", "data.column_missing"),
    ("be_unique", "data.duplicated_rows"),
    ("of_type", "data.column_retyped"),
    ("in_type_list", "data.column_retyped"),
    ("in_set", "data.unseen_category"),
    ("contain_set", "data.unseen_category"),
    ("equal_set", "data.unseen_category"),
    ("_to_be_between", "data.out_of_range"),
    ("quantile", "data.out_of_range"),
    ("outliers", "data.out_of_range"),
    ("z_scores", "data.out_of_range"),
)


def read_expectations(document: Document, columns: Collection[str]) -> tuple[Expectation, ...]:
    """Return the checked expectations of a suite file.

    Args:
        document: The file, as Great Expectations writes suites.
        columns: Columns of the schema: no other can be judged.

    Raises:
        UsageError: A key, expectation type, argument, column, severity or cause is missing or unknown;
            naming file, line, key and the nearest known word.
    """
    for key in document.data:
        if key not in _KEYS:
            raise document.error(
                [key], f"unknown key {key!r}", fix=f"{nearest(key, _KEYS)}known: {', '.join(_KEYS)}"
            )
    entries = document.data.get("expectations", [])
    if not isinstance(entries, list):
        raise document.error(["expectations"], f"found {entries!r}", fix="write a list")
    if not entries:
        return ()
    implementations = _implementations()
    return tuple(
        _expectation(document, i, entry, implementations, columns) for i, entry in enumerate(entries)
    )


def _implementations() -> dict[str, Any]:
    import great_expectations  # noqa: F401 - registers its expectations
    from great_expectations.expectations import registry

    names = registry.list_registered_expectation_implementations()
    return {name: registry.get_expectation_impl(name) for name in names if name not in _SQL_ONLY}


def _expectation(
    document: Document, i: int, entry: Any, implementations: Mapping[str, Any], columns: Collection[str]
) -> Expectation:
    path: list[str | int] = ["expectations", i]
    example = 'write {"type": ..., "kwargs": {...}, "meta": {"severity": "warn"}}'
    if not isinstance(entry, dict):
        raise document.error(path, f"found {entry!r}", fix=example)
    for key in entry:
        if key not in _ENTRY_KEYS:
            fix = f"{nearest(key, _ENTRY_KEYS)}known: {', '.join(_ENTRY_KEYS)}"
            raise document.error([*path, key], f"unknown key {key!r}", fix=fix)
    kind, kwargs, meta = entry.get("type"), entry.get("kwargs", {}), entry.get("meta") or {}
    if not isinstance(kind, str) or kind not in implementations:
        known = sorted(implementations)
        why = "needs a database" if kind in _SQL_ONLY else "unknown expectation"
        raise document.error(
            [*path, "type"],
            f"{why}: {kind!r}",
            fix=f"{nearest(kind, known)}see greatexpectations.io/expectations",
        )
    if not isinstance(kwargs, dict) or not isinstance(meta, dict):
        raise document.error(path, "kwargs and meta must be mappings", fix=example)
    _check_arguments(document, [*path, "kwargs"], implementations[kind], kwargs)
    named = _named_columns(kwargs)
    for column in named:
        if column not in columns:
            fix = f"{nearest(column, columns)}known: {', '.join(columns)}"
            raise document.error([*path, "kwargs"], f"{column!r} is not a column of the schema", fix=fix)
    severity, cause = _meaning(document, [*path, "meta"], meta, kind)
    return Expectation(kind, kwargs, severity, cause, named)


def _meaning(
    document: Document, path: list[str | int], meta: Mapping[str, Any], kind: str
) -> tuple[Severity, str]:
    """Return what a failure does and what it stands for."""
    severities = [str(s) for s in Severity]
    if meta.get("severity") not in severities:
        found = f"found {meta['severity']!r}" if "severity" in meta else "missing"
        fix = f"{nearest(meta.get('severity', ''), severities)}use one of {', '.join(severities)}"
        raise document.error([*path, "severity"], found, fix=fix)
    cause = meta.get("cause", _cause(kind))
    if cause not in catalogue():
        fix = f"{nearest(cause, catalogue())}use a cause of the failure catalogue, or leave it out"
        raise document.error([*path, "cause"], f"unknown cause {cause!r}", fix=fix)
    return Severity(meta["severity"]), cause


def _check_arguments(
    document: Document, path: list[str | int], implementation: Any, kwargs: dict[str, Any]
) -> None:
    known = sorted(set(implementation.__fields__) - set(_OWN))
    for key in kwargs:
        if key not in known:
            fix = f"{nearest(key, known)}known: {', '.join(known)}"
            raise document.error([*path, key], f"unknown argument {key!r}", fix=fix)
    try:
        implementation(**kwargs)
    except ValueError as error:  # pydantic's ValidationError is one
        found: Any = error.errors()[0] if hasattr(error, "errors") else {"loc": (), "msg": str(error)}
        where = [str(step) for step in found["loc"] if str(step) in known]
        fix = f"known arguments: {', '.join(known)}"
        raise document.error([*path, *where[:1]], str(found["msg"]), fix=fix) from None
    bounds = [kwargs.get(bound) for bound in ("min_value", "max_value")]
    if "max_value" in known and bounds == [None, None]:
        raise document.error(
            path, "neither min_value nor max_value: it can never fail", fix="give at least one"
        )
    numbers = [b for b in bounds if isinstance(b, int | float)]
    if len(numbers) == len(bounds) and numbers[0] > numbers[1]:
        raise document.error(path, f"min_value {bounds[0]} is above max_value {bounds[1]}", fix="swap them")


def _named_columns(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    named: list[str] = []
    for key in _COLUMN_KEYS:
        value = kwargs.get(key, [])
        named += [value] if isinstance(value, str) else [str(column) for column in value]
    return tuple(dict.fromkeys(named))


def _cause(kind: str) -> str:
    return next((cause for part, cause in _CAUSES if part in kind), "data.expectation_failed")
