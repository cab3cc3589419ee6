"""What the browser runs of the stage, as Streamlit's v2 components."""

import hashlib

import streamlit as st

from pages.drawing.theme import css_variables
from pages.stage import assets

# Streamlit sends a component's script with every mount. So the script travels in one mount whose message
# never changes (the browser keeps it), and each role mounts this stub, which hands itself over.
STUB = """
export default function (component) {
  const stage = (globalThis[Symbol.for("rlhf.stage")] ??= { waiting: new Map() });
  if (stage.mount) stage.mount(component);
  else stage.waiting.set(component.parentElement, component);
  return () => stage.unmount ? stage.unmount(component.parentElement) : stage.waiting.delete(component.parentElement);
}
"""
STYLE_SHEETS = ("page.css", "stage.css", "menu.css", "prose.css", "print.css")
SCRIPT, STYLES = assets.script(), f"{css_variables()}\n{assets.styles(*STYLE_SHEETS)}"
VERSION = hashlib.sha256(f"{SCRIPT}{STYLES}".encode()).hexdigest()[:12]  # what a tab from before an upgrade lacks

code = st.components.v2.component(
    "rlhf_stage_code",
    js=SCRIPT.replace('VERSION = "unknown"', f'VERSION = "{VERSION}"'),
    css=STYLES,
    isolate_styles=False,
)
transport = st.components.v2.component(
    "rlhf_stage_player", html=assets.read("waiting.html"), js=STUB, isolate_styles=False
)
role = st.components.v2.component("rlhf_stage", js=STUB, isolate_styles=False)
control = st.components.v2.component("rlhf_stage_control", js=STUB, isolate_styles=False)
