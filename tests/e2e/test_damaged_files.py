"""Any damaged file: each of its rows is answered, quarantined or held, and nothing else comes out than that."""

from __future__ import annotations

import gzip
import io
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from evenkeel.adapters.reading import count_rows
from evenkeel.errors import DataRejected, EvenkeelError
from evenkeel.stages.land import land_files
from tests.damage import damaged
from tests.e2e.market import DAYS, LEARNED, NAME

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.market import Market

ROWS = DAYS[LEARNED].rows
TEXT = ROWS.to_csv(index=False).encode()
PACKED = gzip.compress(TEXT, mtime=0)
LINES = ROWS.to_json(orient="records", lines=True, date_format="iso").encode()


def _parquet() -> bytes:
    sink = io.BytesIO()
    ROWS.to_parquet(sink, index=False)
    return sink.getvalue()


FILES = st.one_of(
    st.tuples(st.just("csv"), damaged(st.just(TEXT))),
    st.tuples(st.just("csv.gz"), damaged(st.just(TEXT)).map(lambda c: gzip.compress(c, mtime=0))),
    st.tuples(st.just("csv.gz"), damaged(st.just(PACKED), most=1)),
    st.tuples(st.just("jsonl"), damaged(st.just(LINES))),
    st.tuples(st.just("parquet"), damaged(st.just(_parquet()), most=2)),
)
NUMBERS = count()


def _landed(market: Market, kind: str, content: bytes) -> str | None:
    """Land a damaged day; None where it is refused with a clear error, and then nothing has landed."""
    batch = f"damaged-{next(NUMBERS)}"
    path: Path = market.home / "files" / f"{batch}.{kind}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    try:
        land_files(market.workspace(), [str(path)], batch)
    except EvenkeelError as error:
        event(f"refused: {error.cause or type(error).__name__}")
        assert market.workspace().ledger.batch(NAME, batch) is None
        return None
    return batch


def _landed_rows(market: Market, batch: str) -> int | None:
    """Recount a landed batch; None where its rows cannot be told."""
    landing = market.workspace().landing.landing(NAME, batch)
    assert landing is not None
    try:
        return sum(count_rows(f) for f in market.workspace().landing.fetch(landing))
    except DataRejected:
        return None


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(files=st.lists(FILES, min_size=5, max_size=5))
def test_every_row_of_any_damaged_file_is_accounted_for(
    market: Market, files: list[tuple[str, bytes]]
) -> None:
    batches = [b for kind, content in files if (b := _landed(market, kind, content))]

    report = market.run()

    for batch in filter(report.__contains__, batches):  # the same bytes may have landed before
        outcome = report[batch]
        event(f"{outcome['state']}: {', '.join(sorted(set(outcome['incidents']))) or 'no incident'}")
        accounted = outcome["scored"] + outcome["quarantined"] + outcome["held"]
        if outcome["state"] == "published":
            assert outcome["landed"] == accounted == _landed_rows(market, batch)
        else:
            assert outcome["state"] == "held"
            assert outcome["incidents"]
            assert accounted in {0, _landed_rows(market, batch)}  # 0 of a file that cannot be read
    assert market.audit().breaches == []


SHAPES = {
    "ragged": (TEXT.replace(b"\n", b",7\n", 3).replace(b",7\n", b"\n", 1), "data.unreadable_lines", 2),
    "cut": (TEXT[:-20], "data.truncated", 1),
    "gzip cut": (PACKED[:-200], "data.truncated", 1),
    "utf-16": (TEXT.decode().encode("utf-16"), "data.wrong_encoding", 0),
    "semicolons": (TEXT.replace(b",", b";"), "data.wrong_delimiter", 0),
    "decimal commas": (TEXT.replace(b",", b";").replace(b".", b","), "data.wrong_delimiter", 0),
}


@pytest.mark.parametrize("case", SHAPES)
def test_what_can_be_read_of_a_damaged_day_is_answered_and_the_incident_names_the_damage(
    market: Market, case: str
) -> None:
    content, cause, lost = SHAPES[case]
    batch = _landed(market, "csv.gz" if case.startswith("gzip") else "csv", content)
    assert batch

    outcome = market.run()[batch]

    assert outcome["state"] == "published"
    assert outcome["quarantined"] == lost
    assert outcome["scored"] == outcome["landed"] - lost
    assert cause in outcome["incidents"]
    assert market.audit().breaches == []


def test_a_file_that_cannot_be_read_at_all_is_held_whole(market: Market) -> None:
    batch = _landed(market, "parquet", _parquet()[:-9])
    assert batch

    outcome = market.run()[batch]

    assert (outcome["state"], outcome["incidents"]) == ("held", ["data.truncated"])
    assert market.audit().breaches == []
