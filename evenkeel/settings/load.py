"""Layer a profile, a pipeline's YAML and the environment into one checked, frozen ``Settings``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from evenkeel.errors import UsageError
from evenkeel.settings.document import Document, nearest, read_document
from evenkeel.settings.pipeline import Pipeline
from evenkeel.settings.platform import Platform


@dataclass(frozen=True)
class Settings:
    """Everything a command needs to know, read once.

    Attributes:
        pipeline: The prediction problem.
        platform: Where state lives, ``{home}`` filled in.
        home: EVENKEEL_HOME, absolute.
        profile: Name of the profile.
        config_file: The pipeline's YAML.
        expectations: Folder with ``schema.yaml`` and ``suite.json``.
        digest: sha256 over the pipeline's settings and its expectation files.
    """

    pipeline: Pipeline
    platform: Platform
    home: Path
    profile: str
    config_file: Path
    expectations: Path
    digest: str

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.pipeline.pipeline


class _Layered(Pipeline, BaseSettings):
    """The pipeline model with the environment on top (``EVENKEEL_PLATFORM__LAKE__URI=...``)."""

    model_config = SettingsConfigDict(
        env_prefix="EVENKEEL_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )


def home_folder() -> Path:
    """Return EVENKEEL_HOME, by default ``var`` in the working folder, absolute."""
    return Path(os.environ.get("EVENKEEL_HOME") or "var").absolute()


def embedded_folder() -> Path:
    """Return the folder that holds the project's own ``configs`` and ``expectations``.

    In a checkout that is its root; an installed package carries a copy.
    """
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent
    return checkout if (checkout / "configs" / "profiles").is_dir() else package / "embedded"


def config_folder() -> Path:
    """Return EVENKEEL_CONFIG_DIR, else ``configs`` in the working folder, else the embedded one."""
    if named := os.environ.get("EVENKEEL_CONFIG_DIR"):
        return Path(named).absolute()
    local = Path("configs").absolute()
    return local if local.is_dir() else embedded_folder() / "configs"


def own_config_folder() -> Path:
    """Return the folder that new pipelines are written to: EVENKEEL_CONFIG_DIR, else ``configs`` here."""
    return Path(os.environ.get("EVENKEEL_CONFIG_DIR") or "configs").absolute()


def pipelines_in(folder: Path) -> list[str]:
    """Return the names of the pipelines configured in ``folder``, sorted."""
    return sorted(p.stem for p in folder.glob("*.yaml"))


def load_settings(name: str, *, config_file: Path | None = None) -> Settings:
    """Read one pipeline's settings: profile, then its YAML, then the environment.

    Args:
        name: Pipeline name; with ``config_file`` it must match the file's ``pipeline``.
        config_file: A pipeline YAML outside the config folder.

    Raises:
        UsageError: The pipeline or profile is unknown, or a file holds a key or value that is not
            understood; the message names file, line, key, and the nearest known key.
    """
    file = config_file.absolute() if config_file else _find(name)
    folder = file.parent
    profile = os.environ.get("EVENKEEL_PROFILE") or "local"
    files = [_profile_file(folder, profile), file]
    layers = [read_document(f, fix="check the path given with --config, and see configs/") for f in files]
    pipeline = _validate(layers)
    if pipeline.pipeline != name:
        raise UsageError(
            f"{file}: key pipeline is {pipeline.pipeline!r}, expected {name!r}",
            fix=f"ask for {pipeline.pipeline!r}, or set `pipeline: {name}` in that file",
        )
    home = home_folder()
    expectations = folder.parent / "expectations" / pipeline.pipeline
    return Settings(
        pipeline=pipeline,
        platform=_filled(pipeline.platform, home),
        home=home,
        profile=profile,
        config_file=file,
        expectations=expectations,
        digest=_digest(pipeline, expectations),
    )


def _find(name: str) -> Path:
    folder = config_folder()
    file = folder / f"{name}.yaml"
    if Path(name).name != name or not file.is_file():
        known = pipelines_in(folder)
        raise UsageError(
            f"unknown pipeline {name!r}: there is no {file}",
            fix=f"{nearest(name, known)}known in {folder}: {', '.join(known) or 'none'}; "
            "or write it as configs/market.yaml and expectations/market are",
        )
    return file


def _profile_file(folder: Path, profile: str) -> Path:
    for base in (folder, embedded_folder() / "configs"):
        file = base / "profiles" / f"{profile}.yaml"
        if Path(profile).name == profile and file.is_file():
            return file
    known = sorted(p.stem for p in (embedded_folder() / "configs" / "profiles").glob("*.yaml"))
    raise UsageError(
        f"EVENKEEL_PROFILE={profile!r}: there is no {folder / 'profiles' / (profile + '.yaml')}",
        fix=f"{nearest(profile, known)}use one of {', '.join(known)}",
    )


def _validate(layers: Sequence[Document]) -> Pipeline:
    class Loaded(_Layered):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the framework's signature
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            # Without deep_merge a profile's sections would silently lose their sibling keys.
            files = YamlConfigSettingsSource(
                settings_cls, yaml_file=[layer.file for layer in layers], deep_merge=True
            )
            return env_settings, files

    try:
        loaded = Loaded()
    except ValidationError as error:
        raise _explained(error, layers) from None
    return Pipeline.model_validate(loaded.model_dump(round_trip=True))


def _explained(error: ValidationError, layers: Sequence[Document]) -> UsageError:
    """Turn pydantic's findings into one line each, naming file, line, key and the nearest known key."""
    lines = []
    for found in error.errors():
        path = tuple(found["loc"])
        dotted = ".".join(str(p) for p in path) or "(the whole file)"
        where = _where(path, layers, missing=found["type"] == "missing")
        if found["type"] == "extra_forbidden":
            known = sorted(_fields_at(Pipeline, path[:-1]))
            close = nearest(path[-1], known)
            lines.append(f"{where}: unknown key {dotted!r}; {close}known here: {', '.join(known)}")
        elif found["type"] == "missing":
            lines.append(f"{where}: key {dotted!r} is missing")
        else:
            message = found["msg"].removeprefix("Value error, ")
            given = "" if isinstance(found["input"], dict | BaseModel) else f" (found {found['input']!r})"
            lines.append(f"{where}: key {dotted!r}: {message}{given}")
    fix = "correct the key or value named; configs/ and docs/configuration.md show each"
    return UsageError("; ".join(lines), fix=fix)


