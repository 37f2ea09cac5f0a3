"""The ledger keeps what happened, and every write can be repeated."""

import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from evenkeel.adapters.ledger import Ledger, tables
from evenkeel.domain.batch import BatchState, Counts, Landing, ModelRef, Pins
from evenkeel.domain.drift import ColumnDrift, DriftVerdict
from evenkeel.domain.incident import Incident
from evenkeel.domain.model_event import EventKind, ModelEvent
from evenkeel.errors import Permanent, Transient

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def landing(batch_id: str, minutes: int = 0) -> Landing:
    return Landing("market", batch_id, (), NOW + timedelta(minutes=minutes))


def pins(version: str) -> Pins:
    return Pins(ModelRef(version, "sha", "run"), None, "config", ("input",), NOW, {"transfer": 1.5})


@pytest.fixture
def ledger(ledger_url):
    opened = Ledger(ledger_url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/ledger.db"
    return request.getfixturevalue("postgresql_url")


def test_batches_come_back_in_the_order_they_landed(ledger):
    ledger.record_landing(landing("w10", minutes=1))
    ledger.record_landing(landing("w2", minutes=0))

    assert [b.batch_id for b in ledger.batches("market")] == ["w2", "w10"]
    assert ledger.batches("other") == []


def test_landing_again_does_not_set_a_batch_back(ledger):
    ledger.record_landing(landing("b"))
    ledger.advance("market", "b", BatchState.PUBLISHED, counts=Counts(landed=5, scored=5), at=NOW)
    ledger.record_landing(landing("b", minutes=9))

    batch = ledger.batch("market", "b")

    assert batch.state is BatchState.PUBLISHED
    assert batch.counts == Counts(landed=5, scored=5)
    assert (batch.landed_at, batch.published_at) == (NOW, NOW)


@pytest.mark.parametrize("final", [BatchState.PUBLISHED, BatchState.HELD])
@pytest.mark.parametrize("state", BatchState)
def test_no_run_takes_a_batch_out_of_its_final_state(ledger, final, state):
    ledger.record_landing(landing("b"))
    assert ledger.advance("market", "b", BatchState.SCORED)
    assert ledger.advance("market", "b", final, counts=Counts(landed=5), held_reason="why")

    moved = ledger.advance("market", "b", state, counts=Counts(landed=6), held_reason="again")

    batch = ledger.batch("market", "b")
    assert moved is (state is final)
    assert batch.state is final
    assert (batch.counts.landed, batch.held_reason) == ((6, "again") if moved else (5, "why"))


def test_a_batch_that_is_not_there_is_not_moved(ledger):
    assert ledger.advance("market", "b", BatchState.SCORED) is False


def test_the_first_pins_win(ledger):
    ledger.record_landing(landing("b"))

    assert ledger.pin("market", "b", pins("1")) == pins("1")
    assert ledger.pin("market", "b", pins("2")) == pins("1")
    assert ledger.batch("market", "b").pins == pins("1")


def test_a_repeated_incident_folds_and_keeps_when_it_opened(ledger):
    def incident(rows: int, opened: datetime) -> Incident:
        return Incident("market", "b", "data.nulls", "impute", f"{rows} cells", {"rows": rows}, opened)

    ledger.open_incident(incident(1, NOW))
    ledger.open_incident(incident(2, NOW + timedelta(hours=1)))

    (kept,) = ledger.incidents("market")
    assert (kept.evidence, kept.response, kept.opened_at) == ({"rows": 2}, "2 cells", NOW)
    assert kept.failure_class == "data"


def test_a_resolved_incident_is_no_longer_open(ledger):
    ledger.open_incident(Incident("market", "b", "data.nulls", "impute", "r", {}, NOW))
    ledger.open_incident(Incident("market", "b", "data.empty", "read", "r", {}, NOW))

    ledger.resolve_incidents(ledger.incidents("market")[:1], at=NOW)

    assert [i.cause for i in ledger.incidents("market", open_only=True)] == ["data.empty"]
    assert len(ledger.incidents("market")) == 2


def test_who_resolved_an_incident_and_why_is_kept_and_it_opens_anew_when_it_shows_again(ledger):
    later = NOW + timedelta(hours=1)
    ledger.open_incident(Incident("market", "b", "data.nulls", "impute", "r", {"rows": 1}, NOW))

    ledger.resolve_incidents(ledger.incidents("market"), at=NOW, said={"resolved_by": "ada"})

    (resolved,) = ledger.incidents("market")
    assert resolved.evidence == {"rows": 1, "resolved_by": "ada"}
    ledger.open_incident(Incident("market", "b", "data.nulls", "impute", "r", {"rows": 2}, later))
    (again,) = ledger.incidents("market", open_only=True)
    assert (again.opened_at, again.evidence) == (later, {"rows": 2})


def test_the_model_history_is_kept_whole_and_says_who_is_in_charge(ledger):
    for version in ("1", "2"):
        ref = ModelRef(version, "sha", "run")
        ledger.add_event(
            ModelEvent(
                "market", EventKind.PROMOTED, version, "gates", "passed", NOW, ref, version, {"gates": []}
            )
        )
    ledger.add_event(
        ModelEvent("market", EventKind.REVERTED, "2", "hand", "worse", NOW, ModelRef("2", "sha", "run"), "1")
    )

    assert [e.kind.value for e in ledger.events("market")] == ["promoted", "promoted", "reverted"]
    assert ledger.standing("market").champion.version == "1"
    assert ledger.standing("market").reverted == {"2"}


def promotion(version: str) -> ModelEvent:
    ref = ModelRef(version, "sha", "run")
    return ModelEvent("market", EventKind.PROMOTED, version, "gates", "passed", NOW, ref, version)


def test_an_event_is_added_only_while_the_champion_is_the_expected_one(ledger):
    assert not ledger.add_event_if(promotion("1"), "7")
    assert ledger.add_event_if(promotion("1"), "")
    assert not ledger.add_event_if(promotion("2"), "")
    assert ledger.add_event_if(promotion("2"), "1")

    assert [e.version for e in ledger.events("market")] == ["1", "2"]


def test_of_promotions_that_race_for_the_same_place_one_wins(ledger, ledger_url):
    ledger.add_event(promotion("1"))
    barrier = threading.Barrier(4)

    def promote(version: int) -> bool:
        own = Ledger(ledger_url)
        own.events("market")  # connected
        barrier.wait()
        won = own.add_event_if(promotion(str(version)), "1")
        own.close()
        return won

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(promote, range(2, 6)))

    assert won.count(True) == 1
    assert [e.version for e in ledger.events("market")] == ["1", str(2 + won.index(True))]


