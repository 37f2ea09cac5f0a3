"""Bring a file of a web server or an object store to this machine, with what its source states of it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from evenkeel.adapters import checksums
from evenkeel.adapters.fetched import Brought, Stated
from evenkeel.adapters.file_systems import opened
from evenkeel.adapters.formats import masked
from evenkeel.adapters.vendor_errors import translated
from evenkeel.adapters.zone_copy import CHUNK
from evenkeel.errors import EvenkeelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from evenkeel.adapters.fetched import Check

DOWN, REFUSES = "dependency.source_down", "dependency.source_refuses"
_WEB = ("http://", "https://")
_STORE = ("s3://", "s3a://")
REMOTE = (*_WEB, *_STORE, "memory://")


def is_remote(where: str) -> bool:
    """Say whether ``where`` is a URL that is downloaded."""
    return where.startswith(REMOTE)


def is_web(where: str) -> bool:
    """Say whether ``where`` is on a web server, which cannot be listed."""
    return where.startswith(_WEB)


def download(
    url: str, scratch: Path, check: Check, *, max_bytes: int, missing: EvenkeelError, sidecars: bool
) -> Brought:
    """Download a file into ``scratch``.

    Args:
        url: Where it is.
        scratch: An empty folder.
        check: Called between the parts.
        max_bytes: A larger file is refused.
        missing: Raised where there is no such file.
        sidecars: Whether the checksum that may stand beside it is asked for, too.

    Raises:
        UsageError: It is larger than allowed.
        Transient: The source does not answer, or not whole.
        Permanent: The source refuses.
    """
    shown = masked(url)
    target = scratch / "download"
    with translated(shown, down=DOWN, refused=REFUSES, missing=missing):
        file_system, path = opened(url)
        beside = checksums.from_sidecars(_name(url), _Sidecars(url)) if sidecars else ""
        stated = _of_object(file_system, path) if url.startswith(_STORE) else Stated()
        with _stream(file_system, path) as remote, target.open("wb") as out:
            if is_web(url):
                stated = _of_answer(remote.r.headers)
            while chunk := remote.read(CHUNK):
                check()
                out.write(chunk)
                if out.tell() > max_bytes:
                    raise too_large(shown, max_bytes)
    return Brought(target, Stated(stated.modified, stated.fingerprint, beside or stated.checksum))


def of_listing(info: Mapping[str, Any]) -> Stated:
    """Return what an entry of an object store's listing states."""
    tag, modified = info.get("ETag"), info.get("LastModified")
    fingerprint = f"{tag} {info.get('size')}" if tag else ""
    return Stated(modified if isinstance(modified, datetime) else None, fingerprint)


def too_large(shown: str, max_bytes: int) -> UsageError:
    """Return the refusal of a file of more bytes than are allowed."""
    return UsageError(
        f"{shown}: larger than the {max_bytes} bytes allowed",
        fix="split it, or raise platform.landing.max_bytes",
        cause="data.too_large",
    )


class _Sidecars:
    """Reads what stands beside a URL under its name with a suffix added."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def __call__(self, suffix: str) -> bytes | None:
        file_system, path = opened(urlunsplit(self._parts._replace(path=self._parts.path + suffix)))
        try:
            with _stream(file_system, path) as remote:
                content: bytes = remote.read(checksums.MOST)
                return content
        except (FileNotFoundError, PermissionError):  # S3 says "forbidden" of what is not there, too
            return None


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _of_object(file_system: Any, path: str) -> Stated:
    bucket, key, _ = file_system.split_path(path)
    head = file_system.call_s3("head_object", Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    fingerprint = f"{head.get('ETag')} {head.get('ContentLength')}"
    return Stated(head.get("LastModified"), fingerprint, checksums.from_object(head))


def _of_answer(headers: Mapping[str, str]) -> Stated:
    modified: datetime | None = None
    try:
        modified = parsedate_to_datetime(headers.get("Last-Modified", ""))
    except ValueError:
        pass
    else:
        modified = modified.replace(tzinfo=UTC) if modified.tzinfo is None else modified.astimezone(UTC)
    return Stated(modified, checksum=checksums.from_headers(headers))


def _stream(file_system: Any, path: str) -> Any:
    """Open for one pass; over HTTP without asking for the size first, which not every server tells."""
    if is_web(path):
        return file_system.open(path, "rb", block_size=0, size=1)
    return file_system.open(path, "rb")
