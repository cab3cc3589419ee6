// The stage: one clock per page plays every chart and passage that Python mounted on it.
//
// Python sends each role once, as bytes: "<page> <head as JSON>\n<body>", the body zlib-compressed JSON (or plain JSON,
// which starts with "{"). The clock knows frames by index; charts and passages hold, per frame, which of their values to show.
// While it plays nothing is sent to Python: only pause, step, back, reset, scrub and finish report the frame's name.

const VERSION = "unknown"; // Python writes a digest of script and styles here
const PLOTLY_PATIENCE_MS = 8000;
const CARRY_PATIENCE_MS = 10000; // a page change in mid-play goes on from the same frame within this time
const REDUCED_MOTION_FPS = 1 / 1.5;
const MAX_TICK_MS = 250; // a hidden tab gets no ticks; it must not leap when it comes back
const NEAR_VIEWPORT = "200px";
const PLAIN = 123; // "{" opens a body that is not compressed

const TILES = [
  ["phase", "Phase", "", "Where the pipeline stands: Idle (base model), SFT, Reward model, PPO or Done."],
  ["ppo_step", "PPO step", "", "PPO updates made so far, of all that will be made. One update uses fresh rollouts."],
  ["reward", "Avg reward", "reward units", "Mean reward-model score of the policy's responses; 0 is the SFT policy's mean, 1 its spread. TRL logs it as objective/scores."],
  ["kl", "KL divergence", "nats", "How far the policy has moved from the reference (SFT) policy: the exact KL(policy ‖ reference), mean over prompts. TRL logs an estimate as objective/kl."],
  ["rm_accuracy", "RM accuracy", "held-out", "Share of held-out comparisons in which the reward model scores the chosen response higher. TRL's RewardTrainer logs it as eval_accuracy."],
  ["entropy", "Policy entropy", "nats", "How undecided the policy is between responses, mean over prompts; 0 means one response always. TRL logs it as objective/entropy."],
];
const STAGES = [["idle", "Base"], ["sft", "SFT"], ["rm", "Reward model"], ["ppo", "PPO"]];
const KEYS = { run: "space", back: "←", step: "→", reset: "home" };
const ICONS = {
  run: "M7 4.5v15l12-7.5z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  back: "M18 5v14L8 12zM5 5h2.4v14H5z",
  step: "M6 5v14l10-7zM16.6 5H19v14h-2.4z",
  reset: "M12 5a7 7 0 1 1-6.6 9.3l2.1-.7A4.8 4.8 0 1 0 12 7.200V10L7 6l5-4z",
};

// ---------------------------------------------------------------- small helpers

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const framesPerSecond = (speed) => (reducedMotion.matches ? REDUCED_MOTION_FPS : 20 ** ((speed - 1) / 9));
const sameBytes = (a, b) => a?.length === b?.length && a.every((byte, i) => byte === b[i]);
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function readHead(bytes) {
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, end));
  const space = line.indexOf(" ");
  return { page: line.slice(0, space), head: JSON.parse(line.slice(space + 1)), body: bytes.subarray(end + 1) };
}

async function readBody(body) {
  if (body[0] === PLAIN) return new TextDecoder().decode(body);
  const unpacked = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(unpacked).text();
}

function nearestFrame(names, name) { // the twin of storyboard.nearest_frame
  if (names.includes(name)) return names.indexOf(name);
  const parts = (text) => { const [phase, number, line = ""] = text.split("-"); return [phase, Number(number) || 0, line]; };
  const [phase, number, line] = parts(name);
  const rank = (other) => [Math.abs(other[1] - number), other[2] !== line, other[2] !== ""].map(Number);
  let best = 0, bestRank = null;
  names.forEach((candidate, i) => {
    const other = parts(candidate);
    if (other[0] !== phase) return;
    const own = rank(other);
    const differs = bestRank && own.findIndex((value, j) => value !== bestRank[j]);
    if (!bestRank || (differs >= 0 && own[differs] < bestRank[differs])) [best, bestRank] = [i, own];
  });
  return best;
}

const chunkFailed = () => document.querySelector(".st-key-stage-plotly [role=alert]") !== null; // Streamlit cannot draw either

