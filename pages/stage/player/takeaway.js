// What a reader takes away of one chart: its picture, its numbers, links to it. Pure: no page; widths of words come from
// whoever measures them.

const VIEW_ONLY = ["show", "controls", "speed", "tour", "plain", "embed", "embed_options"]; // how one looks, not at what
const PIPELINE = "epochs, then PPO steps"; // as in pages/drawing/stages.py
const BANDS = [["PPO", "step", 2, 4], ["Reward model", "epoch", 1, 2], ["SFT", "epoch", 0, 1]];
const NAMES = { "true reward": "true_reward", "labellers’ judgement": "labeller_reward" };
const COUNTS = ["step", "epoch"];
const COLUMNS = ["series", "x", "x_quantity", "x_unit", "y", "y_quantity", "y_unit", "label"];
const EMBED_PX = 300; // player, title and reading, beside the chart
export const PICTURE_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"; // a picture cannot use the page's own font
const LEGEND_PX = 11; // as wide in it as on the page
const MARGIN_PX = 14, TITLE_PX = 17, SMALL_PX = 12, LEADING = 1.3; // Plotly's own leading

// "ppo-3-advantage" in words, as Python has them.
export function momentWords(name) {
  const [phase, number, line] = name.split("-");
  if (phase === "sft") return `SFT epoch ${number}`;
  if (phase === "rm") return `reward-model epoch ${number}`;
  if (phase === "ppo") return `PPO step ${number}${line && line !== "update" ? `, ${line}` : ""}`;
  return phase === "done" ? "the end of the run" : "the beginning";
}

// page-part-beta0.5-at-ppo-3: what differs from the defaults, for the address has no more.
export function fileName(page, part, parameters, at) {
  const changed = [...parameters].filter(([name]) => name !== "at" && !VIEW_ONLY.includes(name)).map(([name, value]) => name + value);
  const words = [page, part.replaceAll("_", "-"), ...changed, ...(at === "idle" ? [] : [`at-${at}`])];
  return words.map((word) => word.replace(/[^\w.,-]+/g, "_").slice(0, 40)).join("-").slice(0, 180);
}

// Python that draws a chart at a moment; `code` is { module, call, pinned, brings }.
export function redrawCode(python, code, at) {
  const words = { pinned: "", brings: "", ...code, name: code.call.split("(")[0], at };
  return python.replace(/\{(\w+)\}/g, (whole, word) => words[word] ?? whole);
}

// The chart at a moment, on its page or (a part that has a name there) alone.
export function chartLink(url, part, at, embed = false) {
  const link = new URL(url);
  for (const name of ["at", "show", "tour", "plain", "embed", "embed_options"]) link.searchParams.delete(name);
  link.hash = "";
  if (at !== "idle") link.searchParams.set("at", at);
  if (part) link.searchParams.set("show", part);
  if (embed) link.searchParams.set("embed", "true");
  return link.href;
}

export function embedCode(link, height, title) {
  const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const size = `width="100%" height="${Math.ceil((height + EMBED_PX) / 10) * 10}" style="border:0"`;
  return `<iframe src="${quoted(link)}" ${size} allow="clipboard-write" title="${quoted(title)}"></iframe>`;
}

// ------------------------------------------------------------ numbers

const plainText = (text) => String(text ?? "").replace(/<[^<>]*>/g, " ").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&").replace(/\s+/g, " ").trim();
const isGap = (value) => value === null || value === undefined || Number.isNaN(value);
const entry = (values, i) => (Array.isArray(values) ? values[i] : values);
const isDecoration = ({ hoverinfo, name, mode }) => hoverinfo === "skip" && (!name || mode === "text"); // a ghost or a label

function axisOf(layout, trace, letter) { // of the trace, or the one that it follows in another panel
  const at = (id) => layout[`${letter}axis${id.slice(1)}`] ?? {};
  const axis = at(trace[`${letter}axis`] ?? letter);
  return axis.matches && !titleOf(axis) ? at(axis.matches) : axis;
}

const titleOf = ({ title }) => plainText(title?.text ?? title ?? "");

function placeOn(axis, value) { // [value, quantity, unit]; a title reads "quantity [unit]"
  const title = titleOf(axis), ticks = axis.ticktext ? axis.tickvals.map(Number) : [];
  if (title === PIPELINE) {
    const [stage, unit, low, high] = BANDS.find(([, , from, to]) => (to === 2 ? value > from : value >= from));
    return [Math.round(((value - low) / (high - low)) * Number(axis.ticktext[ticks.indexOf(high)])), `${stage} ${unit}`, ""];
  }
  if (ticks.includes(value)) return [plainText(axis.ticktext[ticks.indexOf(value)]), title, ""];
  const [, quantity, unit = ""] = /^(.*?)(?: \[([^[\]]*)\])?$/.exec(title);
  return [title ? value : "", quantity, unit];
}

