"""The whole error taxonomy on one screen: adapters translate vendor errors into these, nothing above sees others."""

from __future__ import annotations

from typing import Any, ClassVar, Self


class EvenkeelError(Exception):
    """An error with a message for a person, the fix, and the failure-catalogue cause it stands for.

    Attributes:
        message: One line: what was found and what was expected, naming file, key or row.
        fix: One line: what to do about it; empty where there is nothing a person can do.
        cause: A cause of the failure catalogue, as ``data.unit_change``; empty lets the stage decide.
        evidence: Facts worth keeping with the incident; JSON-serialisable.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str, *, fix: str = "", cause: str = "", evidence: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.cause = cause
        self.evidence = evidence or {}

    def __str__(self) -> str:
        return f"{self.message} Fix: {self.fix}" if self.fix else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Prefect pickles exceptions between processes; keyword-only arguments need help to survive that.
        return (_rebuild, (type(self), self.message, self.fix, self.cause, self.evidence))

    @classmethod
    def rebuild(cls, message: str, fix: str, cause: str, evidence: dict[str, Any]) -> Self:
        """Make the error again from its parts, as unpickling does."""
        return cls(message, fix=fix, cause=cause, evidence=evidence)


def _rebuild(
    kind: type[EvenkeelError], message: str, fix: str, cause: str, evidence: dict[str, Any]
) -> EvenkeelError:
    return kind.rebuild(message, fix, cause, evidence)


class UsageError(EvenkeelError):
    """The person's input or configuration is wrong; nothing was written. Exit code 2."""

    exit_code: ClassVar[int] = 2


class Transient(EvenkeelError):  # noqa: N818 - the words of the policy table
    """A dependency failed in a way that may pass: worth a retry."""


class Permanent(EvenkeelError):  # noqa: N818 - the words of the policy table
    """A failure that the same call would meet again: never retried."""


class DataRejected(EvenkeelError):  # noqa: N818 - the words of the policy table
    """A batch that nothing trustworthy can be said about: it is held, whole."""


class ModelUnusable(Permanent):
    """A model that cannot be trusted to answer: missing, altered, unreviewed types, wrong output."""
