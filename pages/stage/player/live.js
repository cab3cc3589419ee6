// A passage of text whose slots, bars and lit line follow the clock.

import { clockOf, leave } from "./clocks.js";
import { setText } from "./look.js";

export function makeLive(parent, page) {
  const box = document.createElement("div");
  box.className = "rlhf-live";
  parent.append(box);
  const clock = clockOf(page);
  let writers = [], lines = [], template = null;

  function draw(index) {
    for (const write of writers) write(index);
    const line = clock.board?.lines[index] ?? null;
    for (const element of lines) element.classList.toggle("lit", element.dataset.line === line);
  }

  function writer({ slot, at, values }) {
    const texts = box.querySelectorAll(`[data-slot="${slot}"]`), bars = box.querySelectorAll(`[data-width="${slot}"]`);
    let shown = null;
    return (index) => {
      const now = at[Math.min(index, at.length - 1)];
      if (now === shown) return;
      shown = now;
      texts.forEach((node) => setText(node, values[now]));
      bars.forEach((node) => { node.style.width = values[now]; });
    };
  }

  const player = { draw };
  clock.players.add(player);
  return {
    async update(component, text) {
      if (!text) return;
      const body = JSON.parse(text);
      if (body.template !== template) box.innerHTML = template = body.template;
      writers = body.tracks.map(writer);
      lines = [...box.querySelectorAll("[data-line]")];
      draw(clock.index);
    },
    destroy() { leave(page, clock, player); },
  };
}
