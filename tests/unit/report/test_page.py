"""The page: one file, safe to open, and its numbers are the data's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from evenkeel.report.data import BatchLine, EventLine, IncidentLine, PromiseLine, ReportData
from evenkeel.report.page import CHARTED, LISTED, render

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)> ' style=background:url(//evil)"


class Page(HTMLParser):
    """The parsed page: elements that were opened, their attributes, its text, and what was not closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.unclosed: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        self.words = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.unclosed.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def report(**facts: Any) -> ReportData:
    batches = [
        BatchLine("2026-03-01", "published", START, 48, 46, 2, 0, 3, {"heuristic": 46}, metric=0.5),
        BatchLine(
            "2026-03-02",
            "published",
            START + timedelta(days=1),
            1000,
            1000,
            per_rung={"champion": 990, "baseline": 10},
            drift_statistic=1.4,
            drift_threshold=1.0,
            drifted=True,
        ),
        BatchLine("2026-03-03", "held", START + timedelta(days=2), 50, held=50),
    ]
    given = {
        "pipeline": "market",
        "description": "Direction of the price",
        "task": "binary",
        "metric_name": "accuracy",
        "higher_is_better": True,
        "champion": "1",
        "generated_at": START + timedelta(days=3, hours=4),
        "batches": batches,
        "events": [
            EventLine(START + timedelta(hours=1), "promoted", "1", "gates", "all 6 gates passed", "1")
        ],
        "incidents": [
            IncidentLine(
                "data.unit_change", "validate", "2026-03-03", "held", START, evidence={"ratio": 1000}
            )
        ],
        "audit": [
            PromiseLine("P1", "Nothing lost, nothing doubled", kept=True, detail="1,098 rows recounted")
        ],
    }
    return ReportData(**(given | facts))


def test_the_page_states_where_every_row_ended(tmp_path: Path) -> None:
    page = Page(render(report(), tmp_path / "out" / "report.html"))

    for said in (
        "Champion now version 1",
        "Batches 3 2 published, 1 held",
        "Rows landed 1,098 1,046 answered (95.3%)",
        "Rows not answered 52 2 quarantined, 50 held",
        "Answered by the champion 94.6% 56 by a lower rung",
        "Drifted batches 1 of 1 measured",
        "Open incidents 1 of 1 in all",
        "every promise kept",
        "as of 2026-03-04 04:00 UTC",
        "data.unit_change",
    ):
        assert said in page.words


def test_the_page_is_whole_and_asks_nothing_of_the_network(tmp_path: Path) -> None:
    page = Page(render(report(), tmp_path / "report.html"))

    assert page.unclosed == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "xlink:href", "srcset", "action"}
    assert "url(" not in page.source
    assert "@import" not in page.source
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_hostile_text_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    hostile = report(
        pipeline=EVIL,
        description=EVIL,
        metric_name=EVIL,
        champion=EVIL,
        batches=[
            BatchLine(EVIL, EVIL, START, 9, 9, per_rung={EVIL: 9}, metric=0.5, metric_by_rung={EVIL: 0.5})
        ],
        events=[EventLine(START, kind, EVIL, EVIL, EVIL, EVIL) for kind in ("promoted", "refused")],
        incidents=[IncidentLine(EVIL, EVIL, EVIL, EVIL, START, evidence={EVIL: [EVIL]})],
        audit=[PromiseLine(EVIL, EVIL, kept=False, detail=EVIL)],
    )
    page = Page(render(hostile, tmp_path / "report.html"))

    assert page.unclosed == []
    assert not page.tags & {"script", "img"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    styles = [value for name, value in page.attributes if name == "style"]
    assert all(re.fullmatch(r"(left|top|width|margin)[-:0-9. a-z%;]*", style) for style in styles)
    assert page.text.count("<script>alert(1)</script>") > 15


def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    page = Page(render(report(description="caf\udce9.csv"), tmp_path / "report.html"))

    assert "caf\\udce9.csv" in page.words


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        ((), "not audited"),
        ([PromiseLine("P1", "a", kept=True), PromiseLine("P6", "b", kept=None)], "every promise kept"),
        ([PromiseLine("P1", "a", kept=False), PromiseLine("P2", "b", kept=True)], "promise broken: P1"),
    ],
)
def test_the_headline_is_the_audits(tmp_path: Path, audit: Any, said: str) -> None:
    assert said in Page(render(report(audit=audit), tmp_path / "report.html")).words


def test_a_pipeline_that_never_ran_has_a_page_too(tmp_path: Path) -> None:
    nothing = report(champion="", batches=(), events=(), incidents=(), audit=())
    page = Page(render(nothing, tmp_path / "report.html"))

    assert page.unclosed == []
    assert "No batch has landed yet." in page.words
    assert "Champion now none yet" in page.words


def test_years_of_batches_make_a_page_that_still_opens(tmp_path: Path) -> None:
    many = [
        replace(report().batches[0], batch_id=f"b{i:05}", at=START + timedelta(hours=i)) for i in range(3000)
    ]
    incidents = [IncidentLine("data.nulls", "validate", b.batch_id, "imputed", b.at) for b in many]
    path = render(report(batches=many, incidents=incidents), tmp_path / "report.html")
    page = Page(path)

    assert f"Charts show the newest {CHARTED} of 3,000 batches." in page.words
    assert f"The newest {LISTED} of 3,000 incidents." in page.words
    assert "Rows landed 144,000" in page.words  # the totals are over all of them
    assert "b02999" in page.words
    assert "b00001" not in page.words
    assert path.stat().st_size < 1_000_000


def test_the_page_is_the_same_for_the_same_data(tmp_path: Path) -> None:
    first = render(report(), tmp_path / "a.html").read_bytes()

    assert render(report(), tmp_path / "b.html").read_bytes() == first