let plotlyPromise = null;
function plotly() { // set by Streamlit's own chart chunk
  plotlyPromise ??= new Promise((resolve) => {
    const started = performance.now();
    const look = () => {
      if (globalThis.Plotly) resolve(globalThis.Plotly);
      else if (chunkFailed() || performance.now() - started > PLOTLY_PATIENCE_MS) resolve(null);
      else setTimeout(look, 40);
    };
    look();
  });
  return plotlyPromise;
}

function theme(element) {
  const style = getComputedStyle(element);
  const probe = element.appendChild(document.createElement("i"));
  probe.style.color = style.getPropertyValue("--st-background-color") || "#fff";
  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  const name = 0.2126 * r + 0.7152 * g + 0.0722 * b < 110 ? "dark" : "light";
  document.documentElement.dataset.rlhfTheme = name;
  return { name, text: style.getPropertyValue("--st-text-color").trim(), font: style.getPropertyValue("--st-font").trim() };
}

// ---------------------------------------------------------------- the clock

class Clock {
  constructor() {
    this.board = null; // names, phases, lines, metrics, narration
    this.index = 0;
    this.playing = false;
    this.mode = "phase";
    this.speed = 5;
    this.wanted = null; // a frame name that waits for the timeline
    this.seen = null; // id of the last seek
    this.players = new Set();
    this.report = () => {};
  }

  get name() { return this.board?.names[this.index] ?? this.wanted ?? "idle"; }
  get last() { return this.board ? this.board.names.length - 1 : 0; }

  isLoopLine(i) { return this.board.phases[i] === "ppo" && this.board.lines[i] && this.board.lines[i] !== "update"; }

  isStop(i) {
    const { phases } = this.board;
    if (phases[i] === "ppo") return this.mode === "line" || !this.isLoopLine(i);
    return i === this.last || phases[i + 1] !== phases[i];
  }

  isPlayed(i) {
    return reducedMotion.matches ? this.isStop(i) : this.mode === "line" || !this.isLoopLine(i);
  }

  next(from, direction, allowed) {
    for (let i = from + direction; i >= 0 && i <= this.last; i += direction) if (allowed.call(this, i)) return i;
    return direction > 0 ? this.last : 0;
  }

  load(board) {
    const name = this.wanted ?? this.name;
    this.wanted = null;
    this.board = board;
    this.index = nearestFrame(board.names, name);
    this.show();
  }

  control({ at, seek, speed }) {
    this.speed = speed;
    if (seek === this.seen) return;
    const first = this.seen === null;
    this.seen = seek;
    const carried = first ? takeCarried(this) : null;
    this.wanted = carried ?? at;
    if (this.board) this.load(this.board);
    if (carried) this.reportWhenReady = true;
  }

  show() {
    for (const player of this.players) if (!this.playing || player.near !== false) player.draw(this.index);
    if (this.reportWhenReady && this.board) { this.reportWhenReady = false; this.report(this.name); }
  }

  go(index) {
    this.playing = false;
    this.index = index;
    this.show();
    this.report(this.name);
  }

  step() { if (this.board) this.go(this.next(this.index, 1, this.isStop)); }
  back() { if (this.board) this.go(this.next(this.index, -1, this.isStop)); }
  reset() { if (this.board) this.go(0); }
  end() { if (this.board) this.go(this.last); }
  toggle() { if (this.playing) this.go(this.index); else this.run(); }

  scrub(target) {
    let index = target;
    if (!this.isPlayed(index)) index = this.next(index, target < this.index ? -1 : 1, this.isPlayed);
    this.playing = false;
    this.index = index;
    this.show();
  }

  run() {
    if (!this.board) return;
    if (this.index === this.last) this.index = 0;
    this.playing = true;
    this.show();
    this.debt = 0;
    this.before = performance.now();
    this.schedule();
  }

