"""The audit's count and the reader agree on every file, whatever was done to it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from evenkeel.adapters.reading import columns_of, count_rows, read
from evenkeel.domain.batch import LandedFile
from evenkeel.errors import DataRejected
from tests.damage import damaged

CELLS = st.sampled_from(["1.5", "north", "", "Müller", 'q"q', "x,y", "l1\nl2", "-999", "ж", "a;b"])
TABLES = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=20)
)


def _as_csv(rows: list[list[str]], delimiter: str, end: str, *, quoted: bool) -> bytes:
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([[f"c{i}" for i in range(len(rows[0]))], *rows])
    return text.getvalue().encode()


CSV_FILES = st.builds(
    _as_csv,
    TABLES,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.booleans(),
)
JSON_FILES = TABLES.map(
    lambda rows: "".join(json.dumps(dict(zip("abcde", r, strict=False))) + "\n" for r in rows).encode()
)
FILES = st.one_of(
    st.tuples(st.just("csv"), damaged(CSV_FILES)),
    st.tuples(st.just("csv.gz"), damaged(damaged(CSV_FILES).map(lambda c: gzip.compress(c, mtime=0)))),
    st.tuples(st.just("jsonl"), damaged(JSON_FILES)),
)


@settings(max_examples=400)
@given(file=FILES)
def test_of_any_damaged_file_each_record_is_a_row_or_an_unreadable_line(file: tuple[str, bytes]) -> None:
    kind, content = file
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        path.write_bytes(content)
        landed = LandedFile(path.name, "", len(content), "", kind), path
        try:
            rows = read([landed])
        except DataRejected as error:
            event(error.cause)
            return
        event("read in part" if rows.unreadable or rows.notes else "read")
        assert count_rows(landed) == rows.landed
        assert [u.line for u in rows.unreadable] == sorted({u.line for u in rows.unreadable})
        if kind != "jsonl":
            assert columns_of(*landed) == list(rows.frame.columns)
