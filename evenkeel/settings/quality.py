"""What good data is, and what is done about data that is not."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from evenkeel.settings.platform import Section

Share = Annotated[float, Field(ge=0, le=1)]


class Quality(Section):
    """When a batch is refused whole, and what becomes of a feature column that is lost.

    Attributes:
        max_quarantined_share: Above this share of rows the batch is held.
        lost_column: What is done where a required feature column is absent or broken beyond repair:
            ``impute`` its cells, answer from rungs that do not need it (``degrade``), or ``hold`` the batch.
    """

    max_quarantined_share: Share = 0.5
    lost_column: Literal["impute", "degrade", "hold"] = "impute"


class Faults(Section):
    """What is done about values that break silently: another unit, a turned sign, swapped columns, shifted times.

    Attributes:
        repair: ``auto`` uses repaired values where the transform is certain, keeps both, and flags the rows;
            ``never`` treats the cells as missing.
        certainty: How probable a fault must be, 0 to 1, before anything is done about it but to tell.
        history: Last good batches that a batch is compared with, besides the champion's reference.
    """

    repair: Literal["auto", "never"] = "never"
    certainty: float = Field(default=0.95, gt=0.5, le=1)
    history: int = Field(default=20, ge=2, le=500)


class ColumnImpute(Section):
    """How missing cells of one column are filled.

    Attributes:
        strategy: ``median`` and ``most_frequent`` of the reference; ``constant``; ``knn`` and ``iterative``
            from the row's other numbers; ``last_known_good``, the newest value seen.
        fill_value: What ``constant`` fills in.
    """

    strategy: Literal["median", "most_frequent", "constant", "knn", "iterative", "last_known_good"]
    fill_value: str | float | None = None

    @model_validator(mode="after")
    def _constant_has_a_value(self) -> Self:
        if (self.strategy == "constant") != (self.fill_value is not None):
            raise ValueError("fill_value belongs to strategy 'constant', and only to it")
        return self


class Impute(Section):
    """How missing cells are filled, and how many may be missing.

    Attributes:
        numeric: Default for numeric columns.
        categorical: Default for the others.
        columns: Per column.
        max_row_share: A row with a larger share of its feature cells missing is quarantined.
        max_batch_share: A batch with a larger share of all feature cells missing is held.
    """

    numeric: ColumnImpute = ColumnImpute(strategy="median")
    categorical: ColumnImpute = ColumnImpute(strategy="most_frequent")
    columns: dict[str, ColumnImpute] = Field(default_factory=dict)
    max_row_share: Share = 0.5
    max_batch_share: Share = 0.4


class RetrainRule(Section):
    """Ask for a retrain when at least ``drifted`` of the last ``of`` batches drifted.

    Attributes:
        drifted: Batches with a drift verdict.
        of: Batches looked back on.
    """

    drifted: int = Field(default=3, ge=1)
    of: int = Field(default=5, ge=1)


class Drift(Section):
    """How drift is judged.

    Attributes:
        false_alarm: Share of undrifted batches that may raise the whole-batch alarm, all columns together.
        sample: Rows of the batch and of the reference that are looked at.
        min_rows: A smaller batch gets no verdict.
        retrain_when: When verdicts ask for a retrain.
    """

    false_alarm: float = Field(default=0.01, gt=0, lt=0.5)
    sample: int = Field(default=2000, ge=50, le=100_000)
    min_rows: int = Field(default=20, ge=5)
    retrain_when: RetrainRule = RetrainRule()
