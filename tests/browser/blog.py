"""A site of somebody else's, served from another port, whose one page has what a test puts there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Blog:
    """A site with one page."""

    url: str = ""
    body: str = ""


@contextmanager
def served() -> Iterator[Blog]:
    site = Blog()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            if self.path == "/":
                self.wfile.write(f"<!doctype html><html lang=en><title>A blog</title>{site.body}".encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever)
        thread.start()
        site.url = f"http://127.0.0.1:{listener.server_port}"
        try:
            yield site
        finally:
            listener.shutdown()
            thread.join()
