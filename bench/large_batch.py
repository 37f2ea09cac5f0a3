"""One batch of 1,000,000 rows x 20 columns: `evenkeel run` against a bare script with the same model.

Both sides run in a process of their own with every import done beforehand, read the same parquet file and
answer with the same model; evenkeel also validates, gates, imputes, measures drift, accounts for every row
and commits. Run as `python -m bench.large_batch`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.bare import BARE
from bench.wide import NAME, write_problem, write_rows

ROWS = 1_000_000
LEARN = 20_000

_EVENKEEL = """
import io, json, logging, resource, sys, time
import structlog
from evenkeel.cli.engine import run_flow
from evenkeel.settings import load_settings
settings = load_settings("wide")
run_flow("score", settings, batch="warm-up")
import evidently, great_expectations
lines = io.StringIO()
structlog.configure(processors=[structlog.processors.JSONRenderer()],
                    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
                    logger_factory=structlog.WriteLoggerFactory(file=lines))
start = time.perf_counter()
report = run_flow("score", settings, batch="large")
wall = time.perf_counter() - start
steps = {}
for line in map(json.loads, lines.getvalue().splitlines()):
    if line["event"] == "step ended":
        steps[line["stage"]] = steps.get(line["stage"], 0) + line["seconds"]
print(json.dumps({"wall": wall, "steps": steps, "report": report,
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}))
"""


def main() -> None:
    """Prepare the problem, run both sides, print the table."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as scratch:
        folder = Path(scratch)
        environment = write_problem(folder)
        learn, late = write_rows(folder, "learn", LEARN, seed=1)
        warm, _ = write_rows(folder, "warm-up", 500, seed=2)
        large, _ = write_rows(folder, "large", ROWS, seed=3)
        for arguments in (
            ["land", NAME, str(learn)],
            ["run", NAME],
            ["label", NAME, str(late)],
            ["retrain", NAME, "--force"],
            ["land", NAME, str(warm)],
            ["land", NAME, str(large)],
        ):
            command = [sys.executable, "-m", "evenkeel", *arguments]
            subprocess.run(command, env=environment, check=True, capture_output=True)
        model = next((folder / "home" / "cache" / "models" / NAME).glob("*/model.skops"))
        bare = _measured(BARE, environment, NAME, str(large), str(model), str(folder / "bare.parquet"))
        ours = _measured(_EVENKEEL, environment)
    _print(bare, ours)


def _measured(script: str, environment: dict[str, str], *arguments: str) -> dict[str, object]:
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, cwd=Path.cwd()
    )
    return json.loads(done.stdout.splitlines()[-1])


def _print(bare: dict, ours: dict) -> None:
    scored = ours["report"]["large"]["scored"]
    print(f"{ROWS:,} rows x 20 columns, {scored:,} answered and accounted for")
    print(f"{'':14}{'seconds':>10}{'peak GiB':>10}")
    print(f"{'bare script':14}{bare['wall']:10.2f}{bare['peak']:10.2f}")
    print(f"{'evenkeel':14}{ours['wall']:10.2f}{ours['peak']:10.2f}")
    print(f"{'ratio':14}{ours['wall'] / bare['wall']:10.2f}{ours['peak'] / bare['peak']:10.2f}")
    for name, side in (("bare script", bare), ("evenkeel", ours)):
        shares = sorted(side["steps"].items(), key=lambda step: -step[1])
        print(f"{name}, by stage: " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in shares))


if __name__ == "__main__":
    main()
