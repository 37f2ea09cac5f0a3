"""Open the pinned models, from the local cache or the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.errors import ModelUnusable
from evenkeel.learning.bundle import Bundle, open_bundle
from evenkeel.resilience.degraded import Degraded
from evenkeel.serving.rung import Standby

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import ModelRef


@dataclass(frozen=True)
class Models:
    """The pinned models, each opened or with what kept it away; None where there is none.

    Attributes:
        champion: The model in charge.
        previous: The one before it.
    """

    champion: Standby | None
    previous: Standby | None

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The bundles that could be opened, best first."""
        standing = (m.bundle for m in (self.champion, self.previous) if m)
        return tuple(b for b in standing if isinstance(b, Bundle))

    @property
    def reference(self) -> Bundle | None:
        """The champion's bundle, which drift is measured against; None where it could not be opened."""
        bundle = self.champion.bundle if self.champion else None
        return bundle if isinstance(bundle, Bundle) else None


def open_model(workspace: Workspace, ref: ModelRef) -> Bundle:
    """Open a model version whose digest matches.

    Raises:
        Transient: It is not in the cache and the registry does not answer.
        ModelUnusable: It is missing or altered.
    """
    folder = workspace.registry.fetch(workspace.name, ref)
    return open_bundle(folder, ref.sha256, workspace.pipeline)


def standby(workspace: Workspace, ref: ModelRef | None, opened: Bundle | Degraded | None) -> Standby | None:
    """Put a version on its rung: opened, or what of a damaged copy is whole, or the reason why it could not be."""
    if ref is None or opened is None:
        return None
    if not isinstance(opened, Degraded):
        return Standby(ref.version, opened)
    damaged = workspace.registry.salvage(workspace.name, ref)
    try:
        # Each part is verified when it is loaded, so a damaged model.skops leaves the baseline usable.
        whole = open_bundle(damaged, ref.sha256, workspace.pipeline) if damaged else None
    except ModelUnusable as error:
        return Standby(ref.version, error)
    return Standby(ref.version, whole or ModelUnusable(opened.reason, cause=opened.cause))
