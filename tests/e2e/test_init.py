"""``evenkeel init`` on a file nobody has seen, then the real commands, with no edit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def history(rows: int, *, keyed: bool) -> pd.DataFrame:
    """Parcels, written as another tool would: dates day first, NA for a gap, a column that gives it away."""
    rng = np.random.default_rng(17)
    distance = rng.gamma(2, 200, rows)
    carrier = rng.choice(["road", "rail", "air"], rows, p=[0.6, 0.3, 0.1])
    late = distance / 300 + (carrier == "road") + rng.normal(0, 0.8, rows) > 2
    frame = pd.DataFrame(
        {
            "distance (km)": distance.round(1).astype(str),
            "carrier": carrier,
            "gewicht, kg": rng.gamma(3, 2, rows).round(2),
            "fragile": rng.choice(["yes", "no"], rows),
            "arrived": np.where(late, "after", "before"),
            "late": np.where(late, "yes", "no"),
        }
    )
    frame.loc[rng.random(rows) < 0.05, "distance (km)"] = "NA"
    if keyed:
        frame.insert(0, "parcel id", [f"p{i:05d}" for i in range(rows)])
        handed = pd.date_range("2026-01-01", periods=rows, freq="37min")
        frame.insert(1, "handed over", handed.strftime("%d/%m/%Y %H:%M"))
    return frame


class Shop:
    """A folder with a pipeline of its own, driven by the command line."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("EVENKEEL_")}
        self.env["PREFECT_API_URL"] = server

    def evenkeel(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "evenkeel", *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout if code == 0 else done.stderr

    def rungs(self) -> dict[str, int]:
        from deltalake import DeltaTable

        table = DeltaTable(str(self.folder / "var" / "lake" / "parcels" / "predictions")).to_pandas()
        return {str(k): int(v) for k, v in table["rung"].value_counts().items()}


@pytest.mark.parametrize("keyed", [True, False], ids=["key-and-time", "neither"])
def test_an_unseen_csv_is_answered_with_no_edit(prefect_server: str, tmp_path: Path, keyed: bool) -> None:
    rows = history(1500, keyed=keyed)
    for name, part in (("past", rows[:1000]), ("new", rows[1000:])):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    shop = Shop(tmp_path, prefect_server)

    said = shop.evenkeel("init", "parcels", "--from", "past.csv", "--target", "late")
    shop.evenkeel("land", "parcels", "past.csv")
    shop.evenkeel("run", "parcels")
    assert shop.rungs() == {"heuristic": 1000}
    shop.evenkeel("label", "parcels", "past.csv")
    shop.evenkeel("retrain", "parcels")
    shop.evenkeel("land", "parcels", "new.csv")
    run = json.loads(shop.evenkeel("run", "parcels", "--json"))
    shop.evenkeel("audit", "parcels")

    assert "0 of 1,000 rows quarantined" in said
    assert "gives the target away" in said
    assert shop.rungs() == {"heuristic": 1000, "champion": 500}
    assert [(r["state"], r["quarantined"]) for r in run] == [("published", 0)]


def test_what_cannot_work_writes_nothing(tmp_path: Path) -> None:
    history(100, keyed=True).to_csv(tmp_path / "past.csv", index=False)
    shop = Shop(tmp_path, "")
    wishes = [
        ("parcels", "--from", "absent.csv", "--target", "late"),
        ("parcels", "--from", "past.csv", "--target", "Late"),
        ("Parcels", "--from", "past.csv", "--target", "late"),
    ]

    said = [shop.evenkeel("init", *wish, code=2) for wish in wishes]

    assert ["absent.csv" in said[0], "did you mean 'late'" in said[1], "name of a pipeline" in said[2]] == [
        True
    ] * 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["past.csv"]


def test_a_pipeline_is_not_written_over_unless_asked(tmp_path: Path) -> None:
    history(100, keyed=True).to_csv(tmp_path / "past.csv", index=False)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "parcels.yaml").write_text("mine: true\n")
    shop = Shop(tmp_path, "")

    shop.evenkeel("init", "parcels", "--from", "past.csv", "--target", "late", code=2)
    assert (tmp_path / "configs" / "parcels.yaml").read_text() == "mine: true\n"

    shop.evenkeel("init", "parcels", "--from", "past.csv", "--target", "late", "--force")
    assert (tmp_path / "configs" / "parcels.yaml").read_text().count("pipeline: parcels") == 1
