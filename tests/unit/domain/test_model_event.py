"""Who is in charge follows from the history alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from evenkeel.domain.batch import ModelRef
from evenkeel.domain.model_event import EventKind, ModelEvent, standing

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: EventKind, version: str, champion: str = "", minute: int = 0) -> ModelEvent:
    model = ModelRef(version, f"sha-{version}", f"run-{version}") if version else None
    return ModelEvent("p", kind, version, "gates", "why", START + timedelta(minutes=minute), model, champion)


def promoted(*versions: str) -> list[ModelEvent]:
    return [event(EventKind.PROMOTED, v, v) for v in versions]


def test_nobody_is_in_charge_before_the_first_promotion():
    now = standing([event(EventKind.REGISTERED, "1"), event(EventKind.REFUSED, "1")])

    assert now.champion is None
    assert now.previous is None


def test_a_promotion_makes_the_old_champion_previous():
    now = standing(promoted("1", "2"))

    assert (now.champion.version, now.previous.version) == ("2", "1")


def test_a_reverted_champion_is_never_previous():
    now = standing([*promoted("1", "2", "3"), event(EventKind.REVERTED, "3", "2")])

    assert (now.champion.version, now.previous.version) == ("2", "1")
    assert now.reverted == {"3"}


def test_going_back_further_puts_that_version_in_charge():
    now = standing([*promoted("1", "2", "3"), event(EventKind.REVERTED, "3", "1")])

    assert (now.champion.version, now.previous.version) == ("1", "2")


def test_the_next_promotion_after_a_reversal_stands_on_the_restored_champion():
    now = standing([*promoted("1", "2"), event(EventKind.REVERTED, "2", "1"), *promoted("3")])

    assert (now.champion.version, now.previous.version) == ("3", "1")


@given(st.lists(st.sampled_from(["promote", "revert"]), max_size=30))
def test_a_reverted_version_is_never_in_charge_nor_next_in_line(moves):
    history: list[ModelEvent] = []
    for number, move in enumerate(moves, start=1):
        now = standing(history)
        if move == "promote":
            history += promoted(str(number))
        elif now.champion and now.previous:
            history.append(event(EventKind.REVERTED, now.champion.version, now.previous.version))

    now = standing(history)

    in_line = {m.version for m in (now.champion, now.previous) if m}
    assert not in_line & now.reverted
    assert len(in_line) == sum(m is not None for m in (now.champion, now.previous))
