"""A file a person wrote, as read, and how they are told what is wrong with it: file, line, key, fix."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Document:
    """A YAML or JSON file that holds a mapping.

    Attributes:
        file: Where it was read from.
        data: Its keys and values.
        root: Its parse tree, for line numbers; None where there is none.
    """

    file: Path
    data: dict[str, Any]
    root: yaml.Node | None

    def error(self, path: Iterable[str | int], message: str, *, fix: str) -> UsageError:
        """Return an error about the key at ``path``, naming file, line and key."""
        steps = tuple(path)
        line = self.line(steps)
        where = f"{self.file} line {line}" if line else str(self.file)
        key = f": key {'.'.join(map(str, steps))}" if steps else ""
        return UsageError(f"{where}{key}: {message}", fix=fix)

    def holds(self, path: Iterable[str | int]) -> bool:
        """Say whether there is a value at ``path``."""
        value: Any = self.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def line(self, steps: Iterable[str | int]) -> int:
        """Return the 1-based line of the deepest step of a key path that is there, 0 where none is."""
        node, line = self.root, 0
        for step in steps:
            if isinstance(node, yaml.MappingNode):
                pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def read_document(file: Path, *, fix: str) -> Document:
    """Read a ``.yaml`` or ``.json`` file that must hold a mapping.

    Args:
        file: The file.
        fix: What to do where it is missing.

    Raises:
        UsageError: It is missing, too large, not UTF-8, not what its name says, or holds no mapping.
    """
    if not file.is_file():
        raise UsageError(f"{file}: no such file", fix=fix)
    if file.stat().st_size > _MAX_BYTES:
        raise UsageError(f"{file}: larger than {_MAX_BYTES} bytes", fix="such a file is a few kilobytes")
    language = "JSON" if file.suffix == ".json" else "YAML"
    try:
        text = file.read_text(encoding="utf-8")
        data = json.loads(text) if language == "JSON" else yaml.safe_load(text)
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text", fix="save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{file} line {error.lineno}: not JSON: {error.msg}", fix="correct that line"
        ) from None
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # safe_load of a malformed date is a ValueError
        mark = getattr(error, "problem_mark", None)
        where = f"{file} line {mark.line + 1}" if mark else str(file)
        what = getattr(error, "problem", None) or error
        raise UsageError(f"{where}: not {language}: {what}", fix="correct that line") from None
    if not isinstance(data, dict):
        raise UsageError(f"{file}: holds a {type(data).__name__}, expected keys and values", fix=fix)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # JSON indented with tabs is not YAML: the message then names no line
        root = None
    return Document(file, data, root)


def nearest(word: object, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'? `` for the known word nearest to ``word``, or an empty string."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}? " if close else ""
