"""What a row must be: pandera's schema as data, and the division of a batch by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.domain.quality import Split
from evenkeel.errors import DataRejected
from evenkeel.quality.coercion import Coerced, coerce_column, null_column
from evenkeel.quality.findings import excused, find
from evenkeel.quality.kind import Kind
from evenkeel.quality.quarantine import cause_of, quarantine
from evenkeel.quality.treatment import UNTREATED, Treatment
from evenkeel.settings.document import read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from evenkeel.quality.rules import Broken, Rules
    from evenkeel.settings import Settings

__all__ = [
    "Kind",
    "TableSchema",
    "check_header",
    "column_missing",
    "load_schema",
    "missing_required",
    "split",
]

_DTYPES: dict[Kind, str] = {
    "numeric": "float64",
    "categorical": "object",
    "boolean": "boolean",
    "time": "datetime64[ns, UTC]",
}


@dataclass(frozen=True)
class TableSchema:
    """A pipeline's schema.

    Attributes:
        file: Where it was read from.
        kinds: Kind of every column.
        columns: Every column, in the order of the file.
        required: Columns that a batch must have.
        whole: Numeric columns that hold whole numbers only.
        keys: The row key columns; whole-numbered ones are kept exact, not as float64.
        time_formats: strptime format of time columns that are not ISO 8601.
        null_texts: Column -> texts that stand for a missing value.
        rules: pandera's checks over the typed columns.
    """

    file: Path
    kinds: dict[str, Kind]
    columns: tuple[str, ...]
    required: tuple[str, ...]
    whole: frozenset[str]
    keys: tuple[str, ...]
    time_formats: dict[str, str]
    null_texts: dict[str, tuple[str, ...]]
    rules: Rules

    def coerce(self, name: str, values: pd.Series[Any]) -> Coerced:
        """Read the values of a column as the schema declares it."""
        return coerce_column(
            values,
            self.kinds[name],
            whole=name in self.whole,
            key=name in self.keys,
            time_format=self.time_formats.get(name),
            null_texts=self.null_texts.get(name, ()),
        )


def load_schema(settings: Settings) -> TableSchema:
    """Read ``schema.yaml`` of the pipeline: pandera's own YAML format, see ``expectations/market``.

    Raises:
        UsageError: The file is missing or not YAML, a key, dtype or check is unknown or cannot be used, or
            a column that the pipeline's configuration names is not in it.
    """
    from evenkeel.quality.agreement import check_columns, check_strategies
    from evenkeel.quality.rules import build_rules, is_whole
    from evenkeel.quality.schema_file import checked_columns, kind_of, null_texts, time_formats

    file = settings.expectations / "schema.yaml"
    fix = "write it as expectations/market/schema.yaml is"
    document = read_document(file, fix=fix)
    declared = checked_columns(document)
    kinds = {name: kind_of(document, name, entry["dtype"]) for name, entry in declared.items()}
    check_columns(document, settings, declared, kinds)
    check_strategies(settings, kinds)
    keys = settings.pipeline.row_key
    whole = frozenset(n for n, kind in kinds.items() if kind == "numeric" and is_whole(declared[n]["dtype"]))
    dtypes = {n: "Int64" if n in whole and n in keys else _DTYPES[kind] for n, kind in kinds.items()}
    return TableSchema(
        file=file,
        kinds=kinds,
        columns=tuple(kinds),
        required=tuple(n for n, entry in declared.items() if entry.get("required", True)),
        whole=whole,
        keys=keys,
        time_formats=time_formats(document, [n for n, kind in kinds.items() if kind == "time"]),
        null_texts=null_texts(document, kinds),
        rules=build_rules(document, declared, dtypes, keys),
    )


def missing_required(columns: Iterable[object], schema: TableSchema) -> tuple[str, ...]:
    """Return the required columns of the schema that ``columns`` lacks."""
    present = set(columns)
    return tuple(name for name in schema.required if name not in present)


def split(
    frame: pd.DataFrame, schema: TableSchema, row_key: Sequence[str], treatment: Treatment = UNTREATED
) -> Split:
    """Divide a batch into rows that keep the schema and rows that break it, with every reason.

    Values are first read losslessly by the column's kind (:mod:`evenkeel.quality.coercion`), then pandera
    finds every broken check. Of rows with one key the first that breaks nothing else is kept. What is left
    is validated once more, because pandera's own dropping of rows lets bad ones pass (pandera#1830); it is
    only left out where the first validation found nothing and nothing was removed.

    Args:
        frame: The batch as it came, index 0 to n-1. The accepted rows may share its memory.
        schema: What its rows must be.
        row_key: The columns that identify a row.
        treatment: What was done about its faults; a cell that it emptied breaks no check for being null.

    Returns:
        Both parts, index as it came.

    Raises:
        DataRejected: Two columns have one name, or a name is not text (``data.not_the_format``); a required
            column is missing (``data.column_missing``); or a check of a whole column fails that no row can
            be blamed for, after the bad rows were taken out.
    """
    named = treatment.named(frame)
    check_header(named)
    present = [name for name in schema.columns if name in named.columns or name in treatment.values]
    _check_required(present, named, schema)
    read = {name: _read(name, named, schema, treatment) for name in present}
    arrays = {name: coerced.values.array for name, coerced in read.items()}
    typed = pd.DataFrame(arrays, index=range(len(frame)), copy=False)
    findings, unexplained = find(named, typed, read, schema.rules, row_key, emptied=treatment.emptied)
    findings += treatment.refused
    quarantined, causes = quarantine(frame, findings, typed[list(row_key)])
    if len(quarantined):
        kept = np.ones(len(frame), dtype=np.bool_)
        for found in findings:
            kept[found.rows] = False
        typed = typed[kept]
        emptied = {name: mask[kept] for name, mask in treatment.emptied.items()}
        unexplained = excused(schema.rules.broken(typed), emptied) if len(typed) else []
        index = frame.index[kept]
    else:
        index = frame.index
    if unexplained:
        raise _rejected(unexplained)
    filled = tuple(name for name in schema.columns if name not in present)
    accepted = typed.copy(deep=False)
    accepted.index = index
    for name in filled:
        accepted[name] = null_column(index, schema.kinds[name])
    for name in schema.whole.intersection(row_key):
        accepted[name] = accepted[name].astype("int64")
    return Split(
        accepted=accepted[list(schema.columns)] if filled else accepted,
        quarantined=quarantined,
        ignored_columns=tuple(c for c in named.columns if c not in schema.kinds),
        filled_columns=filled,
        causes=causes,
    )


def _read(name: str, frame: pd.DataFrame, schema: TableSchema, treatment: Treatment) -> Coerced:
    """Read a column as it came, or take what the treatment made of it, with the flaws that it left."""
    treated = treatment.values.get(name)
    if treated is not None and name not in frame.columns:
        return Coerced(treated)
    read = treatment.read.get(name) or schema.coerce(name, frame[name])
    if treated is None:
        return read
    touched = np.zeros(len(frame), dtype=np.bool_)
    for masks in (treatment.repaired, treatment.emptied):
        touched |= masks.get(name, touched)
    flawed = {check: mask & ~touched for check, mask in read.flawed.items()}
    return Coerced(treated, {check: mask for check, mask in flawed.items() if mask.any()})


def check_header(frame: pd.DataFrame) -> None:
    """Refuse a batch two of whose columns have one name, or one whose name is not text.

    Raises:
        DataRejected: ``data.not_the_format``.
    """
    names = list(frame.columns)
    twice = (
        sorted({str(name) for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    )
    unnamed = [str(name) for name in names if not isinstance(name, str)]
    if twice or unnamed:
        what = (
            f"columns named twice: {', '.join(twice)}"
            if twice
            else f"names that are not text: {', '.join(unnamed)}"
        )
        raise DataRejected(
            f"the batch has {what}",
            fix="give every column one name of its own",
            cause="data.not_the_format",
            evidence={"columns": twice or unnamed},
        )


def _check_required(present: Sequence[str], frame: pd.DataFrame, schema: TableSchema) -> None:
    if missing := missing_required(present, schema):
        raise column_missing(missing, frame.columns, schema)


def column_missing(missing: Sequence[str], found: Iterable[str], schema: TableSchema) -> DataRejected:
    """Return the refusal of a batch that lacks required columns."""
    names = list(found)
    return DataRejected(
        f"the batch lacks {', '.join(missing)}, required by {schema.file};"
        f" found {', '.join(names) or 'no column'}",
        fix="land the batch with these columns, or say required: false for them",
        cause="data.column_missing",
        evidence={"columns": list(missing), "found": names},
    )


def _rejected(unexplained: Sequence[Broken]) -> DataRejected:
    listed = [{"column": b.column, "check": b.check, "value": b.value} for b in unexplained]
    return DataRejected(
        "the batch breaks its schema as a whole: "
        + "; ".join(f"{b.column or 'the table'} breaks {b.check} ({b.value})" for b in unexplained),
        fix="look at the columns named",
        cause=cause_of(unexplained[0].check),
        evidence={"failures": listed},
    )
