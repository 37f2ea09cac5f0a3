"""How a challenger is made, and what it must show before it is put in charge."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from evenkeel.settings.platform import Section


class Candidate(Section):
    """One estimator family of the search.

    Attributes:
        estimator: ``linear`` is logistic regression for classes and ridge for numbers.
        grid: Parameter -> values to try; every combination is.
    """

    estimator: Literal["hist_gradient_boosting", "linear", "random_forest"]
    grid: dict[str, list[Any]] = Field(default_factory=dict)


class Training(Section):
    """How a challenger is made.

    Attributes:
        window: Newest labelled rows that are learned from.
        min_rows: With fewer labelled rows training refuses.
        holdout_share: Newest share of the window, kept for the gates.
        calibration_share: Share of the window before the holdout, kept for calibration.
        folds: Time-ordered folds of the search.
        candidates: What is searched over.
        reference_rows: Bound on the reference that is stored with the model.
        seed: Of everything random.
    """

    window: int = Field(default=100_000, ge=50)
    min_rows: int = Field(default=300, ge=50)
    holdout_share: float = Field(default=0.25, gt=0, lt=0.6)
    calibration_share: float = Field(default=0.15, gt=0, lt=0.5)
    folds: int = Field(default=3, ge=2, le=10)
    candidates: tuple[Candidate, ...] = (
        Candidate(estimator="hist_gradient_boosting", grid={"learning_rate": [0.05, 0.1]}),
        Candidate(estimator="linear"),
    )
    reference_rows: int = Field(default=20_000, ge=100)
    seed: int = 0


class Gates(Section):
    """What a challenger must show on the holdout.

    Attributes:
        min_holdout_rows: With fewer rows no comparison is made and promotion is refused.
        margin: The challenger may be this much worse than the champion, in the metric's unit, at the
            lower end of the bootstrap interval of the difference.
        confidence: Level of that interval.
        bootstrap: Resamples.
        max_calibration_error: For classification, expected calibration error; for regression, the gap
            between stated and realised confidence.
        max_latency: Seconds for 1,000 rows.
        max_bytes: Size of the model's files.
        max_single_feature: A feature that alone scores this much on the holdout (area under the ROC curve for
            classes, R2 for numbers), while all others together say far less, is taken for a leak of the
            label; 1 takes none for it.
    """

    min_holdout_rows: int = Field(default=50, ge=10)
    margin: float = Field(default=0.02, ge=0)
    confidence: float = Field(default=0.9, gt=0.5, lt=1)
    bootstrap: int = Field(default=500, ge=100)
    max_calibration_error: float = Field(default=0.15, gt=0)
    max_latency: float = Field(default=2.0, gt=0)
    max_bytes: int = Field(default=200_000_000, gt=0)
    max_single_feature: float = Field(default=0.98, gt=0.5, le=1)
