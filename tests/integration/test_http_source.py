"""Sources behind a real HTTP server: whole files land, and every way a server fails is told apart."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters import file_systems
from evenkeel.adapters.landing import LandingZone
from evenkeel.adapters.sources import fetch_files
from evenkeel.errors import DataRejected, EvenkeelError, Permanent, Transient, UsageError
from tests import servers
from tests.looking import look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = b"id,x\n" + b"1,2\n" * 1000


def _sum(name: str, algorithm: str = "sha256") -> bytes:
    """Return the sum that is stated of a file: another one where its name says it is wrong."""
    return hashlib.new(algorithm, ROWS[1:] if "wrong" in name else ROWS).digest()


class _Handler(BaseHTTPRequestHandler):
    stop = threading.Event()

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2].partition("?")[0]
        if name.startswith("status-"):
            self.send_response(int(name[7:10]))
            self.send_header("Retry-After", "7")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if name.endswith((".sha256", ".md5")):
            known = name.startswith("sidecar") and name.endswith(".sha256")
            self.send_response(200 if known else 404)
            self.end_headers()
            if known:
                self.wfile.write(_sum(name).hex().encode())
            return
        self.send_response(200)
        if name.startswith("modified"):
            hour = "02" if "old" in name else "11"
            self.send_header("Last-Modified", f"Thu, 01 Jan 2026 {hour}:59:00 GMT")
        if name.startswith("digest"):
            self.send_header("Digest", "sha-256=" + base64.b64encode(_sum(name)).decode())
        if name.startswith("content-md5"):
            self.send_header("Content-MD5", base64.b64encode(_sum(name, "md5")).decode())
        if not name.startswith("unsized"):
            self.send_header("Content-Length", str(len(ROWS) * (2 if name.startswith("half") else 1)))
        self.end_headers()
        self.wfile.write(ROWS)
        if "hangs" in name and not self.stop.wait(3):
            with contextlib.suppress(OSError):  # the client has given up, as it should
                self.wfile.write(ROWS)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    _Handler.stop.set()
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("name", ["2026-01-01.csv", "unsized.csv"])
def test_a_file_lands_byte_for_byte_without_its_secrets(server: str, name: str, tmp_path: Path) -> None:
    zone = LandingZone(str(tmp_path), max_bytes=10**6)
    landing = zone.land("market", "b", fetch_files([f"{server}/{name}?token=s3cret"])).landing
    assert zone.fetch(landing)[0][1].read_bytes() == ROWS
    assert landing.files[0].source == f"{server}/{name}?***"
    assert landing.files[0].name.endswith(name)


@pytest.mark.parametrize(
    ("name", "kind", "cause"),
    [
        ("status-404.csv", UsageError, "data.file_missing"),
        ("status-403.csv", Permanent, "dependency.source_refuses"),
        ("status-410.csv", Permanent, "dependency.source_refuses"),
        ("status-429.csv", Transient, "dependency.source_down"),
        ("status-500.csv", Transient, "dependency.source_down"),
        ("status-503.csv", Transient, "dependency.source_down"),
        ("half.csv", Transient, "dependency.source_down"),
    ],
)
def test_a_failing_server_is_worth_a_retry_or_not(
    server: str, name: str, kind: type[EvenkeelError], cause: str
) -> None:
    url = server.replace("http://", "http://me:hunter2@")
    with pytest.raises(EvenkeelError) as caught:
        fetch_files([f"{url}/{name}?token=s3cret"])
    assert type(caught.value) is kind
    assert caught.value.cause == cause
    assert name in str(caught.value)
    assert not {"hunter2", "s3cret"} & set(str(caught.value).replace("@", ":").replace("=", ":").split(":"))


def test_a_server_that_says_when_to_come_back_is_heard(server: str) -> None:
    with pytest.raises(Transient) as caught:
        fetch_files([f"{server}/status-429.csv"])
    assert caught.value.evidence == {"status": 429, "retry_after": "7"}


def test_nobody_there_is_worth_a_retry() -> None:
    with pytest.raises(Transient) as caught:
        fetch_files(["http://127.0.0.1:9/x.csv"])
    assert caught.value.cause == "dependency.source_down"


def test_a_server_that_stops_talking_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "READ_SECONDS", 0.3)
    with pytest.raises(Transient):
        fetch_files([f"{server}/half-hangs.csv"])


def test_more_than_allowed_is_not_downloaded(server: str) -> None:
    with pytest.raises(UsageError, match="larger than the 100 bytes allowed"):
        fetch_files([f"{server}/x.csv"], max_bytes=100)


def test_a_schedule_finds_its_file_or_says_it_is_missing(server: str, tmp_path: Path) -> None:
    [file] = look(tmp_path, "2026-01-02", uri=f"{server}/{{batch}}.csv").take("2026-01-02")
    assert (file.name, file.size) == ("2026-01-02.csv", len(ROWS))
    with pytest.raises(DataRejected) as caught:
        look(tmp_path, uri=f"{server}/status-404.csv").take("b")
    assert caught.value.cause == "data.file_missing"


def _replicas(server: str, *names: str, **more: object) -> dict[str, object]:
    first, *others = (f"{server}/{name}" for name in names)
    return {"uri": first, "replicas": [{"uri": o} for o in others], **more}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("status-404.csv", "data.file_missing"),
        ("status-403.csv", "dependency.source_refuses"),
        ("status-429.csv", "dependency.source_down"),
        ("status-500.csv", "dependency.source_down"),
        ("half.csv", "dependency.source_down"),
    ],
)
def test_a_server_that_fails_in_any_way_is_stood_in_for(
    server: str, tmp_path: Path, name: str, cause: str
) -> None:
    looked = look(tmp_path, **_replicas(server, name, "good.csv"))
    assert looked.take("b")[0].name == "good.csv"
    assert [(f.cause, f.place) for f in looked.findings] == [(cause, "sources.main")]


def test_a_server_that_hangs_gets_its_share_of_the_time_once(server: str, tmp_path: Path) -> None:
    looked = look(tmp_path, patience=0.5, **_replicas(server, "half-hangs.csv", "good.csv"))
    assert looked.take("b")[0].name == "good.csv"
    assert looked.take("b")[0].name == "good.csv"
    [finding] = looked.findings
    assert (finding.cause, finding.place) == ("dependency.source_down", "sources.main")
    assert "no whole answer within 0.5 s" in finding.said


def test_what_a_server_says_of_its_files_is_heard(server: str, tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    late = look(tmp_path, now=now, **_replicas(server, "modified-old.csv", "modified-new.csv", max_age=3600))
    assert late.take("b")[0].name == "modified-new.csv"
    assert [f.cause for f in late.findings] == ["data.file_late"]
    for header in ("content-md5", "digest", "sidecar"):
        names = (f"{header}-wrong.csv", f"{header}-right.csv?token=s3cret")
        checked = look(tmp_path, **_replicas(server, *names, checksum="sidecar"))
        assert checked.take("b")[0].name == f"{header}-right.csv"
        assert [f.cause for f in checked.findings] == ["data.checksum_mismatch"]


def test_a_server_that_goes_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "all.csv").write_bytes(ROWS)
    (tmp_path / "all.csv").write_bytes(ROWS)
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/all.csv"
    command = [
        sys.executable,
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        "-d",
        str(tmp_path / "served"),
    ]
    source = {"uri": url, "replicas": [{"uri": str(tmp_path / "all.csv")}]}

    def used() -> tuple[str, list[str]]:
        looked = look(tmp_path, **source)
        return looked.take("b")[0].source, [f.cause for f in looked.findings]

    with servers.running(command, url, tmp_path / "first.log"):
        assert used() == (url, [])
    assert used() == (str(tmp_path / "all.csv"), ["dependency.source_down"])
    with servers.running(command, url, tmp_path / "second.log"):
        assert used() == (url, [])
