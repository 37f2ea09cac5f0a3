"""The drill: experiments that inject a failure into a market of their own, run through the real command."""

import json
import os
import sys

import pytest

from evenkeel.cli.app import main

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


def test_an_experiment_that_does_not_hold_is_told_with_the_reason_and_where_to_look(
    prefect_server, command, tmp_path, monkeypatch
):
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path))
    # A stricter rule: the batch is held where the experiment expects it to be published.
    monkeypatch.setenv("EVENKEEL_QUALITY__MAX_QUARANTINED_SHARE", "0")

    code, printed, _ = command("drill", "data.unseen_category")

    assert code == 1
    assert "survived: batch" in printed
    assert "expected 'published'" in printed
    assert f"EVENKEEL_HOME={tmp_path}/drill/data.unseen_category" in printed
    assert "1 of 1 experiments do not hold" in printed


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