  schedule() {
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    if (!this.playing) return;
    this.debt += (Math.min(Math.max(now - this.before, 0), MAX_TICK_MS) * framesPerSecond(this.speed)) / 1000;
    this.before = now;
    const due = Math.floor(this.debt);
    if (due > 0) {
      this.debt -= due;
      for (let i = 0; i < due && this.index < this.last; i++) this.index = this.next(this.index, 1, this.isPlayed);
      if (this.index === this.last) return this.go(this.last);
      this.show();
    }
    this.schedule();
  }
}

const clocks = new Map();
let carried = null;

function clockOf(page) {
  if (!clocks.has(page)) clocks.set(page, new Clock());
  return clocks.get(page);
}

function carry(clock) {
  if (clock.playing) carried = { name: clock.name, at: performance.now() };
  clock.playing = false;
}

function takeCarried(newcomer) {
  for (const clock of clocks.values()) if (clock !== newcomer) carry(clock); // the old page may still be on its way out
  const name = carried && performance.now() - carried.at < CARRY_PATIENCE_MS ? carried.name : null;
  carried = null;
  return name;
}

function leave(page, clock, player) {
  clock.players.delete(player);
  if (!clock.players.size && clocks.get(page) === clock) clocks.delete(page);
}

// ---------------------------------------------------------------- role: transport

const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
const button = (action, label) =>
  `<button type="button" class="rs-button" data-action="${action}" aria-label="${label}" title="${label} (${KEYS[action]})">${icon(action)}<span>${label}</span></button>`;

const TRANSPORT = `
  <div class="rs-bar">
    <div class="rs-buttons" role="group" aria-label="Playback">
      ${button("run", "Run")}${button("back", "Back")}${button("step", "Step")}${button("reset", "Reset")}
    </div>
    <ol class="rs-strip" aria-label="Pipeline">
      ${STAGES.map(([phase, label]) => `<li data-phase="${phase}"><span>${label}</span></li>`).join("")}
    </ol>
    <div class="rs-scrub">
      <div class="rs-track" aria-hidden="true"></div>
      <input type="range" min="0" step="1" value="0" aria-label="Position in the pipeline">
    </div>
    <div class="rs-switch"><span aria-hidden="true">Step by</span>
      <div role="radiogroup" aria-label="Step by">
        ${["phase", "loop line"].map((mode) => `<button type="button" role="radio" aria-label="${mode}" data-mode="${mode.split(" ").pop()}">${mode}</button>`).join("")}
      </div>
    </div>
  </div>
  <div class="rs-tiles">
    ${TILES.map(([id, label, unit, help]) => `
      <div class="rs-tile" data-metric="${id}" tabindex="0" role="group" aria-label="${label}">
        <span class="rs-label">${label}</span>
        <span class="rs-reading"><b class="value">–</b>${unit ? ` <span class="unit">${unit}</span>` : ""}</span>
        <span class="rs-help" role="tooltip">${help}</span>
      </div>`).join("")}
  </div>
  <p class="rs-narration"></p>
  <p class="rs-note" role="status"></p>
  <p class="rs-spoken" aria-live="polite"></p>`;

let uid = 0;

