"""Where batches come from, as ``sources`` of a pipeline's file states it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from evenkeel.settings.platform import Section

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class Place(Section):
    """One place that holds a copy of a source: files, or the rows of a database.

    Attributes:
        uri: For files, a path or ``http(s)://`` or ``s3://`` URL that may hold ``*`` (every match is a batch
            named by its stem) or ``{batch}``. For SQL, an SQLAlchemy URL; its password comes from the
            environment as ``${VAR}``.
        query: For SQL, a SELECT that may hold ``:batch``.
        table: For SQL, a whole table instead of a query.
    """

    uri: str
    query: str | None = None
    table: str | None = None

    @property
    def many(self) -> bool:
        """Whether every match of a ``*`` is a batch of its own."""
        return "*" in self.uri and not self.is_database

    @property
    def is_database(self) -> bool:
        """Whether its rows come from a database."""
        return self.query is not None or self.table is not None


class LastKnownGood(Section):
    """What stands in for a source that cannot be had in any place.

    Attributes:
        max_staleness: Seconds since it landed; an older copy stands in for nothing.
    """

    max_staleness: float = Field(gt=0)


class Feed(Place):
    """A source and its replicas: how it is fetched, checked and, where no place has it, stood in for.

    Attributes:
        name: The source's name.
        batch_format: For ``{batch}`` and ``:batch``, the strftime pattern of the scheduled time.
        replicas: Further places that hold the same, tried in order where the one before cannot be had, is
            not fresh, or does not match its checksum.
        max_age: Seconds; where what is newest in a place (the newest file, or the newest row of a query by
            the pipeline's ``time``) is older, the next replica is tried. Where all are older the freshest is
            used, and its answers say so. An age that no place tells is no reason to go on.
        checksum: ``sidecar``: a file counts only if it matches the sum its source states, in a
            ``FILE.sha256`` or ``FILE.md5`` beside it, else in a header (``Content-MD5``, ``Digest``,
            ``Content-Digest``, the ETag of an S3 object) where that is a sum of the content.
        compare: ``all``: every place is asked, and what most say is used; of two that differ the one with a
            checksum, then the freshest, then the first.
        last_known_good: What stands in where no place has it.
    """

    name: Name = "main"
    batch_format: str = "%Y-%m-%d"
    replicas: tuple[Place, ...] = ()
    max_age: float | None = Field(default=None, gt=0)
    checksum: Literal["none", "sidecar"] = "none"
    compare: Literal["none", "all"] = "none"
    last_known_good: LastKnownGood | None = None

    @model_validator(mode="after")
    def _replicas_are_of_one_kind(self) -> Self:
        for number, replica in enumerate(self.replicas):
            if replica.many != self.many:
                raise ValueError(
                    f"replicas[{number}].uri and uri must both hold a * or neither:"
                    " each match of a * is a batch of its own"
                )
        if self.compare == "all" and not self.replicas:
            raise ValueError("compare: all needs replicas to compare with")
        places: tuple[Place, ...] = (self, *self.replicas)
        if self.checksum == "sidecar" and all(place.is_database for place in places):
            raise ValueError("checksum: sidecar belongs to files: a database states no checksum")
        return self


class Source(Feed):
    """Where batches come from: a file, folder glob, ``http(s)://``, ``s3://`` or a database query.

    Attributes:
        snapshot: Whether every batch holds the same entities whole (all customers, all machines), so that an
            earlier batch may stand in for one that did not come.
    """

    snapshot: bool = False

    @model_validator(mode="after")
    def _only_a_snapshot_stands_in(self) -> Self:
        if self.last_known_good and not self.snapshot:
            raise ValueError(
                "last_known_good belongs to a snapshot: an earlier batch's rows are no answer for this one's;"
                " set snapshot: true if every batch holds the same entities whole"
            )
        if self.snapshot and self.many:
            raise ValueError("snapshot needs a batch that its schedule names: {batch} in uri, not *")
        return self