def _where(path: tuple[int | str, ...], layers: Sequence[Document], *, missing: bool) -> str:
    """Return the place of a key: the last layer that holds it, else the environment."""
    target = path[:-1] if missing else path
    for layer in reversed(layers):
        if target and layer.holds(target):
            return f"{layer.file} line {layer.line(target)}"
    if missing or not path:
        return str(layers[-1].file)
    return "environment EVENKEEL_" + "__".join(str(p).upper() for p in path)


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> set[str]:
    """Return the field names of the section that a key path leads to."""
    for step in path:
        if isinstance(step, int) or step not in model.model_fields:
            continue  # an index of a list, or a key of a mapping of sections: the section stays the same
        inner = next(_sections_in(model.model_fields[step].annotation), None)
        if inner is None:
            return set()
        model = inner
    return set(model.model_fields)


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections_in(argument)


def _filled(platform: Platform, home: Path) -> Platform:
    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{home}", str(home))
        if isinstance(value, SecretStr):
            return SecretStr(value.get_secret_value().replace("{home}", str(home)))
        if isinstance(value, dict):
            return {k: fill(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [fill(v) for v in value]
        return value

    return Platform.model_validate(fill(platform.model_dump(round_trip=True)))


def _digest(pipeline: Pipeline, expectations: Path) -> str:
    """Digest what decides answers: the problem and its expectations, not where state lives."""
    digest = hashlib.sha256(pipeline.model_dump_json(exclude={"platform", "schedules"}).encode())
    for file in ("schema.yaml", "suite.json"):
        path = expectations / file
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()
