"""Model events stand between the right batches, and the strip under them tells who was in charge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from evenkeel.report.data import BatchLine, EventLine
from evenkeel.report.history import marks, reigns

START = datetime(2026, 3, 1, tzinfo=UTC)
BATCHES = [BatchLine(f"b{i}", "published", START + timedelta(hours=i)) for i in range(20)]


def event(kind: str, version: str, hour: float, champion: str = "") -> EventLine:
    return EventLine(START + timedelta(hours=hour), kind, version, "gates", "because", champion)


def test_an_event_stands_after_the_last_batch_that_was_done_before_it() -> None:
    before, between, after = marks(
        BATCHES, [event("refused", "1", -1), event("promoted", "2", 4.5, "2"), event("reverted", "2", 99)]
    )

    assert (before.kind, before.x) == ("refused", 0)
    assert (between.kind, between.x) == ("promoted", 25)
    assert (after.kind, after.x) == ("reverted", 100)
    assert between.note == "version 2 promoted by gates: because"


def test_only_what_changes_or_refuses_a_champion_is_marked() -> None:
    assert marks(BATCHES, [event("requested", "", 1), event("registered", "1", 1)]) == ()


def test_events_at_one_place_share_a_mark_and_a_reversal_outweighs() -> None:
    (mark,) = marks(
        BATCHES, [event("promoted", "2", 4.1), event("reverted", "2", 4.2), event("refused", "3", 4.3)]
    )

    assert mark.kind == "reverted"
    assert mark.note.count(";") == 2


def test_the_strip_names_each_champion_for_as_long_as_it_was_in_charge() -> None:
    strip = reigns(
        BATCHES,
        [
            event("promoted", "1", 4.5, "1"),
            event("refused", "2", 6, "1"),
            event("promoted", "3", 9.5, "3"),
            event("reverted", "3", 14.5, "1"),
        ],
    )

    assert [(r.version, r.x, r.width) for r in strip] == [
        ("", 0, 25),
        ("1", 25, 25),
        ("3", 50, 25),
        ("1", 75, 25),
    ]


def test_a_champion_for_no_batch_takes_no_room() -> None:
    strip = reigns(BATCHES, [event("promoted", "1", -2, "1"), event("promoted", "2", -1, "2")])

    assert [(r.version, r.width) for r in strip] == [("2", 100)]
