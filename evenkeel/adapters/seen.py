"""Which versions of a source's files have landed, so that a look does not read them again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.adapters.zone_copy import ZoneCopy

_MOST = 50_000  # entries that are kept, the newest


class Seen:
    """The files of one source that have landed, by the fingerprint their place states (size, time, ETag).

    It lies in the landing zone beside the batches and only saves work: without it every file is read again
    and found to have landed. A file that changes gets another fingerprint and is read again.
    """

    def __init__(self, zone: ZoneCopy, pipeline: str, source: str) -> None:
        """Read what is known.

        Raises:
            Transient: The landing zone does not answer.
        """
        self._zone = zone
        self._key = f"{pipeline}/.seen/{source}.json"
        self._known = _entries(zone.read(self._key))
        self._changed = False

    def landed(self, files: Sequence[Fetched], standing: Collection[str]) -> bool:
        """Say whether every one of ``files`` is a version that landed in a batch of those still standing."""
        found = [self._known.get(f.source) for f in files]
        return bool(files) and all(
            entry and entry[0] == file.listed.fingerprint and entry[1] in standing
            for file, entry in zip(files, found, strict=True)
        )

    def add(self, files: Sequence[Fetched], batch_id: str) -> None:
        """Remember that ``files`` have landed as, or were looked at for, a batch."""
        for file in files:
            entry = (file.listed.fingerprint, batch_id)
            if file.listed.fingerprint and self._known.get(file.source) != entry:
                self._known.pop(file.source, None)
                self._known[file.source] = entry
                self._changed = True

    def save(self) -> None:
        """Write down what was added."""
        if self._changed:
            entries = dict(list(self._known.items())[-_MOST:])
            self._zone.replace(self._key, json.dumps(entries, indent=0).encode())
            self._changed = False


def _entries(content: bytes | None) -> dict[str, tuple[str, str]]:
    """Read the entries; none where they are damaged, as that costs a second look only."""
    try:
        found = json.loads(content or b"{}")
        return {str(k): (str(v[0]), str(v[1])) for k, v in found.items()}
    except (ValueError, AttributeError, LookupError, TypeError):
        return {}
