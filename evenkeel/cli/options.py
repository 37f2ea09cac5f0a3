"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.settings import Settings

PipelineName = Annotated[str, typer.Argument(metavar="PIPELINE", help="Name of a pipeline in configs/.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A pipeline YAML outside the config folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def settings_for(pipeline: str, config: Path | None) -> Settings:
    """Read a pipeline's settings."""
    from evenkeel.settings import load_settings

    return load_settings(pipeline, config_file=config)


def workspace_for(pipeline: str, config: Path | None) -> Workspace:
    """Open a pipeline's workspace."""
    from evenkeel.bootstrap import open_workspace

    return open_workspace(settings_for(pipeline, config))
