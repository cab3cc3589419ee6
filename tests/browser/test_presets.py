"""Each preset: one click sets the controls, says what to look for, and leaves a link to it."""

import pytest
from playwright.sync_api import expect

from pages.frame.presets import PRESETS, settings_of
from rlhf_core import Settings
from tests.browser.reader import Reader
from tests.core.runs import run

KEEP = """
  window.kept = [...document.querySelectorAll("[data-part] .rlhf-chart")].map(plot => [plot, plot.closest("[data-part]")
    .dataset.part])
"""
ARE_KEPT = "kept.every(([plot, part]) => plot.isConnected && plot.closest('[data-part]').dataset.part === part)"


@pytest.mark.parametrize("key", ["healthy", "reward_hacking"])  # one without changes, and one with several
def test_a_preset_sets_the_controls_and_its_link_shows_it_again(reader: Reader, key: str) -> None:
    preset = PRESETS[key]
    wanted = settings_of(preset, Settings())
    if reader.path != "/":  # else from where the preset before has left the controls
        reader.open("/?beta=0.77")
    with reader.rerun():
        reader.sidebar.get_by_role("button", name="Presets").click()
    with reader.rerun():
        reader.control(f"preset-{key}").get_by_role("button").click()
    expect(reader.page.get_by_role("dialog", name="Presets")).to_have_count(0)  # it would hide what has changed
    reader.stands_at("done")
    note = reader.page.get_by_test_id("stAlert").filter(has_text=f"{preset.title}.")
    expect(note).to_be_visible()
    expect(reader.tile("kl")).to_have_text(f"{run(**preset.changes).ppo.kl[-1]:.2f}")
    for name in ("beta", "ppo_steps"):
        assert float(reader.slider(name).input_value()) == pytest.approx(getattr(wanted, name))
    assert Settings.from_query(reader.query) == (wanted, ())

    reader.address_has(at="done")  # a preset plays, and its end is told a moment later
    tiles, query = reader.tiles(), reader.query
    reader.reload()  # a session that knows the address only, as in a new tab
    assert (reader.tiles(), reader.query) == (tiles, query)
    expect(note).to_have_count(1 if preset.changes else 0)  # the defaults are a preset only to who asked for it


def test_the_figures_stay_as_they_are_where_a_note_above_them_comes_and_goes(reader: Reader) -> None:
    reader.open("/ppo?at=done")
    reader.page.evaluate(KEEP)
    assert reader.page.evaluate("kept.length") > 5
    note = reader.page.get_by_test_id("stAlert")
    with reader.rerun():
        reader.sidebar.get_by_role("button", name="Presets").click()
    with reader.rerun():
        reader.control("preset-beta_too_high").get_by_role("button").click()
    reader.stands_at("done")
    expect(note).to_be_visible()
    assert reader.page.evaluate(ARE_KEPT)
    with reader.rerun():
        reader.slide("beta", "ArrowLeft")
    expect(note).to_have_count(0)
    assert reader.page.evaluate(ARE_KEPT)
    expect(reader.tile("kl")).to_have_text(f"{run(beta=1.99).ppo.kl[-1]:.2f}")
