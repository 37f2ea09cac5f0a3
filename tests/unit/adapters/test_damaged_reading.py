"""Reading damaged text files: what can be read is read, and what cannot is kept with its line and bytes."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters.reading import columns_of, count_rows, read, read_fetched
from evenkeel.adapters.sources import fetch_files
from evenkeel.domain.batch import LandedFile
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.domain.rows import Rows

HEAD = b"id,x,y\n"
GOOD = b"1,a,b\n2,c,d\n3,e,f\n"
CELLS = [["1", "a", "b"], ["2", "c", "d"], ["3", "e", "f"]]


def _read(folder: Path, content: bytes, kind: str = "csv") -> Rows:
    path = folder / f"x.{kind}"
    path.write_bytes(content)
    file = LandedFile(path.name, "", len(content), "", kind), path
    rows = read([file])
    assert count_rows(file) == rows.landed
    assert columns_of(*file) == list(rows.frame.columns)
    return rows


def _cells(rows: Rows) -> list[list[object]]:
    return rows.frame.to_numpy(dtype=object).tolist()


LINES = {
    "too many cells": (b"7,8,9,10", "ragged", "4 cells, expected 3"),
    "too few cells": (b"7,8", "ragged", "2 cells, expected 3"),
    "undecodable": (b"7,\xe9,9", "encoding", "byte 0xe9 is not UTF-8 text"),
    "zero byte": (b"7,\x00,9", "encoding", "a zero byte"),
    "open quote": (b'7,"8,9', "quote", "a quote that never closes"),
    "header again": (b"id,x,y", "repeated_header", "the header again"),
    "quoted header again": (b'"id","x","y"', "repeated_header", "the header again"),
}


@pytest.mark.parametrize("case", LINES)
@pytest.mark.parametrize("kind", ["csv", "csv.gz"])
def test_a_line_that_is_no_row_is_kept_apart_and_the_others_are_read(
    tmp_path: Path, case: str, kind: str
) -> None:
    line, check, found = LINES[case]
    content = HEAD + GOOD + line + b"\r\n" + GOOD
    rows = _read(tmp_path, gzip.compress(content) if kind == "csv.gz" else content, kind)
    assert _cells(rows) == CELLS * 2
    [bad] = rows.unreadable
    assert (bad.file, bad.line, bad.raw, bad.check, bad.found) == (f"x.{kind}", 5, line, check, found)
    assert rows.notes == ()


def test_a_stray_quote_takes_no_sound_quoted_row_with_it(tmp_path: Path) -> None:
    quoted = b'4,"g\nh",""\n5,"say ""i""",j\n'
    rows = _read(tmp_path, HEAD + b'0,"a,b\n' + GOOD + quoted + GOOD)
    assert _cells(rows) == [*CELLS, ["4", "g\nh", None], ["5", 'say "i"', "j"], *CELLS]
    assert [(u.line, u.check) for u in rows.unreadable] == [(2, "quote")]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them(tmp_path: Path) -> None:
    rows = _read(tmp_path, HEAD + b'0,"a,b\n' + GOOD * 9 + b'9,a",b\n' + GOOD)
    assert _cells(rows) == [*CELLS * 9, ["9", 'a"', "b"], *CELLS]
    assert [u.line for u in rows.unreadable] == [2]


def test_text_of_several_lines_with_commas_is_not_taken_for_swallowed_rows(tmp_path: Path) -> None:
    rows = _read(tmp_path, b'id,x\n1,"Dear all,\nyes, of course,\nno"\n2,"a\nb, c"\n')
    assert _cells(rows) == [["1", "Dear all,\nyes, of course,\nno"], ["2", "a\nb, c"]]
    assert rows.unreadable == ()


def test_the_lines_that_close_a_report_are_told_from_damage_in_the_midst(tmp_path: Path) -> None:
    rows = _read(tmp_path, HEAD + GOOD + b"7,8\n" + GOOD + b"\nTotal,123\n2 pages")
    assert _cells(rows) == CELLS * 2
    assert [(u.line, u.check) for u in rows.unreadable] == [(5, "ragged"), (10, "footer"), (11, "footer")]
    assert rows.notes == ()


