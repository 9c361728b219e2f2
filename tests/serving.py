"""The real `linli` in a process of its own, in a folder of its own: what the end-to-end tests talk to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LINLI = Path(sys.executable).with_name("linli")
STARTS = 60.0  # seconds that a start may take on a busy machine
_ADDRESS = re.compile(r"http://\S+/")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without the settings of whoever runs the tests, and with these."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    return own | {"PYTHONIOENCODING": "utf-8"} | dict(settings)


def linli(folder: Path, *arguments: str, said: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in `folder`; `said` is its standard input."""
    return subprocess.run(
        [LINLI, *arguments],
        cwd=folder,
        env=environment(settings),
        input=said,
        capture_output=True,
        encoding="utf-8",
        timeout=STARTS,
        check=False,
    )


@dataclass(slots=True)
class Service:
    """A running `linli run`. `address` ends in a slash."""

    process: subprocess.Popen[bytes]
    output: Path
    address: str = ""

    def wait(self) -> None:
        """Until it has printed its address. Fails with what it printed instead."""
        until = time.monotonic() + STARTS
        while time.monotonic() < until and self.process.poll() is None:
            if found := _ADDRESS.search(self.said()):
                self.address = found.group()
                return
            time.sleep(0.05)
        raise AssertionError(f"linli run did not start: {self.said()}")

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """SIGTERM; the exit status, or TimeoutExpired after ten seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@contextmanager
def serving(folder: Path, *arguments: str, **settings: str) -> Iterator[Service]:
    """`linli run` in `folder` on a free port, gone afterwards."""
    output = folder / "output.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [LINLI, "run", *arguments],
            cwd=folder,
            env=environment({"LINLI_PORT": "0"} | settings),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    service = Service(process, output)
    try:
        service.wait()
        yield service
    finally:
        process.kill()
        process.wait()
