"""``batch.json``: what a landed batch consists of, with a digest of itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from evenkeel.domain.batch import LandedFile, Landing

NAME = "batch.json"


def key(pipeline: str, batch_id: str) -> str:
    """Return the place of a batch's manifest in a copy of the landing zone."""
    return f"{pipeline}/{batch_id}/{NAME}"


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
        landed_at = datetime.fromisoformat(body["landed_at"])
        # A manifest written before batches could stand in for others does not say that this one does not.
        return Landing(body["pipeline"], body["batch_id"], files, landed_at, body.get("repeats", ""))
    except (ValueError, KeyError, TypeError):
        return None


def content_of(landing: Landing) -> str:
    """Return the digest of a batch's content, whatever the order and the names of its files.

    A batch that repeats an earlier one is told from it by its id.
    """
    parts = [f.sha256 for f in landing.files]
    parts += [f"repeated as {landing.batch_id}"] if landing.repeats else []
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
