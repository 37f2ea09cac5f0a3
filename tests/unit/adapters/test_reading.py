"""Reading landed files: cells as they came, and what cannot be read told by name, line and cause."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.adapters.reading import columns_of, count_rows, read, read_fetched
from evenkeel.adapters.sources import fetch_files
from evenkeel.domain.batch import LandedFile
from evenkeel.errors import DataRejected


def _landed(folder: Path, content: bytes, kind: str = "csv", name: str = "x") -> tuple[LandedFile, Path]:
    path = folder / f"{name}.{kind}"
    path.write_bytes(content)
    return LandedFile(path.name, "", len(content), "", kind), path


def _rows(frame: pd.DataFrame) -> list[list[object]]:
    return frame.to_numpy(dtype=object).tolist()


def test_csv_cells_stay_as_written_and_only_the_empty_cell_is_null(tmp_path: Path) -> None:
    file = _landed(tmp_path, b'\xef\xbb\xbfid,x,y\r\n007,NA,"a,b"\r\n1.50,,"l1\nl2"\r\n\r\n-999,null,""\r\n')
    frame = read([file]).frame
    assert _rows(frame) == [["007", "NA", "a,b"], ["1.50", None, "l1\nl2"], ["-999", "null", None]]
    assert list(frame.index) == [0, 1, 2]
    assert columns_of(*file) == ["id", "x", "y"]
    assert count_rows(file) == 3


def test_gzipped_csv_reads_as_the_csv_in_it(tmp_path: Path) -> None:
    text = b"id,x\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(5000))
    plain, packed = _landed(tmp_path, text), _landed(tmp_path, gzip.compress(text), "csv.gz")
    pd.testing.assert_frame_equal(read([plain]).frame, read([packed]).frame)
    assert count_rows(packed) == count_rows(plain) == 5000
    assert columns_of(*packed) == ["id", "x"]


def test_lines_within_cells_survive_a_file_larger_than_a_block(tmp_path: Path) -> None:
    cell = "a line of a longer text\n" * 400
    file = _landed(tmp_path, b"id,x\n" + f'1,"{cell}"\n'.encode() * 2000)
    frame = read([file]).frame
    assert len(frame) == count_rows(file) == 2000
    assert frame["x"].unique().tolist() == [cell]


@pytest.mark.parametrize("content", [b"id,x", b"id,x\n", b"id,x\r\n\r\n"])
def test_a_csv_of_a_header_only_has_columns_and_no_rows(tmp_path: Path, content: bytes) -> None:
    file = _landed(tmp_path, content)
    assert (list(read([file]).frame.columns), len(read([file]).frame), count_rows(file)) == (
        ["id", "x"],
        0,
        0,
    )


def test_jsonl_values_become_the_text_they_were_written_in(tmp_path: Path) -> None:
    lines = b'{"a": 1.50, "b": "x", "c": true}\n\n{"a": null, "d": {"n": [1, 2.5]}, "b": "\xc3\xbc"}\n'
    file = _landed(tmp_path, lines, "jsonl")
    assert read([file]).frame.to_dict("list") == {
        "a": ["1.50", None],
        "b": ["x", "ü"],
        "c": ["true", None],
        "d": [None, '{"n": [1, 2.5]}'],
    }
    assert count_rows(file) == 2
    assert columns_of(*file) == ["a", "b", "c"]


def test_parquet_keeps_its_types_and_its_whole_numbers(tmp_path: Path) -> None:
    wide = 2**60 + 1
    table = pa.table(
        {
            "id": pa.array([wide, None]),
            "n": pa.array([1, None]),
            "x": pa.array([0.5, 1.5]),
            "s": pa.array(["a", None]),
            "t": pa.array([0, 1], pa.timestamp("us", tz="UTC")),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    file = _landed(tmp_path, sink.getvalue(), "parquet")
    frame = read([file]).frame
    assert list(frame.columns) == table.column_names == columns_of(*file)
    assert frame["id"].tolist() == [wide, pd.NA]
    assert frame["x"].dtype == np.float64
    assert frame["s"].tolist() == ["a", None]
    assert str(frame["t"].dt.tz) == "UTC"
    assert count_rows(file) == 2


def test_a_parquet_index_comes_back_as_a_column(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index(["a", "b"], name="id")).to_parquet(sink)
    frame = read([_landed(tmp_path, sink.getvalue(), "parquet")]).frame
    assert frame["id"].tolist() == ["a", "b"]
    assert list(frame.index) == [0, 1]


def test_the_files_of_a_batch_follow_one_another(tmp_path: Path) -> None:
    files = [_landed(tmp_path, b"id,x\n1,a\n", name="a"), _landed(tmp_path, b"x,id\nb,2\n", name="b")]
    frame = read(files).frame
    assert frame.to_dict("list") == {"id": ["1", "2"], "x": ["a", "b"]}
    assert list(frame.index) == [0, 1]


def test_a_file_that_is_not_landed_reads_the_same(tmp_path: Path) -> None:
    file = _landed(tmp_path, b"id,x\n1,a\n")
    [fetched] = fetch_files([str(file[1])])
    pd.testing.assert_frame_equal(read_fetched(fetched), read([file]).frame)


def _parquet(rows: int = 100) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": np.arange(rows, dtype=float)}), sink)
    return sink.getvalue()


def _lists() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": [[1, 2], []]}), sink)
    return sink.getvalue()


UNREADABLE = {
    "mostly ragged": (
        "csv",
        b"id,x\n1,2\n3,4,5\n6,7,8\n",
        "data.not_the_format",
        "line 3: 3 cells, expected 2; 2 of 3 lines",
    ),
    "cut in its only row": ("csv", b"id,x,y\n4,5", "data.truncated", "line 2: the file ends in the middle"),
    "other delimiter in the rows": ("csv", b"id,x\n1;2\n3;4\n", "data.", "line 2: 1 cells, expected 2"),
    "random bytes": ("csv", bytes(range(128, 256)) * 9, "data.wrong_encoding", "line 1: byte 0x80"),
    "open header": ("csv", b'"id,x\n1,2\n', "data.not_the_format", "line 1: the header opens a quote"),
    "blank": ("csv", b"\n\n\n", "data.empty", "no header"),
    "twice": ("csv", b"id,id\n1,2\n", "data.not_the_format", "'id' is named twice"),
    "parquet as csv": ("csv", _parquet(), "data.", "x.csv"),
    "gzip as csv": ("csv", gzip.compress(b"id\n1\n"), "data.", "x.csv"),
    "gzip cut in its head": ("csv.gz", gzip.compress(b"id\n")[:5], "data.empty", "no header"),
    "damaged gzip": (
        "csv.gz",
        gzip.compress(b"id\n1\n")[:-8] + bytes(8),
        "data.not_the_format",
        "not a sound gzip",
    ),
    "no gzip": ("csv.gz", b"id,x\n1,2\n", "data.not_the_format", "gzip"),
    "broken line": ("jsonl", b'{"a": 2\n', "data.not_the_format", "line 1: not a JSON object"),
    "array": ("jsonl", b'[{"a": 1}]\n', "data.not_the_format", "line 1: a JSON array"),
    "array over lines": ("jsonl", b'[\n{"a": 1},\n{"a": 2}]', "data.not_the_format", "line 1: a JSON array"),
    "blank lines": ("jsonl", b"\n \n", "data.empty", "no rows"),
    "deep": ("jsonl", b'{"a": ' + b"[" * 100_000, "data.not_the_format", "nested too deeply"),
    "cut parquet": ("parquet", _parquet()[:-20], "data.truncated", "before its footer"),
    "lists": ("parquet", _lists(), "data.not_the_format", "column 'x' holds lists"),
    "no parquet": ("parquet", b"id,x\n1,2\n", "data.not_the_format", "PAR1"),
    "spoilt footer": (
        "parquet",
        _parquet()[:-40] + b"\xff" * 32 + _parquet()[-8:],
        "data.not_the_format",
        "damaged",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_read_is_told_by_name_place_and_cause(tmp_path: Path, case: str) -> None:
    kind, content, cause, said = UNREADABLE[case]
    with pytest.raises(DataRejected) as caught:
        read([_landed(tmp_path, content, kind)])
    assert caught.value.cause.startswith(cause)
    assert said in caught.value.message
    assert caught.value.message.startswith(f"x.{kind}: ")
    assert "\n" not in caught.value.message


def test_a_small_gzip_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"id\n" + b"1\n" * 50_000_000)
    with pytest.raises(DataRejected, match="unpacks to more than") as caught:
        read([_landed(tmp_path, bomb, "csv.gz")])
    assert caught.value.cause == "data.too_large"


def test_a_small_parquet_that_claims_more_cells_than_it_can_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": pa.nulls(51_000_000, pa.bool_())}), path, row_group_size=51_000_000)
    with pytest.raises(DataRejected, match="51000000 rows of 1 columns"):
        read([(LandedFile("x.parquet", "", 0, "", "parquet"), path)])


_CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8
)


@given(rows=st.lists(st.lists(_CELL, min_size=2, max_size=2), max_size=8))
def test_any_csv_comes_back_cell_for_cell_and_is_counted_alike(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "x"], *rows])
    with tempfile.TemporaryDirectory() as name:
        file = _landed(Path(name), text.getvalue().encode())
        frame = read([file]).frame
        assert _rows(frame) == [[c or None for c in row] for row in rows]
        assert count_rows(file) == len(rows)
