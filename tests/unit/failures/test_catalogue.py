"""The catalogue is whole, and every cause the code names is in it."""

import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chaoslib.experiment import ensure_experiment_is_valid

import evenkeel
from chaos.drill.experiments import experiment, known
from evenkeel.errors import DataRejected, ModelUnusable, Transient
from evenkeel.failures.attribution import attribute, evidence
from evenkeel.failures.catalogue import FAILURE_CLASSES, catalogue

RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
EXPERIMENTS = [row["experiment"] for row in known()]
# What each runbook answers, in this order.
_QUESTIONS = (
    *("What it means.", "What evenkeel has done.", "See it.", "Confirm.", "Fix at the source.", "Put right."),
    "Whom to page, and when.",
)
_CAUSE = re.compile(r'"((?:' + "|".join(FAILURE_CLASSES) + r")\.[a-z_]+)\"")


def test_every_row_belongs_to_one_of_the_six_classes_and_says_all_it_must():
    for cause in catalogue().values():
        assert cause.failure_class in FAILURE_CLASSES
        assert all((cause.title, cause.shows, cause.when)), cause


@pytest.mark.parametrize("cause", catalogue().values(), ids=lambda cause: cause.cause)
def test_every_row_has_a_runbook_that_answers_every_question(cause):
    text = (RUNBOOKS / f"{cause.cause}.md").read_text(encoding="utf-8")

    assert text.startswith(f"# `{cause.cause}`: {cause.title}\n")
    assert re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE) == list(_QUESTIONS)
    assert "evenkeel " in text, "it names no command"


def test_no_runbook_is_left_of_a_cause_that_is_no_more_and_none_repeats_another():
    pages = {page.stem: page.read_text(encoding="utf-8") for page in RUNBOOKS.glob("*.md")}
    answers = [
        line for text in pages.values() for line in re.findall(r"^\*\*[^*]+\*\* (.{40,})", text, re.MULTILINE)
    ]

    assert set(pages) == set(catalogue())
    assert len(answers) == len(set(answers))


def test_the_commands_that_the_runbooks_name_exist():
    text = "\n".join(page.read_text(encoding="utf-8") for page in RUNBOOKS.glob("*.md"))
    named = set(re.findall(r"(?:^|`|\()evenkeel ([a-z]+) ", text, re.MULTILINE))
    helped = subprocess.run(
        [sys.executable, "-m", "evenkeel", "--help"], capture_output=True, text=True, check=True
    )

    assert {"incidents", "replay", "land"} <= named
    assert named <= set(re.findall(r"^  ([a-z]+) ", helped.stdout, re.MULTILINE))


def test_every_cause_of_the_data_has_an_experiment_and_every_experiment_its_cause():
    assert {c for c in catalogue() if c.startswith("data.")} - set(EXPERIMENTS) == set()
    assert set(EXPERIMENTS) - set(catalogue()) == set()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_one_that_chaos_toolkit_takes_and_looks_at_what_it_injects(name):
    content = experiment(name)
    ensure_experiment_is_valid(content)
    looks = {activity["name"]: activity["provider"] for activity in content["method"]}

    assert {"inject", "detected", "attributed", "survived"} <= set(looks)
    assert looks["attributed"]["arguments"]["cause"] == name
    assert content["tags"] == [name.partition(".")[0], name]
    # The format has no include: the copies of the steady state are held together here.
    assert content["steady-state-hypothesis"] == experiment(EXPERIMENTS[0])["steady-state-hypothesis"]


def test_every_cause_named_in_the_code_is_in_the_catalogue():
    package = Path(evenkeel.__file__).parent
    named = {
        (match, file.name)
        for file in package.rglob("*.py")
        for match in _CAUSE.findall(file.read_text(encoding="utf-8"))
    }

    assert named
    assert {n for n in named if n[0] not in catalogue() and not n[0].endswith(".skops")} == set()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DataRejected("x", cause="data.empty"), "data.empty"),
        (ModelUnusable("x", cause="model.unloadable"), "model.unloadable"),
        (Transient("x", cause="not.a_cause"), "code.exception"),
        (MemoryError(), "infrastructure.out_of_memory"),
        (OSError(errno.ENOSPC, "no space"), "infrastructure.disk_full"),
        (OSError(errno.EROFS, "read-only"), "infrastructure.read_only_disk"),
        (TimeoutError(), "infrastructure.step_timeout"),
        (KeyError("price"), "code.exception"),
    ],
)
def test_an_exception_is_attributed_to_its_cause(error, cause):
    assert attribute(error) == cause


def test_the_cause_beneath_a_wrapping_exception_is_found():
    wrapping = RuntimeError("could not write")
    wrapping.__cause__ = OSError(errno.ENOSPC, "no space")

    assert attribute(wrapping) == "infrastructure.disk_full"


def test_a_fault_of_the_code_keeps_its_traceback_and_version():
    try:
        {}["price"]
    except KeyError as error:
        facts = evidence(error)

    assert facts["error"] == "KeyError"
    assert any("test_catalogue" in line for line in facts["traceback"])
    assert facts["code_version"] == evenkeel.__version__
