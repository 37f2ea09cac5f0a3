"""Layer a profile, a pipeline's YAML and the environment into one checked, frozen ``Settings``."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from evenkeel.errors import UsageError
from evenkeel.settings.pipeline import Pipeline
from evenkeel.settings.platform import Platform

_MAX_CONFIG_BYTES = 1_000_000


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
    layers = [_profile_file(folder, profile), file]
    documents = [_read_yaml(layer) for layer in layers]
    pipeline = _validate(layers, documents)
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
            fix=f"{_nearest(name, known)}known in {folder}: {', '.join(known) or 'none'}; "
            f"or make one with `evenkeel init {name} --from FILE --target COLUMN`",
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
        fix=f"{_nearest(profile, known)}use one of {', '.join(known)}",
    )


def _read_yaml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise UsageError(f"{file}: no such file", fix="check the path given with --config")
    if file.stat().st_size > _MAX_CONFIG_BYTES:
        raise UsageError(f"{file}: larger than {_MAX_CONFIG_BYTES} bytes", fix="a config is a few kilobytes")
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        where = f" line {line}" if line else ""
        what = getattr(error, "problem", None) or "not UTF-8 text"
        raise UsageError(f"{file}{where}: not YAML: {what}", fix="correct that line") from None
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise UsageError(
            f"{file}: holds a {type(document).__name__}, expected keys and values", fix="see configs/"
        )
    return document


def _validate(layers: Sequence[Path], documents: Sequence[dict[str, Any]]) -> Pipeline:
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
            files = YamlConfigSettingsSource(settings_cls, yaml_file=list(layers), deep_merge=True)
            return env_settings, files

    try:
        loaded = Loaded()
    except ValidationError as error:
        raise _explained(error, layers, documents) from None
    return Pipeline.model_validate(loaded.model_dump(round_trip=True))


def _explained(
    error: ValidationError, layers: Sequence[Path], documents: Sequence[dict[str, Any]]
) -> UsageError:
    """Turn pydantic's findings into one line each, naming file, line, key and the nearest known key."""
    lines = []
    for found in error.errors():
        path = tuple(found["loc"])
        dotted = ".".join(str(p) for p in path) or "(the whole file)"
        where = _where(path, layers, documents, missing=found["type"] == "missing")
        if found["type"] == "extra_forbidden":
            known = sorted(_fields_at(Pipeline, path[:-1]))
            lines.append(
                f"{where}: unknown key {dotted!r}; {_nearest(str(path[-1]), known)}known here: {', '.join(known)}"
            )
        elif found["type"] == "missing":
            lines.append(f"{where}: key {dotted!r} is missing")
        else:
            message = found["msg"].removeprefix("Value error, ")
            given = "" if isinstance(found["input"], dict | BaseModel) else f" (found {found['input']!r})"
            lines.append(f"{where}: key {dotted!r}: {message}{given}")
    return UsageError(
        "; ".join(lines), fix="correct the key or value named; configs/ and docs/configuration.md show each"
    )


def _where(
    path: tuple[int | str, ...], layers: Sequence[Path], documents: Sequence[dict[str, Any]], *, missing: bool
) -> str:
    target = path[:-1] if missing else path
    for file, document in reversed(list(zip(layers, documents, strict=True))):
        line = _line_of(file, target)
        if line and _holds(document, target):
            return f"{file} line {line}"
    if missing or not path:
        return str(layers[-1])
    return "environment EVENKEEL_" + "__".join(str(p).upper() for p in path)


def _holds(document: Any, path: tuple[int | str, ...]) -> bool:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(path)


def _line_of(file: Path, path: tuple[int | str, ...]) -> int:
    """Return the 1-based line of a key path in a YAML file, 0 where it is not there."""
    node: yaml.Node | None = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = 0
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                return 0
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return 0
    return line


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


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}? " if close else ""


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
