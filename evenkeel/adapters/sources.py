"""Where batches come from: files named on the command line, and a pipeline's configured sources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenkeel.adapters.fetched import Fetched
from evenkeel.adapters.file_systems import opened
from evenkeel.adapters.formats import masked, stem
from evenkeel.adapters.sql_source import fetched_query
from evenkeel.adapters.vendor_errors import translated
from evenkeel.adapters.zone_copy import CHUNK
from evenkeel.domain.batch import check_batch_id
from evenkeel.errors import DataRejected, EvenkeelError, UsageError
from evenkeel.settings.secrets import fill_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from evenkeel.settings.pipeline import Source

MAX_BYTES = 4 * 1024**3
_DOWN, _REFUSES = "dependency.source_down", "dependency.source_refuses"
_REMOTE = ("http://", "https://", "s3://", "s3a://", "memory://")


@dataclass(frozen=True)
class Incoming:
    """A batch found at a source, not landed yet."""

    batch_id: str
    files: tuple[Fetched, ...]


def fetch_files(paths: Sequence[str], *, max_bytes: int = MAX_BYTES) -> list[Fetched]:
    """Return the files or URLs named, each brought to this machine.

    Raises:
        UsageError: One is missing, a folder, empty, or of no known format.
        Transient: A source does not answer.
        Permanent: A source refuses.
    """
    files = [_file(p, max_bytes, UsageError) for p in paths]
    for file in files:
        _ = file.format  # a folder, an empty file or an unknown format is told before anything is written
    return files


def discover(
    source: Source,
    *,
    home: Path,
    batch: str | None,
    scheduled: datetime,
    max_bytes: int = MAX_BYTES,
) -> list[Incoming]:
    """Return the batches a configured source offers; files are brought only when they are landed.

    Every match of a ``*`` is a batch named by its file. Any other URI and every query give one batch,
    named ``batch`` or else the scheduled time written by ``batch_format``.

    Args:
        source: The configured source.
        home: What ``{home}`` stands for.
        batch: Only this batch; None for all that are there, or the scheduled one.
        scheduled: The time of the run.
        max_bytes: A larger file is refused.

    Raises:
        UsageError: The configuration cannot be right.
        DataRejected: ``data.file_missing``: nothing is there where a batch was expected.
        Transient: The source does not answer.
        Permanent: The source refuses.
    """
    uri = fill_secrets(source.uri, where=f"sources.{source.name}.uri").replace("{home}", str(home))
    named = check_batch_id(batch or scheduled.strftime(source.batch_format))
    if source.query is not None or source.table is not None:
        return [Incoming(named, (fetched_query(source, uri, named, max_bytes=max_bytes),))]
    uri = uri.replace("{batch}", named)
    if "*" in uri:
        return _matches(source, uri, batch, max_bytes)
    file = _file(uri, max_bytes, DataRejected)
    if not _remote(uri):
        _ = file.path  # told now, not when it is landed
    return [Incoming(named, (file,))]


def _matches(source: Source, uri: str, batch: str | None, max_bytes: int) -> list[Incoming]:
    if uri.startswith(("http://", "https://")):
        raise UsageError(
            f"sources.{source.name}.uri: {masked(uri)} holds a *, and a web server cannot be listed",
            fix="use {batch} for the part that changes",
        )
    with translated(masked(uri), down=_DOWN, refused=_REFUSES):
        file_system, pattern = opened(uri)
        found = sorted(str(p) for p in file_system.glob(pattern))
    prefix = uri.partition("://")[0] + "://" if _remote(uri) else ""
    batches = [(check_batch_id(stem(p)), prefix + p) for p in found]
    chosen = [(i, p) for i, p in batches if batch in {None, i}]
    if batch and not chosen:
        raise _missing(f"{masked(uri)}: no file for batch {batch}", DataRejected)
    by_id: dict[str, list[Fetched]] = {}
    for batch_id, path in chosen:  # x.csv and x.jsonl are two files of batch x
        by_id.setdefault(batch_id, []).append(_file(path, max_bytes, DataRejected))
    return [Incoming(i, tuple(files)) for i, files in by_id.items()]


def _file(where: str, max_bytes: int, missing: type[EvenkeelError]) -> Fetched:
    if _remote(where):
        name = masked(where).rstrip("*").rstrip("?").rstrip("/").rpartition("/")[2]
        return Fetched(name, where, partial(_download, where, max_bytes=max_bytes, missing=missing))
    path = Path(where.removeprefix("file://"))
    return Fetched(path.name, str(path), partial(_local, path, missing=missing))


def _remote(where: str) -> bool:
    return where.startswith(_REMOTE)


def _local(path: Path, _scratch: Path, *, missing: type[EvenkeelError]) -> Path:
    if path.is_dir():
        raise UsageError(f"{path}: is a folder", fix="name the files in it, e.g. with a *")
    if not path.exists():
        raise _missing(f"{path}: no such file", missing)
    with translated(str(path), down=_DOWN, refused=_REFUSES):
        resolved = path.resolve(strict=True)
        resolved.open("rb").close()
    return resolved


def _download(url: str, scratch: Path, *, max_bytes: int, missing: type[EvenkeelError]) -> Path:
    shown = masked(url)
    target = scratch / "download"
    absent = _missing(f"{shown}: not there", missing)
    with translated(shown, down=_DOWN, refused=_REFUSES, missing=absent):
        file_system, path = opened(url)
        with _stream(file_system, path) as remote, target.open("wb") as out:
            while chunk := remote.read(CHUNK):
                out.write(chunk)
                if out.tell() > max_bytes:
                    raise UsageError(
                        f"{shown}: larger than the {max_bytes} bytes allowed",
                        fix="split it, or raise platform.landing.max_bytes",
                        cause="data.too_large",
                    )
    return target


def _stream(file_system: Any, path: str) -> Any:
    """Open for one pass; over HTTP without asking for the size first, which not every server tells."""
    if path.startswith(("http://", "https://")):
        return file_system.open(path, "rb", block_size=0, size=1)
    return file_system.open(path, "rb")


def _missing(message: str, kind: type[EvenkeelError]) -> EvenkeelError:
    return kind(message, fix="check the path", cause="data.file_missing")
