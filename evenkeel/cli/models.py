"""Commands about models: retrain, promote, rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from evenkeel.cli.options import AsJson, ConfigFile, PipelineName, settings_for, workspace_for


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(retrain)
    app.command()(promote)
    app.command()(rollback)


def retrain(
    pipeline: PipelineName,
    force: Annotated[bool, typer.Option("--force", help="Train even if nothing asks for it.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Train a challenger, judge it at the gates, promote it only if all pass."""
    from evenkeel.cli.engine import run_flow
    from evenkeel.cli.show import show_rows

    settings = settings_for(pipeline, config)
    report = run_flow("retrain", settings, force=force, config=str(config) if config else None)
    show_rows([report], as_json=as_json)


def promote(
    pipeline: PipelineName,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="A version that passed its gates.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a registered version that passed its gates in charge, by hand."""
    from evenkeel.cli.show import show_rows
    from evenkeel.stages.rollout import promote_by_hand

    workspace = workspace_for(pipeline, config)
    model = promote_by_hand(workspace, to)
    previous = workspace.ledger.standing(pipeline).previous
    show_rows(
        [{"champion": model.version, "previous": previous.version if previous else ""}], as_json=as_json
    )


def rollback(
    pipeline: PipelineName,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="By default the previous champion.")
    ] = None,
    why: Annotated[str, typer.Option(help="Kept in the model history.")] = "by hand",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take the champion back at once; the version before it answers from the next batch on."""
    from evenkeel.cli.show import show_rows
    from evenkeel.errors import Transient
    from evenkeel.stages.rollout import mirror, roll_back

    workspace = workspace_for(pipeline, config)
    now = roll_back(workspace, workspace.ledger.standing(pipeline), to=to, why=why)
    try:
        mirror(workspace)
    except Transient as away:
        typer.echo(
            f"note: rolled back; the registry's aliases follow with the next retrain: {away}", err=True
        )
    row = {
        "champion": now.champion.version if now.champion else "",
        "previous": now.previous.version if now.previous else "",
        "reverted": ", ".join(sorted(now.reverted)),
    }
    show_rows([row], as_json=as_json)
