"""The catalogue is whole, and every cause the code names is in it."""

import errno
import re
from pathlib import Path

import pytest

import evenkeel
from evenkeel.errors import DataRejected, ModelUnusable, Transient
from evenkeel.failures.attribution import attribute, evidence
from evenkeel.failures.catalogue import FAILURE_CLASSES, catalogue

_CAUSE = re.compile(r'"((?:' + "|".join(FAILURE_CLASSES) + r")\.[a-z_]+)\"")


def test_every_row_belongs_to_one_of_the_six_classes_and_says_all_it_must():
    for cause in catalogue().values():
        assert cause.failure_class in FAILURE_CLASSES
        assert all((cause.title, cause.shows, cause.when)), cause


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