function makeTransport(parent, page) {
  const root = document.createElement("section");
  root.className = "rlhf-stage";
  root.dataset.testid = "stage";
  root.setAttribute("aria-label", "Player");
  root.innerHTML = TRANSPORT;
  parent.append(root);
  const find = (selector) => root.querySelector(selector);
  const range = find("input[type=range]"), run = find("[data-action=run]");
  const narration = find(".rs-narration"), spoken = find(".rs-spoken"), track = find(".rs-track");
  const stages = [...root.querySelectorAll(".rs-strip li")];
  const values = Object.fromEntries(TILES.map(([id]) => [id, find(`[data-metric=${id}] .value`)]));
  const group = `rs-${++uid}`;
  root.querySelectorAll(".rs-tile").forEach((tile) => {
    const help = tile.querySelector(".rs-help");
    help.id = `${group}-${tile.dataset.metric}`;
    tile.setAttribute("aria-describedby", help.id);
    tile.onkeydown = (event) => { if (event.key === "Escape") tile.blur(); };
  });

  const clock = clockOf(page);
  const actions = { run: () => clock.toggle(), step: () => clock.step(), back: () => clock.back(), reset: () => clock.reset() };
  const modes = [...root.querySelectorAll("[data-mode]")];
  function choose(mode) {
    clock.mode = mode;
    for (const radio of modes) {
      radio.setAttribute("aria-checked", radio.dataset.mode === mode);
      radio.tabIndex = radio.dataset.mode === mode ? 0 : -1;
    }
  }
  choose(clock.mode);
  modes.forEach((radio, i) => {
    radio.onclick = () => choose(radio.dataset.mode);
    radio.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      modes[1 - i].focus();
      modes[1 - i].click();
    };
  });
  root.onclick = (event) => actions[event.target.closest("[data-action]")?.dataset.action]?.();
  range.onchange = () => clock.go(clock.index);
  range.oninput = () => { clock.scrub(Number(range.value)); range.value = clock.index; };
  const keys = (event) => onKey(event, clock, root);
  document.addEventListener("keydown", keys);
  const unstick = stick(root);

  function showButton() {
    const label = clock.playing ? "Pause" : "Run";
    if (run.ariaLabel === label) return;
    run.setAttribute("aria-label", label);
    run.title = `${label} (${KEYS.run})`;
    run.querySelector("span").textContent = label;
    run.querySelector("path").setAttribute("d", ICONS[clock.playing ? "pause" : "run"]);
  }

  function showStages(phase, progress) {
    const active = phase === "done" ? STAGES.length - 1 : STAGES.findIndex(([id]) => id === phase);
    stages.forEach((item, i) => {
      item.className = i < active ? "past" : i === active ? "lit" : "";
      if (i === active) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
    });
    track.style.setProperty("--done", progress);
  }

  function draw(index) {
    const { board } = clock;
    if (!board) return;
    if (root.dataset.frame !== board.names[index]) root.dataset.frame = board.names[index];
    root.dataset.playing = clock.playing;
    for (const id in values) setText(values[id], board.metrics[id][index]);
    setText(narration, board.narration[index]);
    range.value = index;
    showStages(board.phases[index], clock.last ? index / clock.last : 0);
    showButton();
    if (clock.playing) return;
    const spelled = { phase: board.metrics.phase[index], step: board.metrics.ppo_step[index], line: board.lines[index] };
    range.setAttribute("aria-valuetext",
      board.phases[index] === "ppo" ? `PPO step ${spelled.step}, ${spelled.line ?? "update"}` : spelled.phase);
    setText(spoken, board.narration[index]);
  }

  function load(board) {
    range.max = board.names.length - 1;
    const marks = board.phases.flatMap((phase, i) => (i > 1 && phase !== board.phases[i - 1] && phase !== "done" ? [[phase, i]] : []));
    track.replaceChildren(...marks.map(([phase, i]) => {
      const mark = document.createElement("i");
      mark.dataset.mark = phase;
      mark.style.setProperty("--at", (i - 1) / (board.names.length - 1));
      return mark;
    }));
    clock.load(board);
  }

  const player = { draw };
  clock.players.add(player);
  let tellFallback = null;
  plotly().then((found) => {
    if (found) return;
    find(".rs-note").textContent = "The player could not load Plotly; the charts are drawn plainly, at the playhead.";
    if (!chunkFailed()) tellFallback?.(); // Python then draws them with st.plotly_chart
  });
  return {
    async update(component, text) {
      root.dataset.theme = theme(parent).name;
      clock.report = (name) => component.setStateValue("frame", name);
      tellFallback = () => component.setStateValue("fallback", true);
      if (text) load(JSON.parse(text));
    },
    destroy() {
      document.removeEventListener("keydown", keys);
      unstick();
      carry(clock);
      leave(page, clock, player);
    },
  };
}

const TYPING = "input, textarea, select, [contenteditable=true], [contenteditable=''], [role=slider], [role=combobox], [role=radiogroup], [role=tablist], [role=menu], [role=dialog]";

