// A chart as Plotly draws it: once, and then what moves is restyled.

import { makeChanges, setPath } from "./tracks.js";

const OPTIONS = { displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: false };

function dress({ layout }, look) { // what the figure left open: font, ground, and no dragging (a phone must scroll)
  const template = layout.template?.layout ?? {};
  layout.font = { ...layout.font };
  if (!template.font?.color) layout.font.color ??= look.text;
  if (!template.font?.family) layout.font.family ??= look.font;
  if (!template.paper_bgcolor) layout.paper_bgcolor ??= "rgba(0,0,0,0)";
  if (!template.plot_bgcolor) layout.plot_bgcolor ??= "rgba(0,0,0,0)";
  layout.dragmode ??= false;
  layout.autosize = true;
  delete layout.width;
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

function restyle(plot, changes) {
  if (!changes.length) return;
  const traces = [...new Set(changes.map(([trace]) => trace))], update = {};
  for (const [trace, path, value] of changes) (update[path] ??= traces.map(() => undefined))[traces.indexOf(trace)] = value;
  globalThis.Plotly.restyle(plot, update, traces);
}

const axesAt = ({ _fullLayout: { xaxis, yaxis } }) => ({
  left: xaxis._offset, width: xaxis._length, top: yaxis._offset, height: yaxis._length, x: xaxis.range, y: yaxis.range,
});

function watchAxes(plot, stand) { // for what lies on the chart
  let known = "";
  plot.removeAllListeners("plotly_afterplot");
  plot.on("plotly_afterplot", () => {
    const axes = axesAt(plot), now = JSON.stringify(axes);
    if (now !== known) stand(axes);
    known = now;
  });
}

let deaf = false;

// Plotly listens for the wheel anew on each redraw, though zooming is off; WebKit restyles the page for each listener.
function ignoreWheels() {
  if (deaf) return;
  deaf = true;
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    if (type !== "wheel" || !this?.closest?.(".rlhf-chart")) add.call(this, type, ...rest);
  };
}

export async function plotted(plot, figure, look, stand) {
  ignoreWheels();
  if (!plot._fullLayout) plot.replaceChildren(); // a sketch
  const changes = makeChanges(figure);
  dress(figure, look);
  const rest = structuredClone(figure.layout);
  await globalThis.Plotly.react(plot, figure.data, figure.layout, OPTIONS);
  if (figure.guess) watchAxes(plot, stand);
  return {
    figure: plot,
    async begin(index) {
      freeze(plot);
      for (const [trace, path, value] of changes(index)) setPath(plot.data[trace], path, value);
      await globalThis.Plotly.redraw(plot);
    },
    show(index) { restyle(plot, changes(index)); },
    resize(isShown) {
      thaw(plot, rest);
      globalThis.Plotly.Plots.resize(plot).then(() => { if (isShown()) freeze(plot); }, () => {}); // rejected while hidden
    },
    fit(width) { // at once, for the printer does not wait
      thaw(plot, rest);
      globalThis.Plotly.relayout(plot, { width, autosize: width === null });
      freeze(plot);
    },
    end() { globalThis.Plotly.purge(plot); },
  };
}
