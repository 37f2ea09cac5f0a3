"""What the pages show works: the example loads, the commands exist, the generated pages are fresh."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from evenkeel.quality.schema import load_schema
from evenkeel.quality.suite import load_suite
from evenkeel.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, starting: str) -> str:
    found = [b for b in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if b.startswith(starting)]
    assert len(found) == 1
    return str(found[0])


def test_the_example_pipeline_loads_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "expectations" / "deliveries").mkdir(parents=True)
    config = tmp_path / "configs" / "deliveries.yaml"
    config.write_text(block("yaml", "pipeline:"))
    (tmp_path / "expectations" / "deliveries" / "schema.yaml").write_text(block("yaml", "schema_type:"))
    (tmp_path / "expectations" / "deliveries" / "suite.json").write_text(block("json", "{"))

    settings = load_settings("deliveries", config_file=config)

    assert set(settings.pipeline.features.columns) < set(load_schema(settings).columns)
    assert json.loads(block("json", "{"))["name"] == settings.name
    load_suite(settings)


def test_every_command_the_readme_names_exists() -> None:
    named = set(re.findall(r"(?:^|`)(?:\w+=\S+ )?evenkeel ([a-z]+)\b", README, re.MULTILINE))
    helped = subprocess.run(
        [sys.executable, "-m", "evenkeel", "--help"], capture_output=True, text=True, check=True
    )

    assert {"land", "run", "label", "retrain", "audit", "report", "backtest"} <= named
    assert named <= set(re.findall(r"^  ([a-z]+) ", helped.stdout, re.MULTILINE))


def test_the_readme_links_to_files_that_are_there() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("generator", sorted((ROOT / "docs").glob("generate_*.py")), ids=lambda p: p.stem)
def test_generated_pages_are_fresh(generator: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(generator), "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
