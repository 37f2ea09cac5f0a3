"""Bad input: one line that names the file or key and the fix, exit code 2, and nothing written."""

import hashlib
import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from evenkeel.adapters.lake import Table
from evenkeel.cli.app import main
from evenkeel.settings.load import embedded_folder
from evenkeel.stages.label import newest_labels, take_labels
from evenkeel.stages.train import gather_examples
from tests.e2e.market import DAYS, LEARNED, NAME, Market

NEXT = LEARNED


@pytest.fixture
def files(tmp_path):
    """A folder of files as a person may name them."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "empty.csv").write_bytes(b"")
    (folder / "rows.xlsx").write_bytes(b"PK")
    (folder / "garbage.parquet").write_bytes(b"\x00\x01\x02 no parquet at all")
    (folder / "garbage.jsonl").write_bytes(b"{not json\n")
    (folder / "garbage.csv.gz").write_bytes(b"not gzip")
    day = DAYS[NEXT]
    day.labels.to_csv(folder / "labels.csv", index=False)
    day.labels.drop(columns=["direction"]).to_csv(folder / "no_target.csv", index=False)
    day.labels.drop(columns=["settlement"]).to_csv(folder / "no_key.csv", index=False)
    day.rows.to_csv(folder / "rows.csv", index=False)
    day.rows.assign(direction="UP").to_csv(folder / "history.csv", index=False)
    return folder


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """A copy of the project's own configs and expectations, to be spoiled."""
    for part in ("configs", "expectations"):
        shutil.copytree(embedded_folder() / part, tmp_path / part)
    monkeypatch.setenv("EVENKEEL_CONFIG_DIR", str(tmp_path / "configs"))
    return tmp_path / "configs"


@pytest.fixture
def fresh_home(_own_home, tmp_path):
    """Return the home that this test's commands use; it is not there yet."""
    return tmp_path / "home"


