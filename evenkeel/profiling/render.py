"""Write a profile down: the pipeline's YAML with its reasons, the schema, the suite."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from evenkeel.profiling.roles import RESERVED

if TYPE_CHECKING:
    from evenkeel.profiling.column import Column
    from evenkeel.profiling.profile import Profile
    from evenkeel.profiling.ranges import Bounds

_REVIEW = 0.55
_MARGIN = 0.02
_LONGEST = 300


@dataclass(frozen=True)
class Written:
    """The three texts of a pipeline.

    Attributes:
        config: ``configs/NAME.yaml``.
        schema: ``expectations/NAME/schema.yaml``.
        suite: ``expectations/NAME/suite.json``.
    """

    config: str
    schema: str
    suite: str


@dataclass(frozen=True)
class _Declared:
    """A column of the schema as the template needs it."""

    name: str
    dtype: str
    about: str
    nullable: bool = True
    required: bool = False
    bounds: Bounds | None = None
    categories: tuple[str, ...] | None = None


def render(profile: Profile) -> Written:
    """Return the texts of the three files."""
    columns = _declared(profile)
    names = {c.name for c in columns}
    formats = {
        n: c.time_format
        for n, c in profile.columns.items()
        if n in names and c.time_format and _dtype(c, profile).startswith("datetime")
    }
    absent = {n: c.null_texts for n, c in profile.columns.items() if n in names and c.null_texts}
    chosen = {n: f for n, f in profile.fillings.items() if f.gain > 0}
    config = _template("pipeline.yaml.j2").render(
        p=profile,
        chosen=chosen,
        plain=[n for n in profile.fillings if n not in chosen],
        margin=_margin(profile),
        review=_REVIEW if profile.target.task == "binary" else 0.0,
    )
    schema = _template("schema.yaml.j2").render(
        p=profile, columns=columns, time_formats=formats, null_texts=absent
    )
    suite = {"name": profile.wish.name, "expectations": list(profile.limits.expectations)}
    return Written(config, schema, json.dumps(suite, indent=2, ensure_ascii=False) + "\n")


def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - YAML, not a page: every value passes through `flow` or `words`
        loader=PackageLoader("evenkeel.profiling", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "flow": flow,
        "words": words,
        "percent": lambda share: f"{share:.1%}",
        "count": lambda number: f"{number:,}",
        "spoken": lambda strategy: (
            f"the {strategy.replace('_', ' ')}" + (" value" if "_" in strategy else "")
        ),
    }
    return environment.get_template(name)


def flow(value: Any) -> str:
    """Return a value as YAML on one line, quoted where it would be read as something else."""
    text = yaml.dump(
        value,
        Dumper=_Line,
        default_flow_style=True,
        allow_unicode=True,
        width=float("inf"),
        sort_keys=False,
    )
    return text.removesuffix("\n").removesuffix("\n...")


class _Line(yaml.SafeDumper):
    """Writes any text on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Line.add_representer(str, _text)


def words(text: Any) -> str:
    """Return a text as it may stand in a comment: one line, nothing that is not printable, bounded."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " ..."


def _declared(profile: Profile) -> list[_Declared]:
    identity = profile.identity
    made = []
    if identity.key_made:
        made.append(_Declared(identity.row_key[0], "str", "made by evenkeel: the row's key", False, True))
    if identity.time_made:
        made.append(
            _Declared(identity.time, "datetime64[ns, UTC]", "made by evenkeel: the row's time", False, True)
        )
    usable = [c for n, c in profile.columns.items() if n and c.kind is not None and n.lower() not in RESERVED]
    return [*made, *(_column(c, profile) for c in usable)]


def _column(column: Column, profile: Profile) -> _Declared:
    name, identity = column.name, profile.identity
    vital = name in identity.row_key or name == identity.time
    feature = name in profile.roles.features
    return _Declared(
        name,
        _dtype(column, profile),
        about(column) + ("" if feature or vital else "; not used"),
        nullable=not vital,
        required=vital or feature,
        bounds=profile.bounds.get(name),
        categories=profile.categories.get(name),
    )


def _dtype(column: Column, profile: Profile) -> str:
    """Return a column's dtype; what is not used may hold any text, so that no row is refused for it."""
    name, identity = column.name, profile.identity
    if name in identity.row_key and column.whole:
        return "int64"
    if name in profile.roles.features or name in identity.row_key or name == identity.time:
        return column.dtype
    texts = pd.api.types.infer_dtype(column.cells.dropna(), skipna=True) in ("string", "empty")
    return "str" if texts else column.dtype


def about(column: Column) -> str:
    """Return what was seen of a column, for a person."""
    gaps = f", {column.missing:.1%} missing" if column.missing else ""
    odd = (
        f", {column.unreadable} cells are of another type: their rows are quarantined"
        if column.unreadable
        else ""
    )
    return seen(column) + gaps + odd


def seen(column: Column) -> str:
    """Return the range or the categories seen."""
    known = column.values.dropna()
    if known.empty:
        return "empty"
    if column.kind == "numeric":
        return f"{known.min():g} to {known.max():g}"
    if column.kind == "time":
        return f"{known.min():%Y-%m-%d %H:%M} to {known.max():%Y-%m-%d %H:%M}"
    counts = known.value_counts()
    listed = ", ".join(str(v)[:20] for v in counts.index[:4])
    return listed if len(counts) <= 4 else f"{listed} and {len(counts) - 4} more"  # noqa: PLR2004 - enough to see


def _margin(profile: Profile) -> float:
    """Return the gates' margin: 2 points for classes, a fiftieth of the deviation for numbers."""
    tolerance = profile.target.tolerance
    return _MARGIN if tolerance is None else float(f"{2 * tolerance * _MARGIN:.2g}")
