"""Faults of files: the sound file stays as it was, and each copy is broken in the way its name says."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chaos.faults.data import FAULTS

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(name for name, fault in FAULTS.items() if fault.is_file)
SMALL = {"file_long_line": {"megabytes": 2}, "file_gzip_bomb": {"megabytes": 8}}
# Written in another format whatever the severity, so a harmless one is not the same bytes.
OTHER_FORMAT = {
    "file_broken_json_lines",
    "file_gzip_bomb",
    "file_gzip_cut",
    "file_parquet_claims",
    "file_parquet_cut",
    "file_wrong_footer",
}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    random = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "settlement": pd.date_range("2026-01-05", periods=48, freq="30min").strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "demand": random.normal(8000, 300, 48).round(1),
            "town": random.choice(["Zürich", "Málaga"], 48),
        }
    )
    path = tmp_path / "2026-01-05.csv"
    path.write_bytes(rows.to_csv(index=False, lineterminator="\n").encode())
    return path


def _broken(name: str, path: Path, severity: float = 1.0, seed: int = 0) -> Path:
    return FAULTS[name].function(path, severity=severity, seed=seed, **SMALL.get(name, {}))


@pytest.mark.parametrize("name", FILES)
def test_the_sound_file_stays_and_a_seed_says_all(name: str, sound: Path):
    before = sound.read_bytes()
    first = _broken(name, sound, 0.6, seed=4)
    content = first.read_bytes()
    assert _broken(name, sound, 0.6, seed=4).read_bytes() == content
    assert sound.read_bytes() == before
    assert first.name.partition(".")[0] == "2026-01-05"
    assert content != before


@pytest.mark.parametrize("name", sorted(set(FILES) - OTHER_FORMAT))
def test_no_severity_no_damage(name: str, sound: Path):
    assert _broken(name, sound, 0.0).read_bytes() == sound.read_bytes()


def test_harmless_in_another_format(sound: Path):
    rows = pd.read_csv(sound)
    for name in ("file_parquet_claims", "file_parquet_cut", "file_wrong_footer"):
        pd.testing.assert_frame_equal(pd.read_parquet(_broken(name, sound, 0.0)), rows)
    for name in ("file_gzip_cut", "file_gzip_bomb"):
        assert gzip.decompress(_broken(name, sound, 0.0).read_bytes()) == sound.read_bytes()
    lines = _broken("file_broken_json_lines", sound, 0.0).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["demand"] for line in lines] == rows["demand"].tolist()


def test_a_cut_file_ends_within_a_line(sound: Path):
    for severity in (0.1, 0.35, 0.6, 1.0):
        cut = _broken("file_cut_off", sound, severity).read_bytes()
        assert sound.read_bytes().startswith(cut)
        assert not cut.endswith(b"\n")
        assert sound.read_bytes()[len(cut) : len(cut) + 1] != b"\n"


def test_encodings(sound: Path):
    text = sound.read_text(encoding="utf-8")
    assert _broken("file_utf16", sound).read_bytes()[:2] in {b"\xff\xfe", b"\xfe\xff"}
    assert _broken("file_utf16", sound).read_bytes().decode("utf-16") == text
    for name in ("file_latin1", "file_cp1252"):
        with pytest.raises(UnicodeDecodeError):
            _broken(name, sound).read_bytes().decode()
        assert _broken(name, sound).read_bytes().decode("cp1252") == text


def test_delimiters(sound: Path):
    rows = pd.read_csv(sound)
    pd.testing.assert_frame_equal(pd.read_csv(_broken("file_semicolon", sound), sep=";"), rows)
    pd.testing.assert_frame_equal(pd.read_csv(_broken("file_tab", sound), sep="\t"), rows)
    comma = _broken("file_decimal_comma", sound)
    pd.testing.assert_frame_equal(pd.read_csv(comma, sep=";", decimal=","), rows)


def test_broken_lines_are_as_many_as_said(sound: Path):
    lines = sound.read_bytes().splitlines()
    few = [line.count(b",") for line in _broken("file_too_few_cells", sound, 0.5).read_bytes().splitlines()]
    many = [line.count(b",") for line in _broken("file_too_many_cells", sound, 0.5).read_bytes().splitlines()]
    assert (sum(c < 2 for c in few), sum(c > 2 for c in many)) == (24, 24)
    assert (
        sum(b"\0" in line for line in _broken("file_nul_bytes", sound, 0.5).read_bytes().split(b"\n")) == 24
    )
    header = _broken("file_header_again", sound, 0.4).read_bytes().splitlines()
    assert header.count(lines[0]) == 5
    assert header[:2] == [lines[0], lines[0]]
    assert _broken("file_footer", sound, 0.2).read_bytes().splitlines() == [*lines, b"Total,48"]
    quoted = _broken("file_open_quote", sound, 0.5).read_bytes()
    assert quoted.count(b'"') == 1
    bad = 0
    for line in _broken("file_undecodable", sound, 0.5).read_bytes().split(b"\n"):
        try:
            line.decode()
        except UnicodeDecodeError:
            bad += 1
    assert bad == 24


def test_json_lines(sound: Path):
    broken = 0
    for line in _broken("file_broken_json_lines", sound, 0.25).read_text(encoding="utf-8").splitlines():
        try:
            broken += not isinstance(json.loads(line), dict)
        except json.JSONDecodeError:
            broken += 1
    assert broken == 12


def test_parquet_that_is_none(sound: Path):
    assert _broken("file_parquet_named_csv", sound).read_bytes().startswith(b"PAR1")
    for name in ("file_wrong_footer", "file_parquet_cut"):
        with pytest.raises((pa.ArrowInvalid, OSError)):
            pq.read_table(_broken(name, sound))
    assert pq.read_metadata(_broken("file_parquet_claims", sound)).num_rows == 10**12


def test_gzip(sound: Path):
    with pytest.raises(EOFError):
        gzip.decompress(_broken("file_gzip_cut", sound).read_bytes())
    bomb = _broken("file_gzip_bomb", sound).read_bytes()
    assert len(zlib.decompress(bomb, 16 + zlib.MAX_WBITS)) > 7.9 * 1024 * 1024 > 100 * len(bomb)


def test_long_line(sound: Path):
    longest = max(len(line) for line in _broken("file_long_line", sound).read_bytes().splitlines())
    assert longest == 2 * 1024 * 1024
