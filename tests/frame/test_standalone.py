"""A page in one file: the numbers of the app, nothing from elsewhere, and no text of anybody's as HTML."""

import base64
import json
import re
import shlex
import zlib
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.drawing import table
from pages.drawing.live import Live
from pages.frame import lesson, runs
from pages.frame.standalone import PLAYED, document, prose, read, write
from pages.frame.standalone.__main__ import main
from pages.frame.standalone.mathml import mathml
from pages.frame.standalone.printed import moment, printed
from pages.frame.standalone.state import State
from pages.frame.standalone.themes import Themes
from pages.stage import encode_live
from pages.stage.storyboard import decode
from rlhf_core import Settings
from rlhf_core.scenarios.brought import Brought
from rlhf_core.yours.scenario import template
from tests.charts_of import printed_with_charts
from tests.timing import quickest

ROOT = Path(__file__).parents[2]
STATES = [
    ("overview", ""),
    ("sft", "at=sft-15&prompt=2"),
    ("reward_model", "seed=3&scenario=safety&n_comparisons=60&at=rm-10"),
    ("ppo", "beta=0&ppo_steps=3&rollouts=4&advantage=gae&optimum=true&at=ppo-2-kl"),
    ("metrics", "beta=0.3&at=done&pin=beta%3D1&ppo_steps=3"),
]
HEAVIEST = "ppo_steps=60&rollouts=256&n_comparisons=2000&sft_epochs=100&rm_epochs=300&at=ppo-30&scenario=safety&beta=0"
HOSTILE = r"<img src=x onerror=alert(1)></script><script>alert(1)</script>"
HOSTILE += r"[x](javascript:alert(1)) $\\text{<b>x</b>}$ \" onmouseover=alert(1) "
NO_ICON, DARK = "data:,", '[data-rlhf-theme="dark"]'
HARMLESS = ("http", "https", "")


def state(page: str, query: str = "", *show: str) -> State:
    found, notes = read(page, query, show)
    assert notes == ()
    return found


def island(text: str) -> dict[str, Any]:
    [held] = re.findall(r'<script type="application/json" id="rlhf-file">(.*?)</script>', text)
    return dict(json.loads(held))


def played(text: str, dark: bool) -> dict[str, Any]:
    """What a file's stage plays, with the colours of a theme."""
    rule, *_ = re.findall(rf"^:root{re.escape(DARK) if dark else ''} {{ color-scheme: .*$", text, re.MULTILINE)
    colours = dict(re.findall(r"(--rlhf-pair-\d+): ([^;]+);", rule))
    bodies = {}
    for key, packed in island(text)["parts"].items():
        body = base64.b64decode(packed).partition(b"\n")[2]
        written = json.dumps(json.loads(zlib.decompress(body)))
        bodies[key] = json.loads(re.sub(r"var\((--rlhf-pair-\d+)\)", lambda match: colours[match[1]], written))
    return bodies


