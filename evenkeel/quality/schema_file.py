"""Check ``schema.yaml`` key by key, so that a typo is a one-line message and not a check that never runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from evenkeel.quality.kind import Kind
from evenkeel.settings.document import Document, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenkeel.errors import UsageError

_FILE_KEYS = {
    "schema_type": "dataframe",
    "version": None,
    "api": "pandas",
    "columns": None,
    "unique": None,
    "report_duplicates": None,
    "name": None,
    "title": None,
    "description": None,
    "metadata": None,
}
_COLUMN_KEYS = (
    "dtype",
    "nullable",
    "required",
    "unique",
    "report_duplicates",
    "title",
    "description",
    "checks",
)
_REPORTS = ("all", "exclude_first", "exclude_last")
# pandera's own keys and options that would change which rows are refused, and why they are not taken.
_REFUSED = {
    "coerce": "values are read losslessly by the column's dtype before any check",
    "regex": "each column is named",
    "default": "missing cells are filled as the pipeline's impute settings say, and recorded",
    "drop_invalid_rows": "it lets bad rows pass silently; every bad row goes to quarantine with its reasons",
    "strict": "columns that the schema does not know are ignored and listed",
    "ordered": "columns are found by name",
    "index": "a batch has no index: make it a column",
    "multiindex": "a batch has no index: make it a column",
    "dtype": "the dtype belongs to each column",
    "add_missing_columns": "say required: false on the column instead",
    "unique_column_names": "a batch with two columns of one name is always refused",
    "raise_warning": "a check of a row quarantines it; what only warns belongs in suite.json",
    "n_failure_cases": "it would hide bad rows",
    "groupby": "checks look at one column",
    "groups": "checks look at one column",
}
_CHECKS = (
    "equal_to", "eq", "not_equal_to", "ne", "greater_than", "gt", "greater_than_or_equal_to", "ge",
    "less_than", "lt", "less_than_or_equal_to", "le", "in_range", "between", "isin", "notin",
    "str_contains", "str_endswith", "str_length", "str_matches", "str_startswith", "unique_values_eq",
)  # fmt: skip
_SPELLED = {
    "numeric": "give numbers, as {min_value: 0, max_value: 100}",
    "categorical": 'give texts, quoted where YAML would read another type: ["yes", "1"]',
    "boolean": "give true or false",
    "time": "give times, as '2026-11-23T00:00:00Z'",
}
_PYTHON: dict[str, Any] = {"numeric": int | float, "categorical": str, "boolean": bool, "time": ()}
_DTYPES = ("float64", "int64", "str", "bool", "datetime64[ns, UTC]")


def checked_columns(document: Document) -> dict[str, dict[str, Any]]:
    """Return the columns of a schema file in pandera's form, each check under ``checks``.

    Raises:
        UsageError: A key, dtype or check is unknown or of the wrong type; the message names file, line,
            key and the nearest known word.
    """
    for key, value in document.data.items():
        if key in _REFUSED and value not in (None, False):
            raise document.error([key], "not taken", fix=f"remove it: {_REFUSED[key]}")
        if key == "checks":
            raise document.error(
                [key], "checks of the whole table are not taken", fix="put them in suite.json"
            )
        if key not in _FILE_KEYS and key not in _REFUSED:
            raise _unknown(document, [key], _FILE_KEYS)
    for key in ("schema_type", "api"):
        if document.data.get(key, _FILE_KEYS[key]) != _FILE_KEYS[key]:
            raise document.error([key], f"found {document.data[key]!r}", fix=f"use {_FILE_KEYS[key]!r}")
    _check_report(document, [], document.data)
    columns = document.data.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise document.error(
            ["columns"], "expected at least one column, as `price: {dtype: float64}`", fix="add it"
        )
    return {_name(document, name): _column(document, name, entry) for name, entry in columns.items()}


def kind_of(document: Document, column: str, dtype: Any) -> Kind:
    """Return the kind of a column from the pandera dtype that the file declares.

    Raises:
        UsageError: The dtype is unknown, or of a kind that no step can use.
    """
    from pandera import dtypes
    from pandera.engines import pandas_engine

    path = ["columns", column, "dtype"]
    fix = f"{nearest(dtype, _DTYPES)}use one of {', '.join(_DTYPES)}"
    if not isinstance(dtype, str):
        raise document.error(path, f"expected a dtype, found {dtype!r}", fix=fix)
    try:
        declared = pandas_engine.Engine.dtype(dtype)
    except (TypeError, ValueError):
        raise document.error(path, f"unknown dtype {dtype!r}", fix=fix) from None
    if dtypes.is_bool(declared):
        return "boolean"
    if dtypes.is_int(declared) or dtypes.is_uint(declared) or dtypes.is_float(declared):
        return "numeric"
    if dtypes.is_datetime(declared):
        return "time"
    if dtypes.is_string(declared) or dtypes.is_category(declared):
        return "categorical"
    raise document.error(path, f"dtype {dtype!r} cannot be used", fix=fix)


def time_formats(document: Document, times: Iterable[str]) -> dict[str, str]:
    """Return ``metadata.time_formats``: for columns that are not ISO 8601, their strptime format.

    Raises:
        UsageError: It is no mapping of time columns to formats.
    """
    formats = _per_column(
        document, "time_formats", times, 'write time_formats: {settlement: "%d/%m/%Y %H:%M"}'
    )
    for column, pattern in formats.items():
        if not isinstance(pattern, str) or "%" not in pattern:
            raise document.error(
                ["metadata", "time_formats", column],
                f"found {pattern!r}",
                fix='give a strptime format, as "%d/%m/%Y"',
            )
    return formats


def null_texts(document: Document, columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return ``metadata.null_texts``: the texts of a column that stand for a missing value, as ``NA``.

    Raises:
        UsageError: It is no mapping of columns to lists of texts.
    """
    example = 'write null_texts: {price: ["NA", "?"]}'
    named = _per_column(document, "null_texts", columns, example)
    for column, texts in named.items():
        if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
            raise document.error(["metadata", "null_texts", column], f"found {texts!r}", fix=example)
    return {column: tuple(texts) for column, texts in named.items()}


