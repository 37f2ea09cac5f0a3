"""Storage and network errors in the words of ``evenkeel.errors``."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evenkeel.errors import EvenkeelError, Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_WORTH_A_RETRY = frozenset({408, 425, 429})
_SERVER_ERROR = 500


@contextmanager
def translated(what: str, *, down: str, refused: str, missing: EvenkeelError | None = None) -> Iterator[None]:
    """Turn what fsspec and the libraries under it raise into our own errors.

    Args:
        what: The thing that was accessed, secrets masked, for the message.
        down: Cause of the catalogue where the other side does not answer.
        refused: Cause where it answers that it will not.
        missing: Raised where the thing is not there; None makes that a ``Permanent`` refusal.

    Raises:
        Transient: No connection, a timeout, half an answer, 5xx, 429.
        Permanent: Refused for good: no permission, 4xx.
    """
    try:
        yield
    except EvenkeelError:
        raise
    except FileNotFoundError:
        raise missing or Permanent(f"{what}: not there", cause=refused) from None
    except PermissionError as error:
        raise Permanent(
            f"{what}: permission denied", fix="check the credentials or the file's owner", cause=refused
        ) from error
    except OSError as error:
        raise _from_os(what, error, down) from error
    except Exception as error:
        raise _from_client(what, error, down, refused) from error


def _from_os(what: str, error: OSError, down: str) -> EvenkeelError:
    if error.errno in _FULL:
        return Transient(f"{what}: the disk is full", fix="make room", cause="infrastructure.disk_full")
    if error.errno in _READ_ONLY:
        return Permanent(f"{what}: the disk is read-only", cause="infrastructure.read_only_disk")
    return Transient(f"{what}: {_line(error)}", cause=down)


def _from_client(what: str, error: Exception, down: str, refused: str) -> EvenkeelError:
    """Judge by the HTTP status where the client (aiohttp, botocore) tells one; without it nobody answered."""
    if not type(error).__module__.startswith(("aiohttp", "botocore", "aiobotocore", "fsspec")):
        raise error
    status = _status(error)
    if status is None or status >= _SERVER_ERROR or status in _WORTH_A_RETRY:
        headers = getattr(error, "headers", None) or {}
        evidence = {"status": status, "retry_after": headers.get("Retry-After")} if status else {}
        return Transient(f"{what}: {_line(error)}", cause=down, evidence=evidence)
    return Permanent(f"{what}: refused with HTTP {status}", cause=refused, evidence={"status": status})


def _status(error: Exception) -> int | None:
    status = getattr(error, "status", None)
    if isinstance(status, int) and status:
        return status
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
    return found if isinstance(found, int) else None


def _line(error: BaseException) -> str:
    """Say what happened without the error's own text, which may hold a URL with its secrets."""
    if isinstance(error, OSError) and error.errno and error.strerror and "://" not in error.strerror:
        return error.strerror
    status = _status(error) if isinstance(error, Exception) else None
    return f"HTTP {status}" if status else type(error).__name__
