"""One link is one state, in every engine: opened cold, reloaded, and kept over pages."""

from tests.browser.engines.reader import Reader
from tests.browser.tiles import tiles_at
from tests.core.runs import run

QUERY = "return Object.fromEntries(new URLSearchParams(location.search))"
PATH = "return location.pathname"


def test_a_loop_line_can_be_linked_to_and_is_there_after_a_reload(reader: Reader) -> None:
    reader.open("/ppo?at=ppo-5-advantage&beta=0.3&speed=7")
    reader.stands_at("ppo-5-advantage")
    tiles = reader.tiles
    assert tiles["kl"] == f"{run(beta=0.3).ppo.kl[4]:.2f}"
    reader.reload()
    reader.stands_at("ppo-5-advantage")
    assert reader.tiles == tiles
    assert reader.tab.js(QUERY) == {"at": "ppo-5-advantage", "beta": "0.3", "speed": "7"}


def test_the_browsers_back_returns_to_the_page_before_at_once(reader: Reader) -> None:
    reader.open("/sft?at=ppo-3&speed=10")
    reader.turn_to("Overview", "/")
    for _ in range(2):
        reader.act("step")
    reader.stands_at("ppo-5")
    reader.rest()
    reader.tab.js("history.back()")
    reader.until(PATH, "/sft")
    reader.stands_at("ppo-5")
    reader.rest()  # the address may say so while the page before is still there
    assert reader.tiles == tiles_at("ppo-5", run())


def test_another_page_in_mid_play_goes_on_from_the_same_frame(reader: Reader) -> None:
    reader.open("/sft?speed=5")
    reader.act("run")
    reader.plays(3)
    reader.turn_to("Overview", "/")
    frame = reader.frame
    assert frame not in ("idle", "done")
    reader.stands_at(frame)
