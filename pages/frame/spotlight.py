"""Lead the eye: outline a part of the page, scroll to it once, and move the focus to what speaks of it."""

import streamlit as st

SCRIPT = """
export default function ({ parentElement, data }) {
  const { target, id, speaker } = data;
  const seen = (globalThis[Symbol.for("rlhf.spotlight")] ??= { id: null });
  if (seen.id === id) return;
  let tries = 0;
  const look = () => {
    const part = () => document.querySelector(`[data-part="${target}"]`);
    const strip = document.querySelector(`.st-key-${speaker}`);
    if (!part() || !strip) { if (tries++ < 60) setTimeout(look, 100); return; }
    seen.id = id;
    strip.tabIndex = -1;
    strip.focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const cover = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--rlhf-covered")) || 0;
    let left = 20, still = true;
    const stop = () => { still = false; };
    for (const kind of ["wheel", "touchmove", "keydown"]) addEventListener(kind, stop, { once: true, passive: true });
    const bring = () => { // what stands above may still grow
      const there = part(); // it may have been drawn anew
      if (!still || !there) return;
      there.style.scrollMarginTop = `${cover() + strip.offsetHeight + 84}px`; // a chart has its title above
      there.scrollIntoView({ block: "start", behavior: calm || left < 20 ? "auto" : "smooth" });
      if (left-- > 0) setTimeout(bring, 400);
    };
    bring();
  };
  look();
}
"""
_component = st.components.v2.component("rlhf_spotlight", js=SCRIPT, isolate_styles=False)


def on(target: str, asks: str, speaker: str, *, veiled: bool = False) -> None:
    """Outline a part on the stage, and bring it into sight when something new asks for it.

    Parameters
    ----------
    target : str
        Name of the part's place, such as `overview-hero`.
    asks : str
        Name of what asks; once for each. The button that was pressed may be gone, and the focus with it.
    speaker : str
        Key of the element that gets the focus.
    veiled : bool
        Make the part, which would answer what is asked, a grey haze.
    """
    part = f'[data-part="{target}"]'
    look = "outline: 2px solid var(--rlhf-policy); outline-offset: 8px; border-radius: 8px;"
    veil = f" {part} > * {{ filter: blur(14px) grayscale(1) opacity(0.3); }}" if veiled else ""
    st.html(f"<style>{part} {{ {look} }}{veil}</style>")
    _component(key="spotlight", data={"target": target, "id": asks, "speaker": speaker})