function labelsOf({ data, layout }) { // words for a place on an axis that only holds marks apart
  const found = new Map();
  for (const trace of [...data].sort((a, b) => (b.mode === "text") - (a.mode === "text")))
    for (const letter of ["x", "y"])
      if (!titleOf(axisOf(layout, trace, letter)))
        (trace[letter] ?? []).forEach((at, i) => {
          const words = entry(trace.text, i) ?? entry(trace.customdata, i);
          if (typeof words === "string" && !found.has(letter + at)) found.set(letter + at, words);
        });
  return found;
}

function seriesOf({ name, hovertemplate }, quantity) { // by name, or by what is said on hover, or by its axis
  const said = String(entry(hovertemplate, 0) ?? "");
  const found = name || ["y", "x"].map((letter) => RegExp(`(?:^|<br>|: )([^%<:]+?):? %\\{${letter}`).exec(said)?.[1]).find((word) => word && !COUNTS.includes(word)) || quantity;
  return NAMES[plainText(found)] ?? plainText(found);
}

function wordsOf(trace, i) { // what is said on hover, without its numbers
  const said = String(entry(trace.hovertemplate, i) ?? "").replace(/<extra>.*?<\/extra>/g, "");
  const fill = (whole, name) => { const value = entry(trace[name], i); return typeof value === "string" ? value : ""; };
  return said.replace(/%\{(\w+)[^}]*\}/g, fill);
}

// One row for each point that is drawn: of which series, where, in which units.
export function csvOf(figure) {
  const labels = labelsOf(figure), rows = [COLUMNS];
  for (const trace of figure.data.filter((each) => !isDecoration(each) && each.visible !== false && each.visible !== "legendonly")) {
    const [across, along] = ["x", "y"].map((letter) => axisOf(figure.layout, trace, letter));
    const name = seriesOf(trace, placeOn(along, 0)[1]);
    (trace.x ?? []).forEach((x, i) => {
      const y = trace.y?.[i];
      if (isGap(x) || isGap(y)) return;
      const own = entry(trace.text, i), beside = labels.get(`y${y}`) ?? labels.get(`x${x}`);
      const words = (typeof own === "string" && own) || beside || (titleOf(across) && titleOf(along) ? "" : wordsOf(trace, i));
      rows.push([name, ...placeOn(across, x), ...placeOn(along, y), plainText(words)]);
    });
  }
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

// ------------------------------------------------------------ picture

function pieces(word, width, measure) { // of a long address, say
  if (measure(word) <= width) return [word];
  let n = word.length;
  while (n > 1 && measure(word.slice(0, n)) > width) n--;
  return [word.slice(0, n), ...pieces(word.slice(n), width, measure)];
}

export function wrapped(text, width, measure) { // lines no wider than that
  const lines = [];
  for (const word of text.split(" ").flatMap((each) => pieces(each, width, measure))) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const inPlotly = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // which reads some HTML

// A copy of a figure, with its title above and small print below; the plot itself stays as large as it is on the screen.
export function pictureOf({ data, layout }, { title, notes, ground, muted, width, height, measure }) {
  const copy = structuredClone(layout), { l, r, t, b } = layout.margin;
  const head = wrapped(title, width, (words) => measure(words, TITLE_PX, 600));
  const foot = notes.flatMap((note) => wrapped(note, width, (words) => measure(words, SMALL_PX, 400)));
  const tall = (lines, size) => MARGIN_PX + Math.ceil(lines.length * size * LEADING) + 8;
  const [above, below] = [tall(head, TITLE_PX), tall(foot, SMALL_PX)];
  const words = (lines, font, place) => ({
    text: lines.map(inPlotly).join("<br>"), font, ...place,
    x: 0, xref: "paper", xanchor: "left", xshift: -l, yref: "paper", align: "left", showarrow: false, borderpad: 0,
  });
  copy.annotations = [
    ...(copy.annotations ?? []),
    words(head, { size: TITLE_PX, weight: 600 }, { y: 1, yanchor: "bottom", yshift: t + 4 }),
    words(foot, { size: SMALL_PX, color: muted }, { y: 0, yanchor: "top", yshift: -b - 4 }),
  ];
  copy.font = { ...copy.font, family: PICTURE_FONT };
  copy.legend = { ...copy.legend, font: { ...copy.legend?.font, size: LEGEND_PX } };
  copy.margin = { ...copy.margin, l: l + MARGIN_PX, r: r + MARGIN_PX, t: t + above, b: b + below };
  const size = { width: width + 2 * MARGIN_PX, height: height + above + below };
  return { data: structuredClone(data), layout: { ...copy, ...size, autosize: false, paper_bgcolor: ground } };
}
