import numpy as np
import pandas as pd
import pytest

from evenkeel.drift.calibration import Calibration, calibrate
from evenkeel.settings.quality import Drift

KINDS = {
    "when": "time",
    "price": "numeric",
    "demand": "numeric",
    "load": "numeric",
    "region": "categorical",
    "holiday": "boolean",
}
DAY = 48


def autocorrelated(rng: np.random.Generator, rows: int, phi: float) -> np.ndarray:
    noise = rng.normal(size=rows + 200) * np.sqrt(1 - phi**2)
    series = np.empty_like(noise)
    series[0] = noise[0]
    for i in range(1, len(noise)):
        series[i] = phi * series[i - 1] + noise[i]
    return series[200:]


def market(rows: int, seed: int) -> pd.DataFrame:
    """Half hours of a market: a daily cycle, autocorrelation, a heavy tail, a category, a flag."""
    rng = np.random.default_rng(seed)
    hours = np.arange(rows)
    cycle = np.sin(2 * np.pi * hours / DAY)
    return pd.DataFrame(
        {
            "when": pd.date_range("2026-01-01", periods=rows, freq="30min", tz="UTC"),
            "price": 50 + 10 * (0.5 * autocorrelated(rng, rows, 0.6) + rng.standard_t(5, size=rows) * 0.5),
            "demand": 1000 + 200 * cycle + 60 * autocorrelated(rng, rows, 0.5),
            "load": rng.normal(size=rows),
            "region": rng.choice(np.array(["north", "south", "west"], dtype=object), rows, p=[0.5, 0.3, 0.2]),
            "holiday": pd.Series(rng.random(rows) < 0.3, dtype=object),
        }
    )


@pytest.fixture(scope="session")
def history() -> pd.DataFrame:
    """Sixty days to learn from and a hundred more, of one stream."""
    return market(160 * DAY, seed=7)


@pytest.fixture(scope="session")
def reference(history: pd.DataFrame) -> pd.DataFrame:
    return history.iloc[: 60 * DAY]


@pytest.fixture(scope="session")
def later_days(history: pd.DataFrame) -> list[pd.DataFrame]:
    return [history.iloc[d * DAY : (d + 1) * DAY].reset_index(drop=True) for d in range(60, 160)]


@pytest.fixture(scope="session")
def config() -> Drift:
    return Drift()


@pytest.fixture(scope="session")
def calibration(reference: pd.DataFrame, config: Drift) -> Calibration:
    return calibrate(reference, KINDS, config, batch_rows=DAY, seed=3)
