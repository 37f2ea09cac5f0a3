"""Commands that look: status, incidents, audit, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenkeel.cli.options import AsJson, ConfigFile, PipelineName, workspace_for


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(incidents)
    app.command()(audit)
    app.command()(report)
    app.command()(deployments)


def status(pipeline: PipelineName, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say where the pipeline stands."""
    from evenkeel.cli.show import show_rows
    from evenkeel.report.gather import standing_lines

    show_rows(standing_lines(workspace_for(pipeline, config)), as_json=as_json, title=pipeline)


def incidents(
    pipeline: PipelineName,
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those not resolved.")] = False,
    resolve: Annotated[
        str | None, typer.Option(metavar="BATCH", help="Resolve what is open of this batch, and list it.")
    ] = None,
    cause: Annotated[str | None, typer.Option(help="With --resolve: only this cause.")] = None,
    why: Annotated[str, typer.Option(help="With --resolve: the reason, kept with the incident.")] = "",
    by: Annotated[str, typer.Option(help="With --resolve: who says so.")] = "hand",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List what failed and why; or resolve what a person has looked at, so that its rows may be learned from."""
    from evenkeel.cli.show import show_rows
    from evenkeel.errors import UsageError
    from evenkeel.stages.resolve import resolve_by_hand

    if resolve is None and (cause or why):
        raise UsageError("--cause and --why belong to --resolve", fix="name the batch with --resolve BATCH")
    workspace = workspace_for(pipeline, config)
    found = workspace.ledger.incidents(pipeline, open_only=open_only)
    if resolve is not None:
        done = {i.cause for i in resolve_by_hand(workspace, resolve, cause=cause, why=why, by=by)}
        after = workspace.ledger.incidents(pipeline)
        found = [i for i in after if i.batch_id == resolve and i.cause in done]
    rows = [
        {
            "opened": f"{i.opened_at:%Y-%m-%d %H:%M}" if i.opened_at else "",
            "batch": i.batch_id,
            "class": i.failure_class,
            "cause": i.cause,
            "stage": i.stage,
            "response": i.response,
            "resolved": f"{i.resolved_at:%Y-%m-%d %H:%M}" if i.resolved_at else "",
            **({"evidence": i.evidence} if as_json else {}),
        }
        for i in found
    ]
    show_rows(rows, as_json=as_json, title=f"{pipeline}: {'resolved' if resolve else 'incidents'}")


def audit(pipeline: PipelineName, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Recount the promises from the lake, the landing zone and the ledger; exit 1 where one is broken."""
    from dataclasses import asdict

    from evenkeel.audit.audit import audit as recount
    from evenkeel.cli.show import show_rows

    findings = recount(workspace_for(pipeline, config))
    if as_json:
        show_rows([asdict(findings)], as_json=True)
    else:
        show_rows(list(findings.summary()), as_json=False, title=f"{pipeline}: audit")
        counts = ", ".join(f"{n} {what}" for what, n in findings.rows.items())
        typer.echo(f"rows: {counts}")
        for breach in findings.breaches:
            typer.echo(f"BROKEN {breach.promise} {breach.batch_id}: {breach.what}")
        for note in findings.notes:
            typer.echo(f"note: {note}")
        typer.echo("every promise is kept" if findings.clean else f"{len(findings.breaches)} promises broken")
    if not findings.clean:
        raise typer.Exit(1)


def report(
    pipeline: PipelineName,
    out: Annotated[Path | None, typer.Option(help="Where to write the page.")] = None,
    data_docs: Annotated[
        str | None,
        typer.Option("--data-docs", metavar="BATCH", help="Great Expectations Data Docs of a batch instead."),
    ] = None,
    drift: Annotated[
        str | None, typer.Option(metavar="BATCH", help="Evidently's page of a batch instead.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write one self-contained HTML page: timeline, quality, drift, rungs, incidents."""
    from evenkeel.audit.audit import audit as recount
    from evenkeel.report import build

    workspace = workspace_for(pipeline, config)
    if data_docs:
        path = build.data_docs_page(workspace, data_docs, out)
    elif drift:
        path = build.drift_page(workspace, drift, out)
    else:
        path = build.report_page(workspace, recount(workspace), out)
    typer.echo(str(path))


def deployments(
    write: Annotated[Path | None, typer.Option(help="Write this file instead of printing.")] = None,
) -> None:
    """Generate prefect.yaml: a deployment with its schedule for every flow of every pipeline in configs/."""
    from evenkeel.deployments import prefect_yaml

    text = prefect_yaml()
    if write:
        write.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)