@pytest.fixture
def command(monkeypatch):
    """Run the command line in this process and return its exit code."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0

    return run


@pytest.fixture
def refused(command, capsys):
    """Run a command that must be refused and return the one line it says."""

    def run(*words):
        assert command(*words) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert "Traceback" not in said.err
        assert " Fix: " in said.err
        return said.err

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("land", NAME, "{files}/absent.csv"), "absent.csv"),
        (("land", NAME, "{files}/empty.csv"), "empty.csv"),
        (("land", NAME, "{files}"), "/files"),
        (("land", NAME, "{files}/rows.xlsx"), "rows.xlsx"),
        (("land", NAME, "{files}/rows.csv", "{files}/absent.csv"), "absent.csv"),
        (("land", NAME, "{files}/rows.csv", "--batch", "../up"), "'../up'"),
        (("land", NAME, "{files}/rows.csv", "--batch", DAYS[0].batch_id), DAYS[0].batch_id),
        (("land", "markte", "{files}/rows.csv"), "did you mean 'market'?"),
        (("run", "markte"), "did you mean 'market'?"),
        (("run", "../market"), "'../market'"),
        (("run", NAME, "--config", "{files}/absent.yaml"), "absent.yaml"),
        (("label", NAME, "{files}/absent.csv"), "absent.csv"),
        (("label", NAME, "{files}/empty.csv"), "empty.csv"),
        (("label", NAME, "{files}"), "/files"),
        (("label", NAME, "{files}/garbage.parquet"), "garbage.parquet"),
        (("label", NAME, "{files}/garbage.jsonl"), "garbage.jsonl"),
        (("label", NAME, "{files}/garbage.csv.gz"), "garbage.csv.gz"),
        (("label", NAME, "{files}/no_target.csv"), "'direction'"),
        (("label", NAME, "{files}/no_key.csv"), "'settlement'"),
        (("backtest", NAME, "{files}/absent.csv"), "absent.csv"),
        (("backtest", NAME, "{files}/rows.csv"), "'direction'"),
        (("audit", "markte"), "did you mean 'market'?"),
        (("report", NAME, "--data-docs", "2031-01-01"), "2031-01-01"),
        (("report", NAME, "--drift", "2031-01-01"), "2031-01-01"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(market, files, refused, words, named):
    before = _state(market)

    error = refused(*(w.format(files=files) for w in words))

    assert named in error
    assert _state(market) == before


def test_a_batch_that_neither_landed_nor_is_offered_by_a_source_is_refused(market, refused):
    before, batches = market.table_versions(), market.workspace().ledger.batches(NAME)

    assert "no batch '2031-01-01' has landed" in refused("run", NAME, "--batch", "2031-01-01")

    assert market.table_versions() == before
    assert market.workspace().ledger.batches(NAME) == batches


@pytest.mark.parametrize(
    "words", [("land", NAME, "{files}/absent.csv"), ("label", NAME, "{files}/no_key.csv"), ("run", "markte")]
)
def test_a_refusal_leaves_a_new_home_without_batches(new_market, files, refused, words):
    refused(*(w.format(files=files) for w in words))

    # A ledger without a row in it is all there may be.
    assert {f.name.split("-")[0] for f in new_market.home.rglob("*")} <= {"ledger.db"}
    assert new_market.workspace().ledger.batches(NAME) == []


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (("time: settlement", "tiem: settlement"), "unknown key 'tiem'"),
        (("min_rows: 300", "min_rwos: 300"), "unknown key 'training.min_rwos'; did you mean 'min_rows'?"),
        (("timeout: 60", "timeout: soon"), "'ladder.timeout'"),
        (("task: binary", "task: ternary"), "'task'"),
        (("default: DOWN", "default: SIDEWAYS"), "target.default"),
        (("pipeline: market", "pipeline: mercado"), "'mercado'"),
        (("task: binary", "task: [binary"), "not YAML"),
    ],
)
def test_a_config_that_cannot_be_is_refused_before_anything_is_made(
    configs, fresh_home, refused, spoil, named
):
    file = configs / "market.yaml"
    text = file.read_text()
    assert spoil[0] in text
    file.write_text(text.replace(*spoil))

    error = refused("run", NAME)

    assert "market.yaml" in error
    assert named in error
    assert not fresh_home.exists()


def test_an_unknown_profile_is_refused_before_anything_is_made(fresh_home, monkeypatch, refused):
    monkeypatch.setenv("EVENKEEL_PROFILE", "locla")

    error = refused("run", NAME)

    assert "EVENKEEL_PROFILE='locla'" in error
    assert "did you mean 'local'?" in error
    assert not fresh_home.exists()


def test_a_typo_in_the_environment_is_refused_before_anything_is_made(fresh_home, monkeypatch, refused):
    monkeypatch.setenv("EVENKEEL_TRAINING__MIN_RWOS", "300")

    error = refused("run", NAME)

    assert "EVENKEEL_TRAINING__MIN_RWOS" in error
    assert not fresh_home.exists()


@pytest.mark.parametrize("name", ["land", "run"])
def test_a_schema_that_names_a_column_the_data_lacks_is_refused(configs, files, fresh_home, refused, name):
    market = Market(fresh_home)
    if name == "run":
        market.land(0)
    _require(configs, "wind_speed")
    before = _state(market)

    error = refused(name, NAME, *([f"{files}/rows.csv"] if name == "land" else []))

    assert "has no column 'wind_speed'" in error
    assert "schema.yaml" in error
    assert "columns.wind_speed" in error
    assert _state(market) == before


def test_a_schema_that_lacks_a_feature_is_refused(configs, files, refused):
    file = configs.parent / "expectations" / NAME / "schema.yaml"
    schema = yaml.safe_load(file.read_text())
    del schema["columns"]["demand"]
    file.write_text(yaml.safe_dump(schema))

    error = refused("land", NAME, f"{files}/rows.csv")

    assert "schema.yaml" in error
    assert "'demand'" in error


def test_a_missing_schema_is_refused(configs, files, refused):
    (configs.parent / "expectations" / NAME / "schema.yaml").unlink()

    assert "schema.yaml" in refused("land", NAME, f"{files}/rows.csv")


def test_a_backtest_needs_its_section(configs, files, market, refused):
    file = configs / "market.yaml"
    file.write_text("".join(x for x in file.read_text().splitlines(True) if not x.startswith("backtest")))
    before = _state(market)

    error = refused("backtest", NAME, f"{files}/history.csv")

    assert "market.yaml: key 'backtest' is missing" in error
    assert _state(market) == before


def test_a_process_of_its_own_says_the_same(market, files):
    ended = subprocess.run(
        [sys.executable, "-m", "evenkeel", "land", NAME, f"{files}/absent.csv"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1


def test_help_loads_nothing_heavy():
    script = """
