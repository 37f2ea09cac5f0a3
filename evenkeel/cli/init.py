"""The command that writes a pipeline from a data file."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenkeel.cli.options import AsJson

if TYPE_CHECKING:
    from evenkeel.profiling.profile import Profile
    from evenkeel.profiling.trial import Trial
    from evenkeel.profiling.write import Place


class Task(StrEnum):
    """What kind of answer is wanted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(  # noqa: PLR0917 - Typer options
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new pipeline.")],
    source: Annotated[
        str,
        typer.Option("--from", metavar="FILE", help="History with the target: csv, csv.gz, jsonl, parquet."),
    ],
    target: Annotated[str, typer.Option(metavar="COL", help="Column to predict.")],
    time: Annotated[
        str | None, typer.Option(metavar="COL", help="Column with the row's time; found if not named.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Column that identifies a row; may come several times."),
    ] = None,
    task: Annotated[Task | None, typer.Option(help="Kind of answer; found if not named.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a pipeline of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Profile a data file and write a pipeline for it: configs/NAME.yaml and expectations/NAME/."""
    from evenkeel.profiling.write import check_free, place_of, prove, put
    from evenkeel.settings.load import own_config_folder

    place = place_of(name, own_config_folder())
    if not force:
        check_free(place)
    from evenkeel.profiling.profile import Wish, profile
    from evenkeel.profiling.render import render
    from evenkeel.profiling.source import read_source

    rows = read_source(source)
    wish = Wish(name, source, target, time, tuple(key or ()), task.value if task else None)
    found = profile(rows.frame, wish)
    written = render(found)
    trial = prove(written, name, rows.frame, found.order)
    put(written, place)
    _show(found, trial, place, [n.said for n in rows.notes], len(rows.unreadable), as_json=as_json)


def _show(
    found: Profile, trial: Trial, place: Place, notes: list[str], unreadable: int, *, as_json: bool
) -> None:
    from evenkeel.cli.show import show_rows

    show_rows(
        _table(found), as_json=as_json, title=f"{found.wish.name}: {found.rows:,} rows of {found.wish.file}"
    )
    if as_json:
        return
    for note in notes:
        typer.echo(f"note: {note}")
    if unreadable:
        typer.echo(f"note: {unreadable} lines are no rows; such lines go to quarantine")
    typer.echo(
        f"tried on the file in {trial.batches} batches: {trial.held} held, {trial.degraded} with a failed"
        f" expectation, {trial.quarantined} of {found.rows:,} rows quarantined"
    )
    for reason, count in trial.reasons.items():
        typer.echo(f"  {count} x {reason}")
    typer.echo("written:\n" + "\n".join(f"  {f}" for f in place.files[::-1]))
    typer.echo("next:\n" + "\n".join(f"  {line}" for line in _next(found)))


def _table(found: Profile) -> list[dict[str, Any]]:
    from evenkeel.profiling.render import seen

    rows = []
    for name, column in found.columns.items():
        filling = found.fillings.get(name)
        rows.append(
            {
                "column": name,
                "kind": column.kind or "unreadable",
                "missing": f"{column.missing:.1%}" if column.missing else "",
                "values": seen(column),
                "gaps filled by": filling.strategy if filling else "",
                "role": _role(found, name),
            }
        )
    rows.append(
        {
            "column": found.target.column,
            "kind": found.target.task,
            "missing": f"{1 - found.target.known.mean():.1%}" if not found.target.known.all() else "",
            "values": found.target.why,
            "gaps filled by": "",
            "role": "target",
        }
    )
    return rows


def _role(found: Profile, name: str) -> str:
    parts = []
    if name in found.identity.row_key:
        parts.append("key")
    if name == found.identity.time:
        parts.append("time")
    if name in found.roles.features:
        parts.append("feature, baseline" if name in found.baseline else "feature")
    return ", ".join(parts) or f"left out: {found.roles.left_out[name]}"


def _next(found: Profile) -> list[str]:
    name, file = found.wish.name, found.wish.file
    return [
        f"evenkeel land {name} FILE      # each file is a batch, named by the file; {file} will do to try",
        f"evenkeel run {name}",
        f"evenkeel label {name} FILE     # columns: {', '.join((*found.identity.row_key, found.target.column))}"
        if not found.identity.key_made
        else f"evenkeel label {name} FILE     # the same rows again, with {found.target.column}",
        f"evenkeel retrain {name}",
    ]
