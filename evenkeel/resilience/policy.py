"""The policy table: how a call to each dependency is retried, limited and, where it cannot be had, gone without."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from evenkeel.errors import ModelUnusable, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.settings.platform import Policies, PolicyNumbers


class Dependency(StrEnum):
    """What a step touches; the only thing a step says about failure."""

    SOURCE = "source"
    LANDING = "landing"
    LAKE = "lake"
    LEDGER = "ledger"
    REGISTRY = "registry"
    COMPUTE = "compute"
    MONITORING = "monitoring"


class Fallback(StrEnum):
    """What stands in when a dependency cannot be had after all attempts."""

    NONE = "none"
    GO_WITHOUT = "go without"
    NEVER_STOP = "never stop"


@dataclass(frozen=True)
class Policy:
    """How failure of one dependency is met: fallback(retry(timeout(call))).

    Attributes:
        attempts: Calls in all, the first included.
        delays: Seconds before each further call: doubling, bounded; the caller adds full jitter.
        timeout: Seconds one attempt may take.
        fallback: What happens when all attempts failed.
    """

    attempts: int
    delays: tuple[float, ...]
    timeout: float
    fallback: Fallback

    def retries_on(self, error: BaseException) -> bool:
        """Say whether ``error`` may pass when the call is made again: only what an adapter named transient."""
        return isinstance(error, Transient)

    def goes_without(self, error: BaseException) -> bool:
        """Say whether the run goes on without what the call should have brought."""
        if self.fallback is Fallback.GO_WITHOUT:
            return isinstance(error, Transient | ModelUnusable | TimeoutError)
        return self.fallback is Fallback.NEVER_STOP


# Without a source what has landed is still scored; without the registry the ladder answers from what is
# cached or from the next rung; what only watches (drift, artifacts) never stops a batch, whatever it meets.
_FALLBACKS = MappingProxyType(
    {
        Dependency.SOURCE: Fallback.GO_WITHOUT,
        Dependency.REGISTRY: Fallback.GO_WITHOUT,
        Dependency.MONITORING: Fallback.NEVER_STOP,
    }
)


def policy_table(numbers: Policies) -> Mapping[Dependency, Policy]:
    """Return the one mapping from dependency to policy, its numbers from the settings."""
    return MappingProxyType(
        {d: _policy(getattr(numbers, d.value), _FALLBACKS.get(d, Fallback.NONE)) for d in Dependency}
    )


def _policy(numbers: PolicyNumbers, fallback: Fallback) -> Policy:
    delays = tuple(min(numbers.first_delay * 2**i, numbers.max_delay) for i in range(numbers.attempts - 1))
    return Policy(attempts=numbers.attempts, delays=delays, timeout=numbers.timeout, fallback=fallback)
