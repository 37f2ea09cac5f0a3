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
    open_only: Annotated[bool, typer.Option("--open", help="Only those not resolved.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List what failed and why."""
    from evenkeel.cli.show import show_rows

    found = workspace_for(pipeline, config).ledger.incidents(pipeline, open_only=open_only)
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
    show_rows(rows, as_json=as_json, title=f"{pipeline}: incidents")


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
