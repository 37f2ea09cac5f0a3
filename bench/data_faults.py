"""How data faults are met: detected, attributed and answered by evenkeel, and by outsiders in the same run.

Run from the root: ``python -m bench.data_faults``. Each data set is cut into batches; a champion is trained
on the first of them, the next twenty are its recent past, and into later ones each fault of
``chaos.faults.data`` is injected at three severities. evenkeel's side is the score flow's own stages, from
read rows to answers, with ``faults: {repair: auto}``. The bare script reads with pandas, fills the median,
predicts with the same model, and where it ends in an error its answer is the majority (or median) label.
Points are accuracy x 100, for regressions 100 x (1 - MAE / MAE of the median), at least -100.
Seeds 0 to 99 are for reporting, 100 to 199 for tuning (``--tuning``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from bench.faults import tally
from bench.faults.cost import Cost, measure
from bench.faults.generated import applications, market, rides
from bench.faults.judge import Judged, judge
from bench.faults.real import REAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.faults.problem import Problem

RESULT = Path("docs/measured/data_faults.json")
_TUNING = 100
_WORKERS = 2


def main() -> None:
    """Judge every data set, print the tables."""
    given = _arguments()
    began = time.perf_counter()
    makers, left_out = _makers(_TUNING if given.tuning else 0)
    makers = {name: make for name, make in makers.items() if not given.only or name in given.only}
    run = partial(
        _judged,
        per=given.per,
        first_seed=_TUNING if given.tuning else 0,
        clean=given.clean,
        notes=given.notes,
        world=given.world,
    )
    judged = []
    # A process a core, so a thread each: more of them only wait for each other.
    with ProcessPoolExecutor(min(_WORKERS, os.cpu_count() or 1), initializer=_one_thread) as pool:
        for one in pool.map(run, makers.values()):
            judged.append(one)
            tally.show(one.name, tally.table([one]), f"{len(one.records)} cases")
    lines = tally.table(judged)
    runs = sum(
        len(j.records) + sum(len(v) for v in (*j.clean.values(), *j.world.values())) // 4 for j in judged
    )
    tally.show(f"all {len(judged)} data sets", lines, f"{runs} runs")
    print(f"left out: {', '.join(left_out) or 'nothing'}")
    cost = measure()
    print(cost)
    print(f"{time.perf_counter() - began:.0f} s")
    if given.write:
        _write(judged, lines, runs, left_out, cost)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--per", type=int, default=1, help="cases of each fault at each severity and data set"
    )
    parser.add_argument("--clean", type=int, default=60, help="sound batches of each data set")
    parser.add_argument("--world", type=int, default=10, help="batches of each kind of changed world")
    parser.add_argument("--tuning", action="store_true", help="seeds 100 to 199")
    parser.add_argument("--only", nargs="*", help="names of data sets")
    parser.add_argument("--notes", type=Path, help="add what was missed or accused wrongly to this file")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT}")
    return parser.parse_args()


def _makers(seed: int) -> tuple[dict[str, Callable[[], Problem]], list[str]]:
    """Return what makes each data set, and what is left out."""
    makers: dict[str, Callable[[], Problem]] = {
        "applications": partial(applications, seed),
        "rides": partial(rides, seed),
        "market": partial(market, seed),
    }
    folder = os.environ.get("EVENKEEL_DATA")
    if not folder:
        return makers, [f"{name} (EVENKEEL_DATA is not set)" for name in REAL]
    there = {name: make for name, make in REAL.items() if (Path(folder) / name).is_file()}
    makers |= {make.__name__: partial(make, Path(folder)) for make in there.values()}
    return makers, [f"{name} (not in {folder})" for name in REAL if name not in there]


def _one_thread() -> None:
    threadpool_limits(1)


def _judged(
    make: Callable[[], Problem], *, per: int, first_seed: int, clean: int, world: int, notes: Path | None
) -> Judged:
    return judge(make(), per=per, first_seed=first_seed, clean=clean, world=world, notes=notes)


def _write(
    judged: list[Judged], lines: dict[str, dict[str, object]], runs: int, left_out: list[str], cost: Cost
) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "command": " ".join(["python -m bench.data_faults", *sys.argv[1:]]),
        "runs": runs,
        "left_out": left_out,
        "all": tally.as_json(lines),
        "data_sets": {j.name: tally.as_json(tally.table([j])) for j in judged},
        "classifier_seconds": round(cost.classifier, 3),
        "classifier_to_bare_predict": round(cost.classifier / cost.predict, 2),
    }
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
