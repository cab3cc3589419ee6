"""The app served on loopback: started here, ended here."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
N_PORTS = 1000


@dataclass(frozen=True, slots=True)
class App:
    """A server: where it listens, where it writes its log, and its process."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(urlsplit(self.url).port or 80)

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def processes(self) -> list[psutil.Process]:
        """The server, and the process beside it that does long work."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children()]

    @property
    def memory(self) -> float:
        """Resident memory of all its processes in MB."""
        return float(sum(process.memory_info().rss for process in self.processes) / 1e6)

    def failures(self, since: int = 0) -> list[str]:
        """Exceptions in the log after its first `since` bytes."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return [f"server: {text[text.index('Traceback') :]}"] if "Traceback" in text else []

    def kill(self) -> None:
        """End the server without a word, as a crash would."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """A loopback port that nobody listens on.

    It is none of those that the system gives to outgoing connections, and each of pytest's workers has its own, so
    nobody takes it before the server does.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + N_PORTS * (worker % 10)
    for port in random.sample(range(first, first + N_PORTS), N_PORTS):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError(f"no free port from {first} to {first + N_PORTS}")


@contextmanager
def running_app(
    log: Path, port: int = 0, root: Path = ROOT, watcher: str = "none", below: str = ""
) -> Iterator[App]:
    """Serve app.py on a loopback port, 0 is any that is free, below a path such as `/rlhf`."""
    port = port or free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1", "--server.port", str(port),
        "--server.headless", "true", "--server.fileWatcherType", watcher, "--server.baseUrlPath", below,
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=subprocess.STDOUT)
    app = App(f"http://127.0.0.1:{port}{below}", log, process)
    try:
        wait_for(f"{app.url}/_stcore/health", process, log)
        yield app
    finally:
        end(process)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an address answers; raise with the log if its process ends or stays silent."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"no answer from {address}:\n{log.read_text(errors='replace')}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and insist after ten seconds."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
