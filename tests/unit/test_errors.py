"""Errors survive the way between processes with everything they carry."""

import pickle

import pytest

from evenkeel.errors import DataRejected, EvenkeelError, ModelUnusable, Permanent, Transient, UsageError


@pytest.mark.parametrize(
    "kind", [EvenkeelError, UsageError, Transient, Permanent, DataRejected, ModelUnusable]
)
def test_an_error_survives_pickling(kind):
    error = kind("what", fix="do this", cause="data.empty", evidence={"rows": 0})

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(again) is kind
    assert (again.message, again.fix, again.cause, again.evidence) == (
        "what",
        "do this",
        "data.empty",
        {"rows": 0},
    )
    assert str(again) == "what Fix: do this"