function onKey(event, clock, root) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const target = event.target instanceof Element ? event.target : document.body;
  const pressable = target.closest("button, a[href], summary, [role=button]");
  if (target.closest(TYPING) || (pressable && (event.key === " " || !root.contains(pressable)))) return;
  const act = {
    " ": () => { if (!event.repeat) clock.toggle(); },
    ArrowRight: () => clock.step(), ArrowLeft: () => clock.back(), Home: () => clock.reset(), End: () => clock.end(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// The transport stays in sight: its Streamlit element becomes sticky below Streamlit's header.
function stick(root) {
  const element = root.closest("[data-testid=stElementContainer]");
  if (!element) return () => {};
  element.classList.add("rlhf-sticky");
  const header = document.querySelector("[data-testid=stHeader]");
  const scroller = root.closest("[data-testid=stMain]");
  const place = () => {
    const top = scroller?.getBoundingClientRect().top ?? 0;
    const below = header ? Math.max(0, header.getBoundingClientRect().bottom - top) : 0;
    element.style.setProperty("--rlhf-top", `${below}px`);
    if (scroller) scroller.style.scrollPaddingTop = `${below + root.offsetHeight}px`; // focus is not hidden behind it
  };
  const observer = new ResizeObserver(place);
  observer.observe(root);
  if (header) observer.observe(header);
  return () => observer.disconnect();
}

// ---------------------------------------------------------------- role: chart

function setPath(object, path, value) {
  const names = path.split(".");
  const last = names.pop();
  for (const name of names) object = object[name] ??= {};
  object[last] = value;
}

const getPath = (object, path) => path.split(".").reduce((node, name) => node?.[name], object);

function dress(figure, look) { // what the figure left open: font, ground, and no dragging (a phone must scroll)
  const { layout } = figure, template = layout.template?.layout ?? {};
  layout.font = { ...layout.font };
  if (!template.font?.color) layout.font.color ??= look.text;
  if (!template.font?.family) layout.font.family ??= look.font;
  if (!template.paper_bgcolor) layout.paper_bgcolor ??= "rgba(0,0,0,0)";
  if (!template.plot_bgcolor) layout.plot_bgcolor ??= "rgba(0,0,0,0)";
  layout.dragmode ??= false;
  layout.autosize = true;
  delete layout.width;
  return figure;
}

const axesOf = (plot) => Object.keys(plot._fullLayout).filter((name) => /^[xy]axis\d*$/.test(name) && plot._fullLayout[name]?.range);

// Axes and margins must not move while it plays; and a chart that need not look for room is drawn a third faster.
function freeze(plot) {
  const { l, r, t, b } = plot._fullLayout._size;
  plot.layout.margin = { ...plot.layout.margin, l, r, t, b, autoexpand: false };
  for (const name of axesOf(plot)) {
    const { range } = plot._fullLayout[name];
    plot.layout[name] = { ...plot.layout[name], range: range.slice(), autorange: false, fixedrange: true, automargin: false };
  }
}

function thaw(plot, rest) { // a new width needs new margins, on the same axes
  plot.layout.margin = { ...rest.margin };
  for (const name of axesOf(plot)) {
    delete plot.layout[name].automargin;
    if (rest[name]?.automargin !== undefined) plot.layout[name].automargin = rest[name].automargin;
  }
}

function makeChart(parent, page, head) {
  const plot = document.createElement("div");
  plot.className = "rlhf-chart";
  plot.style.height = `${head.height}px`;
  plot.setAttribute("role", "img");
  parent.append(plot);
  const clock = clockOf(page);
  let Plotly = null, figure = null, tracks = [], shown = [], text = null, drawnTheme = null, turn = 0;

  const value = (track, at) => (track.values ? track.values[at] : track.whole.slice(0, at));

  function pending(index) {
    const changes = [];
    tracks.forEach((track, i) => {
      const at = track.at[Math.min(index, track.at.length - 1)];
      if (shown[i] !== at) changes.push([track, value(track, at)]);
      shown[i] = at;
    });
    return changes;
  }

  function draw(index) {
    if (!figure) return;
    const changes = pending(index);
    if (!changes.length) return;
    if (!Plotly) {
      figure.frame ??= extent(figure);
      for (const [track, now] of changes) setPath(figure.data[track.trace], track.path, now);
      return sketch(plot, figure);
    }
    const traces = [...new Set(changes.map(([track]) => track.trace))];
    const update = {};
    for (const [track, now] of changes) (update[track.path] ??= traces.map(() => undefined))[traces.indexOf(track.trace)] = now;
    Plotly.restyle(plot, update, traces);
  }

  async function rebuild(look) {
    const mine = ++turn;
    Plotly = await plotly();
    if (mine !== turn) return;
    const style = getComputedStyle(document.documentElement);
    const next = JSON.parse(text.replace(/var\((--[\w-]+)\)/g, (whole, name) => style.getPropertyValue(name).trim() || whole));
    for (const track of next.tracks) if (!track.values) track.whole = getPath(next.data[track.trace], track.path);
    figure = null; // no draw in between
    if (!Plotly) {
      [figure, tracks, shown] = [next, next.tracks, []];
      return draw(clock.index);
    }
    next.rest = structuredClone(dress(next, look).layout);
    await Plotly.react(plot, next.data, next.layout, { displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: false });
    if (mine !== turn) return;
    freeze(plot);
    [figure, tracks, shown] = [next, next.tracks, []];
    for (const [track, now] of pending(clock.index)) setPath(plot.data[track.trace], track.path, now);
    await Plotly.redraw(plot);
  }

  const player = { draw, near: true };
  clock.players.add(player);
  const sight = new IntersectionObserver(([entry]) => {
    player.near = entry.isIntersecting;
    if (player.near) draw(clock.index);
  }, { rootMargin: NEAR_VIEWPORT });
  sight.observe(plot);
  let width = 0;
  const size = new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (figure && Plotly && now && now !== width) {
      thaw(plot, figure.rest);
      Plotly.Plots.resize(plot).then(() => { if (figure) freeze(plot); }, () => {}); // rejected while hidden
    }
    width = now;
  });
  size.observe(plot);

  return {
    async update(component, newText, newHead) {
      plot.setAttribute("aria-label", newHead.alt);
      plot.style.height = `${newHead.height}px`;
      const look = theme(parent), key = JSON.stringify(look);
      if (!newText && key === drawnTheme) return;
      text = newText ?? text;
      drawnTheme = key;
      await rebuild(look);
    },
    destroy() {
      turn++;
      leave(page, clock, player);
      sight.disconnect();
      size.disconnect();
      if (Plotly) Plotly.purge(plot);
    },
  };
}

