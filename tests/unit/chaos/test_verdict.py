"""What the table of a drill says is what the journal says, kept by Chaos Toolkit itself."""

from pathlib import Path

import pytest
from chaoslib.experiment import run_experiment

from chaos.drill.verdict import verdict

HOME = Path("/home/of/the/experiment")
LOOKS = ("inject", "detected", "attributed", "survived")


def says(name, text):
    provider = {"type": "python", "module": "textwrap", "func": "dedent", "arguments": {"text": text}}
    return {"type": "probe", "name": name, "provider": provider}


def fails(name):
    provider = {"type": "python", "module": "json", "func": "loads", "arguments": {"s": "not: json"}}
    return {"type": "probe", "name": name, "provider": provider}


def judged(*, steady="steady", **instead):
    method = [instead.pop(name, says(name, f"{name} indeed")) for name in LOOKS]
    content = {
        "title": "t",
        "description": "d",
        "steady-state-hypothesis": {
            "title": "steady",
            "probes": [says("promises", "steady") | {"tolerance": steady}],
        },
        "method": [*method, *instead.values()],
    }
    return verdict("data.some_cause", run_experiment(content), HOME)


def test_one_that_holds_says_in_each_column_what_was_seen():
    row = judged()

    assert row.pop("seconds") >= 0
    assert row == {
        "experiment": "data.some_cause",
        "injected": "inject indeed",
        "detected": "yes",
        "attributed": "attributed indeed",
        "survived": "survived indeed",
        "promises kept": "yes",
        "told": "detected indeed",
        "holds": True,
        "why": [],
        "home": "",
    }


@pytest.mark.parametrize(
    ("look", "column"), [("inject", "injected"), *((name, name) for name in LOOKS if name != "inject")]
)
def test_a_look_that_fails_is_a_no_with_its_reason_and_where_to_look(look, column):
    row = judged(**{look: fails(look)})

    assert (row[column], row["holds"], row["home"]) == ("NO", False, str(HOME))
    assert [c for c, value in row.items() if value == "NO"] == [column]
    assert row["why"] == [f"{look}: Expecting value: line 1 column 1 (char 0)"]


def test_any_other_activity_that_fails_is_enough_not_to_hold():
    row = judged(score=fails("score"))

    assert not row["holds"]
    assert row["why"] == ["score: Expecting value: line 1 column 1 (char 0)"]


def test_a_steady_state_that_is_not_met_is_a_promise_not_kept():
    row = judged(steady="otherwise")

    assert (row["promises kept"], row["holds"]) == ("NO", False)
    assert row["why"] == ["the steady state was not met before"]
