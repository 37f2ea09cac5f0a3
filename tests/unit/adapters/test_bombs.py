"""Files made to fill the memory are refused in bounded memory, each read in a process of its own."""

from __future__ import annotations

import gzip
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1024 * 1024
MOST = 300 * MIB
READ = """
import resource, sys
from pathlib import Path
from evenkeel.adapters.reading import columns_of, count_rows, read
from evenkeel.domain.batch import LandedFile
from evenkeel.errors import DataRejected

path = Path(sys.argv[1])
file = LandedFile(path.name, "", 0, "", path.name.partition(".")[2]), path
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read([file])
except DataRejected as error:
    print(error.cause, error.message)
for also in (lambda: columns_of(*file), lambda: count_rows(file)):
    try:
        also()
    except DataRejected:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def _gzip_bomb(path: Path) -> None:
    member = gzip.compress((b"1" * 4095 + b"\n") * (MIB // 256))
    path.write_bytes(gzip.compress(b"id\n") + member * 16)


def _long_line(path: Path, start: bytes = b"id,x\n1,") -> None:
    with path.open("wb") as file:
        file.write(start)
        file.truncate(1024 * MIB)  # a hole in the file: bytes that are read and take no disk


def _many_columns(path: Path) -> None:
    path.write_bytes(b",".join(b"c%d" % i for i in range(100_000)) + b"\n" + b"," * 99_999 + b"\n")


def _new_key_in_every_line(path: Path) -> None:
    path.write_text("".join(f'{{"k{i}": 1}}\n' for i in range(20_000)))


def _many_keys(path: Path) -> None:
    path.write_text("{" + ", ".join(f'"k{i}": 1' for i in range(100_000)) + "}\n")


def _long_text_in_many_rows(path: Path) -> None:
    text = pa.array(["x" * MIB]).dictionary_encode()
    rows = pa.DictionaryArray.from_arrays(pa.nulls(200_000, pa.int32()).fill_null(0), text.dictionary)
    pq.write_table(pa.table({"x": rows}).cast(pa.schema([("x", rows.type)])), path, store_schema=False)


def _many_cells(path: Path) -> None:
    pq.write_table(pa.table({"x": pa.nulls(51_000_000, pa.bool_())}), path, row_group_size=51_000_000)


BOMBS: dict[str, Callable[[Path], None]] = {
    "gzip.csv.gz": _gzip_bomb,
    "line.csv": _long_line,
    "line.jsonl": lambda path: _long_line(path, b'{"a": "'),
    "columns.csv": _many_columns,
    "keys.jsonl": _new_key_in_every_line,
    "object.jsonl": _many_keys,
    "text.parquet": _long_text_in_many_rows,
    "cells.parquet": _many_cells,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_made_to_fill_the_memory_is_refused_within_bounds(tmp_path: Path, name: str) -> None:
    BOMBS[name](tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / name)], capture_output=True, text=True, check=True
    )
    said, taken = done.stdout.splitlines()
    assert said.startswith(f"data.too_large {name}: ")
    assert int(taken) < MOST
