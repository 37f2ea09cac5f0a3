"""Fill ``${VAR}`` in a configured URL from the environment, where secrets are kept."""

from __future__ import annotations

import os
import re

from evenkeel.errors import UsageError

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill_secrets(text: str, *, where: str) -> str:
    """Return ``text`` with every ``${VAR}`` replaced by that environment variable.

    Args:
        text: A configured value.
        where: The key it stands under, for the message.

    Raises:
        UsageError: A variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match.group(1))
        if found is None:
            raise UsageError(
                f"{where}: environment variable {match.group(1)} is not set",
                fix=f"set {match.group(1)} before running",
            )
        return found

    return _REFERENCE.sub(value, text)
