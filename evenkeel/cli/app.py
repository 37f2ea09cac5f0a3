"""The `evenkeel` command: assembles the command groups and turns every error into one clear line."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from evenkeel import __version__
from evenkeel.cli import data, drill, init, models, story, watch
from evenkeel.cli.crash import explain
from evenkeel.errors import EvenkeelError

app = typer.Typer(
    name="evenkeel",
    help="Batch predictions that keep coming, and stay accounted for, while parts fail.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"evenkeel {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """State lives in EVENKEEL_HOME (default var/), pipelines in EVENKEEL_CONFIG_DIR (default configs/)."""


for group in (init, data, models, watch, story, drill):
    group.add_to(app)


def main() -> None:
    """Run the command line; exit 0 done, 1 failed or a promise broken, 2 bad usage or configuration."""
    # The libraries make millions of objects while they are imported, hardly one of them garbage: looking for
    # it as often as Python does by default would be a sixth of a cold run.
    gc.set_threshold(100_000, 50, 100)
    try:
        app()
    except EvenkeelError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("stopped; run the same command again to go on where it was", err=True)
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person never sees a bare traceback
        typer.echo(explain(error), err=True)
        sys.exit(1)