def _per_column(document: Document, key: str, columns: Iterable[str], example: str) -> dict[str, Any]:
    """Return a mapping of the metadata from columns to whatever is said of them."""
    metadata = document.data.get("metadata") or {}
    said = (metadata if isinstance(metadata, dict) else {}).get(key) or {}
    if not isinstance(metadata, dict) or not isinstance(said, dict):
        raise document.error(["metadata", key], "expected a mapping", fix=example)
    known = list(columns)
    if strange := [str(c) for c in said if c not in known]:
        raise _unknown(document, ["metadata", key, strange[0]], known)
    return said


def _name(document: Document, name: object) -> str:
    if not isinstance(name, str):
        raise document.error(
            ["columns", str(name)], "a column's name must be text", fix=f'write "{name}" in quotes'
        )
    return name


def _column(document: Document, name: str, entry: Any) -> dict[str, Any]:
    path = ["columns", name]
    if not isinstance(entry, dict):
        raise document.error(path, f"found {entry!r}", fix="write e.g. {dtype: float64, nullable: true}")
    if "dtype" not in entry:
        raise document.error([*path, "dtype"], "missing", fix=f"add one of {', '.join(_DTYPES)}")
    kind = kind_of(document, name, entry["dtype"])
    column: dict[str, Any] = {}
    checks: list[dict[str, Any]] = []
    for key, value in entry.items():
        if key in _REFUSED and key != "dtype":
            if value not in (None, False):
                raise document.error([*path, key], "not taken", fix=f"remove it: {_REFUSED[key]}")
        elif key == "checks":
            checks += _listed_checks(document, path, value, kind)
        elif key in _COLUMN_KEYS:
            if key in ("nullable", "required", "unique") and not isinstance(value, bool):
                raise document.error([*path, key], f"found {value!r}", fix="use true or false")
            column[key] = value
        elif key in _CHECKS:
            checks.append(_check(document, [*path, key], key, value, kind))
        else:
            raise _unknown(document, [*path, key], (*_COLUMN_KEYS, *_CHECKS))
    _check_report(document, path, entry)
    return {**column, "checks": checks}


