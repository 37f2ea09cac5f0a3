"""Numbers written with a decimal comma, as a csv file whose cells are not parted by commas may hold them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_WITH_COMMA = r"^\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*$"
_NUMBER = r"^\s*[+-]?\d*[.,]?\d+([eE][+-]?\d+)?\s*$"
_NEARLY_ALL = 0.9


def with_points(table: pa.Table) -> tuple[pa.Table, list[str]]:
    """Return the table with decimal points in the columns of decimal commas, and the names of those.

    A column is such where every cell that holds a comma is one number with a decimal comma, and nine in ten
    cells are numbers: what marks a missing value may stand among them.

    Args:
        table: Columns of strings.
    """
    converted = []
    for at, name in enumerate(table.column_names):
        cells = table.column(at)
        commas = pc.sum(pc.match_substring(cells, ",")).as_py()
        if not commas or pc.sum(pc.match_substring_regex(cells, _WITH_COMMA)).as_py() < commas:
            continue
        numbers = pc.sum(pc.match_substring_regex(cells, _NUMBER)).as_py()
        if numbers >= _NEARLY_ALL * (len(cells) - cells.null_count):
            written = pc.replace_substring(cells, ",", ".")
            table = table.set_column(at, name, written)
            converted.append(name)
    return table, converted
