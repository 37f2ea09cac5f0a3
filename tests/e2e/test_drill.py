"""The drill: experiments that inject a failure into a market of their own, run through the real command."""

import json
import os
import sys

import pytest
import typer

from evenkeel.cli.app import main
from evenkeel.cli.drill import conclude

REPAIRED, HELD = "data.unit_change", "data.empty"


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command as the shell would; return its exit code, what it printed, and what it said besides."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["evenkeel", *arguments])
        try:
            main()
            code = 0
        except SystemExit as stopped:
            code = stopped.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_drill_injects_sees_names_and_survives_a_failure_and_leaves_nothing_behind(
    prefect_server, command, tmp_path, monkeypatch
):
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path))
    before = dict(os.environ)

    code, printed, _ = command("drill", HELD, REPAIRED, "--json")

    rows = {row["experiment"]: row for row in json.loads(printed)}
    assert code == 0, rows
    assert list(rows) == [HELD, REPAIRED], "in the order of the catalogue"
    assert all(row["holds"] and row["promises kept"] == "yes" and not row["why"] for row in rows.values())
    assert rows[HELD]["survived"] == "held"
    assert rows[REPAIRED]["told"] == REPAIRED
    assert rows[REPAIRED]["attributed"] == "demand"
    assert rows[REPAIRED]["survived"] == "48 scored"
    assert not [name for name in rows if (tmp_path / "drill" / name).exists()]
    assert {k: v for k, v in os.environ.items() if k.startswith("EVENKEEL_")} == {
        k: v for k, v in before.items() if k.startswith("EVENKEEL_")
    }


@pytest.mark.parametrize("as_json", [True, False])
def test_an_experiment_that_does_not_hold_ends_in_1_with_the_reason_and_where_to_look(capsys, as_json):
    columns = ("injected", "detected", "attributed", "survived", "promises kept")
    held = {"experiment": HELD, **dict.fromkeys(columns, "yes"), "seconds": 1.0, "told": HELD, "holds": True}
    broken = held | {"experiment": REPAIRED, "survived": "NO", "holds": False}
    why = {"why": ["survived: batch b: state is 'held', expected 'published'"], "home": "/drill/broken"}

    with pytest.raises(typer.Exit) as ended:
        conclude([held | {"why": [], "home": ""}, broken | why], as_json=as_json)

    printed = capsys.readouterr().out
    assert ended.value.exit_code == 1
    assert why["why"][0] in printed
    assert why["home"] in printed
    if not as_json:
        assert f"{REPAIRED}: survived: batch b" in printed
        assert "EVENKEEL_HOME=/drill/broken EVENKEEL_CONFIG_DIR=/drill/broken/configs" in printed
        assert "1 of 2 experiments do not hold" in printed


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("data.unit_chang", "'data.unit_change'"), ("dta", "'data'"), ("everything", "there are")],
)
def test_an_unknown_experiment_is_bad_usage_and_names_the_nearest(command, asked, meant):
    code, _, said = command("drill", asked)

    assert code == 2
    assert meant in said


def test_every_experiment_is_listed_with_its_title(command):
    code, printed, _ = command("drill", "data", "--list", "--json")

    listed = {row["experiment"]: row["title"] for row in json.loads(printed)}
    assert code == 0
    assert listed["data.unit_change"] == "A column in another unit"
    assert all(name.startswith("data.") and title for name, title in listed.items())


def test_what_no_drill_made_is_left_alone(command, tmp_path, monkeypatch):
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path))
    precious = tmp_path / "drill" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("two years")

    code, _, said = command("drill", HELD)

    assert code == 2
    assert "holds files that no drill made" in said
    assert precious.read_text() == "two years"
