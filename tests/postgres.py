"""A real PostgreSQL of the tests' own, on loopback; as root it runs under the unprivileged `postgres` user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None where it is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found = shutil.which("pg_ctl") or (debian[-1] if debian else None)
    return Path(found).resolve().parent if found else None


def why_not() -> str:
    """Say why no server can be started here; empty where one can."""
    if binaries() is None:
        return "PostgreSQL is not installed: pg_ctl is neither on PATH nor under /usr/lib/postgresql"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL refuses to run as root, and there is no user 'postgres' to run it as"
    return ""


@contextmanager
def server() -> Iterator[str]:
    """Run a server and yield its SQLAlchemy URL without a database."""
    user = _unprivileged() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="evenkeel-pg-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries() / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, user=user, check=True, capture_output=True, cwd="/", timeout=60)

    run("initdb", "-A", "trust", "-U", "evenkeel", "--no-sync", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://evenkeel@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(url: str) -> str:
    """Create an empty database on the server and return its URL."""
    name = f"t{uuid.uuid4().hex[:12]}"
    plain = url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return f"{url}/{name}"


def _unprivileged() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None
