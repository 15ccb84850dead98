"""A PostgreSQL of the tests' own: a fresh cluster in a temporary folder, on a free port, stopped at the end."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.servers import free_port


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`: of PATH, else of the newest version where Debian puts them."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), *sorted(glob.glob("/usr/lib/postgresql/*/bin"))[::-1]]
    for place in places:
        if all(os.access(Path(place) / name, os.X_OK) for name in ("initdb", "postgres")):
            return Path(place)
    return None


def _account() -> pwd.struct_passwd | None:
    """Another account to run it, as it refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL refuses to run as root, and there is no account postgres or nobody")


@contextmanager
def postgres() -> Iterator[str]:
    """A running PostgreSQL; its URL. Skips where no programs are found."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL programs (initdb, postgres) on PATH or in /usr/lib/postgresql")
    account = _account()
    as_whom = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # Short, as a socket's path has at most 107 bytes, and where another account may enter.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=tempfile.gettempdir()))
    process = None
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data, port = folder / "data", free_port()
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", "HOME": str(folder)}
        subprocess.run(
            [found / "initdb", "-D", data, "-U", "portrayal", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            env=environment,
            **as_whom,  # type: ignore[call-overload]
        )
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        log = (folder / "log.txt").open("wb")
        process = subprocess.Popen(
            [found / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            **as_whom,  # type: ignore[call-overload]
        )
        url = f"postgresql://portrayal@127.0.0.1:{port}/postgres"
        _wait(url, process, folder / "log.txt")
        yield url
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # at once; nobody needs what is in it
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """An empty database on a server; its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