// Without Plotly: lines, dots and bars as plain SVG, so that the reader still sees the shape and the playhead.

const points = ({ x, y }) => {
  const number = (values, i) => (typeof values?.[i] === "number" ? values[i] : i);
  return (y ?? x ?? []).map((_, i) => [number(x, i), number(y, i)]);
};

function extent({ data, layout }) {
  const all = data.flatMap((trace) => [...points(trace), ...(trace.type === "bar" ? [[trace.orientation === "h" ? 0 : trace.x?.length / 2, 0]] : [])]);
  const range = (axis, i) => layout[axis]?.range ?? [Math.min(...all.map((p) => p[i])), Math.max(...all.map((p) => p[i]))];
  return { x: range("xaxis", 0), y: range("yaxis", 1) };
}

function sketch(box, { data, layout, frame }) {
  const [width, height, pad] = [600, 300, 48];
  const scale = ([low, high], from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  const x = scale(frame.x, pad, width - 8), y = scale(frame.y, height - pad, 24);
  const svg = (name, attributes, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  const paint = (trace) => [trace.line?.color, trace.marker?.color].find((color) => typeof color === "string") ?? "currentColor";
  const shapes = data.flatMap((trace) => {
    const color = paint(trace), places = points(trace);
    if (trace.type === "bar") return places.map(([a, b]) => trace.orientation === "h"
      ? svg("line", { x1: x(0), x2: x(a), y1: y(b), y2: y(b), stroke: color, "stroke-width": 8 })
      : svg("line", { x1: x(a), x2: x(a), y1: y(0), y2: y(b), stroke: color, "stroke-width": 5 }));
    if (!/lines/.test(trace.mode ?? "lines")) return places.map(([a, b]) => svg("circle", { cx: x(a), cy: y(b), r: 4, fill: color }));
    return [svg("polyline", { points: places.map(([a, b]) => `${x(a)},${y(b)}`).join(" "), fill: "none", stroke: color, "stroke-width": 2 })];
  });
  const round = (value, span) => String(Number((Math.abs(value) < span / 1e6 ? 0 : value).toPrecision(3)));
  const words = [
    [layout.title?.text ?? "", pad + 12, 14, "start"], [layout.xaxis?.title?.text ?? "", width / 2, height - 6, "middle"],
    [round(frame.x[0], frame.x[1] - frame.x[0]), pad, height - 30, "start"], [round(frame.x[1], 0), width - 8, height - 30, "end"],
    [round(frame.y[0], frame.y[1] - frame.y[0]), pad - 4, height - pad, "end"], [round(frame.y[1], 0), pad - 4, 28, "end"],
  ].map(([text, left, top, anchor]) => svg("text", { x: left, y: top, "text-anchor": anchor, fill: "currentColor", "font-size": 12 }, text));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width: "100%", height: "100%" });
  picture.append(...shapes, ...words);
  box.replaceChildren(picture);
}

