"""Writes docs/configuration.md from the settings' own types, defaults and docstrings.

`make docs` runs it; `make check` runs it with --check and fails where the page is behind the settings.
"""  # noqa: INP001 - a script beside the page it writes

from __future__ import annotations

import inspect
import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from evenkeel.settings import Pipeline, Platform

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"

# With more paths than this to one kind of section, its heading names their parent.
_MANY = 4
_PLAIN = {
    bool: "true or false",
    str: "text",
    SecretStr: "text, kept secret",
    int: "whole number",
    float: "number",
    Any: "any value",
}

INTRODUCTION = """\
# Configuration

<!-- Written by docs/generate_configuration.py from evenkeel/settings/; change those and run `make docs`. -->

A pipeline's settings come from three layers, each over the one before it:

1. a profile, `configs/profiles/NAME.yaml`: where state lives (the keys of [`platform`](#platform));
2. the pipeline's file, `configs/PIPELINE.yaml`: the prediction problem;
3. the environment: `EVENKEEL_` and the key's path in capitals, sections joined by two underscores, as
   `EVENKEEL_PLATFORM__LEDGER__URL=postgresql+psycopg://...` or `EVENKEEL_TRAINING__WINDOW=5000`; lists are
   JSON.

A key that is not known, or a value that does not fit, stops every command with exit code 2 and a line that
names the file, the line, the key, and the nearest known key. Nothing is written then.

| variable | meaning |
|---|---|
| `EVENKEEL_HOME` | where state lives by default; `var` in the working folder |
| `EVENKEEL_CONFIG_DIR` | folder of the pipelines' files; else `configs` here, else the built-in one |
| `EVENKEEL_PROFILE` | the profile; `local` by default |

What the rows of a pipeline must be is not here but beside it, in `expectations/PIPELINE/`: `schema.yaml`
(pandera) for single rows and `suite.json` (Great Expectations) for the batch as a whole.

Whole files to start from: [the demo's pipeline](../configs/market.yaml) and the profiles
[`local`](../configs/profiles/local.yaml) and [`production`](../configs/profiles/production.yaml).
"""


def main() -> int:
    """Write the page, or with --check say whether it is fresh."""
    page = written()
    if "--check" in sys.argv[1:]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        sys.stderr.write(f"{PAGE.relative_to(ROOT)} is behind evenkeel/settings/: run `make docs`\n")
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def written() -> str:
    """Return the page's text."""
    parts = [INTRODUCTION, f"## The pipeline's file\n\n{_table(Pipeline)}"]
    parts += _sections(Pipeline, but=Platform)
    parts += [f"## platform\n\n{_about(Platform)}\n\n{_table(Platform)}"]
    parts += _sections(Platform, "platform.")
    return "\n".join(parts)


def _sections(model: type[BaseModel], prefix: str = "", but: type[BaseModel] | None = None) -> list[str]:
    """Return a chapter for each kind of section below ``model``, headed by every path it may stand at."""
    paths: dict[type[BaseModel], list[str]] = {}

    def collect(section: type[BaseModel], above: str) -> None:
        for name, field in section.model_fields.items():
            inner = _model_in(field.annotation)
            if inner is not None and inner is not but:
                here = f"{above}{name}{_many(field.annotation)}"
                paths.setdefault(inner, []).append(here)
                collect(inner, f"{here}.")

    collect(model, prefix)
    return [
        f"### {_heading(where)}\n\n{_about(section)}\n\n{_table(section)}" for section, where in paths.items()
    ]


def _heading(paths: list[str]) -> str:
    parents = {path.rpartition(".")[0] for path in paths}
    return f"{parents.pop()}.*" if len(paths) > _MANY and len(parents) == 1 else ", ".join(paths)


def _table(model: type[BaseModel]) -> str:
    meanings = _meanings(model)
    if missing := sorted(set(model.model_fields) - set(meanings)):
        sys.exit(
            f"{model.__module__}.{model.__name__}: no meaning for {', '.join(missing)} under Attributes:"
        )
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        cells = (f"`{name}`", _type(field), _default(field), meanings[name])
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _about(model: type[BaseModel]) -> str:
    """Return what a section's docstring says before its attributes."""
    text = inspect.cleandoc(model.__doc__ or "").partition("\nAttributes:")[0]
    return "\n".join(_marked(line) for line in text.strip().splitlines())


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Read the Attributes section of a Google docstring, after those of the classes it builds on."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        text = inspect.cleandoc(part.__doc__ or "").partition("\nAttributes:\n")[2]
        for entry in re.split(r"\n(?=    \w)", "\n" + text):
            name, colon, meaning = entry.strip().partition(":")
            if colon:
                found[name] = _marked(" ".join(meaning.split()))
    return found


def _marked(text: str) -> str:
    return text.replace("``", "`")


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{word} {value}"
        for attribute, word in (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
        for constraint in field.metadata
        if (value := getattr(constraint, attribute, None)) is not None
    ]
    bounds += ["not empty" for constraint in field.metadata if getattr(constraint, "min_length", None)]
    return ", ".join([_name(field.annotation), *bounds])


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    inner = [_name(argument) for argument in arguments if argument not in (type(None), ...)]
    if origin in (Union, types.UnionType):
        return " or ".join(inner)
    if origin in (tuple, list):
        return f"list of {inner[0]}"
    if origin is dict:
        return f"mapping of {inner[0]} to {inner[1]}"
    return "section" if _model_in(annotation) else _PLAIN[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return _value(value) if value.model_dump(exclude_defaults=True) else "each key's own"
    return "none" if value is None or value in ((), {}, "") else _value(value)


def _value(value: Any) -> str:
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    """Write a value as YAML would on one line."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in value.model_dump(exclude_defaults=True)}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(inner) for inner in value) + "]"
    return str(value)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a)) is not None), None)


def _many(annotation: Any) -> str:
    """Mark a section that there may be several of, as a list's or a mapping's."""
    return {tuple: "[]", list: "[]", dict: ".*"}.get(get_origin(annotation), "")


if __name__ == "__main__":
    sys.exit(main())