import sys
sys.argv = ["evenkeel", "--help"]
from evenkeel.cli.app import main
try:
    main()
except SystemExit:
    pass
heavy = {"pandas", "prefect", "mlflow", "sklearn", "numpy", "deltalake", "sqlalchemy", "pandera"}
print(sorted(heavy & set(sys.modules)))
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "Batch predictions" in said
    assert said.splitlines()[-1] == "[]"


def test_labels_for_rows_not_seen_yet_are_kept_and_used_once_the_rows_come(
    new_market, files, command, capsys
):
    assert command("label", NAME, f"{files}/labels.csv", "--json") == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said == {"taken": 48, "known": 0, "early": 48, "refused": 0, "new": True}
    assert len(gather_examples(new_market.workspace()).target) == 0

    new_market.land(NEXT)
    new_market.run()

    examples = gather_examples(new_market.workspace())
    assert examples.target.tolist() == DAYS[NEXT].labels["direction"].tolist()


def test_the_same_label_file_twice_changes_nothing(market, files):
    first = take_labels(market.workspace(), f"{files}/labels.csv")
    before = market.table_versions()

    again = take_labels(market.workspace(), f"{files}/labels.csv")

    assert (first.new, first.taken) == (True, 48)
    assert (again.new, again.taken) == (False, 0)
    assert market.table_versions() == before


def test_a_corrected_label_wins(market, files):
    take_labels(market.workspace(), f"{files}/labels.csv")
    labels = DAYS[NEXT].labels
    corrected = labels.head(1).assign(direction=labels["direction"].head(1).map({"UP": "DOWN", "DOWN": "UP"}))
    corrected.to_csv(files / "corrected.csv", index=False)

    take_labels(market.workspace(), f"{files}/corrected.csv")

    known = newest_labels(market.workspace()).set_index("settlement")["label"]
    key = pd.Timestamp(labels["settlement"].iloc[0])
    assert known[key] == corrected["direction"].iloc[0]
    assert len(known) == 48 * (LEARNED + 1)


def test_labels_that_cannot_be_are_counted_and_left_out(market, files):
    labels = DAYS[NEXT].labels.copy()
    labels.loc[0, "direction"] = "SIDEWAYS"
    labels.loc[1, "direction"] = None
    labels.loc[2, "settlement"] = "yesterday"
    labels.to_csv(files / "mixed.csv", index=False)

    report = take_labels(market.workspace(), f"{files}/mixed.csv")

    assert (report.taken, report.refused) == (45, 3)
    assert len(market.read(Table.LABELS)) == 48 * LEARNED + 45


def _require(configs, column):
    file = configs.parent / "expectations" / NAME / "schema.yaml"
    schema = yaml.safe_load(file.read_text())
    schema["columns"][column] = {"dtype": "float64", "nullable": True, "required": True}
    file.write_text(yaml.safe_dump(schema))


def _state(market):
    """Return every file's digest, the ledger's by its rows: opening it touches its bytes."""
    digests = {
        str(f.relative_to(market.home)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in market.home.rglob("*")
        if f.is_file() and not f.name.startswith(("ledger.db", "mlflow.db"))
    }
    ledger = market.workspace().ledger
    return digests, ledger.batches(NAME), ledger.incidents(NAME), ledger.events(NAME)
