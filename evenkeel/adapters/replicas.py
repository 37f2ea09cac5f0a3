"""One look at a configured source: its places are tried in order until one has what is sound and fresh.

Going on to the next replica is no retry: each place is asked at most once in a look, and for no longer than
its share of the time that the policy table gives the step. A place that does not answer is left alone for the
rest of the look. Whether the whole look is made again is the policy table's to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from evenkeel.adapters import checksums
from evenkeel.adapters.agreement import Copy, agree, best
from evenkeel.adapters.sources import offered
from evenkeel.errors import DataRejected, EvenkeelError, Transient
from evenkeel.failures.attribution import attribute
from evenkeel.serving.deadline import Deadline, Overdue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from evenkeel.adapters.agreement import Agreement
    from evenkeel.adapters.fetched import Check, Fetched
    from evenkeel.adapters.sources import Asked, Offered
    from evenkeel.settings.sources import Feed, Place

T = TypeVar("T")
_MISSING = "data.file_missing"


@dataclass(frozen=True)
class Finding:
    """Something wrong at a source that a look got over.

    Attributes:
        cause: Cause of the failure catalogue.
        place: Where the place stands in the configuration, as ``sources.main.replicas[0]``.
        said: What was found and what was done, for a person.
        batch: The batch that the rows in question belong to; empty where it is about the place as a whole.
        evidence: Facts; JSON-serialisable.
    """

    cause: str
    place: str
    said: str
    batch: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


class Look:
    """One look at a source and its replicas.

    Attributes:
        findings: What was wrong so far and was got over.
    """

    def __init__(self, source: Feed, asked: Asked, *, now: datetime, patience: float) -> None:
        """Begin a look; nothing is asked yet.

        Args:
            source: The configured source.
            asked: What its places are asked for.
            now: The instant that ages are counted from.
            patience: Seconds that one place may take to list, or to bring one batch.
        """
        self.findings: list[Finding] = []
        self._source = source
        self._now = now
        key = f"sources.{source.name}"
        places = [(key, source), *((f"{key}.replicas[{i}]", r) for i, r in enumerate(source.replicas))]
        self._places = [_Asking(k, place, asked, patience) for k, place in places]

    def offers(self, batch: str | None = None) -> dict[str, tuple[Fetched, ...]]:
        """Return the batches that are there, each as the first place that has it lists it; nothing is read.

        The next place is asked where one does not answer, lacks the batch that is asked for, or has nothing
        fresh; with ``compare: all`` every place is.

        Raises:
            EvenkeelError: No place answers: Transient where one of them may yet.
        """
        found: dict[str, tuple[Fetched, ...]] = {}
        errors: list[EvenkeelError] = []
        for place in self._places:
            try:
                batches = place.offers().batches
            except EvenkeelError as error:
                errors.append(error)
                self._pass_over(place.key, error)
                continue
            found = batches | found
            fresh = not place.place.many or self._is_fresh(place.key, _newest(batches.values()))
            if self._source.compare == "none" and fresh and (batch is None or batch in batches):
                break
        if len(errors) == len(self._places):
            raise _together(errors)
        return found

    def listed(self, batch: str) -> list[Fetched]:
        """Return the files of a batch in every place that has been asked, nothing of them read."""
        return [f for p in self._places if p.answer for f in p.answer.batches.get(batch, ())]

    def findings_of(self, batch: str) -> list[Finding]:
        """Return what was found about the rows of a batch."""
        return [f for f in self.findings if f.batch == batch]

    @property
    def refused(self) -> list[EvenkeelError]:
        """What lies in the places under names that cannot be used."""
        return [error for place in self._places if place.answer for error in place.answer.refused]

    def take(self, batch: str) -> tuple[Fetched, ...]:
        """Bring a batch's files from the first place where they are whole, as stated, and fresh.

        With ``compare: all`` from the place that most agree with. Where none is fresh the freshest is taken,
        its files marked ``stale``.

        Raises:
            EvenkeelError: No place has it: Transient where one of them may yet.
        """
        sound: list[Copy] = []
        late: list[Copy] = []
        errors: list[EvenkeelError] = []
        for place in self._places:
            try:
                copy = self._copy(place, batch)
            except EvenkeelError as error:
                errors.append(error)
                self._pass_over(place.key, error, batch)
                continue
            fresh = place.place.many or self._is_fresh(place.key, copy.modified)
            (sound if fresh else late).append(copy)
            if fresh and self._source.compare == "none":
                break
        if not sound and not late:
            raise _together(errors)
        return self._chosen(sound, late, batch).files

    def _copy(self, place: _Asking, batch: str) -> Copy:
        files = place.offers().batches.get(batch)
        if files is None:
            raise DataRejected(f"{place.key}: has no batch {batch}", cause=_MISSING)
        place.within(partial(_bring_whole, files))
        checked = self._source.checksum == "sidecar" and not place.place.is_database
        for file in files if checked else ():
            checksums.verify(file)
        return Copy(place.key, files, checked)

    def _chosen(self, sound: Sequence[Copy], late: Sequence[Copy], batch: str) -> Copy:
        copies = sound or late
        chosen = copies[0] if sound else best(copies)
        if self._source.compare == "all":
            said = agree(copies)
            chosen = said.chosen
            if said.others:
                self._note_disagreement(said, copies, batch)
        if not sound:
            name = self._source.name
            said_late = "nothing fresher in any place: used, and the answers say so"
            self.findings.append(Finding("data.file_late", chosen.place, said_late, batch, {"stale": name}))
            for file in chosen.files:
                file.stale = name
        return chosen

    def _is_fresh(self, place: str, modified: datetime | None) -> bool:
        """Say whether what was written then is young enough, and note where it is not."""
        limit = self._source.max_age
        if limit is None or modified is None:
            return True
        age = (self._now - modified).total_seconds()
        if age > limit:
            said = f"the newest is {age:.0f} s old, more than the {limit:g} s allowed"
            evidence = {"modified": modified.isoformat(), "age_seconds": round(age)}
            self.findings.append(Finding("data.file_late", place, said, evidence=evidence))
        return age <= limit

    def _note_disagreement(self, said: Agreement, copies: Sequence[Copy], batch: str) -> None:
        others = [c.place for c in said.others]
        if said.outvoted:
            place, what = ", ".join(others), f"outvoted: what {said.chosen.place} holds is used"
        else:
            place, what = ", ".join([said.chosen.place, *others]), f"differ: {said.chosen.place} is used"
        evidence = {c.place: [f.sha256 for f in c.files] for c in copies}
        self.findings.append(Finding("data.sources_disagree", place, what, batch, evidence))

    def _pass_over(self, place: str, error: EvenkeelError, batch: str = "") -> None:
        """Note why a place is passed over; where it is the only one, its error says it all."""
        if len(self._places) == 1:
            return
        cause = attribute(error)
        about = batch if cause.startswith("data.") and cause != _MISSING else ""
        finding = Finding(cause, place, error.message, about, error.evidence)
        self.findings += [] if finding in self.findings else [finding]


class _Asking:
    """One place of a source, asked at most once in a look.

    Attributes:
        key: Where it stands in the configuration.
        place: The place.
        answer: What it offers, once it has been asked.
        down: Why it is left alone for the rest of the look.
    """

    def __init__(self, key: str, place: Place, asked: Asked, patience: float) -> None:
        self.key = key
        self.place = place
        self.answer: Offered | None = None
        self.down: EvenkeelError | None = None
        self._asked = asked
        self._patience = patience

    def offers(self) -> Offered:
        """Return what the place offers; raises what it raised before where it did not answer."""
        if self.down:
            raise self.down
        if self.answer is None:
            try:
                self.answer = self.within(lambda _check: offered(self.place, self.key, self._asked))
            except EvenkeelError as error:
                self.down = error
                raise
        return self.answer

    def within(self, work: Callable[[Check], T]) -> T:
        """Do what may hang for no longer than the place's share of the time.

        Raises:
            Transient: It took longer; the place is left alone from then on.
        """
        deadline = Deadline(self._patience)
        try:
            return deadline.run(lambda: work(deadline.check))
        except Overdue:
            self.down = Transient(
                f"{self.key}: gave no whole answer within {self._patience:g} s",
                fix="see why it is slow, or raise platform.policies.source.timeout",
                cause="dependency.source_down",
            )
            raise self.down from None


def _bring_whole(files: Sequence[Fetched], check: Check) -> None:
    """Bring files here and read them through; one of no known format is told now, when another copy may do."""
    for file in files:
        file.bring(check)
        _ = file.sha256, file.format


def _newest(batches: Iterable[tuple[Fetched, ...]]) -> datetime | None:
    return max((t for files in batches for f in files if (t := f.listed.modified)), default=None)


def _together(errors: Sequence[EvenkeelError]) -> EvenkeelError:
    """Return the one error that stands for those of every place: one that may pass, if any may."""
    first = next((e for e in errors if isinstance(e, Transient)), errors[0])
    if len(errors) == 1:
        return first
    message = "; ".join(dict.fromkeys(e.message for e in errors))
    return type(first)(message, fix=first.fix, cause=first.cause, evidence=first.evidence)
