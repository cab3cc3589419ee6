"""Two app servers behind nginx: `python tests/load/replicas.py --readers 40` runs the readers against them."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.load.gauge import Gauge  # noqa: E402
from tests.load.readers import arguments, measure  # noqa: E402
from tests.serving import App, end, free_port, running_app, wait_for  # noqa: E402

CONFIGURATION = Path(__file__).with_name("nginx.conf")
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@dataclass(frozen=True, slots=True)
class Replicas:
    """Address of the balancer, the servers behind it, and the balancer's log of who went where."""

    url: str
    apps: tuple[App, App]
    access_log: Path

    @property
    def gauge(self) -> Gauge:
        return Gauge(tuple(app.process.pid for app in self.apps))

    def visited(self) -> dict[str, set[str]]:
        """The servers (`127.0.0.1:8501`) that each browser was sent to, by its cookie; written when a request ends."""
        servers: dict[str, set[str]] = {}
        for line in self.access_log.read_text().splitlines():
            reader, _, rest = line.partition(" ")
            if reader != "-":
                servers.setdefault(reader, set()).update(rest.rsplit(" ", 2)[0].split(", "))
        return servers


@contextmanager
def two_replicas(folder: Path) -> Iterator[Replicas]:
    """Serve the app twice behind nginx, on free loopback ports; the folder must be open to nginx's workers."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(running_app(folder / f"replica-{i}.log")) for i in (1, 2))
        port, text = free_port(), CONFIGURATION.read_text()
        for written, used in (("8501", first.port), ("8502", second.port), ("8080", port)):
            text = text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{used}")
        (folder / "nginx.conf").write_text(text)
        command = [str(NGINX), "-p", str(folder), "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"]
        with (folder / "nginx.log").open("wb") as output:
            nginx = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        stack.callback(end, nginx)
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/_stcore/health", nginx, folder / "nginx.log")
        yield Replicas(url, (first, second), folder / "access.log")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that nginx's workers, who are nobody, may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def main() -> None:
    """Measure both servers together."""
    if NGINX is None:
        sys.exit("needs nginx: apt-get install nginx-light")
    options = arguments()
    with open_folder() as folder, two_replicas(folder) as replicas:
        asyncio.run(measure(options, replicas.url, replicas.gauge))


if __name__ == "__main__":
    main()
