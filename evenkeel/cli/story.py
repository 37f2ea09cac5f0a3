"""Commands that tell a whole story: the demo, and history replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evenkeel.cli.options import ConfigFile, PipelineName, workspace_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.bootstrap import Workspace


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(backtest)


def demo(
    seed: Annotated[int, typer.Option(help="Of the generated market.")] = 7,
    days: Annotated[int, typer.Option(min=28, max=365, help="Days that land; eight weeks by default.")] = 56,
) -> None:
    """Tell the whole story on a generated electricity market; no server needed."""
    from evenkeel.cli.engine import run_flow
    from evenkeel.demo.story import chapters, open_demo

    workspace = open_demo()
    story = chapters(workspace, run_flow, days=days, seed=seed)
    _follow(f"{days} days of the market", days, story.play)
    _close(workspace, story.replay.retrains)


def backtest(
    pipeline: PipelineName,
    file: Annotated[str, typer.Argument(metavar="FILE", help="History with the target, in time order.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first batches.")] = None,
    config: ConfigFile = None,
) -> None:
    """Replay a history file through the real flows, batch by batch, labels late; ends with an audit."""
    from evenkeel.backtest.history import past_batches
    from evenkeel.backtest.replay import Replay
    from evenkeel.cli.engine import run_flow

    workspace = workspace_for(pipeline, config)
    batches = list(past_batches(workspace.settings, file, limit=limit))
    replay = Replay(
        workspace=workspace,
        run_flow=run_flow,
        incoming=workspace.settings.home / "backtest" / pipeline,
        label_lag=workspace.pipeline.backtest.label_lag if workspace.pipeline.backtest else 1,
    )
    _follow(f"{len(batches)} batches", len(batches), lambda advance: replay.play(batches, advance))
    _close(workspace, replay.retrains)


def _follow(title: str, steps: int, work: Callable[[Callable[[str], None]], None]) -> None:
    """Run ``work`` under a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=steps)
        work(lambda now: bar.update(task, advance=1, description=now))


def _close(workspace: Workspace, retrains: list[dict[str, object]]) -> None:
    """Print the summary, write the report page, and fail where a promise is broken."""
    from evenkeel.audit.audit import audit
    from evenkeel.cli.show import show_rows
    from evenkeel.report.build import report_page
    from evenkeel.report.summary import summary_lines

    findings = audit(workspace)
    show_rows(summary_lines(workspace, retrains), as_json=False, title=f"{workspace.name}: what happened")
    show_rows(list(findings.summary()), as_json=False, title=f"{workspace.name}: audit")
    for breach in findings.breaches:
        typer.echo(f"BROKEN {breach.promise} {breach.batch_id}: {breach.what}")
    typer.echo(f"report: {report_page(workspace, findings, None)}")
    typer.echo(f"look around: EVENKEEL_HOME={workspace.settings.home} evenkeel status {workspace.name}")
    if not findings.clean:
        raise typer.Exit(1)
