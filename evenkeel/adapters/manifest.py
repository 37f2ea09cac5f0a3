"""``batch.json``: what a landed batch consists of, with a digest of itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evenkeel.domain.batch import LandedFile, Landing

if TYPE_CHECKING:
    from collections.abc import Sequence


def written(landing: Landing) -> bytes:
    """Return the manifest of a landing."""
    body = {**asdict(landing), "landed_at": landing.landed_at.isoformat()}
    return json.dumps({"landing": body, "sha256": _digest(body)}, indent=1).encode()


def read(content: bytes) -> Landing | None:
    """Return the landing a manifest describes, None where the manifest is damaged."""
    try:
        document = json.loads(content)
        body = document["landing"]
        if document["sha256"] != _digest(body):
            return None
        files = tuple(LandedFile(**f) for f in body["files"])
        return Landing(body["pipeline"], body["batch_id"], files, datetime.fromisoformat(body["landed_at"]))
    except (ValueError, KeyError, TypeError):
        return None


def content_digest(sha256s: Sequence[str]) -> str:
    """Return the digest of a batch's content, whatever the order and the names of its files."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode()).hexdigest()


def content_of(landing: Landing) -> str:
    """Return the digest of a landed batch's content."""
    return content_digest([f.sha256 for f in landing.files])


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
