"""Every row is answered once, by the best rung that can; a rung that cannot is reported with its reason."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.domain.ladder import Rung
from evenkeel.errors import ModelUnusable
from evenkeel.serving.ladder import answer
from evenkeel.serving.rung import RungModel
from evenkeel.settings.pipeline import Target

CLASSES = Target(column="direction", classes=("DOWN", "UP"), default="DOWN")
NUMBERS = Target(column="load", default=-1.0)
PATIENT = 60.0


def rows(n):
    return pd.DataFrame({"at": np.arange(n), "x": np.arange(n, dtype=float)})


def rung(version, answering, *, name=Rung.CHAMPION, needs=frozenset()):
    return RungModel(name, version, lambda: answering, needs)


def always(value, confidence=0.75):
    return lambda frame: (np.full(len(frame), value, dtype=object), np.full(len(frame), confidence))


def raising(error):
    def answering(_):
        raise error

    return answering


def test_the_best_rung_answers_all_and_nothing_is_reported():
    found = answer(
        rows(5), [rung("7", always("UP")), rung("6", always("DOWN"))], target=CLASSES, timeout=PATIENT
    )
    assert found.frame["prediction"].tolist() == ["UP"] * 5
    assert found.frame["confidence"].tolist() == [0.75] * 5
    assert found.per_rung == {"champion": 5}
    assert found.frame["model_version"].astype(str).tolist() == ["7"] * 5
    assert found.skipped == ()


def test_a_constant_answer_over_many_rows_is_an_answer():
    found = answer(rows(2000), [rung("7", always("UP"))], target=CLASSES, timeout=PATIENT)
    assert found.skipped == ()


def test_index_and_order_of_the_batch_are_kept_even_where_the_index_repeats():
    frame = rows(6).set_axis([9, 9, 3, 3, 1, 1])
    half = rung("7", lambda f: (np.where(f["at"] % 2, "UP", None).astype(object), np.full(len(f), 0.6)))
    found = answer(
        frame, [half, rung("6", always("DOWN"), name=Rung.PREVIOUS)], target=CLASSES, timeout=PATIENT
    )
    assert found.frame.index.tolist() == [9, 9, 3, 3, 1, 1]
    assert found.frame["prediction"].tolist() == ["DOWN", "UP"] * 3
    assert found.frame["rung"].astype(str).tolist() == ["previous", "champion"] * 3


def test_an_empty_batch_loads_nothing():
    def load():
        raise AssertionError("loaded")

    found = answer(rows(0), [RungModel(Rung.CHAMPION, "7", load)], target=CLASSES, timeout=PATIENT)
    assert len(found.frame) == 0
    assert list(found.frame) == ["prediction", "confidence", "rung", "model_version"]


def of(value, n):
    return np.full(n, value, dtype=object)


UNPUBLISHABLE = {
    "too many": (lambda n: (of("UP", n + 1), np.full(n + 1, 0.5)), "model.wrong_output"),
    "a column": (lambda n: (of("UP", (n, 1)), np.full(n, 0.5)), "model.wrong_output"),
    "numbers": (lambda n: (np.ones(n), np.full(n, 0.5)), "model.wrong_output"),
    "confidence in words": (lambda n: (of("UP", n), of("sure", n)), "model.wrong_output"),
    "confidences missing": (lambda n: (of("UP", n), np.full(n - 1, 0.5)), "model.wrong_output"),
    "lists": (lambda n: (pd.Series([["UP"]] * n).to_numpy(), np.full(n, 0.5)), "model.wrong_output"),
    "foreign class": (lambda n: (of("SIDEWAYS", n), np.full(n, 0.5)), "model.wrong_output"),
    "too confident": (lambda n: (of("UP", n), np.full(n, 1.5)), "model.wrong_output"),
    "no class": (lambda n: (of(None, n), np.full(n, 0.5)), "model.returns_nan"),
    "no confidence": (lambda n: (of("UP", n), np.full(n, np.nan)), "model.returns_nan"),
    "no pair": (lambda n: n, "model.raises"),
}


@pytest.mark.parametrize("what", UNPUBLISHABLE)
def test_output_that_cannot_be_published_falls_to_the_next_rung(what):
    output, cause = UNPUBLISHABLE[what]
    rungs = [rung("7", lambda f: output(len(f))), rung("6", always("UP"), name=Rung.PREVIOUS)]
    found = answer(rows(4), rungs, target=CLASSES, timeout=PATIENT)
    assert found.per_rung == {"previous": 4}
    assert [(s.rung, s.model_version, s.rows, s.cause) for s in found.skipped] == [
        ("champion", "7", 4, cause)
    ]


@pytest.mark.parametrize(
    ("predictions", "per_rung"),
    [
        ([1.0, np.nan, np.inf], {"champion": 1, "heuristic": 2}),
        (["1", "2", "3"], {"heuristic": 3}),
        ([True, False, True], {"heuristic": 3}),
        ([1, 2, 3], {"champion": 3}),
    ],
)
def test_a_regression_answers_with_finite_numbers_only(predictions, per_rung):
    model = rung("7", lambda _: (np.array(predictions), np.full(3, 0.5)))
    found = answer(rows(3), [model], target=NUMBERS, timeout=PATIENT)
    assert found.per_rung == per_rung
    assert found.frame["prediction"].dtype == np.float64
    assert np.isfinite(found.frame["prediction"]).all()


@pytest.mark.parametrize(
    "error", [ValueError("two\nlines"), MemoryError(), RecursionError("deep"), KeyError("x")]
)
def test_a_rung_that_raises_is_named_with_its_error_on_one_line(error):
    rungs = [rung("7", raising(error)), rung("6", always("UP"), name=Rung.PREVIOUS)]
    [skipped] = answer(rows(3), rungs, target=CLASSES, timeout=PATIENT).skipped
    assert skipped.cause == "model.raises"
    assert skipped.reason.startswith(type(error).__name__)
    assert "\n" not in skipped.reason


def test_a_rung_that_cannot_be_loaded_keeps_the_cause_it_gave():
    def load():
        raise ModelUnusable("model.skops: altered", cause="model.artifact_corrupt")

    rungs = [RungModel(Rung.CHAMPION, "7", load), rung("6", always("UP"), name=Rung.PREVIOUS)]
    found = answer(rows(3), rungs, target=CLASSES, timeout=PATIENT)
    assert [(s.cause, s.reason) for s in found.skipped] == [
        ("model.artifact_corrupt", "model.skops: altered")
    ]
    assert found.per_rung == {"previous": 3}


def test_no_model_answers_that_rests_on_a_suspect_column():
    rungs = [
        rung("7", always("UP"), needs=frozenset({"x", "y"})),
        rung("7", always("DOWN"), name=Rung.BASELINE, needs=frozenset({"y"})),
    ]
    found = answer(rows(3), rungs, target=CLASSES, timeout=PATIENT, suspect=frozenset({"x"}))
    assert found.per_rung == {"baseline": 3}
    assert [(s.cause, s.reason) for s in found.skipped] == [
        ("data.suspect_column", "rests on suspect column x")
    ]


def test_a_heuristic_has_no_confidence_and_never_sees_a_suspect_column():
    seen = []
    heuristic = rung(
        "7",
        lambda f: (seen.append(list(f)) or np.full(len(f), "UP", dtype=object), None),
        name=Rung.HEURISTIC,
    )
    found = answer(
        rows(3), [heuristic], target=CLASSES, timeout=PATIENT, suspect=frozenset({"x", "not here"})
    )
    assert seen == [["at"]]
    assert found.frame["confidence"].isna().all()
    assert found.per_rung == {"heuristic": 3}


def test_where_every_rung_fails_the_default_is_answered():
    rungs = [rung("7", raising(OSError("gone"))), rung("7", raising(ValueError("bad")), name=Rung.HEURISTIC)]
    found = answer(rows(3), rungs, target=CLASSES, timeout=PATIENT)
    assert found.frame["prediction"].tolist() == ["DOWN"] * 3
    assert found.per_rung == {"heuristic": 3}
    assert [s.rung for s in found.skipped] == ["champion", "heuristic"]


def test_a_rung_that_hangs_is_left_behind():
    release, left = threading.Event(), threading.Event()

    def hangs(frame):
        release.wait()
        left.set()
        return always("UP")(frame)

    rungs = [rung("7", hangs), rung("6", always("DOWN"), name=Rung.PREVIOUS)]
    found = answer(rows(3), rungs, target=CLASSES, timeout=0.05)
    assert found.per_rung == {"previous": 3}
    assert [(s.cause, s.reason) for s in found.skipped] == [("model.slow", "took longer than 0.05 s")]
    release.set()
    assert left.wait(PATIENT)


def test_a_model_that_hangs_while_it_loads_is_left_behind_too():
    release = threading.Event()

    def load():
        release.wait()
        return always("UP")

    rungs = [RungModel(Rung.CHAMPION, "7", load), rung("6", always("DOWN"), name=Rung.PREVIOUS)]
    found = answer(rows(3), rungs, target=CLASSES, timeout=0.05)
    release.set()
    assert [s.cause for s in found.skipped] == ["model.slow"]


def test_a_rung_that_runs_out_of_time_stops_at_its_next_chunk():
    now, asked = [0.0], []

    def slow(frame):
        asked.append(len(frame))
        now[0] += 40.0
        return always("UP")(frame)

    rungs = [rung("7", slow), rung("6", always("DOWN"), name=Rung.PREVIOUS)]
    found = answer(rows(600_000), rungs, target=CLASSES, timeout=PATIENT, clock=lambda: now[0])
    assert asked == [250_000, 250_000], "the last 100,000 rows were not asked for"
    assert [(s.cause, s.rows) for s in found.skipped] == [("model.slow", 600_000)]
    assert found.per_rung == {"previous": 600_000}


def test_a_person_can_still_interrupt():
    rungs = [rung("7", raising(KeyboardInterrupt())), rung("6", always("UP"))]
    with pytest.raises(KeyboardInterrupt):
        answer(rows(3), rungs, target=CLASSES, timeout=PATIENT)


def test_a_hanging_rung_does_not_keep_the_process_alive():
    script = """
