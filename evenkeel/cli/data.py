"""Commands about data: land, run, label."""

from __future__ import annotations

from typing import Annotated

import typer

from evenkeel.cli.options import AsJson, ConfigFile, PipelineName, settings_for, workspace_for


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(land)
    app.command()(run)
    app.command()(label)
    app.command()(replay)


def land(
    pipeline: PipelineName,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="Files or URLs: csv, csv.gz, jsonl, parquet. None: what the configured sources offer.",
        ),
    ] = None,
    batch: Annotated[
        str | None, typer.Option(help="Batch id for all files; by default each file's name.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take files into the landing zone, byte for byte."""
    from evenkeel.cli.show import show_rows
    from evenkeel.stages.incoming import land_offered
    from evenkeel.stages.land import fetch, land_files

    fetched = fetch(settings_for(pipeline, config), files, batch) if files else []
    workspace = workspace_for(pipeline, config)
    results = land_files(workspace, fetched, batch) if files else land_offered(workspace, batch)
    rows = [
        {
            "batch": r.landing.batch_id,
            "files": len(r.landing.files),
            "bytes": sum(f.size for f in r.landing.files),
            "landed": "new" if r.new else "already there",
        }
        for r in results
    ]
    show_rows(rows, as_json=as_json)


def run(
    pipeline: PipelineName,
    batch: Annotated[str | None, typer.Option(help="Only this batch.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Score the pending batches."""
    from evenkeel.cli.engine import run_flow
    from evenkeel.cli.show import show_rows
    from evenkeel.stages.land import check_landed, check_pending

    settings = settings_for(pipeline, config)
    workspace = workspace_for(pipeline, config)
    check_pending(workspace, batch)
    report = run_flow("score", settings, batch=batch, config=str(config) if config else None)
    if batch is not None:
        check_landed(workspace, batch)
    rows = [{"batch": b, **r, "incidents": ", ".join(r["incidents"])} for b, r in report.items()]
    show_rows(rows, as_json=as_json, title=f"{pipeline}: batches", empty="nothing was pending")
    if any(r["state"] == "held" for r in report.values()):
        raise typer.Exit(1)


def replay(
    pipeline: PipelineName,
    batch: Annotated[str, typer.Option(help="A held batch, or a published one to be answered anew.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Score a held or published batch again after a fix, with the models, configuration and sources of now."""
    from evenkeel.stages.revise import reopen

    reopen(workspace_for(pipeline, config), batch)
    run(pipeline, batch, config, as_json)


def label(
    pipeline: PipelineName,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Row key and target; csv, csv.gz, jsonl, parquet.")
    ],
    *,
    batch: Annotated[
        str | None,
        typer.Option(
            help="With a generated row key: the batch whose rows these are; by default the file's name."
        ),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Take them even if they contradict the answers and every earlier label."
        ),
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take late labels."""
    from dataclasses import asdict

    from evenkeel.adapters.sources import fetch_files
    from evenkeel.cli.show import show_rows
    from evenkeel.stages.label import take_labels

    settings_for(pipeline, config)
    fetched = fetch_files([file])[0]  # before the workspace is opened: a bad file leaves no ledger behind
    report = take_labels(workspace_for(pipeline, config), fetched, batch=batch, trust=trust)
    show_rows([asdict(report)], as_json=as_json)
