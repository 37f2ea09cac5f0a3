"""Where batches come from: files named by a person, and what one place of a configured source offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.adapters import downloads, local_files
from evenkeel.adapters.checksums import SIDECARS
from evenkeel.adapters.downloads import DOWN, REFUSES, is_remote, is_web
from evenkeel.adapters.fetched import Fetched, Stated
from evenkeel.adapters.file_systems import opened
from evenkeel.adapters.formats import masked, stem
from evenkeel.adapters.sql_source import fetched_query
from evenkeel.adapters.vendor_errors import translated
from evenkeel.domain.batch import check_batch_id
from evenkeel.errors import DataRejected, EvenkeelError, UsageError
from evenkeel.settings.secrets import fill_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.settings.sources import Place

MAX_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class Asked:
    """What a place is asked for.

    Attributes:
        home: What ``{home}`` stands for.
        named: The batch of a place that holds one at a time, written by ``batch_format`` or asked for by a person.
        batch: Only this batch; None for all that are there.
        origin: The source's name.
        time: The column with the rows' time, which says how fresh a query's rows are; empty where none does.
        sidecars: Whether checksums beside the files are asked for.
        max_bytes: A larger file is refused.
    """

    home: Path
    named: str
    batch: str | None = None
    origin: str = ""
    time: str = ""
    sidecars: bool = False
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class Offered:
    """What a place offers; nothing of it has been read.

    Attributes:
        batches: The files of each batch.
        refused: What is there under names that cannot be used.
    """

    batches: dict[str, tuple[Fetched, ...]]
    refused: list[EvenkeelError] = field(default_factory=list)


def fetch_files(paths: Sequence[str], *, max_bytes: int = MAX_BYTES) -> list[Fetched]:
    """Return the files or URLs named, each brought to this machine.

    Raises:
        UsageError: One is missing, a folder, empty, or of no known format.
        Transient: A source does not answer.
        Permanent: A source refuses.
    """
    files = [_file(p, Asked(Path(), "", max_bytes=max_bytes), UsageError) for p in paths]
    for file in files:
        _ = file.format  # a folder, an empty file or an unknown format is told before anything is written
    return files


def offered(place: Place, key: str, asked: Asked) -> Offered:
    """Return what one place of a source offers; files are brought only when they are landed.

    Every match of a ``*`` is a batch named by its file. Any other URI and every query give one batch.

    Args:
        place: The place.
        key: Where it stands in the configuration, as ``sources.main.replicas[0]``.
        asked: What is asked for.

    Raises:
        UsageError: The configuration cannot be right.
        DataRejected: ``data.file_missing``: the batch that was asked for is not there.
        Transient: The place does not answer.
        Permanent: The place refuses.
    """
    uri = fill_secrets(place.uri, where=f"{key}.uri").replace("{home}", str(asked.home))
    named = check_batch_id(asked.named)
    if place.is_database:
        return Offered({named: (fetched_query(place, key, uri, asked),)})
    if place.many:
        return _matches(key, uri, asked)
    folder = None if is_remote(uri) or "{batch}" not in uri else _folder(uri, "{batch}")
    return Offered({named: (_file(uri.replace("{batch}", named), asked, DataRejected, inside=folder),)})


def _matches(key: str, uri: str, asked: Asked) -> Offered:
    if is_web(uri):
        raise UsageError(
            f"{key}.uri: {masked(uri)} holds a *, and a web server cannot be listed",
            fix="use {batch} for the part that changes",
        )
    with translated(masked(uri), down=DOWN, refused=REFUSES):
        file_system, pattern = opened(uri)
        found = file_system.glob(pattern, detail=is_remote(uri))
    stated = {str(p): downloads.of_listing(found[p]) if is_remote(uri) else None for p in found}
    prefix = uri.partition("://")[0] + "://" if is_remote(uri) else ""
    folder = None if is_remote(uri) else _folder(uri, "*")
    offers = Offered({})
    for path in sorted(stated):
        if asked.sidecars and path.endswith(SIDECARS):
            continue
        try:
            batch_id = check_batch_id(stem(path))
        except UsageError as error:
            offers.refused.append(
                UsageError(f"{masked(prefix + path)}: {error.message}", fix="rename the file")
            )
            continue
        if asked.batch in {None, batch_id}:  # x.csv and x.jsonl are two files of batch x
            file = _file(prefix + path, asked, DataRejected, listed=stated[path], inside=folder)
            offers.batches[batch_id] = (*offers.batches.get(batch_id, ()), file)
    if asked.batch and not offers.batches:
        raise _missing(f"{masked(uri)}: no file for batch {asked.batch}", DataRejected)
    return offers


def _file(
    where: str,
    asked: Asked,
    missing: type[EvenkeelError],
    *,
    listed: Stated | None = None,
    inside: Path | None = None,
) -> Fetched:
    if is_remote(where):
        name = masked(where).rstrip("*").rstrip("?").rstrip("/").rpartition("/")[2]
        absent = _missing(f"{masked(where)}: not there", missing)
        get = partial(
            downloads.download, where, max_bytes=asked.max_bytes, missing=absent, sidecars=asked.sidecars
        )
        return Fetched(name, where, get, listed=listed or Stated(), origin=asked.origin)
    path = Path(where.removeprefix("file://"))
    absent = _missing(f"{path}: no such file", missing)
    find = partial(local_files.find, path, inside=inside, missing=absent, sidecars=asked.sidecars)
    listed = local_files.described(path)
    return Fetched(path.name, str(path), find, listed=listed, origin=asked.origin)


def _folder(uri: str, variable: str) -> Path:
    """Return the folder that everything a path with a variable part may name lies in."""
    return Path(uri.removeprefix("file://").partition(variable)[0].rpartition("/")[0] or ".").absolute()


def _missing(message: str, kind: type[EvenkeelError]) -> EvenkeelError:
    return kind(message, fix="check the path", cause="data.file_missing")
