"""Comparing copies: the same rows agree however they are written, and one changed cell is found."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from evenkeel.adapters.agreement import Copy, agree
from evenkeel.adapters.sources import fetch_files

_CELLS = {
    "n": st.none() | st.floats(-1e9, 1e9, width=32) | st.integers(-999, 999).map(float),
    "t": st.none() | st.sampled_from(["north", "südwest", "a,b", 'say "x"', "007", "True"]),
    "at": st.none() | st.datetimes(pd.Timestamp("2000-01-01"), pd.Timestamp("2100-01-01")),
    "flag": st.none() | st.booleans(),
}
ROWS = st.lists(st.fixed_dictionaries(_CELLS), min_size=1, max_size=8)


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(_CELLS))
    return frame.assign(
        n=frame["n"].astype("float64"),
        at=pd.to_datetime(frame["at"], utc=True).astype("datetime64[us, UTC]"),
        flag=frame["flag"].astype("boolean"),
    )


def _copies(folder: str, frames: list[pd.DataFrame]) -> list[Copy]:
    paths = []
    for number, frame in enumerate(frames):
        path = Path(folder) / (f"{number}.parquet" if number % 2 else f"{number}.csv")
        if number % 2:
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False)
        paths.append(str(path))
    return [Copy(str(i), (f,)) for i, f in enumerate(fetch_files(paths))]


@settings(max_examples=25, phases=[Phase.generate])
@given(rows=ROWS, seed=st.integers(0, 99))
def test_the_same_rows_agree_in_any_order_and_format(rows: list[dict[str, object]], seed: int) -> None:
    frame = _frame(rows)
    turned = frame.sample(frac=1, random_state=seed)[sorted(frame.columns)]
    with tempfile.TemporaryDirectory() as folder:
        said = agree(_copies(folder, [frame, turned, turned]))
    assert said.others == ()


@settings(max_examples=25, phases=[Phase.generate])
@given(rows=ROWS, data=st.data())
def test_one_changed_cell_in_one_of_three_is_outvoted(
    rows: list[dict[str, object]], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(list(_CELLS)))
    other = data.draw(_CELLS[column])
    assume(other != rows[row][column] and (other is not None or rows[row][column] is not None))
    changed = [dict(r) for r in rows]
    changed[row][column] = other
    place = data.draw(st.integers(0, 2))
    frames = [_frame(changed if i == place else rows) for i in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        said = agree(_copies(folder, frames))
    assert [c.place for c in said.others] == [str(place)]
    assert said.outvoted


def test_a_copy_that_cannot_be_read_has_no_vote_but_its_own() -> None:
    with tempfile.TemporaryDirectory() as folder:
        good = _copies(folder, [_frame([{"n": 1.0}])] * 2)
        broken = Path(folder) / "broken.parquet"
        broken.write_bytes(b"PAR1 and nothing more")
        said = agree([Copy("broken", tuple(fetch_files([str(broken)]))), *good])
    assert [c.place for c in said.others] == ["broken"]


def test_three_that_all_differ_outvote_nobody() -> None:
    with tempfile.TemporaryDirectory() as folder:
        said = agree(_copies(folder, [_frame([{"n": float(i)}]) for i in range(3)]))
    assert not said.outvoted
    assert len(said.others) == 2
