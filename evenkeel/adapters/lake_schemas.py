"""The lake's tables and the columns that must be in each."""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

BATCH = "batch_id"


class Table(StrEnum):
    """The tables of a pipeline."""

    ACCEPTED = "accepted"
    QUARANTINE = "quarantine"
    PREDICTIONS = "predictions"
    LABELS = "labels"
    REVIEWS = "reviews"


_TEXT = pa.string()
_TEXTS = pa.list_(_TEXT)
_INSTANT = pa.timestamp("us", tz="UTC")
_REASON = pa.struct([("column", _TEXT), ("check", _TEXT), ("value", _TEXT)])

# Columns that are not here (the row key, the features, prediction and label) have the pipeline's own types.
REQUIRED: dict[Table, dict[str, pa.DataType]] = {
    Table.ACCEPTED: {BATCH: _TEXT, "imputed": _TEXTS, "stale": _TEXTS, "repaired": _TEXTS, "original": _TEXT},
    Table.QUARANTINE: {BATCH: _TEXT, "raw": _TEXT, "reasons": pa.list_(_REASON)},
    Table.PREDICTIONS: {
        BATCH: _TEXT,
        "prediction": pa.null(),  # text for classes, float64 for regression
        "confidence": pa.float64(),
        "rung": _TEXT,
        "arm": _TEXT,
        "model_version": _TEXT,
        "imputed": _TEXTS,
        "stale": _TEXTS,
        "repaired": _TEXTS,
        "needs_review": pa.bool_(),
        "rule_overrides": _TEXTS,
        "revision": pa.int32(),
        "run_id": _TEXT,
        "scored_at": _INSTANT,
    },
    Table.LABELS: {"label": pa.null(), "arrived_at": _INSTANT, "source_sha256": _TEXT},
    Table.REVIEWS: {BATCH: _TEXT, "decision": _TEXT, "by": _TEXT, "at": _INSTANT},
}


def conformed(table: Table, data: pa.Table) -> pa.Table:
    """Return ``data`` as it may be written: required columns present and typed, the rest in storable types.

    Times become UTC microseconds (what Delta Lake stores) and dictionaries plain values. A column of nothing
    but nulls that tells no type is left out: it would fix a type that the next batch may not have.

    Raises:
        ValueError: A required column is missing, or one comes twice.
    """
    required = REQUIRED[table]
    if missing := [c for c in required if c not in data.column_names]:
        raise ValueError(f"{table}: columns {missing} are missing")
    if len(set(data.column_names)) < data.num_columns:
        raise ValueError(f"{table}: a column comes twice in {data.column_names}")
    untyped = [f.name for f in data.schema if pa.types.is_null(f.type) and f.name not in required]
    data = data.drop_columns(untyped)
    fields = [
        pa.field(f.name, _storable(f.type) if pa.types.is_null(wanted) else wanted)
        for f in data.schema
        for wanted in (required.get(f.name, pa.null()),)
    ]
    # Safe casts, but for the nanoseconds that Delta Lake does not know.
    columns = [
        column
        if column.type == field.type
        else column.cast(field.type, safe=not pa.types.is_timestamp(field.type))
        for column, field in zip(data.columns, fields, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _storable(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return _INSTANT if kind.tz else pa.timestamp("us")
    if pa.types.is_dictionary(kind):
        return _storable(kind.value_type)
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _TEXT
    return kind
