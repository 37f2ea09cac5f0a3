"""The rungs of a batch: champion, previous, baseline, heuristic, each with what it loads and rests on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from evenkeel.domain.ladder import Rung
from evenkeel.errors import ModelUnusable
from evenkeel.learning.heuristic import default_heuristic
from evenkeel.learning.scorer import mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from evenkeel.learning.bundle import Bundle
    from evenkeel.learning.heuristic import Heuristic
    from evenkeel.learning.scorer import Scorer
    from evenkeel.learning.trained import Card
    from evenkeel.settings import Pipeline

Answering: TypeAlias = "Callable[[pd.DataFrame], tuple[Any, Any]]"
"""Imputed rows -> predictions and confidences; a heuristic's confidences are None."""


@dataclass(frozen=True)
class RungModel:
    """One model to answer with.

    Attributes:
        name: The rung it stands on; two models may stand on one, the better first.
        version: Its model version; empty where there is none.
        load: Returns what answers rows; raises ModelUnusable where it cannot be trusted to.
        needs: Columns its answers rest on.
    """

    name: Rung
    version: str
    load: Callable[[], Answering]
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Standby:
    """A version pinned for a batch: opened, or the reason why it could not be.

    Attributes:
        version: The model version.
        bundle: Its parts, or what was raised when it was fetched or opened.
    """

    version: str
    bundle: Bundle | ModelUnusable


def build_rungs(
    champion: Standby | None, previous: Standby | None, pipeline: Pipeline, kinds: Mapping[str, str]
) -> tuple[RungModel, ...]:
    """Return the rungs of a batch, best first; nothing is loaded before it is needed, and then kept.

    Champion and previous answer with their best models. The baseline and the heuristic are the champion's,
    with the previous version's behind them, and last comes a heuristic that needs no version at all. A
    version that should stand on a rung and does not is a rung that fails to load, so that it is reported
    when it is missed; ``previous`` is missed only where a champion failed.

    Args:
        champion: The version in charge; None before the first promotion.
        previous: The version in charge before it; None where there was none.
        pipeline: The prediction problem.
        kinds: Kind of each schema column.
    """
    none_yet = ModelUnusable(
        "no version was ever promoted", fix="label and retrain", cause="model.no_champion"
    )
    none_before = ModelUnusable("there is no version before the champion", cause="model.no_champion")
    rungs = [_model_rung(Rung.CHAMPION, champion or Standby("", none_yet), pipeline, kinds)]
    if champion or previous:
        rungs.append(_model_rung(Rung.PREVIOUS, previous or Standby("", none_before), pipeline, kinds))
    opened = [s for s in (champion, previous) if s is not None and not isinstance(s.bundle, ModelUnusable)]
    rungs += [_model_rung(Rung.BASELINE, standby, pipeline, kinds) for standby in opened]
    rungs += [_heuristic_rung(standby, pipeline) for standby in opened]
    default = default_heuristic(pipeline)
    return (*rungs, RungModel(Rung.HEURISTIC, "", lambda: _by_heuristic(default, pipeline)))


def _model_rung(rung: Rung, standby: Standby, pipeline: Pipeline, kinds: Mapping[str, str]) -> RungModel:
    bundle = standby.bundle
    if isinstance(bundle, ModelUnusable):
        return _failed(rung, standby.version, bundle)
    try:
        card = bundle.card()
    except ModelUnusable as error:
        return _failed(rung, standby.version, error)
    small = rung is Rung.BASELINE

    @cache
    def load() -> Answering:
        if problem := mismatch(card, pipeline, kinds):
            raise ModelUnusable(problem, fix="retrain", cause="model.wrong_signature")
        return _by_model(bundle.baseline() if small else bundle.champion(), pipeline, kinds)

    return RungModel(rung, standby.version, load, _needs(card, pipeline, small=small))


def _heuristic_rung(standby: Standby, pipeline: Pipeline) -> RungModel:
    bundle = standby.bundle

    @cache
    def load() -> Answering:
        if isinstance(bundle, ModelUnusable):
            raise bundle
        return _by_heuristic(bundle.heuristic(), pipeline)

    return RungModel(Rung.HEURISTIC, standby.version, load)


def _failed(rung: Rung, version: str, error: ModelUnusable) -> RungModel:
    def load() -> Answering:
        raise error

    return RungModel(rung, version, load)


def _needs(card: Card, pipeline: Pipeline, *, small: bool) -> frozenset[str]:
    columns = card.baseline_columns if small else card.columns
    return frozenset((*columns, pipeline.time) if pipeline.features.calendar else columns)


def _by_model(scorer: Scorer, pipeline: Pipeline, kinds: Mapping[str, str]) -> Answering:
    return lambda frame: scorer.answer(frame, pipeline, kinds)


def _by_heuristic(heuristic: Heuristic, pipeline: Pipeline) -> Answering:
    return lambda frame: (heuristic.answer(frame, pipeline), None)
