"""The experiments there are: one Chaos Toolkit file per cause of the failure catalogue, named by it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from evenkeel.errors import UsageError


def known() -> list[dict[str, str]]:
    """Return every experiment's name and title, in the order of the failure catalogue; others come last."""
    from evenkeel.failures.catalogue import catalogue

    place = {cause: number for number, cause in enumerate(catalogue())}
    names = sorted(_texts(), key=lambda name: (place.get(name, len(place)), name))
    return [{"experiment": name, "title": str(experiment(name)["title"])} for name in names]


def experiment(name: str) -> dict[str, Any]:
    """Return one experiment as Chaos Toolkit takes it.

    Raises:
        UsageError: There is none of that name.
    """
    text = _texts().get(name)
    if text is None:
        raise UsageError(f"unknown experiment {name!r}", fix="`evenkeel drill --list` lists them")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are the safe one
    return found


def _texts() -> dict[str, str]:
    folder = files("chaos").joinpath("experiments")
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    }