def test_drift_verdicts_come_back_whole_and_a_repeat_replaces(ledger):
    verdict = DriftVerdict((ColumnDrift("price", "wasserstein", 0.4, 0.3, True),), True, 48, "1", "note")

    ledger.record_drift("market", "b1", DriftVerdict((), False, 0, "", "first try"), at=NOW)
    ledger.record_drift("market", "b1", verdict, at=NOW)
    ledger.record_drift("market", "b2", verdict, at=NOW + timedelta(hours=1))

    assert ledger.drift("market") == {"b1": verdict, "b2": verdict}
    assert list(ledger.drift("market", since=NOW)) == ["b2"]


def test_migrating_twice_changes_nothing(ledger):
    ledger.record_landing(landing("b"))
    ledger.migrate()

    assert ledger.batch("market", "b") is not None


@pytest.mark.parametrize("statement", range(1, 9))
def test_a_first_migration_that_is_cut_off_anywhere_is_done_whole_by_the_next(ledger_url, statement):
    cut_off = Ledger(ledger_url)
    done = []

    @sa.event.listens_for(cut_off._database.engine, "before_cursor_execute")
    def _before(_connection, _cursor, words, *_):
        if words.strip().startswith(("CREATE", "INSERT")):
            done.append(words)
            if len(done) == statement:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off.migrate()
    cut_off.close()

    with sa.create_engine(ledger_url).connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    _works(ledger_url)


# The process that this ends has no chance to roll anything back.
KILLED = """
import os, signal, sqlalchemy as sa
from evenkeel.adapters.ledger import Ledger
ledger = Ledger({url!r})
@sa.event.listens_for(ledger._database.engine, "after_cursor_execute")
def _after(_connection, _cursor, words, *_):
    if "incidents" in words and words.strip().startswith("CREATE TABLE"):
        os.kill(os.getpid(), signal.SIGKILL)
ledger.migrate()
"""


def test_a_process_killed_in_the_first_migration_leaves_a_ledger_that_the_next_one_makes(ledger_url):
    killed = subprocess.run([sys.executable, "-c", KILLED.format(url=ledger_url)], check=False)

    assert killed.returncode == -signal.SIGKILL
    _works(ledger_url)


MIGRATED = """
import sys
from evenkeel.adapters.ledger import Ledger
import alembic.command
print("ready", flush=True)
sys.stdin.readline()
Ledger({url!r}).migrate()
"""


def test_first_starts_at_the_same_time_wait_for_each_other(ledger_url):
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATED.format(url=ledger_url)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for start in starts:
        assert start.stdout.readline() == b"ready\n"
    for start in starts:
        start.stdin.write(b"go\n")
        start.stdin.flush()

    assert [start.communicate()[1].decode() for start in starts] == [""] * 4
    _works(ledger_url)


def test_threads_that_migrate_at_the_same_time_wait_for_each_other(ledger_url):
    barrier = threading.Barrier(4)

    def start(_):
        ledger = Ledger(ledger_url)
        barrier.wait()
        ledger.migrate()
        ledger.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    _works(ledger_url)


def _works(url: str) -> None:
    ledger = Ledger(url)
    ledger.migrate()
    ledger.record_landing(landing("b"))
    assert [b.batch_id for b in ledger.batches("market")] == ["b"]
    ledger.close()


def test_the_migrations_make_exactly_the_tables_the_code_uses(ledger):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with ledger._database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": False, "version_table": tables.VERSION_TABLE}
        )
        assert compare_metadata(context, tables.metadata) == []
        assert context.get_current_revision() == tables.REVISION


def test_a_locked_database_is_transient_and_named(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.db?timeout=0"
    ledger = Ledger(url)
    ledger.migrate()
    other = sqlite3.connect(tmp_path / "ledger.db")
    ledger._database.engine.dispose()
    with ledger._database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Transient, match=r"ledger.*locked") as raised:
        ledger.record_landing(landing("b"))
    assert raised.value.cause == "dependency.ledger_down"


def test_a_server_that_is_away_is_transient_and_its_password_stays_out_of_the_message():
    with pytest.raises(Transient) as raised:
        Ledger("postgresql+psycopg://me:hunter2@127.0.0.1:1/evenkeel").migrate()

    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1" in str(raised.value)


def test_a_refused_statement_is_permanent(tmp_path):
    with pytest.raises(Permanent, match="no such table"):
        _never_migrated(tmp_path).add_event(
            ModelEvent("market", EventKind.REQUESTED, "", "drift", "why", NOW)
        )


def _never_migrated(tmp_path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path}/ledger.db")
