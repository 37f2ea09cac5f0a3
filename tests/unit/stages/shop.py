"""A pipeline driven by its stages alone, before anything has been learned: no server, no models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from evenkeel.adapters.lake import Table
from evenkeel.audit.audit import audit
from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.errors import DataRejected
from evenkeel.failures.attribution import evidence
from evenkeel.settings import load_settings
from evenkeel.stages.batch_run import BatchRun
from evenkeel.stages.deliver import land_joined
from evenkeel.stages.diagnose import diagnose_batch
from evenkeel.stages.enrich import enrich_batch
from evenkeel.stages.impute import impute_batch
from evenkeel.stages.land import land_files
from evenkeel.stages.models import Models
from evenkeel.stages.pin import pending, pin_batch
from evenkeel.stages.publish import conclude_batch, publish_batch
from evenkeel.stages.read import read_batch
from evenkeel.stages.revise import revise_late
from evenkeel.stages.score import score_batch
from evenkeel.stages.validate import validate_batch

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: dict[str, Any] = {
    "pipeline": "shop",
    "task": "regression",
    "target": {"column": "sales", "default": 0.0},
    "row_key": ["id"],
    "time": "at",
    "features": {"columns": ["x", "heat"]},
    "ladder": {"baseline_columns": ["x"]},
    "impute": {"max_row_share": 1, "max_batch_share": 1},
}
SCHEMA = """\
columns:
  id: {dtype: int64}
  at: {dtype: "datetime64[ns, UTC]"}
  x: {dtype: float64, nullable: true}
  heat: {dtype: float64, nullable: true}
"""
MAIN = pd.DataFrame({"id": [1, 2, 3], "at": ["2026-01-01", "2026-01-02", "2026-01-03"], "x": [1.0, 2.0, 3.0]})
HEAT = pd.DataFrame({"id": [1, 2, 3], "heat": [10.0, 20.0, 30.0]})
WEATHER = {"name": "weather", "uri": "{home}/weather/*.csv", "key": ["id"], "columns": ["heat"]}
NO_MODELS = Models(champion=None, previous=None)


class Shop:
    """A pipeline of which nothing has been learned: its rows are answered by the heuristic."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._file = folder / "configs" / "shop.yaml"
        self.later = timedelta(0)

    def configure(self, source: dict[str, Any], *, schema: str = SCHEMA, **config: Any) -> None:
        """Write the pipeline's files: the weather with changes, and parts of the configuration in place of others."""
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(yaml.safe_dump(CONFIG | {"enrichments": [WEATHER | source]} | config))
        expectations = self._file.parent.parent / "expectations" / "shop"
        expectations.mkdir(parents=True, exist_ok=True)
        (expectations / "schema.yaml").write_text(schema)
        (expectations / "suite.json").write_text('{"name": "shop", "expectations": []}')

    @property
    def workspace(self) -> Workspace:
        settings = load_settings("shop", config_file=self._file)
        return open_workspace(settings, now=lambda: datetime.now(UTC) + self.later)

    def land(self, rows: pd.DataFrame, batch: str) -> None:
        file = self.home / "files" / f"{batch}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(file, index=False)
        land_files(self.workspace, [str(file)], batch)

    def deliver(self, name: str, rows: pd.DataFrame | str) -> None:
        file = self.home / "weather" / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rows if isinstance(rows, str) else rows.to_csv(index=False))
        land_joined(self.workspace)

    def run(self) -> dict[str, set[str]]:
        """Answer what is pending; return the causes noted of each batch."""
        revise_late(self.workspace)
        return {
            batch: self._answer(BatchRun(self.workspace, batch, "run")) for batch in pending(self.workspace)
        }

    def _answer(self, run: BatchRun) -> set[str]:
        pins = pin_batch(run)
        try:
            rows = read_batch(run, pins)
            enriched = enrich_batch(run, pins, rows)
            treatment = diagnose_batch(run, pins, rows, enriched, NO_MODELS)
            checked = validate_batch(run, rows, enriched, treatment)
        except DataRejected as error:
            run.note(error.cause or "", "validate", "held", **evidence(error))
            run.hold(error.message)
        else:
            filled = impute_batch(run, pins, checked, NO_MODELS)
            publish_batch(run, pins, checked, filled, score_batch(run, checked, filled, NO_MODELS))
            conclude_batch(run)
        return {note.cause for note in run.notes}

    def accepted(self, batch: str) -> pd.DataFrame:
        return self.workspace.lake.read("shop", Table.ACCEPTED, batch_id=batch).sort_values("id")

    def evidence(self, cause: str) -> dict[str, Any]:
        return next(i.evidence for i in self.workspace.ledger.incidents("shop") if i.cause == cause)

    def breaches(self) -> list[Any]:
        return audit(self.workspace).breaches