@pytest.mark.parametrize("last", [b"4,", b'4,"g', b"4,\xc3", b"4"])
def test_a_row_in_which_the_file_was_cut_is_kept_apart_and_noted(tmp_path: Path, last: bytes) -> None:
    rows = _read(tmp_path, HEAD + GOOD + last)
    assert _cells(rows) == CELLS
    assert [(u.line, u.raw, u.check) for u in rows.unreadable] == [(5, last, "ragged")]
    assert [(n.cause, n.said) for n in rows.notes] == [
        ("data.truncated", "x.csv: line 5: the file ends in the middle of a row")
    ]


def test_a_last_row_without_a_line_end_is_a_row(tmp_path: Path) -> None:
    rows = _read(tmp_path, HEAD + GOOD.rstrip())
    assert (_cells(rows), rows.unreadable, rows.notes) == (CELLS, (), ())


def test_of_a_gzip_cut_short_what_can_be_unpacked_is_read(tmp_path: Path) -> None:
    text = HEAD + b"".join(b"%d,%d,%d\n" % (i, i * i, i**3) for i in range(3000))
    rows = _read(tmp_path, gzip.compress(text)[:-2000], "csv.gz")
    assert 1000 < len(rows.frame) < 2999
    # The last line is cut for certain, whatever it looks like.
    [cut] = rows.unreadable
    assert cut.line == len(rows.frame) + 2
    assert [n.cause for n in rows.notes] == ["data.truncated"]


TEXT = "id,Größe\n" + "1,Köln\n2,Müller\n3,Straße\n4,é\n" * 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("kind", ["csv", "csv.gz"])
def test_another_encoding_is_recognised_and_noted(tmp_path: Path, encoding: str, kind: str) -> None:
    content = TEXT.encode(encoding)
    rows = _read(tmp_path, gzip.compress(content) if kind == "csv.gz" else content, kind)
    assert rows.frame["Größe"].tolist() == ["Köln", "Müller", "Straße", "é"] * 3
    [note] = rows.notes
    assert note.cause == "data.wrong_encoding"
    assert note.evidence["encoding"].startswith(encoding)


LEGACY = {
    "cp932": ["東京", "大阪", "京都市", "カタカナ"],
    "cp1251": ["Москва", "Казань", "Уфа", "север"],
    "gb18030": ["北京", "上海", "广州", "北方"],
}


@pytest.mark.parametrize("encoding", LEGACY)
def test_text_of_other_scripts_is_recognised_in_a_file_with_an_ascii_header(
    tmp_path: Path, encoding: str
) -> None:
    cities = LEGACY[encoding] * 5
    text = "id,city\n0,none\n" + "".join(f"{i},{c}\n" for i, c in enumerate(cities))
    rows = _read(tmp_path, text.encode(encoding))
    assert rows.frame["city"].tolist() == ["none", *cities]
    assert [n.evidence for n in rows.notes] == [{"encoding": encoding}]


def test_a_few_damaged_bytes_are_no_other_encoding(tmp_path: Path) -> None:
    lines = [b"%d,a,%d.5\n" % (i, i) for i in range(50)]
    for at, byte in ((3, 0xB3), (20, 0x91), (33, 0xFF), (41, 0xE5)):
        lines[at] = lines[at].replace(b".", bytes([byte]))
    rows = _read(tmp_path, HEAD + b"".join(lines))
    assert len(rows.frame) == 46
    assert [(u.line, u.check) for u in rows.unreadable] == [(n, "encoding") for n in (5, 22, 35, 43)]
    assert rows.notes == ()


def test_utf_16_that_lost_a_byte_is_not_read_as_something_else(tmp_path: Path) -> None:
    content = ("id,x\n" + "1,a\n" * 500).encode("utf-16")
    with pytest.raises(DataRejected, match="bytes are not utf-16-le text") as caught:
        _read(tmp_path, content[:301] + content[302:])
    assert caught.value.cause == "data.wrong_encoding"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_recognised_and_noted(tmp_path: Path, delimiter: str) -> None:
    text = (HEAD + GOOD + b'7,"8,9",0\n').decode().replace(",", delimiter).replace(f"8{delimiter}9", "8,9")
    rows = _read(tmp_path, text.encode())
    assert _cells(rows) == [*CELLS, ["7", "8,9", "0"]]
    assert [(n.cause, n.evidence["delimiter"]) for n in rows.notes] == [("data.wrong_delimiter", delimiter)]


