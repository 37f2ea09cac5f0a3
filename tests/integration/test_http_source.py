"""Sources behind a real HTTP server: whole files land, and every way a server fails is told apart."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters import file_systems
from evenkeel.adapters.landing import LandingZone
from evenkeel.adapters.sources import discover, fetch_files
from evenkeel.errors import DataRejected, EvenkeelError, Permanent, Transient, UsageError
from evenkeel.settings.pipeline import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = b"id,x\n" + b"1,2\n" * 1000


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
        self.send_response(200)
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
    def found(uri: str):
        scheduled = datetime(2026, 1, 2, tzinfo=UTC)
        return discover(Source(uri=uri), home=tmp_path, batch=None, scheduled=scheduled)[0]

    incoming = found(f"{server}/{{batch}}.csv")
    assert (incoming.batch_id, incoming.files[0].name) == ("2026-01-02", "2026-01-02.csv")
    assert incoming.files[0].size == len(ROWS)
    with pytest.raises(DataRejected) as caught:
        _ = found(f"{server}/status-404.csv").files[0].path
    assert caught.value.cause == "data.file_missing"
