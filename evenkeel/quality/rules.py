"""pandera over typed columns: build its schema from the checked file, and read all that it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from evenkeel.settings.document import Document

_NAMES = {"field_uniqueness": "unique", "multiple_fields_uniqueness": "unique"}
_PROBES: dict[str, Any] = {
    "float64": 0.0,
    "Int64": 0,
    "object": "",
    "boolean": True,
    "datetime64[ns, UTC]": pd.Timestamp(0, tz="UTC"),
}


@dataclass(frozen=True)
class Broken:
    """A check that failed.

    Attributes:
        column: Its column, several joined by a comma.
        check: pandera's name of it, as ``in_range``, ``not_nullable``, ``unique``.
        rows: Positions of the rows that fail it; None where the check speaks of the whole column.
        value: What was found; for a person.
    """

    column: str
    check: str
    rows: npt.NDArray[np.intp] | None
    value: str


@dataclass(frozen=True)
class Rules:
    """The checks of a schema.

    Attributes:
        schema: The pandera ``DataFrameSchema``.
    """

    schema: Any

    def broken(self, frame: pd.DataFrame) -> list[Broken]:
        """Validate a typed frame and return every check that fails, with all its rows."""
        from pandera.config import ValidationDepth, config_context
        from pandera.errors import SchemaErrors

        numbered = frame.copy(deep=False)
        numbered.index = pd.RangeIndex(len(frame))
        # An environment variable can switch pandera off: not here.
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            try:
                self.schema.validate(numbered, lazy=True, inplace=True)
            except SchemaErrors as error:
                cases: pd.DataFrame = error.failure_cases
            else:
                return []
        grouped = cases.groupby(["column", "check", "check_number"], sort=False, dropna=False)
        return [self._read(group) for _, group in grouped]

    def _read(self, cases: pd.DataFrame) -> Broken:
        column, check, number = cases.iloc[0][["column", "check", "check_number"]]
        name = column if isinstance(column, str) else ""
        if not pd.isna(number) and name in self.schema.columns:
            check = self.schema.columns[name].checks[int(number)].name
        rows = None if cases["index"].isna().any() else np.unique(cases["index"].to_numpy(dtype=np.intp))
        return Broken(name, _NAMES.get(check, check), rows, str(cases["failure_case"].iloc[0]))


def is_whole(dtype: str) -> bool:
    """Say whether a pandera dtype is one of whole numbers."""
    from pandera import dtypes
    from pandera.engines import pandas_engine

    declared = pandas_engine.Engine.dtype(dtype)
    return bool(dtypes.is_int(declared) or dtypes.is_uint(declared))


def build_rules(
    document: Document, declared: Mapping[str, dict[str, Any]], dtypes: Mapping[str, str], keys: Sequence[str]
) -> Rules:
    """Build pandera's schema from a checked file.

    Uniqueness of the row key is left to the division of the batch, which keeps the first row that breaks
    nothing else; other columns declared unique keep the first, unless ``report_duplicates`` says otherwise.

    Args:
        document: The file, for messages.
        declared: Its columns, checked.
        dtypes: The dtype that each column has once it was read.
        keys: The row key columns.

    Raises:
        UsageError: pandera does not accept a check's arguments, or a check cannot be computed.
    """
    from pandera.io.pandas_io import deserialize_schema

    built = {name: _column(document, name, entry, dtypes[name], keys) for name, entry in declared.items()}
    schema = deserialize_schema(
        {"columns": {}, "report_duplicates": document.data.get("report_duplicates", "exclude_first")}
    )
    schema.columns = built
    unique = document.data.get("unique")
    if unique is not None:
        names = [unique] if isinstance(unique, str) else unique
        if not isinstance(names, list) or not names or any(name not in declared for name in names):
            raise document.error(
                ["unique"], f"found {unique!r}", fix=f"list columns among {', '.join(declared)}"
            )
        schema.unique = None if set(names) == set(keys) else names
    return Rules(schema)


def _column(document: Document, name: str, entry: dict[str, Any], dtype: str, keys: Sequence[str]) -> Any:
    from pandera.errors import SchemaErrors
    from pandera.io.pandas_io import deserialize_schema

    single = {"report_duplicates": "exclude_first", **entry, "dtype": dtype}
    if tuple(keys) == (name,):
        single["unique"] = False
    checks = [check["options"]["check_name"] for check in entry["checks"]]
    path = ["columns", name, checks[0] if len(checks) == 1 else "checks"]
    try:
        schema = deserialize_schema({"columns": {name: single}})
        probe = pd.DataFrame({name: pd.Series([_PROBES[dtype]], dtype=dtype)})
        schema.validate(probe, lazy=True)
    except (
        SchemaErrors
    ) as error:  # the probe's value may break a check; a check that raises is the file's fault
        for found in error.schema_errors:
            if found.reason_code is not None and found.reason_code.name == "CHECK_ERROR":
                raise document.error(
                    path, str(found.failure_cases), fix="correct the check's values"
                ) from None
    except Exception as error:  # noqa: BLE001 - whatever pandera trips over, it is in this entry of the file
        raise document.error(path, str(error).splitlines()[0], fix="correct the check's arguments") from None
    return schema.columns[name]
