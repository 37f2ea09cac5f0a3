"""Print a list as a table for a person or as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

# Cells up to this length are never broken; a pipe has no width of its own.
_SHORT = 28
_PIPED_WIDTH = 160


def show_rows(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "", empty: str = "none"
) -> None:
    """Print rows that share their keys; the keys are the headings."""
    if as_json:
        typer.echo(json.dumps(list(rows), indent=2, default=str))
        return
    if not rows:
        typer.echo(f"{title}: {empty}" if title else empty)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", header_style="bold")
    for heading in rows[0]:
        cells = [_cell(row[heading]) for row in rows]
        numeric = all(isinstance(row[heading], int | float) for row in rows)
        table.add_column(
            heading,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=max(map(len, cells)) <= _SHORT,
        )
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _PIPED_WIDTH)
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
