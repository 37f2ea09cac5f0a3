"""One prediction problem, as ``configs/<pipeline>.yaml`` states it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from evenkeel.settings.enrichment import Enrichment, check_together
from evenkeel.settings.generated import Generated
from evenkeel.settings.platform import Platform, Section
from evenkeel.settings.quality import Drift, Faults, Impute, Quality, Share
from evenkeel.settings.sources import Name, Source
from evenkeel.settings.training import Gates, Training

Calendar = Literal["half_hour", "hour", "weekday", "day", "month", "weekend"]


class Target(Section):
    """What is predicted.

    Attributes:
        column: Its name in label files.
        classes: For classification, every class as text; for binary the positive class is the last.
        default: What to answer before anything has been learned.
        tolerance: For regression, the error (in the target's unit) that still counts as right:
            confidence is the estimated probability of staying within it. Without it, half the
            target's standard deviation in the reference.
    """

    column: str
    classes: tuple[str, ...] = ()
    default: str | float
    tolerance: float | None = Field(default=None, gt=0)


class Features(Section):
    """What the models see.

    Attributes:
        columns: Columns of the schema, which says what kind each is.
        calendar: Parts of the row's time: ``half_hour`` (of the day), ``hour``, ``weekday``, ``day`` (of the
            month), ``month``, ``weekend``.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    calendar: tuple[Calendar, ...] = ()


class Heuristic(Section):
    """The lowest rung.

    Attributes:
        kind: The reference's ``prior`` (majority or median), ``last`` value, or ``seasonal`` value.
        season: For ``seasonal``, the parts of the time that repeat, e.g. ``[weekday, hour]``.
    """

    kind: Literal["prior", "last", "seasonal"] = "prior"
    season: tuple[Calendar, ...] = ()

    @model_validator(mode="after")
    def _seasonal_has_a_season(self) -> Self:
        if (self.kind == "seasonal") != bool(self.season):
            raise ValueError("season belongs to kind 'seasonal', which needs it, e.g. season: [hour]")
        return self


class Ladder(Section):
    """How answers are made.

    Attributes:
        timeout: Seconds a rung may take for the whole batch before it is stepped over.
        baseline_columns: The few columns the baseline model needs.
        heuristic: The lowest rung.
    """

    timeout: float = Field(default=120.0, gt=0)
    baseline_columns: tuple[str, ...] = Field(min_length=1)
    heuristic: Heuristic = Heuristic()


class Labels(Section):
    """When the truth is expected.

    Attributes:
        expected_within: Seconds after a batch's answers by which labels should have come; null raises no alarm.
    """

    expected_within: int | None = Field(default=None, gt=0)


class Schedules(Section):
    """Cron expressions of the deployments, in UTC; without one a flow is not scheduled.

    Attributes:
        score: When pending batches are fetched and scored.
        retrain: When a challenger is trained; nothing is done while a champion is in charge and no retrain
            was asked for.
    """

    score: str | None = None
    retrain: str | None = None


class Review(Section):
    """Which answers a person should look at.

    Attributes:
        below: Below this confidence an answer is marked ``needs_review``.
    """

    below: Share = 0.0


class Backtest(Section):
    """How a history file is cut into batches as if it arrived on schedule.

    Attributes:
        rows_per_batch: Rows of one batch.
        label_lag: Batches after which a batch's labels arrive.
        start: For a file without a clock, the first row's time; the clock is written to the time column.
        step: For such a file, the seconds between rows.
    """

    rows_per_batch: int = Field(ge=1)
    label_lag: int = Field(default=1, ge=0)
    start: str | None = None
    step: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _clock_is_whole(self) -> Self:
        if (self.start is None) != (self.step is None):
            raise ValueError("start and step make a clock together: give both or neither")
        return self


