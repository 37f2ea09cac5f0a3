"""The command that breaks things on purpose: the experiments are found by entry point, as the flows are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenkeel.cli.options import AsJson
from evenkeel.errors import Permanent, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_GROUP = "evenkeel.drills"
_WIDEST = {"injected": 28, "attributed": 16}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drill)


def drill(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EXPERIMENT...]",
            help="Causes, as data.unit_change, or classes of causes, as data. None: every experiment.",
        ),
    ] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only list the experiments.")] = False,
    as_json: AsJson = False,
) -> None:
    """Inject failures for real, each into its own copy of a market, and see the promises kept; exit 1 where not."""
    from evenkeel.cli.show import show_rows

    known: list[dict[str, str]] = _installed("known")()
    chosen = _chosen(experiments or [], known)
    if list_only:
        show_rows(chosen, as_json=as_json, title="experiments")
        return
    conclude(_followed([row["experiment"] for row in chosen]), as_json=as_json)


def conclude(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the verdicts.

    Args:
        rows: As the runner of the experiments yields them.
        as_json: Whether for a program.

    Raises:
        typer.Exit: With 1, where an experiment does not hold.
    """
    from evenkeel.cli.show import show_rows

    if as_json:
        show_rows(rows, as_json=True)
    else:
        show_rows([_for_a_person(row) for row in rows], as_json=False, title="drill")
        _tell(rows)
    if not all(row["holds"] for row in rows):
        raise typer.Exit(1)


def _installed(what: str) -> Callable[..., Any]:
    """Return what the package with the experiments offers.

    Raises:
        Permanent: No such package is installed.
    """
    from importlib.metadata import entry_points

    found = entry_points(group=_GROUP, name=what)
    if not found:
        raise Permanent(
            "the failure experiments are not installed", fix="install evenkeel with them: `make setup`"
        )
    offered: Callable[..., Any] = next(iter(found)).load()
    return offered


def _chosen(asked: list[str], known: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the experiments asked for, all where none is, in the order they are known in.

    Raises:
        UsageError: There is none of that name or class.
    """
    for name in asked:
        if not any(name in _names(row) for row in known):
            raise _unknown(name, [row["experiment"] for row in known])
    return [row for row in known if not asked or _names(row) & set(asked)]


def _names(row: dict[str, str]) -> set[str]:
    """Return what an experiment can be asked for by: itself, or its class."""
    return {row["experiment"], row["experiment"].partition(".")[0]}


def _unknown(name: str, known: list[str]) -> UsageError:
    import difflib

    classes = sorted({k.partition(".")[0] for k in known})
    near = difflib.get_close_matches(name, [*known, *classes], n=1, cutoff=0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return UsageError(
        f"unknown experiment {name!r}",
        fix=f"{meant}there are {len(known)}, of the classes {', '.join(classes) or 'none'}:"
        " `evenkeel drill --list`",
    )


def _followed(names: list[str]) -> list[dict[str, Any]]:
    """Run the experiments under a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    run = _installed("run")
    rows: list[dict[str, Any]] = []
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(names))
        for row in run(names, lambda now: bar.update(task, description=now)):
            rows.append(row)
            bar.update(task, advance=1, description="")
    return rows


def _for_a_person(row: dict[str, Any]) -> dict[str, Any]:
    """Return what fits a line of a terminal; the JSON has all."""
    kept = {k: v for k, v in row.items() if k not in {"told", "holds", "why", "home"}}
    return kept | {k: _cut(kept[k], width) for k, width in _WIDEST.items()}


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _tell(rows: list[dict[str, Any]]) -> None:
    """Say why an experiment does not hold and where to look, then the sum."""
    failed = [row for row in rows if not row["holds"]]
    for row in failed:
        for why in row["why"]:
            typer.echo(f"{row['experiment']}: {why}")
        typer.echo(f"  look around: EVENKEEL_HOME={row['home']} EVENKEEL_CONFIG_DIR={row['home']}/configs")
    typer.echo(
        f"{len(rows)} experiments, all hold"
        if not failed
        else f"{len(failed)} of {len(rows)} experiments do not hold"
    )