import threading, numpy as np, pandas as pd
from evenkeel.domain.ladder import Rung
from evenkeel.serving.ladder import answer
from evenkeel.serving.rung import RungModel
from evenkeel.settings.pipeline import Target
hangs = RungModel(Rung.CHAMPION, "7", lambda: lambda frame: threading.Event().wait())
target = Target(column="y", classes=("DOWN", "UP"), default="UP")
print(answer(pd.DataFrame({"x": [1.0]}), [hangs], target=target, timeout=0.05).frame["prediction"].tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "['UP']"


def in_pieces(pattern):
    """A model that can answer some rows, row by row, as ``pattern`` says."""

    def answering(frame):
        kinds = [pattern[i % len(pattern)] for i in frame["at"]]
        predictions = np.array(
            [{"null": None, "foreign": "SIDEWAYS"}.get(k, "UP") for k in kinds], dtype=object
        )
        confidences = np.array([{"unsure": np.nan, "oversure": 1.01}.get(k, 0.5) for k in kinds], dtype=float)
        return predictions, confidences

    return answering


WHOLE = {
    "raises": raising(ValueError("no")),
    "short": lambda f: (np.full(len(f) - 1, "UP", dtype=object), np.full(len(f) - 1, 0.5)),
    "numbers": lambda f: (np.zeros(len(f)), np.zeros(len(f))),
}
PIECES = st.lists(st.sampled_from(["ok", "null", "foreign", "unsure", "oversure"]), min_size=1, max_size=5)
BEHAVIOURS = st.lists(st.one_of(st.sampled_from([*WHOLE, "suspect"]), PIECES), max_size=5)


@given(n=st.integers(1, 30), behaviours=BEHAVIOURS)
def test_whatever_fails_every_row_is_answered_once_by_the_best_rung_that_can(n, behaviours):
    rungs = [
        rung(
            str(i),
            in_pieces(how) if isinstance(how, list) else WHOLE.get(how, always("UP")),
            needs=frozenset({"x"}) if how == "suspect" else frozenset(),
        )
        for i, how in enumerate(behaviours)
    ]
    found = answer(rows(n), rungs, target=CLASSES, timeout=PATIENT, suspect=frozenset({"x"}))

    def best(row):
        able = (str(i) for i, h in enumerate(behaviours) if isinstance(h, list) and h[row % len(h)] == "ok")
        return next(able, "")

    expected = [best(row) for row in range(n)]
    assert found.frame["model_version"].astype(str).tolist() == expected
    assert found.frame["prediction"].tolist() == ["UP" if v else "DOWN" for v in expected]
    assert found.frame["confidence"].notna().tolist() == [bool(v) for v in expected]
    open_before = n
    for i in range(len(behaviours)):
        missed = sum(s.rows for s in found.skipped if s.model_version == str(i))
        assert missed == (open_before - expected.count(str(i)) if open_before else 0)
        open_before = missed
