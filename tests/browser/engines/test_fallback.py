"""Where the player or Plotly does not arrive, in every engine."""

from tests.browser.engines.reader import Reader
from tests.core.runs import run

MISSING = ".rlhf-missing"
SEEN = "return document.querySelector(arguments[0])?.checkVisibility({ visibilityProperty: true }) ?? false"
READINGS = """
  const values = [...document.querySelectorAll("[data-testid=stMetricValue]")];
  return values.slice(0, 4).map(value => value.textContent.trim());
"""
DRAWN = "return document.querySelector('[class*=st-key-static] .main-svg') !== null"


def test_without_the_player_the_charts_can_be_had_plainly(reader: Reader) -> None:
    reader.open("/sft?at=ppo-3&without=player", ready=False)
    reader.until(SEEN, True, MISSING)
    reader.click(f"{MISSING} a", "Show the charts without it")
    reader.until(DRAWN, True)
    ppo = run().ppo
    reader.until(READINGS, ["PPO", "3 / 8", f"{ppo.reward[3]:.2f}", f"{ppo.kl[3]:.2f}"])
    assert all("blocked" in complaint for complaint in reader.complaints)
    reader.complaints.clear()


def test_without_plotly_the_tiles_play(reader: Reader) -> None:
    reader.open("/sft?at=ppo-3&without=plotly&speed=10", ready=False)
    reader.stands_at("ppo-3")
    reader.act("step")
    reader.stands_at("ppo-4")
    assert reader.tiles["kl"] == f"{run().ppo.kl[4]:.2f}"
