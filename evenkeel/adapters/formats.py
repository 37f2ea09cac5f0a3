"""The file formats a batch may come in: told by name, then by the first bytes."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from evenkeel.errors import UsageError

CSV, CSV_GZ, JSONL, PARQUET = "csv", "csv.gz", "jsonl", "parquet"
_BY_SUFFIX = {
    ".csv.gz": CSV_GZ,
    ".csv": CSV,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".json": JSONL,
    ".parquet": PARQUET,
}
_KNOWN = "csv, csv.gz, jsonl (or .json, .ndjson: one object a line), parquet"
_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_NAME = 80


def stem(name: str) -> str:
    """Return a file's name without folder and without the extension of a known format."""
    name = Path(name).name
    suffix = _suffix(name)
    return name[: -len(suffix)] if suffix else name


def detect(path: Path, name: str) -> str:
    """Return the format of the file at ``path`` that came under ``name``.

    A known extension decides, so that a file whose content is something else lands and is then held;
    without one the first bytes do.

    Raises:
        UsageError: Neither tells a known format.
    """
    if suffix := _suffix(name):
        return _BY_SUFFIX[suffix]
    with path.open("rb") as file:
        head = file.read(4)
    if head == _PARQUET_MAGIC:
        return PARQUET
    if head.startswith(_GZIP_MAGIC) and not re.search(r"\.(jsonl?|ndjson|parquet|tar|tgz)\b", name.lower()):
        return CSV_GZ
    raise UsageError(
        f"{name}: unknown file format",
        fix=f"give the file the extension of what it is; known: {_KNOWN}",
        cause="data.not_the_format",
    )


def safe_name(name: str) -> str:
    """Return ``name`` as it may stand in a folder: no separators, no leading dot, bounded."""
    kept = re.sub(r"[^A-Za-z0-9._=+-]+", "_", Path(name).name).lstrip("._-") or "file"
    return kept[-_MAX_NAME:].lstrip("._-") or "file"


def masked(source: str) -> str:
    """Return a path or URL with what may be secret in it hidden: the password and the query."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    userinfo, at, host = parts.netloc.rpartition("@")
    if at:
        user, colon, _ = userinfo.partition(":")
        host = f"{user}:***@{host}" if colon else f"***@{host}"
    return urlunsplit((parts.scheme, host, parts.path, "***" if parts.query else "", parts.fragment))


def _suffix(name: str) -> str:
    return next((s for s in _BY_SUFFIX if name.lower().endswith(s)), "")
