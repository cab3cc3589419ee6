// A passage of text whose slots, bars, lit line and lit stage follow the clock; what bears `data-seek` moves it.

import { nearestFrame } from "./clock.js";
import { clockOf, leave } from "./clocks.js";
import { isCalm, setText } from "./look.js";

const ORDER = ["idle", "sft", "rm", "ppo"];
const FLASH = [{ backgroundColor: "var(--rlhf-lit)", opacity: 0.35 }, { backgroundColor: "transparent", opacity: 1 }];

// A word that changes while somebody watches is lit for a moment, one `data-flash` after the other.
function show(node, text, watched) {
  if (node.textContent === text) return;
  setText(node, text);
  if (!watched || node.dataset.flash === undefined || isCalm()) return;
  const place = [...node.parentElement.querySelectorAll("[data-flash]")].indexOf(node);
  node.animate(FLASH, { duration: 900, delay: 90 * place, easing: "ease-out", fill: "backwards" });
}

export function makeLive(parent, page) {
  const box = document.createElement("div");
  box.className = "rlhf-live";
  parent.append(box);
  const clock = clockOf(page);
  let writers = [], lines = [], phases = [], template = null;

  function draw(index) {
    for (const write of writers) write(index);
    const line = clock.board?.lines[index] ?? null, phase = clock.board?.phases[index] ?? "idle";
    for (const element of lines) element.classList.toggle("lit", element.dataset.line === line);
    if (lines.length) box.dataset.lit = line ?? "";
    for (const element of phases) {
      const [own, now] = [element.dataset.phase, phase === "done" ? "ppo" : phase].map((name) => ORDER.indexOf(name));
      element.classList.toggle("lit", own === now && phase !== "done");
      element.classList.toggle("past", own < now || phase === "done");
    }
  }

  function writer({ slot, at, values }) {
    const texts = box.querySelectorAll(`[data-slot="${slot}"]`), bars = box.querySelectorAll(`[data-width="${slot}"]`);
    let shown = null;
    return (index) => {
      const now = at[Math.min(index, at.length - 1)];
      if (now === shown) return;
      const before = shown;
      shown = now;
      texts.forEach((node) => show(node, values[now], before !== null));
      bars.forEach((node) => { node.style.width = values[now]; });
    };
  }

  box.onclick = (event) => {
    const seek = event.target.closest("[data-seek]")?.dataset.seek;
    if (seek && clock.board) clock.go(nearestFrame(clock.board.names, seek));
  };
  const player = { draw };
  clock.players.add(player);
  return {
    async update(tell, text) {
      if (!text) return;
      const body = JSON.parse(text);
      if (body.template !== template) box.innerHTML = template = body.template;
      writers = body.tracks.map(writer);
      lines = [...box.querySelectorAll("[data-line]")];
      phases = [...box.querySelectorAll("[data-phase]")];
      draw(clock.index);
    },
    destroy() { leave(page, clock, player); },
  };
}
