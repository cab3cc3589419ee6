// The transport: buttons, pipeline strip, scrubber, tiles and the line that says what happens.

import { clockOf, leave } from "./clocks.js";
import { takeKeys } from "./keys.js";
import { setText, theme } from "./look.js";
import { ICONS, KEYS, STAGES, TRANSPORT } from "./markup.js";
import { makeModes } from "./modes.js";
import { watchPlotly } from "./plotly.js";
import { makeScrubber } from "./scrubber.js";
import { makeSkip } from "./skip.js";
import { stick } from "./stick.js";
import { makeTiles } from "./tiles.js";

const NOTES = {
  failed: "The player could not load Plotly; the charts are sketches.",
  withheld: "The player could not load Plotly; the charts are drawn plainly, at the playhead.",
};

function makeRoot(parent) {
  const root = document.createElement("section");
  root.className = "rlhf-stage";
  root.dataset.testid = "stage";
  root.setAttribute("aria-label", "Player");
  root.innerHTML = TRANSPORT;
  parent.append(root);
  return root;
}

function showButton(run, playing) {
  const label = playing ? "Pause" : "Run";
  if (run.ariaLabel === label) return;
  run.setAttribute("aria-label", label);
  run.title = `${label} (${KEYS.run})`;
  run.querySelector("span").textContent = label;
  run.querySelector("path").setAttribute("d", ICONS[playing ? "pause" : "run"]);
}

function showStages(stages, phase) {
  const active = phase === "done" ? STAGES.length - 1 : STAGES.findIndex(([id]) => id === phase);
  stages.forEach((item, i) => {
    item.className = i < active ? "past" : i === active ? "lit" : "";
    if (i === active) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
  });
}

function makeView(root, clock) {
  const [run, narration, spoken] = ["[data-action=run]", ".rs-narration", ".rs-spoken"].map((name) => root.querySelector(name));
  const stages = [...root.querySelectorAll(".rs-strip li")];
  const parts = [makeTiles(root), makeScrubber(root, clock)];
  return {
    load(board) { for (const part of parts) part.load(board); },
    draw(index) {
      const { board } = clock;
      if (!board) return;
      if (root.dataset.frame !== board.names[index]) root.dataset.frame = board.names[index];
      root.dataset.playing = clock.playing;
      for (const part of parts) part.draw(board, index);
      setText(narration, board.narration[index]);
      showStages(stages, board.phases[index]);
      showButton(run, clock.playing);
      if (!clock.playing) setText(spoken, board.narration[index]);
    },
  };
}

export function makeTransport(parent, page) {
  const root = makeRoot(parent), clock = clockOf(page), player = makeView(root, clock);
  const actions = { run: () => clock.toggle(), step: () => clock.step(), back: () => clock.back(), reset: () => clock.reset() };
  root.onclick = (event) => actions[event.target.closest("[data-action]")?.dataset.action]?.();
  makeModes(root, clock);
  const letGo = [takeKeys(root, clock), stick(root), makeSkip(root)];
  clock.players.add(player);
  let state = "coming", ask = () => {};
  letGo.push(watchPlotly((now) => {
    setText(root.querySelector(".rs-note"), NOTES[state = now] ?? "");
    ask();
  }));
  return {
    async update(tell, text) {
      const { name } = theme(parent), was = root.dataset.theme;
      root.dataset.theme = name;
      if (was && was !== name) tell("theme", name); // formulas and words are coloured by Python
      ask = () => { if (state === "withheld") tell("fallback", true); }; // Python then draws with st.plotly_chart
      if (text) ask();
      if (!text) return;
      const board = JSON.parse(text);
      player.load(board);
      clock.load(board);
    },
    destroy() {
      letGo.forEach((act) => act());
      leave(page, clock, player);
    },
  };
}
