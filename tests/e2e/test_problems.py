"""Other problems than the market, set up as a user would: classes, numbers, every kind of column, every format."""

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from deltalake import DeltaTable

from evenkeel.adapters.lake import Table
from evenkeel.audit.audit import audit
from evenkeel.bootstrap import open_workspace
from evenkeel.cli.engine import run_flow
from evenkeel.settings import load_settings
from evenkeel.stages.label import take_labels
from evenkeel.stages.land import land_files

ROWS = 100
LEARNED = 4  # batches that are labelled before the retrain, each in another format
GAPS = 0.04

# What DESIGN section 4 says must be there besides the row key.
PROMISED = {
    Table.ACCEPTED: {"batch_id", "imputed", "stale", "repaired", "original"},
    Table.QUARANTINE: {"batch_id", "raw", "reasons"},
    Table.PREDICTIONS: {
        *("batch_id", "prediction", "confidence", "rung", "arm", "model_version", "imputed", "stale"),
        "repaired",
        *("needs_review", "rule_overrides", "revision", "run_id", "scored_at"),
    },
    Table.LABELS: {"label", "arrived_at"},
}


@dataclasses.dataclass(frozen=True)
class Problem:
    """A user's pipeline with a source of batches."""

    config: dict
    schema: dict
    batch: Callable[[int], pd.DataFrame]
    spoiled: dict
    candidates: str

    @property
    def name(self):
        return self.config["pipeline"]

    @property
    def key(self):
        return self.config["row_key"]

    @property
    def target(self):
        return self.config["target"]["column"]

    def rows(self, number):
        return self.batch(number).drop(columns=[self.target])

    def labels(self, number):
        return self.batch(number)[[*self.key, self.target]]


def _apples(number):
    """Make a morning's apples: their grade follows sugar, water and variety."""
    random = np.random.default_rng([1, number])
    variety = random.choice(["fuji", "gala", "pink lady"], ROWS)
    irrigated = random.random(ROWS) < 0.5
    sugar = random.normal(12, 2, ROWS)
    worth = sugar + 2 * irrigated + 2 * (variety == "fuji") + random.normal(0, 0.3, ROWS)
    frame = pd.DataFrame(
        {
            "tree": np.arange(ROWS) + number * 1000,
            "picked": pd.date_range(f"2026-03-{number + 1:02}", periods=ROWS, freq="5min", tz="UTC"),
            "sugar": sugar.round(3),
            "height": random.normal(3, 0.5, ROWS).round(3),
            "weight": pd.array(random.integers(90, 200, ROWS), dtype="Int64"),
            "variety": variety,
            "irrigated": pd.array(irrigated, dtype="boolean"),
        }
    )
    gapped = _gaps(frame, ["sugar", "height", "weight", "variety", "irrigated"], random)
    return gapped.assign(grade=pd.cut(worth, [-99, 12.5, 14.5, 99], labels=["A", "B", "C"]).astype(str))


