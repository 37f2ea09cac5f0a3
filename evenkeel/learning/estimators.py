"""The estimator families: each a scikit-learn pipeline over the models' input that skops can store."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.learning.features import ModelColumns

_TREE_CATEGORIES = 254  # histogram gradient boosting bins a column into at most 255
_ONE_HOT_CATEGORIES = 50
_OURS = frozenset({"random_state", "n_jobs", "categorical_features", "verbose", "warm_start"})


def build(
    family: str, params: Mapping[str, Any], columns: ModelColumns, *, classification: bool, seed: int
) -> Steps:
    """Return an unfitted estimator over ``columns``.

    Every family takes missing cells and categories it has never seen. All run in one thread or give the
    same result in any number of threads, so the same input gives the same bits.

    Args:
        family: ``hist_gradient_boosting``, ``linear`` (logistic regression or ridge) or ``random_forest``.
        params: Parameters of the scikit-learn estimator, on top of the family's own defaults.
        columns: The models' input, as :func:`evenkeel.learning.features.model_columns` lists it.
        classification: Whether to predict a class.
        seed: Of everything random.

    Raises:
        UsageError: ``params`` holds a name that the estimator does not know or that is not to be set.
    """
    if family == "linear":
        estimator = LogisticRegression(max_iter=1000) if classification else Ridge()
        encoder = _linear_encoder(columns)
    elif family == "random_forest":
        forest = RandomForestClassifier if classification else RandomForestRegressor
        # The bounds keep the stored forest to some megabytes. More threads would add the trees' votes in
        # an order that differs from run to run.
        estimator = forest(n_estimators=100, max_depth=14, min_samples_leaf=5, random_state=seed, n_jobs=1)
        encoder = _tree_encoder(columns)
    else:
        boosting = HistGradientBoostingClassifier if classification else HistGradientBoostingRegressor
        # Early stopping would keep back rows at random, which in time-ordered data flatters.
        estimator = boosting(max_iter=100, early_stopping=False, random_state=seed)
        if columns.categorical:
            estimator.set_params(categorical_features=list(range(len(columns.categorical))))
        encoder = _tree_encoder(columns)
    _check_params(family, params, set(estimator.get_params()) - _OURS)
    return Steps([("columns", encoder), ("estimator", estimator.set_params(**params))])


def _tree_encoder(columns: ModelColumns) -> Any:
    """Codes for categories, NaN for missing and unseen ones; the rest as it is."""
    if not columns.categorical:
        return "passthrough"
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=_TREE_CATEGORIES,
    )
    return ColumnTransformer(
        [
            ("categorical", codes, list(columns.categorical)),
            ("numeric", "passthrough", [*columns.numeric, *columns.calendar]),
        ]
    )


def _linear_encoder(columns: ModelColumns) -> ColumnTransformer:
    """One column per category and per part of the calendar; numbers filled with the median and scaled."""
    numbers = Steps(
        [
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    categories = OneHotEncoder(
        handle_unknown="ignore", max_categories=_ONE_HOT_CATEGORIES, sparse_output=False
    )
    calendar = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("categorical", categories, list(columns.categorical)),
            ("numeric", numbers, list(columns.numeric)),
            ("calendar", calendar, list(columns.calendar)),
        ]
    )


def _check_params(family: str, params: Mapping[str, Any], known: set[str]) -> None:
    for name in params:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"training.candidates: grid of {family} names {name!r}, which it does not take",
                fix=f"{hint}it takes {', '.join(sorted(known))}",
            )
