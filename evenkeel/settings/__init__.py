"""Typed, frozen settings: the only reader of the environment and of ``configs/``."""

from evenkeel.settings.load import Settings, load_settings, pipelines_in
from evenkeel.settings.pipeline import Pipeline
from evenkeel.settings.platform import Platform, PolicyNumbers

__all__ = ["Pipeline", "Platform", "PolicyNumbers", "Settings", "load_settings", "pipelines_in"]
