"""Joining through the stages: what is wrong with a delivery is told, and no revision is worse than what it replaces."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest

from evenkeel.adapters.lake import Lake, Table
from evenkeel.domain.batch import BatchState
from evenkeel.errors import Transient
from evenkeel.stages.deliver import land_joined
from evenkeel.stages.land import land_files
from evenkeel.stages.revise import reopen
from tests.unit.stages.shop import HEAT, MAIN, WEATHER, Shop


def test_cells_that_cannot_be_read_are_told(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.deliver("w", HEAT.assign(heat=["10", "warm", "30"]))

    assert "data.column_retyped" in shop.run()["one"]

    assert shop.evidence("data.column_retyped") == {"weather.heat": 1}
    assert shop.accepted("one")["heat"].isna().tolist() == [False, True, False]
    assert shop.breaches() == []


def test_rows_of_one_delivery_that_contradict_each_other_are_told(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.deliver("w", pd.concat([HEAT, HEAT.assign(heat=[10.0, 21.0, 30.0])]))

    assert "data.sources_disagree" in shop.run()["one"]

    assert shop.evidence("data.sources_disagree") == {"weather": 1}
    assert shop.accepted("one")["heat"].tolist() == [10, 21, 30]


def test_a_later_delivery_corrects_an_earlier_one_without_a_word(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.deliver("w1", HEAT)
    shop.deliver("w2", HEAT.assign(heat=[10.0, 21.0, 30.0]))

    assert "data.sources_disagree" not in shop.run()["one"]

    assert shop.accepted("one")["heat"].tolist() == [10, 21, 30]


def test_lines_and_keys_of_a_delivery_that_cannot_be_used_are_told(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.deliver("w", "id,heat\n1,10\n2,20,7,8\nthree,30\n")

    causes = shop.run()["one"]

    assert {"data.unreadable_lines", "data.invalid_value", "data.source_late"} <= causes
    assert [len(names) for names in shop.accepted("one")["stale"]] == [0, 1, 1]
    assert shop.breaches() == []


def test_a_column_that_is_named_twice_is_no_traceback(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.deliver("w", "id,id,heat\n1,1,10\n")

    assert "data.not_the_format" in shop.run()["one"]
    assert shop.workspace.ledger.batch("shop", "one").state is BatchState.PUBLISHED


def test_a_batch_whose_key_column_is_there_twice_is_held(shop: Shop) -> None:
    file = shop.home / "files" / "one.csv"
    file.parent.mkdir(parents=True)
    file.write_text("id,id,at,x\n1,1,2026-01-01,1\n")
    land_files(shop.workspace, [str(file)], "one")
    shop.deliver("w", HEAT)

    shop.run()

    assert shop.workspace.ledger.batch("shop", "one").state is BatchState.HELD


def test_a_column_that_both_bring_is_taken_from_the_source_that_is_to_bring_it(shop: Shop) -> None:
    shop.land(MAIN, "before")
    shop.deliver("w", HEAT)
    shop.run()
    shop.land(MAIN.assign(id=[1, 2, 3], x=[4.0, 5.0, 6.0], heat=-1.0), "one")

    assert "data.column_added" in shop.run()["one"]

    assert shop.accepted("one")["heat"].tolist() == [10, 20, 30]
    assert shop.breaches() == []


def test_later_deliveries_do_not_take_from_a_batch_what_it_had(shop: Shop) -> None:
    shop.configure({"deliveries": 1})
    shop.land(MAIN, "one")
    shop.deliver("w1", HEAT.head(2))
    shop.run()
    shop.deliver("w2", HEAT.tail(1))

    assert "one" in shop.run()

    assert shop.accepted("one")["heat"].tolist() == [10, 20, 30]
    shop.deliver("w3", HEAT.assign(id=[7, 8, 9]))
    assert shop.run() == {}, "it lacks nothing any more"
    reopen(shop.workspace, "one")
    shop.run()
    assert shop.accepted("one")["heat"].tolist() == [10, 20, 30]
    assert shop.breaches() == []


def test_a_revision_keeps_the_instant_of_the_first_answer(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.run()
    first = shop.workspace.ledger.batch("shop", "one").pins
    shop.deliver("w", HEAT)
    shop.later = timedelta(hours=1)

    shop.run()

    second = shop.workspace.ledger.batch("shop", "one").pins
    assert (second.revision, second.as_of, second.champion) == (2, first.as_of, first.champion)


@pytest.mark.parametrize("name", ["stage", "cause", "response"])
def test_a_source_may_bear_the_name_of_a_part_of_an_incident(shop: Shop, name: str) -> None:
    shop.configure({"name": name})
    shop.land(MAIN, "one")

    assert "data.source_late" in shop.run()["one"]


@pytest.fixture
def crashed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that was killed while it answered a batch again, after its rows and before its answers."""
    shop.land(pd.concat([MAIN, MAIN.assign(id=["4", "five", "6"])]), "one")
    shop.run()
    shop.deliver("w", HEAT)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.run()
    assert shop.accepted("one")["heat"].notna().any()
    return shop


def test_the_earlier_answers_stand_while_a_revision_is_under_way(crashed: Shop) -> None:
    assert crashed.breaches() == []

    crashed.run()

    assert crashed.accepted("one")["heat"].tolist()[:3] == [10, 20, 30]
    assert crashed.breaches() == []


def test_a_revision_that_is_refused_after_a_crash_leaves_nothing_of_itself(crashed: Shop) -> None:
    crashed.configure({}, quality={"max_quarantined_share": 0})

    crashed.run()

    assert crashed.workspace.ledger.batch("shop", "one").state is BatchState.PUBLISHED
    assert crashed.accepted("one")["heat"].isna().all()
    crashed.configure({})
    assert crashed.breaches() == []


def test_a_required_source_that_brought_nothing_to_be_used_holds_the_batch(shop: Shop) -> None:
    shop.configure({"required": True})
    shop.land(MAIN, "one")
    shop.deliver("w", HEAT.rename(columns={"heat": "hitze"}))

    assert "data.column_missing" in shop.run()["one"]

    assert shop.workspace.ledger.batch("shop", "one").state is BatchState.HELD
    assert shop.breaches() == []


def test_a_row_that_hides_what_it_lacks_is_found(shop: Shop) -> None:
    shop.land(MAIN, "one")
    shop.deliver("w", HEAT.head(1))
    shop.run()
    lake = shop.workspace.lake
    for table in (Table.ACCEPTED, Table.PREDICTIONS):
        rows = pa.Table.from_pandas(lake.read("shop", table), preserve_index=False)
        column = rows.schema.get_field_index("stale")
        hidden = pa.array([[]] * len(rows), pa.list_(pa.string()))
        lake.replace_batch("shop", table, "one", rows.set_column(column, "stale", hidden))

    (breach,) = shop.breaches()

    assert (breach.promise, breach.what) == (
        "P3",
        "2 rows that name other stale sources than those they lack: 2, 3",
    )


def test_what_is_wrong_at_one_source_is_told_while_another_does_not_answer(shop: Shop) -> None:
    away = WEATHER | {"name": "rain", "uri": "http://127.0.0.1:9/rain.csv", "columns": ["x"]}
    shop.configure({}, enrichments=[away, WEATHER])
    folder = shop.home / "weather"
    folder.mkdir(parents=True)
    (folder / "odd name.csv").write_text("id,heat\n1,10\n")
    shop.land(MAIN.drop(columns="x"), "one")

    looked = land_joined(shop.workspace)

    assert [finding.place for finding in looked.findings] == ["enrichments.weather"]
    with pytest.raises(Transient):
        looked.check_answered()
