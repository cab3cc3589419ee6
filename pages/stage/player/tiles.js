// The metrics above every page. What they are called and mean comes from Python, with the values.

import { setText } from "./look.js";

let made = 0;

function makeTile({ key, label, unit, help }) {
  const tile = document.createElement("div");
  tile.className = "rs-tile";
  tile.dataset.metric = key;
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
  return tile;
}

function makeTerms({ label, help }) {
  const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = label;
  meaning.textContent = help;
  return [term, meaning];
}

// All meanings at once, for readers who cannot hover; the browser opens the list on top of the page and closes it by Escape.
function makeAbout(root) {
  const about = root.querySelector(".rs-about"), list = root.querySelector(".rs-figures");
  about.popoverTargetElement = list;
  const close = Object.assign(list.querySelector("button"), { popoverTargetElement: list, popoverTargetAction: "hide" });
  list.ontoggle = ({ newState }) => { if (newState === "open") close.focus(); };
  return list.querySelector("dl");
}

export function makeTiles(root) {
  const box = root.querySelector(".rs-tiles"), terms = makeAbout(root);
  let texts = null, values = [];
  return {
    load({ tiles }) {
      if (texts === (texts = JSON.stringify(tiles))) return; // a new run has the same tiles
      box.replaceChildren(...tiles.map(makeTile));
      terms.replaceChildren(...tiles.flatMap(makeTerms));
      values = tiles.map(({ key }, i) => [key, box.children[i].querySelector(".value")]);
    },
    draw({ metrics }, index) {
      for (const [key, value] of values) setText(value, metrics[key][index]);
    },
  };
}