def test_decimal_commas_are_read_where_a_whole_column_has_them(tmp_path: Path) -> None:
    rows = _read(tmp_path, b"id;x;y;z\n1;12,5;a,b;-1\n2;-0,25;3,5;2\n3;;1;3\n4;7;2,5;\n")
    assert rows.frame["x"].tolist() == ["12.5", "-0.25", None, "7"]
    assert rows.frame["y"].tolist() == ["a,b", "3,5", "1", "2,5"]
    assert rows.notes[0].evidence == {"delimiter": ";", "decimal_commas": ["x"]}


def test_a_name_with_a_semicolon_is_no_other_delimiter(tmp_path: Path) -> None:
    rows = _read(tmp_path, b"a;b\n1\n2\n3\n")
    assert rows.frame.to_dict("list") == {"a;b": ["1", "2", "3"]}
    assert rows.notes == ()


JSON_LINES = {
    "broken": (b'{"a": 2', "json", "not a JSON object"),
    "no object": (b"7", "json", "a JSON text or number, expected one object a line"),
    "undecodable": (b'{"a": "\xe9"}', "encoding", "byte 0xe9 is not UTF-8 text"),
    "zero byte": (b'{"a": "\x00"}', "encoding", "a zero byte"),
    "half a character": (b'{"a": "\\ud800"}', "json", "half a character"),
    "long number in a list": (b'{"a": [' + b"9" * 5000 + b"]}", "json", "cannot be kept"),
    "deep": (b'{"a": ' + b"[" * 100_000, "json", "nested too deeply"),
}


@pytest.mark.parametrize("case", JSON_LINES)
def test_a_json_line_that_is_no_object_is_kept_apart(tmp_path: Path, case: str) -> None:
    line, check, found = JSON_LINES[case]
    rows = _read(tmp_path, b'{"a": 1}\n\n' + line + b'\n{"a": 3}\n', "jsonl")
    assert rows.frame["a"].tolist() == ["1", "3"]
    [bad] = rows.unreadable
    assert (bad.line, bad.raw, bad.check) == (3, line, check)
    assert found in bad.found


def test_a_json_line_in_which_the_file_was_cut_is_noted(tmp_path: Path) -> None:
    rows = _read(tmp_path, b'{"a": 1}\n{"a": 2}\n{"a"', "jsonl")
    assert rows.frame["a"].tolist() == ["1", "2"]
    assert [(u.line, u.raw, u.check) for u in rows.unreadable] == [(3, b'{"a"', "ragged")]
    assert [n.cause for n in rows.notes] == ["data.truncated"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_another_encoding_of_json_lines_is_recognised(tmp_path: Path, encoding: str) -> None:
    rows = _read(tmp_path, '{"a": "Köln"}\n{"a": "Müller"}\n{"a": "weiß"}\n'.encode(encoding), "jsonl")
    assert rows.frame["a"].tolist() == ["Köln", "Müller", "weiß"]
    assert [n.cause for n in rows.notes] == ["data.wrong_encoding"]


def test_the_unreadable_lines_of_several_files_follow_one_another(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(HEAD + GOOD + b"7,8\n" + GOOD)
        files.append((LandedFile(path.name, "", 0, "", "csv"), path))
    rows = read(files)
    assert list(rows.frame.index) == list(range(12))
    assert [(u.file, u.line) for u in rows.unreadable] == [("a.csv", 5), ("b.csv", 5)]


@pytest.mark.parametrize(
    ("content", "said"),
    [(HEAD + GOOD + b"7,8\n" + GOOD, "line 5: 2 cells"), (HEAD + GOOD + b"7,8", "line 5: the file ends in")],
)
def test_a_file_that_is_not_landed_must_be_whole(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    [fetched] = fetch_files([str(path)])
    with pytest.raises(DataRejected, match=said):
        read_fetched(fetched)
