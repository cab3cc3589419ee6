// The metrics above every page. What they are called and mean comes from Python, with the values.

import { setText } from "./look.js";

let made = 0;

function makeTile({ key, label, unit, help }) {
  const tile = document.createElement("div");
  tile.className = "rs-tile";
  tile.dataset.metric = key;
  tile.tabIndex = 0;
  tile.setAttribute("role", "group");
  tile.setAttribute("aria-label", label);
  tile.innerHTML = `<span class="rs-label"></span>
    <span class="rs-reading"><b class="value">–</b> <span class="unit"></span></span>
    <span class="rs-help" role="tooltip" id="rs-help-${++made}"></span>`;
  tile.setAttribute("aria-describedby", `rs-help-${made}`);
  tile.querySelector(".rs-label").textContent = label;
  tile.querySelector(".rs-help").textContent = help;
  if (unit) tile.querySelector(".unit").textContent = unit;
  else tile.querySelector(".unit").remove();
  tile.onkeydown = (event) => { if (event.key === "Escape") tile.blur(); };
  return tile;
}

export function makeTiles(box) {
  let texts = null, values = [];
  return {
    load({ tiles }) {
      if (texts === (texts = JSON.stringify(tiles))) return; // a new run has the same tiles
      box.replaceChildren(...tiles.map(makeTile));
      values = tiles.map(({ key }, i) => [key, box.children[i].querySelector(".value")]);
    },
    draw({ metrics }, index) {
      for (const [key, value] of values) setText(value, metrics[key][index]);
    },
  };
}