class Elements(HTMLParser):
    """Elements of HTML with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def dangers(text: str) -> Iterator[str]:
    """Elements and attributes that run, fetch or lead to something that runs."""
    for tag, attributes in Elements(text).found:
        if tag in ("img", "iframe", "object", "embed", "form", "base"):
            yield tag
        yield from (name for name in attributes if name.startswith("on"))
        for name in {"href", "src", "action"} & attributes.keys():
            if urlsplit(attributes[name] or "").scheme not in HARMLESS and attributes[name] != NO_ICON:
                yield f"{name}={attributes[name]}"


# ------------------------------------------------------------ the numbers of the app


@pytest.mark.parametrize(("page", "query"), STATES)
def test_a_file_plays_what_the_app_sends_at_the_same_link(
    page: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, calls = runs.drawn, []
    monkeypatch.setattr(runs, "drawn", lambda *args: (calls.append(args), drawn(*args))[1])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in parse_qsl(query):
        app.query_params[name] = value
    app.run()
    if page != "overview":
        calls.clear()
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception and calls
    text = write(state(page, query), plotly="cdn").decode()
    for dark in (False, True):
        transport, *parts = played(text, dark).values()
        assert parts == [decode(drawn(*args[:3], dark, args[4])) for args in calls]
        assert transport == decode(runs.storyboard(*calls[0][1:3]))
    assert transport["names"].index(island(text)["at"]) == state(page, query).number


def test_themes_that_differ_in_more_than_colours_are_an_error() -> None:
    one, other = (encode_live(Live(f"<p>{word}</p>", [0])) for word in ("a", "b"))
    with pytest.raises(ValueError, match="colours alone"):
        Themes().both(one, other)


@pytest.mark.parametrize(("at", "moments"), [("ppo-2-kl", ["linked", "end"]), ("done", ["end"]), ("idle", ["end"])])
def test_every_table_says_of_which_moment_it_is_and_holds_the_numbers_of_that(at: str, moments: list[str]) -> None:
    wanted = state("metrics", f"sft_epochs=4&rm_epochs=4&ppo_steps=3&at={at}")
    made, charts = printed_with_charts(wanted)
    frames = runs.shared_run(wanted.settings)[1].frames
    assert made.tables
    for key, packed in made.tables.items():
        parts = re.findall(r"<p>At ([^<]+)</p>(<div.*?</table>)", zlib.decompress(packed).decode(), re.DOTALL)
        assert len(parts) == len(moments)
        for (said, found), which in zip(parts, moments, strict=True):
            number = wanted.number if which == "linked" else len(frames) - 1
            expected = table.markup(charts[key].at(number), "")
            assert said == moment(frames[number])
            assert re.findall(r"<td>(.*?)</td>", found) == re.findall(r"<td>(.*?)</td>", expected)


def test_findings_wait_for_the_playhead() -> None:
    idle, done = (write(state("ppo", query), plotly="cdn").decode() for query in ("", "at=done"))
    for text, hidden in ((idle, "from"), (done, "until")):
        assert set(re.findall(r'data-(from|until)="\w+" hidden', text)) == {hidden}


# ------------------------------------------------------------ one file, and nothing from elsewhere


@pytest.mark.parametrize("page", PLAYED)
def test_a_file_is_small_enough_fetches_nothing_and_is_made_soon(page: str) -> None:
    wanted = state(page, HEAVIEST)
    write(wanted, plotly="cdn")
    assert quickest(lambda: write(wanted), times=3) < 2
    inline = write(wanted)
    cdn = write(wanted, plotly="cdn", app="https://example.org/rlhf")
    assert len(inline) <= 6_000_000 and len(cdn) <= 300_000
    elements = Elements(re.sub(rb"<script>.*?</script>", b"", inline, flags=re.DOTALL).decode()).found
    fetching = [(tag, found) for tag, found in elements if tag != "a" and {"src", "href", "srcset"} & found.keys()]
    assert fetching == [("link", {"rel": "icon", "href": NO_ICON})]
    assert not re.search(r"url\((?!data:)|@import", cdn.decode()), "no style sheet fetches either"


@pytest.mark.parametrize("plotly", ["inline", "cdn"])
def test_the_policy_lets_its_own_scripts_run_and_asks_nobody_else(plotly: document.Plotly) -> None:
    text = write(state("sft", "", "loss"), plotly=plotly).decode()
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1])
    scripts = re.findall(r"<script(?: type=\"module\")?>(.*?)</script>", text, re.DOTALL)
    assert set(re.findall(r"'(sha256-[^']+)'", policy)) == {document.digest(script) for script in scripts}
    assert policy.startswith("default-src 'none';") and "unsafe-eval" not in policy
    said = island(text)["plotly"]
    if plotly == "inline":
        assert "http" not in policy and said is None and len(scripts) == 2
    else:
        assert said == document.cdn() and f"{said['src']};" in policy and "needs the network" in text


def test_the_command_writes_what_the_library_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figure.html"
    query, app = "beta=0&at=ppo-5", "https://example.org/rlhf/"
    asked = ["ppo", "--query", query, "--show", "reward_kl_path,loop", "--plotly", "cdn", "--app", app]
    assert main([*asked, "--out", str(out)]) == 0
    wanted = state("ppo", query, "reward_kl_path", "loop")
    assert out.read_bytes() == write(wanted, plotly="cdn", app=app)
    assert 'href="https://example.org/rlhf/ppo?beta=0&amp;at=ppo-5"' in out.read_text()
    assert main(["ppo", "--query", "beta=9&at=ppo-99", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert "In the query, beta must be" in said and "using ppo-8" in said
    for wrong in (["lab"], ["ppo", "--show", "nothing"], ["ppo", "--app", "javascript:alert(1)"]):
        assert main([*wrong, "--out", str(out)]) == 2
    assert main(["sft", "--show", "loss", "--out", str(tmp_path / "no" / "file")]) == 1


def test_the_command_of_the_readme_runs(tmp_path: Path) -> None:
    [line] = re.findall(r"^python -m pages\.frame\.standalone (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert main([*shlex.split(line)[:-1], str(tmp_path / "figure.html")]) == 0
    assert (tmp_path / "figure.html").stat().st_size > 4_000_000


@pytest.mark.parametrize("page", PLAYED)
def test_no_words_are_made_into_html_twice(page: str) -> None:
    assert not re.search(r"&lt;(p|a|div|em|strong|math)\b", printed(state(page, "at=ppo-2")).paper.root.inner)


@pytest.mark.parametrize("page", PLAYED)
def test_every_part_can_be_had_alone(page: str) -> None:
    names = [name for name in lesson.parts_of(page) if name != "pinned_and_current"]
    made = printed(state(page, "", *names))
    assert {lesson.part_name(key.rpartition("-")[0].replace("-", "_")) for key in made.payloads} == set(names)
    assert list(printed(state(page, "", "stage")).payloads) == []


def test_a_section_that_was_only_for_pressing_is_left_out() -> None:
    text = printed(state("reward_model")).paper.root.inner
    assert "Type a response" not in text and "Why accuracy is not enough" in text
    metrics = printed(state("metrics")).paper.root.inner
    assert "Take it with you" not in metrics and "Compare two runs" not in metrics
    assert "Compare two runs" in printed(state("metrics", "pin=beta%3D1")).paper.root.inner


def test_links_to_other_pages_need_the_address_of_the_app() -> None:
    with_app, without = (write(state("metrics"), plotly="cdn", app=app).decode() for app in ("https://a.example", ""))
    assert 'href="https://a.example/lab?experiment=beta"' in with_app and "data-app" not in with_app
    links = [found.get("href", "") for tag, found in Elements(without).found if tag == "a"]
    assert all(not link or link.startswith(("#", "https://")) for link in links)
    assert "<code>/metrics</code>" in without


# ------------------------------------------------------------ formulas


@pytest.mark.parametrize("page", PLAYED)
@pytest.mark.parametrize("advantage", ["group_mean", "leave_one_out", "group_normalised", "gae"])
def test_every_formula_of_the_pages_is_drawn(page: str, advantage: str) -> None:
    text = printed(state(page, f"advantage={advantage}&ppo_steps=2&rollouts=4")).paper.root.inner
    assert re.findall(r"<code>[^<]*\\[^<]*</code>|\$[^<$]{1,80}\\[^<$]*\$", text) == []


@pytest.mark.parametrize(
    ("source", "made"),
    [
        (r"\frac{1}{G}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>G</mi></mrow></mfrac>"),
        (r"\mathrm{KL}", '<mi mathvariant="normal">KL</mi>'),
        (r"\mathbb E", "<mi>𝔼</mi>"),
        (r"x_t^2", "<msubsup><mi>x</mi><mi>t</mi><mn>2</mn></msubsup>"),
        (r"\text{ last}", "<mtext>&nbsp;last</mtext>"),
        (r"\log x", '<mi>log</mi><mspace width="0.167em"></mspace><mi>x</mi>'),
        (r"\textcolor{#00639b}{x}", '<mrow style="color: #00639b"><mrow><mi>x</mi></mrow></mrow>'),
    ],
)
def test_a_formula_is_set_as_it_should_be(source: str, made: str) -> None:
    assert mathml(source, display=False) == f"<math><mrow>{made}</mrow></math>"


@pytest.mark.parametrize(
    "wrong", [r"\nope", "{x", "x}", r"\frac{1}", r"\left(x", r"\textcolor{url(x)}{y}", r"\mathbb{Q}"]
)
def test_what_is_not_known_in_a_formula_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match="must"):
        mathml(wrong, display=False)


# ------------------------------------------------------------ nobody's text becomes HTML


@given(st.text(alphabet=st.sampled_from("<>\"'&$\\{}[]()!#`*_|^~\n ax/:=-1"), max_size=60))
def test_no_text_becomes_html_of_its_own(text: str) -> None:
    for given_text in (text, f"[a](javascript:x){text}", f"$\\text{{<img src=x onerror=y>{text}$", f"<b {text}>"):
        made = prose.html(given_text)
        assert list(dangers(made)) == [] and "<script" not in made and "<b " not in made


def test_a_scenario_of_hostile_texts_shows_them_as_they_are() -> None:
    words = re.sub(r'\btext = "', lambda match: match[0] + HOSTILE, template())
    own = Brought(words, "hostile")
    settings = Settings(scenario=own, ppo_steps=2, rollouts=4, n_comparisons=40, sft_epochs=4, rm_epochs=4)
    for page in PLAYED:
        made = printed(State(page, settings, "done", 0, 5))
        text = document.assembled(made, "cdn", "")
        assert list(dangers(text)) == [] and text.count("<script") == text.count("</script>") == 2
        for payload in made.payloads.values():
            if payload.role == "live":
                assert list(dangers(decode(payload)["template"])) == []
        assert [danger for table in made.tables.values() for danger in dangers(zlib.decompress(table).decode())] == []