class Pipeline(Section):
    """One prediction problem.

    Attributes:
        pipeline: Its name; also the file's name and the folder's in ``expectations/``.
        description: What it predicts, one line, for the report page.
        task: What kind of answer is wanted.
        target: What is predicted.
        row_key: Columns that identify a row; unique within a batch.
        time: Column with the row's time; a time without a zone is read as UTC.
        generated: Columns made for files whose rows bear no key or no time.
        features: What the models see.
        sources: Where batches come from; without any, batches come by ``evenkeel land`` only.
        enrichments: What is joined to their rows, each in its own time.
        schedules: When the deployed flows run.
        quality: When a batch is refused whole, and what becomes of a lost column.
        faults: What is done about values that break silently.
        impute: How missing cells are filled, and how many may be missing.
        drift: How drift is judged.
        ladder: How answers are made.
        training: How a challenger is made.
        gates: What a challenger must show on the holdout.
        labels: When the truth is expected.
        review: Which answers a person should look at.
        backtest: How ``evenkeel backtest`` cuts a history file; needed by that command only.
        platform: Overrides what the profile says, for this pipeline only.
    """

    pipeline: Name
    description: str = ""
    task: Literal["binary", "multiclass", "regression"]
    target: Target
    row_key: tuple[str, ...] = Field(min_length=1)
    time: str
    generated: Generated = Generated()
    features: Features
    sources: tuple[Source, ...] = ()
    enrichments: tuple[Enrichment, ...] = ()
    schedules: Schedules = Schedules()
    quality: Quality = Quality()
    faults: Faults = Faults()
    impute: Impute = Impute()
    drift: Drift = Drift()
    ladder: Ladder
    training: Training = Training()
    gates: Gates = Gates()
    labels: Labels = Labels()
    review: Review = Review()
    backtest: Backtest | None = None
    platform: Platform = Platform()

    @model_validator(mode="after")
    def _target_fits_task(self) -> Self:
        classes, default = self.target.classes, self.target.default
        if self.task == "regression":
            if classes:
                raise ValueError("target.classes belongs to classification, and task is 'regression'")
            if isinstance(default, str):
                raise ValueError(f"target.default must be a number for regression, found {default!r}")
        else:
            fewest, most, words = (2, 2, "exactly 2") if self.task == "binary" else (3, None, "at least 3")
            if len(classes) < fewest or (most is not None and len(classes) > most):
                raise ValueError(
                    f"target.classes must list {words} classes for task {self.task!r}, found {len(classes)}"
                )
            if default not in classes:
                raise ValueError(
                    f"target.default must be one of target.classes {list(classes)}, found {default!r}"
                )
        return self

    @model_validator(mode="after")
    def _sources_have_names_of_their_own(self) -> Self:
        names = [s.name for s in self.sources]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"sources: {twice[0]!r} is the name of several; give each a name of its own")
        check_together(
            self.enrichments,
            sources=self.sources,
            row_key=self.row_key,
            time=self.time,
            target=self.target.column,
        )
        return self

    @model_validator(mode="after")
    def _generated_play_their_part(self) -> Self:
        key, time = self.generated.key, self.generated.time
        if key is not None and self.row_key != (key,):
            raise ValueError(
                f"generated.key {key!r} must be the whole row_key, which is {list(self.row_key)}"
            )
        if time is not None and self.time != time:
            raise ValueError(f"generated.time {time!r} must be the time, which is {self.time!r}")
        if made := [c for c in self.generated.columns if c in self.features.columns]:
            raise ValueError(f"features.columns names {made}, which generated makes: they tell nothing")
        return self

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        features = set(self.features.columns)
        if self.target.column in features:
            raise ValueError(f"target.column {self.target.column!r} is among features.columns: it would leak")
        for where, columns in (
            ("ladder.baseline_columns", self.ladder.baseline_columns),
            ("impute.columns", tuple(self.impute.columns)),
        ):
            if unknown := [c for c in columns if c not in features]:
                raise ValueError(f"{where} names {unknown}, not among features.columns")
        return self

    @property
    def vital(self) -> frozenset[str]:
        """The columns without which a row is nothing: its key and its time."""
        return frozenset({*self.row_key, self.time})

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class."""
        return self.task != "regression"
