"""What a reader takes away, in every engine: by one press from a chart's menu or Share, and it says so."""

from tests.browser.engines.reader import Reader

BUTTON = "[aria-label='Take this chart away: objective curves']"
ITEMS = "return [...document.querySelectorAll('[role=menuitem]')].map(item => item.textContent)"
FOCUSED = "return document.activeElement.textContent"
SAID = "return [...document.querySelectorAll('[role=status]')].map(said => said.textContent).find(Boolean) ?? ''"
# A download is a press on a link that is on no page: its name is written down, and its text, instead of a file.
KEEP_DOWNLOADS = """
  window.saved = [];
  HTMLAnchorElement.prototype.click = function () {
    const entry = { name: this.download, text: null };
    window.saved.push(entry);
    fetch(this.href).then(answer => answer.text()).then(text => { entry.text = text; });
  };
"""
LAST = "return window.saved.at(-1)?.text && [window.saved.length, window.saved.at(-1).name]"
TEXT = "return window.saved.at(-1).text"
PAD = "document.body.append(Object.assign(document.createElement('textarea'), { id: 'pad' }))"
POPOVER = "[data-testid=stPopoverBody]"
VISIBLE = "return document.querySelector('.cp-said').getClientRects().length > 0"


def take(reader: Reader, name: str) -> None:
    reader.click(BUTTON)
    reader.until("return document.activeElement.getAttribute('role')", "menuitem")
    reader.click("[role=menuitem]", name)


def test_a_charts_menu_saves_and_copies(reader: Reader) -> None:
    reader.open("/ppo?beta=0.3&ppo_steps=3&at=ppo-2")
    reader.until("return !!document.querySelector('[data-part=ppo-objective-curves] .rlhf-chart').data", True)
    reader.tab.js(KEEP_DOWNLOADS)
    take(reader, "Numbers as CSV")
    reader.until(LAST, [1, "ppo-objective-curves-beta0.3-ppo_steps3-at-ppo-2.csv"])
    assert reader.tab.js(TEXT).startswith("series,x,x_quantity")
    take(reader, "Picture as SVG")
    reader.until(SAID, "SVG saved")
    reader.until(LAST, [2, "ppo-objective-curves-beta0.3-ppo_steps3-at-ppo-2.svg"])
    assert "Settings:" in reader.tab.js(TEXT)
    reader.click(BUTTON)
    reader.until(FOCUSED, "Picture as PNG")
    reader.tab.press("ArrowDown")
    reader.until(FOCUSED, "Picture as SVG")
    assert "Copy Python that redraws this figure" in reader.tab.js(ITEMS)
    reader.tab.press("Escape")
    reader.until(ITEMS, [])
    take(reader, "Copy link")
    reader.until(SAID, "Link copied")
    reader.tab.js(PAD)
    assert reader.pasted("#pad") == f"{reader.url}/ppo?beta=0.3&ppo_steps=3&at=ppo-2&show=objective_curves"
    reader.stands_at("ppo-2")


def test_share_copies_by_one_press_and_says_so(reader: Reader) -> None:
    reader.open("/ppo?beta=0.3&ppo_steps=3&at=ppo-2&optimum=true")
    reader.click("[data-testid=stSidebar] button", "Share")
    for button, said in (("Copy link", "✓ Link copied"), ("Copy sentence and link", "✓ Sentence and link copied")):
        reader.click(f"{POPOVER} .cp-row button", button)
        reader.until("return document.querySelector('.cp-said').textContent", said)
        assert reader.tab.js(VISIBLE)
    reader.tab.press("Escape")
    reader.tab.js(PAD)
    pasted = reader.pasted("#pad")
    assert pasted.startswith("RLHF you can run: PPO (β, KL penalty 0.3 reward units per nat, PPO steps 3;")
    assert pasted.endswith(f" {reader.url}/ppo?beta=0.3&ppo_steps=3&at=ppo-2&optimum=true")
