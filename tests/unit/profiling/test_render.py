"""Whatever a file's columns are called, what is written loads, and says what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.errors import UsageError
from evenkeel.profiling.profile import Wish, profile
from evenkeel.profiling.render import flow, render, words
from evenkeel.profiling.write import check_free, place_of, prove, put
from evenkeel.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

ODD = [
    "naïve ü", 'quo"te', "it's", "new\nline", "{curly}", "{{ x }}", "{% raw %}", "100%", "a, b", "#hash", "- dash",
    ": colon", "null", "true", "1", "tab\t", "日本", "[x]", "*star", "?", "~", "{home}",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.text()), st.floats(allow_nan=False), st.integers()))
def test_a_value_is_one_line_that_reads_back(value: object) -> None:
    assert "\n" not in flow(value)
    assert yaml.safe_load(f"{{key: {flow(value)}}}")["key"] == value


@given(st.text())
def test_a_comment_stays_one(text: str) -> None:
    assert yaml.safe_load(f"key: 1 # {words(text)}\nother: 2") == {"key": 1, "other": 2}


def test_odd_names_load_and_try_out_clean(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({c: rng.normal(size=120).round(3).astype(str) for c in ODD}, dtype=object)
    frame["is it?"] = np.where(frame[ODD[0]].astype(float) > 0, "no", "yes")
    frame.loc[::3, "is it?"] = "yes"
    found = profile(frame, Wish("odd", "odd.csv", "is it?"))
    written = render(found)

    trial = prove(written, "odd", frame, found.order)
    place = place_of("odd", tmp_path / "configs")
    put(written, place)

    assert (trial.held, trial.degraded, trial.quarantined) == (0, 0, 0)
    assert load_settings("odd", config_file=place.config).pipeline.features.columns == tuple(ODD)


@pytest.mark.parametrize("name", ["Upper", "../up", "a b", "1st", "", "x" * 64])
def test_a_name_that_is_not_allowed_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        place_of(name, tmp_path)


def test_files_that_are_there_are_not_written_over(tmp_path: Path) -> None:
    place = place_of("mine", tmp_path / "configs")
    place.suite.parent.mkdir(parents=True)
    place.suite.write_text("{}")

    with pytest.raises(UsageError, match="is there already"):
        check_free(place)
