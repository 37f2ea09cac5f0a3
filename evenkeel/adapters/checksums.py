"""The checksum that a source states of a file: in a sidecar beside it, or in a header of its answer."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenkeel.adapters.fetched import Fetched

SIDECARS = (".sha256", ".md5")
MOST = 64 * 1024  # bytes of a sidecar that are looked at: a list of sums of a whole folder fits
_LENGTHS = {"sha256": 64, "md5": 32}
_BY_HEADER = {"sha-256": "sha256", "md5": "md5"}
_ENTRY = re.compile(r"(sha-256|md5)\s*=\s*:?([A-Za-z0-9+/]+=*):?", re.IGNORECASE)
_MD5_TAG = re.compile(r'"?([0-9a-f]{32})"?')


def verify(file: Fetched) -> None:
    """Check a file that is here against the checksum its source states.

    Raises:
        DataRejected: ``data.checksum_mismatch``: it does not match, or none is stated.
    """
    algorithm, _, stated = file.stated.checksum.partition(":")
    if not stated:
        raise DataRejected(
            f"{file.source}: its source states no checksum, and checksum: sidecar asks for one",
            fix=f"write {file.name}{SIDECARS[0]} beside it once it is whole",
            cause="data.checksum_mismatch",
        )
    found = file.digest(algorithm)
    if found != stated:
        raise DataRejected(
            f"{file.source}: its {algorithm} is {found}, and its source states {stated}",
            fix="have the source write the file and its checksum again",
            cause="data.checksum_mismatch",
            evidence={"algorithm": algorithm, "found": found, "stated": stated},
        )


def from_sidecars(name: str, read: Callable[[str], bytes | None]) -> str:
    """Return the checksum that stands beside a file, empty where none does.

    Args:
        name: The file's name.
        read: Given ``.sha256`` or ``.md5``, returns what stands under the file's name with that added.
    """
    for suffix in SIDECARS:
        content = read(suffix)
        if content is not None:
            algorithm = suffix[1:]
            return (
                f"{algorithm}:{_in_sidecar(content[:MOST], name, _LENGTHS[algorithm]) or 'nothing readable'}"
            )
    return ""


def from_headers(headers: Mapping[str, str]) -> str:
    """Return the checksum that an HTTP answer states of its content, empty where it states none.

    ``Content-Digest`` and ``Repr-Digest`` are RFC 9530, ``Digest`` RFC 3230, ``Content-MD5`` RFC 1864. An ETag
    is a sum of the content only where Amazon S3 made it, and not where it encrypts with a key of its own.
    """
    told = {name.lower(): value for name, value in headers.items()}
    if told.get("content-encoding", "identity") != "identity":
        return ""  # the sums are those of the encoded bytes
    found: dict[str, str] = {}
    for header in ("content-digest", "repr-digest", "digest"):
        for algorithm, value in _ENTRY.findall(told.get(header, "")):
            found.setdefault(_BY_HEADER[algorithm.lower()], value)
    if "content-md5" in told:
        found.setdefault("md5", told["content-md5"].strip())
    for algorithm, length in _LENGTHS.items():
        if len(sum_ := _hex(found.get(algorithm, ""))) == length:
            return f"{algorithm}:{sum_}"
    if told.get("server") == "AmazonS3" or "x-amz-request-id" in told:
        return from_tag(
            told.get("etag", ""),
            told.get("x-amz-server-side-encryption", ""),
            told.get("x-amz-server-side-encryption-customer-algorithm", ""),
        )
    return ""


def from_object(head: Mapping[str, Any]) -> str:
    """Return the checksum that S3's answer to HeadObject states, empty where it states none."""
    whole = head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    sum_ = _hex(str(head.get("ChecksumSHA256", "")))
    if whole and len(sum_) == _LENGTHS["sha256"]:
        return f"sha256:{sum_}"
    return from_tag(
        str(head.get("ETag", "")),
        str(head.get("ServerSideEncryption", "")),
        str(head.get("SSECustomerAlgorithm", "")),
    )


def from_tag(tag: str, encryption: str, customer: str) -> str:
    """Return the MD5 that an ETag of S3 is, empty where it is none: of parts, or encrypted by a key."""
    match = _MD5_TAG.fullmatch(tag.strip())
    if match is None or customer or encryption.startswith("aws:kms"):
        return ""
    return f"md5:{match.group(1)}"


def _in_sidecar(content: bytes, name: str, length: int) -> str:
    """Read a sum as sha256sum and md5sum write it (``SUM  NAME`` or ``MD5 (NAME) = SUM``), or alone."""
    lines = content.decode("utf-8", "replace").splitlines()
    sums = [(line, m.group().lower()) for line in lines if (m := _sum(length).search(line))]
    named = [s for line, s in sums if re.search(rf"(^|[\s(*/]){re.escape(name)}($|[\s)])", line)]
    if named:
        return named[0]
    return sums[0][1] if len(sums) == 1 else ""


def _sum(length: int) -> re.Pattern[str]:
    return re.compile(rf"\b[0-9a-fA-F]{{{length}}}\b")


def _hex(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""