def _river(number):
    """Make two stations' hours of a river: flow follows level and rain where the gate is open."""
    random = np.random.default_rng([2, number])
    times = pd.date_range(f"2026-05-{2 * number + 1:02}", periods=ROWS // 2, freq="h", tz="UTC")
    level, rain = random.normal(4, 1, ROWS), random.gamma(1, 2, ROWS)
    gate = random.random(ROWS) < 0.7
    frame = pd.DataFrame(
        {
            "station": np.repeat([7, 9], ROWS // 2),
            "at": np.tile(times, 2),
            "level": level.round(3),
            "rain": rain.round(3),
            "temperature": random.normal(12, 4, ROWS).round(2),
            "gate_open": pd.array(gate, dtype="boolean"),
            "bank": random.choice(["sand", "rock"], ROWS),
        }
    )
    # Nothing of its own batch comes before this row: the last known value is an earlier batch's.
    frame.loc[ROWS // 2, ["level", "gate_open"]] = None
    gapped = _gaps(frame, ["level", "rain", "temperature", "gate_open", "bank"], random)
    return gapped.assign(flow=(10 * level + 3 * rain * gate + random.normal(0, 1, ROWS)).round(3))


def _gaps(frame, columns, random):
    frame = frame.astype(dict.fromkeys(frame.select_dtypes("object").columns, object))
    for column in columns:
        frame[column] = frame[column].mask(random.random(ROWS) < GAPS)
    return frame


def _column(dtype, *, needed=False, **checks):
    return {"dtype": dtype, "nullable": not needed, "required": needed, "checks": checks}


_TIME = "datetime64[ns, UTC]"
APPLES = Problem(
    config={
        "pipeline": "apples",
        "task": "multiclass",
        "target": {"column": "grade", "classes": ["A", "B", "C"], "default": "C"},
        "row_key": ["tree"],
        "time": "picked",
        "features": {"columns": ["sugar", "height", "weight", "variety", "irrigated"], "calendar": ["hour"]},
        "impute": {
            "columns": {
                "sugar": {"strategy": "knn"},
                "height": {"strategy": "iterative"},
                "weight": {"strategy": "median"},
                "variety": {"strategy": "most_frequent"},
                "irrigated": {"strategy": "constant", "fill_value": "false"},
            }
        },
        "ladder": {"baseline_columns": ["sugar"], "heuristic": {"kind": "prior"}},
    },
    schema={
        "tree": _column("int64", needed=True),
        "picked": _column(_TIME, needed=True),
        "sugar": _column("float64", in_range={"min_value": 0, "max_value": 40}),
        "height": _column("float64"),
        "weight": _column("int64"),
        "variety": _column("str", isin=["fuji", "gala", "pink lady"]),
        "irrigated": _column("bool"),
    },
    batch=_apples,
    spoiled={"sugar": 400.0},
    candidates='[{"estimator": "random_forest", "grid": {"n_estimators": [20]}}]',
)
RIVER = Problem(
    config={
        "pipeline": "river",
        "task": "regression",
        "target": {"column": "flow", "default": 40.0},
        "row_key": ["station", "at"],
        "time": "at",
        "features": {"columns": ["level", "rain", "temperature", "gate_open", "bank"]},
        "impute": {
            "columns": {
                "level": {"strategy": "last_known_good"},
                "rain": {"strategy": "constant", "fill_value": 0.0},
                "gate_open": {"strategy": "last_known_good"},
                "bank": {"strategy": "constant", "fill_value": "unknown"},
            }
        },
        "ladder": {
            "baseline_columns": ["level"],
            "heuristic": {"kind": "seasonal", "season": ["hour"]},
        },
    },
    schema={
        "station": _column("int64", needed=True),
        "at": _column(_TIME, needed=True),
        "level": _column("float64", in_range={"min_value": -5, "max_value": 15}),
        "rain": _column("float64", ge=0),
        "temperature": _column("float64"),
        "gate_open": _column("bool"),
        "bank": _column("str"),
    },
    batch=_river,
    spoiled={"level": 900.0},
    candidates='[{"estimator": "hist_gradient_boosting"}, {"estimator": "linear"}]',
)


class Played:
    """A problem from nothing to a champion's answers.

    The first batch is answered by the heuristic; four are labelled; then a model is trained; the last batch,
    with gaps and one row out of range, is answered by it.
    """

    def __init__(self, problem, folder):
        self.problem = problem
        self.folder = folder
        self.settings = load_settings(problem.name)
        self.workspace = open_workspace(self.settings)
        for number, write in enumerate((_parquet, _jsonl, _csv_gz, _csv)):
            self._land(write(problem.rows(number), folder / f"b{number}"))
        self.first = run_flow("score", self.settings)
        for number, write in enumerate((_csv, _parquet, _jsonl, _csv_gz)):
            self._label(write(problem.labels(number), folder / f"labels{number}"))
        self.training = run_flow("retrain", self.settings, force=True)
        last = problem.rows(LEARNED)
        for column, value in problem.spoiled.items():
            last.loc[0, column] = value
        self._land(_parquet(last, folder / "last"))
        self.last = run_flow("score", self.settings)

    def _land(self, file):
        land_files(self.workspace, [str(file)], None)

    def _label(self, file):
        report = take_labels(self.workspace, str(file))
        assert (report.known, report.early, report.refused) == (ROWS, 0, 0), report

    def read(self, table, batch=None):
        return self.workspace.lake.read(self.problem.name, table, batch_id=batch)


@pytest.fixture(scope="module", params=[APPLES, RIVER], ids=lambda p: p.name)
def played(prefect_server, request, tmp_path_factory):
    problem, folder = request.param, tmp_path_factory.mktemp(request.param.name)
    expectations = folder / "expectations" / problem.name
    expectations.mkdir(parents=True)
    (folder / "configs").mkdir()
    (folder / "configs" / f"{problem.name}.yaml").write_text(yaml.safe_dump(problem.config))
    schema = {"schema_type": "dataframe", "columns": problem.schema}
    (expectations / "schema.yaml").write_text(yaml.safe_dump(schema, sort_keys=False))
    suite = {"name": problem.name, "expectations": []}
    (expectations / "suite.json").write_text(json.dumps(suite))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENKEEL_CONFIG_DIR", str(folder / "configs"))
        patch.setenv("EVENKEEL_HOME", str(folder / "home"))
        patch.setenv("EVENKEEL_TRAINING__MIN_ROWS", "200")
        patch.setenv("EVENKEEL_TRAINING__CANDIDATES", problem.candidates)
        patch.setenv("EVENKEEL_GATES__MAX_CALIBRATION_ERROR", "0.5")  # a hundred rows say little of it
        yield Played(problem, folder)


def test_every_format_gives_every_row_its_answer(played):
    for number in range(LEARNED):
        counts = played.first[f"b{number}"]
        assert (counts["state"], counts["scored"], counts["quarantined"]) == ("published", ROWS, 0)
    answers = played.read(Table.PREDICTIONS)
    assert set(answers.loc[answers["batch_id"] != "last", "rung"]) == {"heuristic"}


def test_every_format_gives_the_values_that_were_sent(played):
    for number in range(LEARNED):
        _same_values(played, played.read(Table.ACCEPTED, f"b{number}"), played.problem.rows(number))


def test_what_was_learned_is_promoted_and_better_than_the_heuristic(played):
    assert played.training["promoted"], played.training
    run = played.workspace.ledger.standing(played.problem.name).champion.run_id
    metrics = _mlflow(played).get_run(run).data.metrics
    if played.problem is APPLES:
        assert metrics["accuracy"] > metrics["heuristic_accuracy"]
    else:
        assert metrics["mean_absolute_error"] < metrics["heuristic_mean_absolute_error"]


def test_the_champion_answers_the_next_batch_in_the_target_s_own_terms(played):
    answers = played.read(Table.PREDICTIONS, "last")
    truth = played.problem.labels(LEARNED)
    both = answers.merge(truth, on=played.problem.key)

    assert set(answers["rung"]) == {"champion"}
    assert len(answers) == len(both) == ROWS - 1
    assert answers["confidence"].between(0, 1).all()
    if played.problem is APPLES:
        assert len(set(answers["confidence"])) > 1
        assert set(answers["prediction"]) == {"A", "B", "C"}
        assert (both["prediction"] == both["grade"]).mean() > 0.6
    else:
        assert answers["prediction"].dtype == float
        assert (both["prediction"] - both["flow"]).abs().mean() < 0.6 * truth["flow"].std()


def test_the_row_out_of_range_is_refused_with_its_reason(played):
    (column,) = played.problem.spoiled
    (refused,) = played.read(Table.QUARANTINE, "last").to_dict("records")

    (reason,) = refused["reasons"]
    assert reason["column"] == column
    assert reason["check"].startswith("in_range")
    key = played.problem.rows(LEARNED)[played.problem.key].iloc[0]
    raw = json.loads(refused["raw"])
    assert str(raw[played.problem.key[0]]) == str(key.iloc[0])


def test_every_gap_is_filled_by_its_strategy_and_told(played):
    sent = played.problem.rows(LEARNED).set_index(played.problem.key).iloc[1:]
    accepted = played.read(Table.ACCEPTED, "last").set_index(played.problem.key).loc[sent.index]
    features = played.problem.config["features"]["columns"]

    told = pd.DataFrame({c: [c in names for names in accepted["imputed"]] for c in features}, sent.index)
    pd.testing.assert_frame_equal(told, sent[features].isna(), check_dtype=False)
    assert told.any().all(), "every column had a gap to fill"
    assert accepted[features].notna().all().all()
    for column, impute in played.problem.config["impute"]["columns"].items():
        filled = accepted.loc[told[column], column]
        if impute["strategy"] == "constant":
            value = impute["fill_value"]
            assert set(filled) == {False if value == "false" else value}
        if impute["strategy"] == "last_known_good":
            carried = sent[column].iloc[np.argsort(sent.index.get_level_values("at"), kind="stable")].ffill()
            assert carried.isna().sum() == 1, "one gap before any value of the batch"
            carried = carried.fillna(_newest_known(played, column)).loc[filled.index]
            assert filled.tolist() == carried.tolist()


def test_it_audits_clean(played):
    findings = audit(played.workspace)

    assert findings.breaches == []
    assert findings.notes == []
    assert findings.rows == {
        "landed": (LEARNED + 1) * ROWS,
        "scored": (LEARNED + 1) * ROWS - 1,
        "quarantined": 1,
        "held": 0,
        "pending": 0,
    }


def test_anyone_s_delta_reader_sees_the_promised_columns(played):
    for table, promised in PROMISED.items():
        delta = DeltaTable(str(played.settings.home / "lake" / played.problem.name / table.value))
        schema = delta.to_pyarrow_table().schema
        assert promised | set(played.problem.key) <= set(schema.names)
        if table is Table.ACCEPTED:
            assert set(played.problem.config["features"]["columns"]) <= set(schema.names)
        if table is Table.QUARANTINE:
            assert [f.name for f in schema.field("reasons").type.value_type] == ["column", "check", "value"]
        else:
            assert schema.field(played.problem.key[0]).type == pa.int64()
        for column in {"prediction", "label"} & set(schema.names):
            text = played.problem is APPLES
            assert schema.field(column).type == (pa.string() if text else pa.float64())


def _newest_known(played, column):
    known = played.read(Table.ACCEPTED, f"b{LEARNED - 1}").dropna(subset=[column])
    return known.sort_values(["at", "station"])[column].iloc[-1]


def _same_values(played, accepted, sent):
    """Compare what is in the lake with what was sent, gaps included (there was no imputer yet)."""
    key = played.problem.key
    columns = played.problem.config["features"]["columns"]
    accepted, sent = (f.set_index(key)[columns].sort_index() for f in (accepted, sent))
    for column in columns:
        was, now = (f[column].astype("string").replace({"<NA>": pd.NA}) for f in (sent, accepted))
        if played.problem.schema[column]["dtype"] in {"float64", "int64"}:
            was, now = was.astype("Float64"), now.astype("Float64")
        pd.testing.assert_series_equal(now, was, check_index_type=False)


def _parquet(frame, path):
    frame.to_parquet(path.with_suffix(".parquet"), index=False)
    return path.with_suffix(".parquet")


def _jsonl(frame, path):
    frame.to_json(path.with_suffix(".jsonl"), orient="records", lines=True, date_format="iso")
    return path.with_suffix(".jsonl")


def _csv(frame, path):
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def _csv_gz(frame, path):
    frame.to_csv(path.with_suffix(".csv.gz"), index=False)
    return path.with_suffix(".csv.gz")


def _mlflow(played):
    from mlflow import MlflowClient

    uri = f"sqlite:///{played.settings.home / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
