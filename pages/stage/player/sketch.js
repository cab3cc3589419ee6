// Without Plotly: lines, dots and bars as plain SVG, so that the reader still sees the shape and the playhead.

import { plotlyState } from "./plotly.js";
import { makeChanges, setPath } from "./tracks.js";

const points = ({ x, y }) => {
  const number = (values, i) => (typeof values?.[i] === "number" ? values[i] : i);
  return (y ?? x ?? []).map((_, i) => [number(x, i), number(y, i)]);
};

function extent({ data, layout }) {
  const all = data.flatMap((trace) => [...points(trace), ...(trace.type === "bar" ? [[trace.orientation === "h" ? 0 : trace.x?.length / 2, 0]] : [])]);
  const range = (axis, i) => layout[axis]?.range ?? [Math.min(...all.map((p) => p[i])), Math.max(...all.map((p) => p[i]))];
  return { x: range("xaxis", 0), y: range("yaxis", 1) };
}

function sketch(box, { data, layout }, frame) {
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
    [plotlyState() === "coming" ? "a sketch; the chart is loading" : "a sketch", width - 8, 14, "end"],
  ].map(([text, left, top, anchor]) => svg("text", { x: left, y: top, "text-anchor": anchor, fill: "currentColor", "font-size": 12 }, text));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width: "100%", height: "100%" });
  picture.append(...shapes, ...words);
  box.replaceChildren(picture);
}

export function sketched(plot, figure) {
  const changes = makeChanges(figure), frame = extent(figure);
  function show(index) {
    for (const [trace, path, value] of changes(index)) setPath(figure.data[trace], path, value);
    sketch(plot, figure, frame);
  }
  return { figure, begin: show, show, resize() {}, end() {} };
}
