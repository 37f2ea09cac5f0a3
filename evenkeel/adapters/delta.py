"""What deltalake is told and what it says: writer properties, filters, errors."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from evenkeel.errors import EvenkeelError, Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from deltalake import WriterProperties

_DOWN = "dependency.lake_down"


def writer_properties(schema: pa.Schema) -> WriterProperties:
    """Return how parquet is written.

    Dictionaries only where values repeat: trying them on every float costs more than all the rest.
    """
    from deltalake import ColumnProperties, WriterProperties

    repeating = ColumnProperties(dictionary_enabled=True, statistics_enabled="CHUNK")
    texts = [f.name for f in schema if pa.types.is_string(f.type)]
    return WriterProperties(
        compression="SNAPPY",
        max_row_group_size=200_000,
        default_column_properties=ColumnProperties(dictionary_enabled=False, statistics_enabled="CHUNK"),
        column_properties=dict.fromkeys(texts, repeating) or None,
    )


def expression(conditions: Sequence[tuple[str, str, Any]]) -> Any:
    """Return (column, operator, value) conditions, all of which must hold, as a pyarrow expression."""
    from pyarrow import dataset

    compare: dict[str, Callable[[Any, Any], Any]] = {
        "=": lambda f, v: f == v,
        "!=": lambda f, v: f != v,
        "<": lambda f, v: f < v,
        "<=": lambda f, v: f <= v,
        ">": lambda f, v: f > v,
        ">=": lambda f, v: f >= v,
        "in": lambda f, v: f.isin(list(v)) if v else dataset.scalar(False),
    }
    together = None
    for column, operator, value in conditions:
        one = compare[operator](dataset.field(column), value)
        together = one if together is None else together & one
    return together


_REFUSED = re.compile(r"\b(401|403)\b|AccessDenied|[Pp]ermission denied|InvalidAccessKeyId|NoSuchBucket")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what deltalake and pyarrow raise into our own errors."""
    from deltalake.exceptions import DeltaError, SchemaMismatchError

    try:
        yield
    except EvenkeelError:
        raise
    except (SchemaMismatchError, pa.ArrowInvalid) as error:
        raise Permanent(
            f"lake {what}: the rows do not fit the table: {first_line(error)}", cause="code.exception"
        ) from error
    except (DeltaError, OSError) as error:
        text = str(error)
        if re.search(r"[Nn]o space left|StorageFull|os error 28", text):
            raise Transient(
                f"lake {what}: the disk is full", fix="make room", cause="infrastructure.disk_full"
            ) from error
        if re.search(r"[Rr]ead-only file system|os error 30", text):
            raise Permanent(
                f"lake {what}: the disk is read-only", cause="infrastructure.read_only_disk"
            ) from error
        kind = Permanent if _REFUSED.search(text) else Transient
        raise kind(f"lake {what}: {first_line(error)}", cause=_DOWN) from error


def first_line(error: Exception) -> str:
    """Return the innermost reason out of deltalake's many-lined messages."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", x).strip(" ↳") for x in str(error).splitlines()]
    said = [x for x in lines if x and not x.startswith("<")]
    return said[-1][:300] if said else type(error).__name__
