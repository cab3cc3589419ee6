// The stage in a file of its own, without a server: what Python has written into the page is mounted at once.

import { clockOf } from "./clocks.js";
import { followReader } from "./contents.js";
import { whereabouts } from "./menu.js";
import { mount } from "./mount.js";
import { watchTerms } from "./terms.js";
import { readBody, readHead } from "./wire.js";

const { page, at, speed, parts, tables, plotly, query, link } = JSON.parse(document.getElementById("rlhf-file").textContent);
const clock = clockOf(page), marks = [...document.querySelectorAll("[data-from], [data-until]")];

const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const darkness = matchMedia("(prefers-color-scheme: dark)");

function mountAll() {
  return Promise.all([...document.querySelectorAll("[data-part]")].map((place) =>
    mount(place, readHead(unpack(parts[place.dataset.part]))).catch((error) => { place.textContent = `The player could not start: ${error.message}`; })));
}

// Paper is light.
function wear(dark) {
  document.documentElement.dataset.rlhfTheme = dark ? "dark" : "light";
  mountAll().then(keepFocusInSight);
}

// Findings wait until their stage has been played to its end and the playhead rests, as in the app; the link leads there.
function tellRest(index) {
  if (!clock.board || clock.playing) return;
  const ended = (stage) => index >= clock.board.phases.lastIndexOf(stage);
  for (const mark of marks) mark.hidden = mark.dataset.from ? !ended(mark.dataset.from) : ended(mark.dataset.until);
  for (const link of document.querySelectorAll("a[data-live]")) {
    const url = new URL(link.href);
    if (clock.name === "idle") url.searchParams.delete("at"); else url.searchParams.set("at", clock.name);
    link.href = url.href;
  }
}

function keepFocusInSight() { // which the stage would cover
  const stage = document.querySelector("[data-part=transport]");
  document.documentElement.style.setProperty("--rlhf-covered", `${stage.offsetHeight}px`);
}

function reachFormulas() { // with the keyboard, where there is no room for one
  for (const formula of document.querySelectorAll(".formula"))
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0; else formula.removeAttribute("tabindex");
}

function openTables() {
  for (const place of document.querySelectorAll("[data-table]"))
    place.parentElement.addEventListener("toggle", async () => { place.innerHTML ||= await readBody(unpack(tables[place.dataset.table])); });
}

function bringPlotly({ src, integrity }) {
  const script = Object.assign(document.createElement("script"), { src, integrity, crossOrigin: "anonymous" });
  script.onerror = () => {
    const failed = Object.assign(document.createElement("div"), { className: "st-key-stage-plotly", hidden: true });
    failed.innerHTML = "<p role='alert'></p>";
    document.body.append(failed);
  };
  document.head.append(script);
}

const askedFor = () => /^#at=([\w-]+)$/.exec(location.hash)?.[1];

Object.assign(whereabouts, { link: () => link, parameters: () => new URLSearchParams(query) });
if (plotly) bringPlotly(plotly);
clock.speed = speed;
clock.seek(askedFor() ?? at);
clock.players.add({ draw: tellRest });
addEventListener("hashchange", () => { if (askedFor()) clock.seek(askedFor()); });
darkness.addEventListener("change", () => wear(darkness.matches));
addEventListener("beforeprint", () => { if (darkness.matches) wear(false); });
addEventListener("afterprint", () => wear(darkness.matches));
wear(darkness.matches);
openTables();
reachFormulas();
for (const fit of [reachFormulas, keepFocusInSight]) addEventListener("resize", fit);
watchTerms();
followReader();
