"""A config is either understood whole or refused with file, line, key and the nearest known key."""

from pathlib import Path

import pytest

from evenkeel.errors import UsageError
from evenkeel.settings import load_settings
from evenkeel.settings.load import embedded_folder

MARKET = (embedded_folder() / "configs" / "market.yaml").read_text()


@pytest.fixture
def config(tmp_path: Path):
    """Writes a changed market.yaml and returns its path."""

    def write(old: str = "", new: str = "") -> Path:
        assert old in MARKET
        file = tmp_path / "configs" / "market.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(MARKET.replace(old, new, 1) if old else MARKET)
        return file

    return write


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("false_alarm", "false_alram", ["unknown key 'drift.false_alram'", "did you mean 'false_alarm'?"]),
        ("grid:", "grd:", ["unknown key 'training.candidates.0.grd'", "did you mean 'grid'?"]),
        ("task: binary", "task: binry", ["key 'task'", "'binary', 'multiclass' or 'regression'", "'binry'"]),
        (
            "max_quarantined_share: 0.5",
            "max_quarantined_share: 5",
            ["'quality.max_quarantined_share'", "(found 5)"],
        ),
        ("classes: [DOWN, UP]", "classes: [DOWN]", ["exactly 2 classes for task 'binary', found 1"]),
        ("default: DOWN", "default: SIDE", ["one of target.classes ['DOWN', 'UP'], found 'SIDE'"]),
        (
            "baseline_columns: [price]",
            "baseline_columns: [prise]",
            ["ladder.baseline_columns names ['prise']"],
        ),
        ("columns: [price,", "columns: [direction, price,", ["it would leak"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_fix(config, old, new, expected):
    file = config(old, new)

    with pytest.raises(UsageError) as raised:
        load_settings("market", config_file=file)

    message = str(raised.value)
    assert all(part in message for part in expected), message
    assert str(file) in message
    assert "Fix:" in message
    assert raised.value.exit_code == 2


def test_the_line_of_an_unknown_key_is_named(config):
    file = config("false_alarm", "false_alram")

    with pytest.raises(UsageError, match=f"line {line_of(file.read_text(), 'false_alram')}:"):
        load_settings("market", config_file=file)


def test_a_missing_key_is_named(config):
    with pytest.raises(UsageError, match="key 'time' is missing"):
        load_settings("market", config_file=config("time: settlement\n", ""))


def test_broken_yaml_names_the_line(config):
    with pytest.raises(UsageError, match=r"market\.yaml line \d+: not YAML"):
        load_settings("market", config_file=config("task: binary", "task: [binary"))


def test_an_unknown_pipeline_lists_the_known_ones(monkeypatch, config):
    monkeypatch.setenv("EVENKEEL_CONFIG_DIR", str(config().parent))

    with pytest.raises(UsageError, match=r"unknown pipeline 'markt'.*did you mean 'market'\?"):
        load_settings("markt")


@pytest.mark.parametrize("name", ["../market", "market/../market", "/etc/passwd"])
def test_a_pipeline_name_never_leaves_the_config_folder(monkeypatch, config, name):
    monkeypatch.setenv("EVENKEEL_CONFIG_DIR", str(config().parent))

    with pytest.raises(UsageError, match="unknown pipeline"):
        load_settings(name)


def test_a_config_for_another_pipeline_is_refused(config):
    with pytest.raises(UsageError, match="key pipeline is 'market', expected 'other'"):
        load_settings("other", config_file=config())


def test_the_environment_wins_over_the_file_and_the_file_over_the_profile(monkeypatch, config):
    file = config(
        "pipeline: market", "platform: {lake: {uri: /from/file}, log: {level: debug}}\npipeline: market"
    )
    assert load_settings("market", config_file=file).platform.lake.uri == "/from/file"

    monkeypatch.setenv("EVENKEEL_PLATFORM__LAKE__URI", "/from/environment")
    settings = load_settings("market", config_file=file)

    assert settings.platform.lake.uri == "/from/environment"
    assert settings.platform.log.level == "debug"
    assert settings.platform.log.format == "console", "the profile's sibling key was lost"


def test_an_unknown_key_in_the_environment_is_refused(monkeypatch, config):
    monkeypatch.setenv("EVENKEEL_PLATFORM__LAKE__URL", "x")

    with pytest.raises(UsageError, match=r"environment EVENKEEL_PLATFORM__LAKE__URL.*did you mean 'uri'\?"):
        load_settings("market", config_file=config())


def test_an_unknown_profile_lists_the_known_ones(monkeypatch, config):
    monkeypatch.setenv("EVENKEEL_PROFILE", "productoin")

    with pytest.raises(UsageError, match=r"did you mean 'production'\?"):
        load_settings("market", config_file=config())


def test_the_production_profile_keeps_passwords_out_of_sight(monkeypatch, config):
    monkeypatch.setenv("EVENKEEL_PROFILE", "production")
    monkeypatch.setenv("EVENKEEL_PLATFORM__LEDGER__URL", "postgresql+psycopg://me:hunter2@db/evenkeel")

    settings = load_settings("market", config_file=config())

    assert settings.platform.lake.uri.startswith("s3://")
    assert settings.platform.ledger.url.get_secret_value().endswith("hunter2@db/evenkeel")
    assert "hunter2" not in repr(settings)


def test_home_is_filled_in(monkeypatch, config, tmp_path):
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "state"))

    platform = load_settings("market", config_file=config()).platform

    assert platform.lake.uri == f"{tmp_path}/state/lake"
    assert platform.registry.uri.get_secret_value() == f"sqlite:///{tmp_path}/state/mlflow.db"


def test_the_digest_moves_with_what_decides_answers_only(config):
    plain = load_settings("market", config_file=config()).digest

    assert load_settings("market", config_file=config("timeout: 60", "timeout: 61")).digest != plain
    assert load_settings("market", config_file=config("20 * * * *", "21 * * * *")).digest == plain


def test_settings_are_frozen(config):
    settings = load_settings("market", config_file=config())

    with pytest.raises(Exception, match="frozen"):
        settings.pipeline.task = "regression"
