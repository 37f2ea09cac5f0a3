"""The gate of a whole batch: a Great Expectations suite as data, judged without files or Data Docs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evenkeel.domain.quality import ExpectationResult, SuiteVerdict
from evenkeel.quality.expectation import Expectation, Suite
from evenkeel.settings.document import read_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from evenkeel.settings import Settings

__all__ = ["Expectation", "Suite", "build_data_docs", "judge", "load_suite"]

_MAX_OBSERVED = 200


def load_suite(settings: Settings) -> Suite:
    """Read ``suite.json`` of the pipeline, in Great Expectations' own format.

    Each expectation's ``meta`` must give a ``severity`` (warn, degrade, hold) and may give the ``cause`` of
    the failure catalogue that its failure stands for. Great Expectations is imported only if there is one.

    Raises:
        UsageError: The file is missing or not JSON, or an entry of it is not understood.
    """
    from evenkeel.quality.schema import load_schema
    from evenkeel.quality.suite_file import read_expectations

    file = settings.expectations / "suite.json"
    document = read_document(file, fix='write it; {"name": "NAME", "expectations": []} expects nothing')
    columns = load_schema(settings).columns if document.data.get("expectations") else ()
    name = str(document.data.get("name") or settings.name)
    return Suite(file=file, name=name, expectations=read_expectations(document, columns))


def judge(frame: pd.DataFrame, suite: Suite) -> SuiteVerdict:
    """Judge a batch by every expectation.

    An expectation that cannot be computed has failed, with the reason as what was observed.

    Args:
        frame: The accepted rows.
        suite: What is expected of them together.
    """
    if not suite.expectations:
        return SuiteVerdict(())
    from evenkeel.quality.great_expectations_run import validate

    judged = validate(_needed(frame, suite.expectations), suite)
    return SuiteVerdict(
        tuple(_result(e, judged.get(position)) for position, e in enumerate(suite.expectations))
    )


def build_data_docs(frame: pd.DataFrame, suite: Suite, folder: Path) -> Path:
    """Write Great Expectations' Data Docs of a batch and return their ``index.html``.

    Args:
        frame: The accepted rows.
        suite: What is expected of them.
        folder: Where to write; made where it is missing.
    """
    from evenkeel.quality.great_expectations_run import write_docs

    return write_docs(_needed(frame, suite.expectations), suite, folder)


def _needed(frame: pd.DataFrame, expectations: Sequence[Expectation]) -> pd.DataFrame:
    """Return only the columns looked at: every expectation copies the whole frame it is given."""
    if any("table_column" in e.type or "row_condition" in e.kwargs for e in expectations):
        return frame
    named = dict.fromkeys(c for e in expectations for c in e.columns if c in frame.columns)
    return frame[list(named) or list(frame.columns[:1])]


def _result(expectation: Expectation, judged: Any) -> ExpectationResult:
    success, observed = (False, "was not judged") if judged is None else _read(judged)
    return ExpectationResult(
        expectation=expectation.type,
        columns=expectation.columns,
        severity=expectation.severity,
        success=success,
        observed=observed[:_MAX_OBSERVED],
        cause=expectation.cause,
    )


def _read(judged: Any) -> tuple[bool, str]:
    """Return success and what was observed, in words."""
    for raised in [judged.exception_info, *(judged.exception_info or {}).values()]:
        if isinstance(raised, dict) and raised.get("raised_exception"):
            message = str(raised.get("exception_message") or "an exception").splitlines()
            return False, f"could not be computed: {message[0] if message else 'an exception'}"
    found = judged.result or {}
    if "observed_value" in found:
        value = found["observed_value"]
        text = f"{float(value):g}" if isinstance(value, float) and not math.isnan(value) else str(value)
        return bool(judged.success), text
    if "unexpected_count" in found:
        share = found.get("unexpected_percent")
        shown = "" if share is None else f" ({share:.3g}%)"
        return bool(
            judged.success
        ), f"{found['unexpected_count']} of {found['element_count']} unexpected{shown}"
    return bool(judged.success), "met" if judged.success else "not met"
