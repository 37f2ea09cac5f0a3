"""Open a folder or URL through fsspec, with bounded timeouts and without a second retry engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CONNECT_SECONDS = 10
READ_SECONDS = 60


def opened(uri: str) -> tuple[Any, str]:
    """Return the fsspec file system of ``uri`` and the path inside it.

    Credentials come from the environment (the usual ``AWS_*`` variables); listings are never cached.
    """
    import fsspec

    protocol = uri.partition("://")[0] if "://" in uri else "file"
    if protocol == "file":
        path = Path(uri.removeprefix("file://")).absolute()
        return fsspec.filesystem("file"), str(path)
    options = _options(protocol)
    file_system, path = fsspec.url_to_fs(uri, **options)
    if protocol in {"s3", "s3a"}:
        file_system.retries = 1  # the policy table retries
    return file_system, path.rstrip("/") if protocol not in {"http", "https"} else path


def is_local(file_system: Any) -> bool:
    """Say whether paths of this file system are paths of this machine."""
    protocol = file_system.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


def _options(protocol: str) -> dict[str, Any]:
    if protocol in {"http", "https"}:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        # Without identity a server may compress, and the bytes would not be those of the file.
        return {"client_kwargs": {"timeout": timeout, "headers": {"Accept-Encoding": "identity"}}}
    if protocol in {"s3", "s3a"}:
        config = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"max_attempts": 1},
        }
        return {"use_listings_cache": False, "config_kwargs": config}
    return {}
