// A figure in much less room than its own height: as much of it as can be read. No page in here.

const TIGHT = 0.8; // of a chart's own height: then the titles of its axes take two lines, and rows have their names beside them
const LEAST_WORDS_PX = 12, LINE_PX = 17, AROUND_PX = 60; // words, a line of them, and what stands above and below a plot
const THICK = 0.6; // bars without words above them, as a share of their row

const isWords = ({ mode }) => mode === "text";

// A figure at another height than its own.
export function fitted(figure, room) {
  const own = figure.layout.height ?? figure.layout.template.layout.height;
  if (room >= TIGHT * own) return { ...figure, layout: { ...figure.layout, height: room } };
  const { data, layout } = namedBeside(namedWithin(figure)), axes = tightAxes(layout, room - AROUND_PX);
  return { ...figure, data, layout: { ...layout, ...axes, ...namesApart(layout, room - AROUND_PX), height: room } };
}

function tightAxes(layout, height) {
  const names = Object.keys(layout).filter((name) => /^yaxis\d*$/.test(name));
  const short = ({ title }) => (title?.text ? { title: { ...title, text: title.text.replace(" [", "<br>["), font: { ...title.font, size: LEAST_WORDS_PX } } } : {});
  return Object.fromEntries(names.map((name) => [name, { ...layout[name], ...short(layout[name]), ...fewerTicks(layout[name], height) }]));
}

// Ticks that stand where a chart says, but for those on the words of the one before; the ends stay rather than what is between.
function fewerTicks({ tickvals, ticktext, range, type, domain: [from, to] = [0, 1] }, height) {
  if (!tickvals || !range) return {};
  const place = (value) => ((type === "log" ? Math.log10(value) : value) - range[0]) * (height * (to - from)) / (range[1] - range[0]);
  const order = tickvals.map((_, i) => i).sort((a, b) => place(tickvals[a]) - place(tickvals[b]));
  const far = (one, other) => Math.abs(place(tickvals[one]) - place(tickvals[other])) >= LEAST_WORDS_PX;
  const last = order.at(-1), kept = [];
  for (const each of order) if (each === last || !kept.length || (far(each, kept.at(-1)) && far(each, last))) kept.push(each);
  if (kept.length === order.length) return {};
  return { tickvals: kept.map((i) => tickvals[i]), ...(ticktext ? { ticktext: kept.map((i) => ticktext[i]) } : {}) };
}

// Names beside the ends of curves, in the same order and off each other.
function namesApart({ annotations = [], yaxis }, height) {
  const names = annotations.filter(({ xref, x, xanchor }) => xref === "paper" && x === 1 && xanchor === "left").sort((a, b) => a.y - b.y);
  if (!names.length || !yaxis?.range) return {};
  const half = names.map(({ text }) => (text.split("<br>").length * LINE_PX * (yaxis.range[1] - yaxis.range[0])) / height / 2);
  const at = names.map(({ y }) => y);
  for (let i = 1; i < at.length; i++) at[i] = Math.max(at[i], at[i - 1] + half[i - 1] + half[i]);
  for (let i = at.length - 1, top = yaxis.range[1]; i >= 0; i--) top = (at[i] = Math.min(at[i], top - half[i])) - half[i];
  return { annotations: annotations.map((each) => (names.includes(each) ? { ...each, y: at[names.indexOf(each)] } : each)) };
}

// Words in a bar that is lower than they are would stand on those of the next.
function namedWithin({ data, layout }) {
  const named = ({ type, textposition }) => type === "bar" && textposition === "inside";
  if (!data.some(named)) return { data, layout };
  const traces = data.map((trace) => (named(trace) ? { ...trace, constraintext: "inside" } : trace));
  return { data: traces, layout: { ...layout, uniformtext: { mode: "hide", minsize: LEAST_WORDS_PX } } };
}

// Words above a chart's rows, such as names and values, become the labels of an axis: its rows can be as low as a line of words.
function namedBeside({ data, layout }) {
  const words = layout.yaxis?.showticklabels === false ? data.filter(isWords) : [];
  if (!words.length) return { data, layout };
  const coloured = ({ text, textfont }, row) => (textfont?.color ? `<span style="color:${textfont.color}">${text[row]}</span>` : text[row]);
  const tickvals = words[0].text.map((_, row) => row), ticktext = tickvals.map((row) => words.map((each) => coloured(each, row)).join("  "));
  const traces = data.map((trace) => (isWords(trace) ? { ...trace, visible: false } : trace.type === "bar" ? { ...trace, width: THICK } : trace));
  return { data: traces, layout: { ...layout, yaxis: { ...layout.yaxis, showticklabels: true, tickvals, ticktext, range: [layout.yaxis.range[0], -0.5] } } };
}
