"""The servers that are measured: processes of their own, on loopback, in a folder that goes with the run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.bench import seed

PATIENCE = 20.0  # seconds


@dataclass
class Process:
    """One server. `started` is the seconds from its start to its first ready answer."""

    port: int
    started: float
    process: subprocess.Popen[bytes]

    def memory(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def cpu(self) -> float:
        """Seconds of processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pause(self) -> None:
        """Stand still while another is measured."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, more: Mapping[str, str]) -> Iterator[Process]:
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("LINLI_", "PYTHON"))} | dict(more)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise RuntimeError(f"did not start: {' '.join(command)}")
            time.sleep(0.003)
        yield Process(port, time.perf_counter() - began, process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def bare() -> Iterator[Process]:
    port = free_port()
    with _running([sys.executable, "-m", "tests.bench.bare", str(port)], port, {}) as process:
        yield process


@contextmanager
def house(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Process]:
    """`linli run` on the database of `folder`."""
    port = free_port()
    own = {"LINLI_DATABASE_URL": seed.url(folder), "LINLI_PORT": str(port)}
    with _running([sys.executable, "-m", "bot", "run"], port, own | dict(more or {})) as process:
        yield process
