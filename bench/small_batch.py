"""One batch of 48 rows: how long a person or a schedule waits, cold and warm, beside a bare script.

The bare script is what the job would be without evenkeel: a new process that imports pandas and the model's
library, reads the csv, answers with the same model and writes parquet. Run as `python -m bench.small_batch`.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bare import BARE
from evenkeel.demo.market import MarketDay, generate, write_day

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "market"
LEARNED = 12
REPEATS = 3

_SERVED = """
import json, sys, time
from evenkeel.cli.engine import run_flow
from evenkeel.settings import load_settings
settings = load_settings("market")
run_flow("score", settings, batch=sys.argv[1])
seconds = []
for batch in sys.argv[2:]:
    start = time.perf_counter()
    assert run_flow("score", settings, batch=batch)[batch]["scored"] == 48
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""


def main() -> None:
    """Prepare a market with a champion, measure each way of running one batch, print the table."""
    days = generate(LEARNED + 3 * REPEATS + 1, seed=5, regime_change=10_000)
    with (
        tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as scratch,
        prefect_server(Path(scratch)) as url,
    ):
        folder = Path(scratch)
        alone = os.environ | {"EVENKEEL_HOME": str(folder / "home"), "PREFECT_LOGGING_LEVEL": "ERROR"}
        served = alone | {"PREFECT_API_URL": url}
        register = _learn(folder, days[:LEARNED], served)
        rest = iter(days[LEARNED:])
        rows = {
            "`evenkeel --help`": [_timed([*_EVENKEEL, "--help"], alone) for _ in range(REPEATS)],
            "bare script, new process": _bare(folder, days[0], alone),
            "served process, server running": _warm(folder, rest, served),
            "cold `evenkeel run`, server running": [
                _cold(folder, next(rest), served) for _ in range(REPEATS)
            ],
            "cold `evenkeel run`, no server": [_cold(folder, next(rest), alone) for _ in range(REPEATS)],
            "registering a retrained model": [register],
        }
    bare = statistics.median(rows["bare script, new process"])
    print(f"{'48 rows':38}{'median s':>10}{'ratio to bare':>16}")
    for name, seconds in rows.items():
        median = statistics.median(seconds)
        print(f"{name:38}{median:10.2f}{median / bare:16.2f}")


_EVENKEEL = [sys.executable, "-m", "evenkeel"]


def _learn(folder: Path, days: list[MarketDay], environment: dict[str, str]) -> float:
    """Give the market a champion; return the seconds that registering it took."""
    written = [write_day(day, folder / "files") for day in days]
    _run([*_EVENKEEL, "land", NAME, *(str(rows) for rows, _ in written)], environment)
    _run([*_EVENKEEL, "run", NAME], environment)
    for _, labels in written:
        _run([*_EVENKEEL, "label", NAME, str(labels)], environment)
    logged = environment | {"EVENKEEL_PLATFORM__LOG__LEVEL": "info", "EVENKEEL_PLATFORM__LOG__FORMAT": "json"}
    # Registered again from other rows, in the same process, MLflow's first-use migration is behind it.
    _run([*_EVENKEEL, "retrain", NAME], environment)
    forced = _run([*_EVENKEEL, "retrain", NAME, "--force"], logged | {"EVENKEEL_TRAINING__SEED": "1"})
    steps = [json.loads(line) for line in forced.stderr.splitlines() if line.startswith("{")]
    return next(s["seconds"] for s in steps if s["event"] == "step ended" and s["stage"] == "register")


def _bare(folder: Path, day: MarketDay, environment: dict[str, str]) -> list[float]:
    rows, _ = write_day(day, folder / "files")
    model = next((folder / "home" / "cache" / "models" / NAME).glob("*/model.skops"))
    command = [sys.executable, "-c", BARE, NAME, str(rows), str(model), str(folder / "bare.parquet")]
    return [_timed(command, environment) for _ in range(REPEATS)]


def _warm(folder: Path, rest: Iterator[MarketDay], environment: dict[str, str]) -> list[float]:
    batches = [next(rest) for _ in range(REPEATS + 1)]
    for day in batches:
        _land(folder, day, environment)
    done = _run([sys.executable, "-c", _SERVED, *(d.batch_id for d in batches)], environment)
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _cold(folder: Path, day: MarketDay, environment: dict[str, str]) -> float:
    _land(folder, day, environment)
    return _timed([*_EVENKEEL, "run", NAME], environment)


def _land(folder: Path, day: MarketDay, environment: dict[str, str]) -> None:
    rows, _ = write_day(day, folder / "files")
    _run([*_EVENKEEL, "land", NAME, str(rows)], environment)


def _timed(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    _run(command, environment)
    return time.perf_counter() - start


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:5])} ended {done.returncode}: {done.stderr[-2000:]}")
    return done


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """Run a Prefect server on a free port and yield its API's URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/api"
            _wait(f"{url}/health")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the Prefect server did not start within 120 s")


if __name__ == "__main__":
    main()