def _listed_checks(document: Document, path: list[str], value: Any, kind: Kind) -> list[dict[str, Any]]:
    """Read both of pandera's spellings of ``checks``: by name, or a list with ``options.check_name``."""
    if isinstance(value, dict):
        named = [(str(name), given) for name, given in value.items()]
    elif isinstance(value, list) and all(
        isinstance(v, dict) and isinstance(v.get("options"), dict) for v in value
    ):
        named = [(str(v["options"].get("check_name")), {**v, **v["options"]}) for v in value]
    elif value is None:
        named = []
    else:
        raise document.error(
            [*path, "checks"], f"found {value!r}", fix="write checks: {in_range: {min_value: 0, ...}}"
        )
    for name, _ in named:
        if name not in _CHECKS:
            raise _unknown(document, [*path, "checks", name], _CHECKS, what="check")
    return [_check(document, [*path, "checks", name], name, given, kind) for name, given in named]


def _check(document: Document, path: list[str], name: str, given: Any, kind: Kind) -> dict[str, Any]:
    """Return one check as pandera deserialises it; bounds of a time column become instants in UTC."""
    arguments = dict(given) if isinstance(given, dict) else {"value": given}
    arguments |= arguments.pop("options", None) or {}
    options: dict[str, Any] = {"check_name": name}
    for key in list(arguments):
        if key in _REFUSED:
            raise document.error([*path, key], "not taken", fix=f"remove it: {_REFUSED[key]}")
        if key in ("check_name", "ignore_na", "error", "name"):
            option = arguments.pop(key)
            options |= {key: option} if key == "ignore_na" else {}
    if name.startswith("str_"):
        if kind != "categorical":
            raise document.error(path, "a check of text", fix="use it on a column of dtype str")
        return {**arguments, "options": options}
    try:
        arguments = {key: _typed(value, kind) for key, value in arguments.items()}
    except (TypeError, ValueError):
        raise document.error(path, f"found {given!r}", fix=_SPELLED[kind]) from None
    return {**arguments, "options": options}


def _typed(value: Any, kind: Kind) -> Any:
    """Return an argument of a check if it is of the column's kind (or a switch, as ``include_min``)."""
    if isinstance(value, list):
        return [_typed(v, kind) for v in value]
    if isinstance(value, bool):  # a switch such as include_min, or what YAML makes of an unquoted yes
        if kind == "categorical":
            raise TypeError(value)
        return value
    if isinstance(value, _PYTHON[kind]):
        return value
    if kind != "time" or isinstance(value, int | float):
        raise TypeError(value)
    instant = pd.Timestamp(value)
    return instant.tz_localize("UTC") if instant.tz is None else instant.tz_convert("UTC")


def _check_report(document: Document, path: list[str], entry: dict[str, Any]) -> None:
    if entry.get("report_duplicates", _REPORTS[0]) not in _REPORTS:
        found = entry["report_duplicates"]
        raise document.error(
            [*path, "report_duplicates"], f"found {found!r}", fix=f"use one of {', '.join(_REPORTS)}"
        )


def _unknown(document: Document, path: list[str], known: Iterable[str], *, what: str = "key") -> UsageError:
    words = list(known)
    shown = ", ".join(w for w in words if w not in get_args(Kind))
    return document.error(
        path, f"unknown {what} {path[-1]!r}", fix=f"{nearest(path[-1], words)}known: {shown}"
    )
