// A chart: Plotly draws it once, and the clock restyles what moves.

import { clockOf, leave } from "./clocks.js";
import { theme } from "./look.js";
import { plotly } from "./plotly.js";
import { extent, sketch } from "./sketch.js";

const NEAR_VIEWPORT = "200px";

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

export function makeChart(parent, page, head) {
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
