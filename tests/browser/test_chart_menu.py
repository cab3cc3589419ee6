"""A chart's menu: pictures, numbers and links of what is on screen, by pointer and by keys, asking no server."""

import csv
import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from pages.frame import foot
from pages.frame.standalone import read, write
from tests.browser.reader import LOOKS_READY, Reader

PAGE = "/ppo?beta=0.3&ppo_steps=4&at=ppo-3"
NAME = "ppo-objective-curves-beta0.3-ppo_steps4-at-ppo-3"
CLIPBOARD = "navigator.clipboard.readText()"


@pytest.fixture
def ppo(reader: Reader) -> Iterator[Reader]:
    """The PPO page in mid-run; it may read the clipboard."""
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield reader.open(PAGE)
    reader.page.context.clear_permissions()


def button(page: Page, part: str = "objective curves") -> Locator:
    return page.get_by_role("button", name=f"Take this chart away: {part}", exact=True)


def item(page: Page, name: str, part: str = "objective curves") -> Locator:
    """An item of the menu, which is opened for it."""
    button(page, part).click()
    return page.get_by_role("menuitem", name=name)


def saved(page: Page, name: str, part: str = "objective curves") -> tuple[str, bytes]:
    with page.expect_download() as download:
        item(page, name, part).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def copied(page: Page, name: str, what: str, part: str = "objective curves") -> str:
    item(page, name, part).click()
    expect(page.get_by_role("status").filter(has_text=f"{what} copied")).to_be_visible()
    return str(page.evaluate(CLIPBOARD))


def test_pictures_are_twice_as_large_and_say_what_they_show(ppo: Reader) -> None:
    plot = ppo.page.locator("[data-part=ppo-objective-curves] .rlhf-chart")
    width, told = plot.evaluate("plot => plot.clientWidth"), ppo.n_sent
    name, png = saved(ppo.page, "Picture as PNG")
    assert name == f"{NAME}.png" and png.startswith(b"\x89PNG")
    assert struct.unpack(">I", png[16:20])[0] == 2 * (width + 28)
    name, svg = saved(ppo.page, "Picture as SVG")
    words = " ".join(ElementTree.fromstring(svg).itertext())
    assert name == f"{NAME}.svg"
    for wanted in ("How far does PPO climb", "Settings:", "0.3", "at PPO step 3", "β × KL", foot.this().title, "/ppo?"):
        assert wanted in words, wanted
    assert ppo.n_sent == told, "nothing is asked of the server"


def test_numbers_are_those_on_the_screen(ppo: Reader) -> None:
    name, text = saved(ppo.page, "Numbers as CSV")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    drawn = ppo.page.locator("[data-part=ppo-objective-curves] .rlhf-chart").evaluate(
        "plot => plot.data.filter(({ name }) => name).map(({ name, x, y }) => [name, x, y])"
    )
    assert name == f"{NAME}.csv"
    for series, across, along in drawn:
        own = [(float(row["x"]), float(row["y"])) for row in rows if row["series"] == series]
        assert own == list(zip(across, along, strict=True)), series
    assert {(row["x_quantity"], row["y_unit"]) for row in rows} == {("PPO step", "reward units")}
    assert max(float(row["x"]) for row in rows) == 3


def test_links_and_code_are_copied_and_lead_to_this_moment(ppo: Reader, server) -> None:
    link = copied(ppo.page, "Copy link", "Link")
    assert link == f"{server.url}{PAGE}&show=objective_curves"
    embed = copied(ppo.page, "Copy HTML", "HTML")
    assert f'src="{link}&embed=true"'.replace("&", "&amp;") in embed and 'allow="clipboard-write"' in embed
    python = copied(ppo.page, "Copy Python", "Python")
    for line in ("Settings(beta=0.3, ppo_steps=4)", 'objective_curves(view).at(view.timeline.names.index("ppo-3"))'):
        assert line in python
    assert copied(ppo.page, "Copy how to cite", "BibTeX") == foot.bibtex(foot.this())
    ppo.open(link.removeprefix(server.url))
    assert ppo.frame == "ppo-3" and ppo.page.locator(".rlhf-chart:visible").count() == 1


def test_the_keyboard_is_enough_and_moves_no_playhead(ppo: Reader) -> None:
    page, opener = ppo.page, button(ppo.page)
    opener.focus()
    page.keyboard.press("Enter")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_have_count(0)
    expect(opener).to_be_focused()
    assert ppo.frame == "ppo-3"


def test_without_a_clipboard_the_text_is_copied_or_stands_selected(new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    reader.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    reader.open(PAGE)
    item(reader.page, "Copy how to cite").click()
    expect(reader.page.get_by_role("status").filter(has_text="BibTeX copied")).to_be_visible()
    reader.page.evaluate("document.execCommand = () => false")
    item(reader.page, "Copy how to cite").click()
    by_hand = reader.page.get_by_label("Press Ctrl+C or ⌘C to copy:")
    expect(by_hand).to_be_visible()
    assert by_hand.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)").startswith("@software")


def test_every_chart_has_its_menu_which_a_finger_can_hit(ppo: Reader) -> None:
    buttons, charts = ppo.page.locator(".tk-button"), ppo.page.locator(".rlhf-chart")
    assert buttons.count() == charts.count() > 5
    names = buttons.evaluate_all("all => all.map(button => button.ariaLabel)")
    assert len(set(names)) == len(names)
    assert ppo.page.locator(".tk-box *").count() == 0, "menus are made when they are opened"


def test_charts_of_the_lab_and_of_ones_own_material_have_it_and_name_no_moment_of_a_run(reader: Reader) -> None:
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.open("/lab?experiment=asked&question=longer&beta=0.3&at=ppo-2")
    question = "Why do answers grow longer?"
    assert "each.name == 'longer'" in copied(reader.page, "Copy Python", "Python", question)
    link = copied(reader.page, "Copy link", "Link", question)
    assert "/lab?" in link and "question=longer" in link and "at=" not in link
    name, svg = saved(reader.page, "Picture as SVG", question)
    words = " ".join(ElementTree.fromstring(svg).itertext())
    assert name.startswith("lab-asked-longer-") and "-beta0.3" in name and "ppo-2" not in name
    assert "Settings: β, KL penalty 0.3" in words and "at PPO step" not in words
    reader.open("/yours?section=log")
    reader.page.get_by_role("button", name="Try the run in the sidebar").click()
    item(reader.page, "Copy Python", "Score").wait_for()
    expect(reader.page.get_by_role("menuitem", name="Copy link")).to_have_count(0)  # which would not hold the log
    reader.page.keyboard.press("Escape")
    reader.page.context.clear_permissions()


def test_a_file_has_the_menus_too(browser, tmp_path: Path) -> None:
    file = tmp_path / "file.html"
    state, _ = read("ppo", "beta=0.3&ppo_steps=2&at=ppo-1", ["objective_curves"])
    file.write_bytes(write(state))
    page, wrong = browser.new_page(), []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(file.as_uri())
    page.wait_for_function(LOOKS_READY)
    page.wait_for_function("document.querySelector('.rlhf-chart').data")
    name, png = saved(page, "Picture as PNG")
    assert name == "ppo-objective-curves-beta0.3-ppo_steps2-at-ppo-1.png" and png.startswith(b"\x89PNG")
    button(page).click()
    expect(page.get_by_role("menuitem", name="Copy link")).to_have_count(0)
    page.close()
    assert wrong == []
