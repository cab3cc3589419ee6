"""What the app sends where, and what it tells a stranger: nothing leaves the server that the reader has asked."""

import re
import shutil
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIRequestContext, BrowserContext, expect

from pages.stage import assets
from tests.browser.reader import PAGES, PATIENCE_MS, Reader
from tests.serving import App, running_app

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "pages" / "stage"
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.fixture
def asking(reader: Reader) -> APIRequestContext:
    return reader.page.context.request


def test_a_page_talks_to_its_own_server_only(reader: Reader) -> None:
    """Each reader complains of requests to another host; here all are counted, websockets too."""
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.on("websocket", lambda socket: asked.append(socket.url))
    reader.open("/ppo?at=ppo-3")
    with reader.rerun():
        reader.press("Step")
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in ("data", "blob")}
    assert hosts == {urlsplit(reader.url).netloc}
    assert any(url.startswith("ws:") for url in asked)


def test_no_cookie_but_the_one_against_forgery(reader: Reader) -> None:
    reader.page.context.clear_cookies()
    reader.open("/")
    assert {cookie["name"] for cookie in reader.page.context.cookies()} <= {"_streamlit_xsrf"}


def test_the_stage_needs_no_eval_and_no_inline_handler() -> None:
    code = assets.script()
    assert not re.findall(r"\beval\s*\(|new\s+Function|set(Timeout|Interval)\(\s*[\"'`]|javascript:", code)
    assert not re.findall(r"<[a-z][^>]*\son[a-z]+\s*=", code), "an inline handler in a template"
    assert not re.findall(r"setAttribute\(\s*[\"']on", code)


@pytest.mark.parametrize("script", sorted(STAGE.rglob("*.*")), ids=lambda path: path.name)
def test_the_stage_names_no_other_host(script: Path) -> None:
    if script.is_file() and script.suffix != ".pyc":
        found = set(re.findall(r"https?://[\w.]+", script.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org"}, "only the name of SVG"


def test_passages_have_no_script_and_no_inline_handler(reader: Reader) -> None:
    reader.open("/")
    for name in PAGES:
        reader.turn_to(name)
        inside = reader.page.locator(".rlhf-live, [data-testid=stHtml]")
        html = " ".join(inside.evaluate_all("found => found.map(node => node.innerHTML)"))
        assert html and not re.findall(r"<script|\son[a-z]+=|javascript:", html)


def test_the_configuration_is_closed() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["client"]["toolbarMode"] == "minimal"
    assert not CONFIG["server"].get("enableAgentApi", False)


def test_an_upload_without_the_token_is_refused(asking: APIRequestContext, server: App) -> None:
    asking.get(f"{server.url}/_stcore/health")  # sets the cookie that a forged request would carry
    answer = asking.put(f"{server.url}/_stcore/upload_file/session/file", data=b"forged")
    assert answer.status == 403 and "XSRF" in answer.text()


def test_the_server_runs_nothing_for_other_programs_and_gives_away_no_source(
    asking: APIRequestContext, server: App
) -> None:
    assert asking.post(f"{server.url}/_stcore/agent/interact", data="{}").status >= 400
    for path in ("/static/%2e%2e/%2e%2e/app.py", "/app/static/%2e%2e/app.py", "/app.py", "/.streamlit/config.toml"):
        assert "gatherUsageStats" not in (text := asking.get(f"{server.url}{path}").text()) and "import " not in text


def test_a_failure_is_logged_and_its_details_are_not_shown(tmp_path: Path, browser: BrowserContext) -> None:
    shutil.copytree(ROOT / ".streamlit", tmp_path / ".streamlit")
    (tmp_path / "app.py").write_text("raise RuntimeError('the secret of the house')")
    with running_app(tmp_path / "log", root=tmp_path) as app:
        page = browser.new_page()
        page.goto(app.url)
        failure = page.get_by_test_id("stException")
        expect(failure).to_be_visible(timeout=PATIENCE_MS)
        shown = page.locator("body").inner_text()
        page.close()
        assert "the secret of the house" in app.log.read_text(errors="replace")
    assert "secret" not in shown and "Traceback" not in shown and str(tmp_path) not in shown