// ---------------------------------------------------------------- role: live

function makeLive(parent, page) {
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

// ---------------------------------------------------------------- the address

// Streamlit makes a history entry of every change that Python makes to the address. The playhead would fill the history,
// and the browser's Back would do nothing that one can see; it should lead to the page before.
function keepHistoryShort() {
  const push = history.pushState;
  history.pushState = function (state, title, url) {
    const here = url != null && new URL(url, location.href).pathname === location.pathname;
    return (here ? history.replaceState : push).call(history, state, title, url);
  };
}

// ---------------------------------------------------------------- after an upgrade

const RENEWED = "rlhf-stage-renewed-for";

// A tab that was open while the server was upgraded has the old player, which may not understand what is sent now. The
// address holds all that is on screen, so the page is loaded again: once for each version, in case it does not help.
function renewed(version) {
  if (version === VERSION) return false;
  try {
    if (sessionStorage.getItem(RENEWED) === version) return false;
    sessionStorage.setItem(RENEWED, version);
  } catch { return false; } // an iframe that may keep nothing
  location.reload();
  return true;
}

// ---------------------------------------------------------------- mounting

const MAKERS = { transport: makeTransport, chart: makeChart, live: makeLive };
const instances = new WeakMap(); // parentElement -> { role, bytes, ... }; Streamlit calls mount again on each change

async function mount(component) {
  const { parentElement, data } = component;
  const { page, head, body } = readHead(data);
  if (head.role === "control") return renewed(head.version) ? null : clockOf(page).control(head);
  if (body[0] !== PLAIN && !globalThis.DecompressionStream) return component.setStateValue("plain", true);
  let instance = instances.get(parentElement);
  if (!instance) {
    parentElement.querySelector(".rlhf-wait")?.remove();
    instance = { role: MAKERS[head.role](parentElement, page, head), bytes: null, work: Promise.resolve() };
    instances.set(parentElement, instance);
  }
  instance.latest = component;
  instance.work = instance.work.catch(() => {}).then(async () => {
    if (instance.latest !== component) return; // a newer call follows, or the element is gone
    const text = sameBytes(body, instance.bytes) ? null : await readBody(body);
    instance.bytes = body;
    if (instance.latest) await instance.role.update(component, text, head);
  });
  return instance.work;
}

function unmount(parentElement) {
  const instance = instances.get(parentElement);
  if (!instance) return;
  instance.latest = null;
  instance.role.destroy();
  instances.delete(parentElement);
}

function guarded(component) {
  mount(component).catch((error) => {
    const note = document.createElement("p");
    note.className = "rlhf-wait";
    note.textContent = `The player could not start: ${error.message}`;
    component.parentElement.append(note);
    throw error;
  });
}

export default function () {
  const stage = (globalThis[Symbol.for("rlhf.stage")] ??= { waiting: new Map() });
  if (stage.mount) return;
  Object.assign(stage, { mount: guarded, unmount, clocks });
  keepHistoryShort();
  for (const component of stage.waiting.values()) guarded(component);
  stage.waiting.clear();
}
