"""The lake: batches replaced, predictions published once, labels added once, whoever else is writing."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

from evenkeel.adapters.lake import Lake, Table
from evenkeel.errors import Permanent, UsageError

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def predictions(batch: str, answers: list[str], revision: int = 1) -> pa.Table:
    n = len(answers)
    texts = pa.list_(pa.string())
    return pa.table(
        {
            "id": pa.array([f"{batch}-{i}" for i in range(n)], pa.string()),
            "batch_id": pa.array([batch] * n, pa.string()),
            "prediction": pa.array(answers, pa.string()),
            "confidence": pa.array([0.9] * n, pa.float64()),
            "rung": pa.array(["champion"] * n, pa.string()).dictionary_encode(),
            "arm": pa.array(["champion"] * n, pa.string()),
            "model_version": pa.array(["3"] * n, pa.string()),
            "imputed": pa.array([["x"] if i % 2 else [] for i in range(n)], texts),
            "stale": pa.array([[]] * n, texts),
            "repaired": pa.array([[]] * n, texts),
            "needs_review": pa.array([False] * n, pa.bool_()),
            "rule_overrides": pa.array([[]] * n, texts),
            "revision": pa.array([revision] * n, pa.int32()),
            "run_id": pa.array(["r"] * n, pa.string()),
            "scored_at": pa.array([AT] * n, pa.timestamp("ns", tz="UTC")),
        }
    )


def accepted(batch: str, values: list[float], **more: list[object]) -> pa.Table:
    n = len(values)
    texts = pa.list_(pa.string())
    return pa.table(
        {
            "id": pa.array(range(n)),
            "batch_id": [batch] * n,
            "x": pa.array(values, pa.float64()),
            "imputed": pa.array([[]] * n, texts),
            "stale": pa.array([[]] * n, texts),
            "repaired": pa.array([[]] * n, texts),
            "original": pa.nulls(n, pa.string()),
            **more,
        }
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_predictions_come_back_as_they_were_published(lake: Lake) -> None:
    assert lake.publish("market", "b1", predictions("b1", ["UP", "DOWN"]), revision=1)
    frame = lake.read("market", Table.PREDICTIONS, batch_id="b1")
    assert frame["prediction"].tolist() == ["UP", "DOWN"]
    assert frame["imputed"].tolist() == [[], ["x"]]
    assert frame["rung"].tolist() == ["champion"] * 2
    assert frame["scored_at"].tolist() == [pd.Timestamp(AT)] * 2
    assert str(frame["revision"].dtype) == "int32"
    assert lake.published("market", "b1") == 1
    assert lake.published("market", "b2") is None


def test_a_revision_is_published_once_and_only_a_higher_one_replaces_it(lake: Lake) -> None:
    first = predictions("b1", ["UP", "DOWN"])
    assert lake.publish("market", "b1", first, revision=1)
    assert lake.publish("market", "b2", predictions("b2", ["UP"]), revision=1)
    assert not lake.publish("market", "b1", predictions("b1", ["DOWN"]), revision=1)
    assert lake.publish("market", "b1", predictions("b1", ["DOWN"], 2), revision=2)
    assert not lake.publish("market", "b1", first, revision=1)
    assert lake.counts("market", Table.PREDICTIONS) == {"b1": 1, "b2": 1}
    assert lake.published("market", "b1") == 2


def test_a_batch_without_accepted_rows_is_published_too(lake: Lake) -> None:
    assert lake.publish("market", "b1", predictions("b1", []), revision=1)
    assert lake.published("market", "b1") == 1
    assert not lake.publish("market", "b1", predictions("b1", []), revision=1)
    assert lake.read("market", Table.PREDICTIONS).empty


def test_replacing_a_batch_leaves_the_others_alone(lake: Lake) -> None:
    lake.replace_batch("market", Table.ACCEPTED, "b1", accepted("b1", [1.0, 2.0]))
    lake.replace_batch("market", Table.ACCEPTED, "b2", accepted("b2", [3.0]))
    for _ in range(2):
        lake.replace_batch("market", Table.ACCEPTED, "b1", accepted("b1", [9.0]), metadata={"run_id": "r"})
    assert lake.counts("market", Table.ACCEPTED) == {"b1": 1, "b2": 1}
    assert lake.batches("market", Table.ACCEPTED) == ["b1", "b2"]
    frame = lake.read("market", Table.ACCEPTED, columns=["x"], batch_ids=["b1", "b2"])
    assert sorted(frame["x"]) == [3.0, 9.0]
    assert lake.read("market", Table.ACCEPTED, filters=[("x", ">", 5)])["batch_id"].tolist() == ["b1"]
    assert lake.read("market", Table.ACCEPTED, batch_ids=[]).empty


def test_a_new_feature_column_is_added_and_old_rows_have_none_of_it(lake: Lake) -> None:
    lake.replace_batch("market", Table.ACCEPTED, "b1", accepted("b1", [1.0]))
    lake.replace_batch("market", Table.ACCEPTED, "b2", accepted("b2", [2.0], wind=[7.5]))
    lake.replace_batch("market", Table.ACCEPTED, "b3", accepted("b3", [3.0]))
    frame = lake.read("market", Table.ACCEPTED).set_index("batch_id")["wind"]
    assert frame.dropna().to_dict() == {"b2": 7.5}
    assert "wind" in lake.columns("market", Table.ACCEPTED)


def test_a_column_that_is_all_null_at_first_takes_its_type_when_it_has_one(lake: Lake) -> None:
    lake.replace_batch("market", Table.ACCEPTED, "b1", accepted("b1", [1.0], open=[None]))
    assert lake.read("market", Table.ACCEPTED, columns=["x", "open"])["open"].isna().all()
    lake.replace_batch("market", Table.ACCEPTED, "b2", accepted("b2", [2.0], open=[True]))
    frame = lake.read("market", Table.ACCEPTED, columns=["open", "batch_id"]).set_index("batch_id")
    assert frame.loc["b2", "open"] is True
    assert pd.isna(frame.loc["b1", "open"])


def test_quarantined_rows_keep_their_reasons(lake: Lake) -> None:
    reasons = [[{"column": "x", "check": "in_range", "value": "-1"}], []]
    kind = pa.list_(pa.struct([(n, pa.string()) for n in ("column", "check", "value")]))
    rows = pa.table(
        {"id": ["1", None], "batch_id": ["b"] * 2, "raw": ["{}", "{}"], "reasons": pa.array(reasons, kind)}
    )
    lake.replace_batch("market", Table.QUARANTINE, "b", rows)
    frame = lake.read("market", Table.QUARANTINE, batch_id="b")
    assert frame["reasons"].tolist() == reasons
    assert frame["id"].tolist() == ["1", None]


def test_the_labels_of_a_file_are_added_once(lake: Lake) -> None:
    labels = pa.table({"id": [1, 2], "label": ["UP", "DOWN"], "arrived_at": [AT, AT]})
    assert lake.append_labels("market", labels, file_sha256="aa")
    assert not lake.append_labels("market", labels, file_sha256="aa")
    assert lake.append_labels("market", labels.slice(1), file_sha256="bb")
    assert lake.read("market", Table.LABELS)["source_sha256"].tolist().count("aa") == 2
    assert len(lake.read("market", Table.LABELS)) == 3


def test_what_was_never_written_reads_as_empty_with_its_columns(lake: Lake) -> None:
    frame = lake.read("market", Table.PREDICTIONS)
    assert frame.empty
    assert {"prediction", "rung", "revision", "batch_id"} <= set(frame.columns)
    assert list(lake.read("market", Table.ACCEPTED, columns=["x", "id"]).columns) == ["x", "id"]
    assert not lake.exists("market", Table.LABELS)
    assert lake.counts("market", Table.LABELS) == {}
    assert lake.columns("market", Table.LABELS) == []


def test_rows_that_do_not_belong_are_refused_before_anything_is_written(lake: Lake) -> None:
    with pytest.raises(ValueError, match="rows of batch 'b2' among those of 'b1'"):
        lake.publish("market", "b1", predictions("b2", ["UP"]), revision=1)
    with pytest.raises(ValueError, match=r"columns \['rung'\] are missing"):
        lake.publish("market", "b1", predictions("b1", ["UP"]).drop_columns("rung"), revision=1)
    with pytest.raises(UsageError, match="cannot be used"):
        lake.publish("market", "b' OR 1=1", predictions("b", []), revision=1)
    assert not lake.exists("market", Table.PREDICTIONS)


def test_a_column_of_another_type_is_refused_for_good(lake: Lake) -> None:
    lake.replace_batch("market", Table.ACCEPTED, "b1", accepted("b1", [1.0]))
    odd = accepted("b2", [1.0]).drop_columns("x").append_column("x", pa.array([["no", "number"]]))
    with pytest.raises(Permanent, match="market/accepted"):
        lake.replace_batch("market", Table.ACCEPTED, "b2", odd)
    assert lake.batches("market", Table.ACCEPTED) == ["b1"]


def _publish_at_once(uri: str, number: int, start: object, outcome: object) -> None:
    start.wait()
    outcome.put(Lake(uri).publish("market", "b1", predictions("b1", [str(number)] * 3), revision=1))


def test_processes_that_race_to_publish_a_batch_publish_it_once(tmp_path: Path) -> None:
    uri, racers = str(tmp_path / "lake"), 3
    context = multiprocessing.get_context("spawn")
    start, outcome = context.Barrier(racers), context.Queue()
    processes = [
        context.Process(target=_publish_at_once, args=(uri, n, start, outcome)) for n in range(racers)
    ]
    for process in processes:
        process.start()
    published = [outcome.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(published) == [False, False, True]
    assert Lake(uri).counts("market", Table.PREDICTIONS) == {"b1": 3}
    assert Lake(uri).read("market", Table.PREDICTIONS)["prediction"].unique().size == 1


def test_many_batches_leave_a_short_log_to_replay(lake: Lake, tmp_path: Path) -> None:
    for number in range(45):
        lake.publish("market", f"b{number}", predictions(f"b{number}", ["UP"]), revision=1)
    log = tmp_path / "lake/market/predictions/_delta_log"
    newest = max(int(p.name[:20]) for p in log.glob("*.checkpoint.parquet"))
    assert newest >= 30
    assert len(lake.counts("market", Table.PREDICTIONS)) == 45
