"""Open the pinned models, from the local cache or the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.domain.batch import ModelRef
from evenkeel.learning.bundle import Bundle, open_bundle
from evenkeel.resilience.degraded import Degraded

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace


@dataclass(frozen=True)
class Models:
    """The pinned models: each a bundle, what kept it away, or None where there is none.

    Attributes:
        champion: The model in charge.
        previous: The one before it.
    """

    champion: Bundle | Degraded | None
    previous: Bundle | Degraded | None

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The bundles that could be opened, best first."""
        return tuple(m for m in (self.champion, self.previous) if isinstance(m, Bundle))


def open_model(workspace: Workspace, ref: ModelRef) -> Bundle:
    """Open a model version whose digest matches.

    Raises:
        Transient: It is not in the cache and the registry does not answer.
        ModelUnusable: It is missing or altered.
    """
    folder = workspace.registry.fetch(workspace.name, ref)
    return open_bundle(folder, ref.sha256, workspace.pipeline)
