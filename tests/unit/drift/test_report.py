from pathlib import Path

import pandas as pd
import pytest

from evenkeel.domain.drift import DriftVerdict
from evenkeel.drift.calibration import Calibration
from evenkeel.drift.measurement import measure
from evenkeel.drift.report import render_html
from evenkeel.errors import UsageError
from evenkeel.settings.quality import Drift


def test_the_page_shows_every_measured_column(
    reference: pd.DataFrame,
    later_days: list[pd.DataFrame],
    calibration: Calibration,
    config: Drift,
    tmp_path: Path,
) -> None:
    day = later_days[0].assign(region=None)
    day.loc[0, "price"] = float("inf")
    verdict = measure(day, reference, calibration, config, reference_version="4", seed=5)

    page = render_html(day, reference, verdict, tmp_path / "pages" / "drift.html", config=config, seed=5)

    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "pages" / "drift.html"
    assert all(name in text for name in ("price", "demand", "load", "holiday"))


def test_a_verdict_without_columns_has_no_page(
    reference: pd.DataFrame, config: Drift, tmp_path: Path
) -> None:
    nothing = DriftVerdict(columns=(), drifted=False, rows=0, reference_version="4", note="batch of 3 rows")

    with pytest.raises(UsageError, match="batch of 3 rows"):
        render_html(reference, reference, nothing, tmp_path / "drift.html", config=config, seed=5)

    assert not (tmp_path / "drift.html").exists()
