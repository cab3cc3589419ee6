// A figure in less room than its own height. No page in here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fitted } from "../../pages/stage/player/tight.js";

const rows = {
  tracks: [{ trace: 1 }],
  data: [
    { type: "bar", x: [2, 1], y: [0, 1], width: 0.4 },
    { mode: "text", y: [-0.4, 0.6], text: ["long", "short"] },
    { mode: "text", y: [-0.4, 0.6], text: ["+2", "+1"], textfont: { color: "#123" } },
  ],
  layout: { height: 400, yaxis: { range: [1.5, -0.85], showticklabels: false, title: { text: "" } } },
};
const curves = { data: [{ mode: "lines" }, { mode: "text", text: ["best"] }], layout: { template: { layout: { height: 300 } }, yaxis: { title: { text: "reward [units]" } } } };

test("with most of its height a figure stays as it is", () => {
  assert.deepEqual(fitted(rows, 350), { ...rows, layout: { ...rows.layout, height: 350 } });
});

test("in little room the words above rows stand beside them, and every trace keeps its place", () => {
  const { data, layout, tracks } = fitted(rows, 200);
  assert.deepEqual([tracks, layout.height, layout.yaxis.range], [rows.tracks, 200, [1.5, -0.5]]);
  assert.deepEqual(data.map(({ visible }) => visible), [undefined, false, false]);
  assert.deepEqual(layout.yaxis.tickvals, [0, 1]);
  assert.deepEqual(layout.yaxis.ticktext, ['long  <span style="color:#123">+2</span>', 'short  <span style="color:#123">+1</span>']);
  assert.equal(layout.yaxis.showticklabels, true);
});

test("an axis with a title has it in two lines then, and its words where they were", () => {
  const { data, layout } = fitted(curves, 200);
  assert.deepEqual(data, curves.data);
  assert.deepEqual(layout.yaxis.title, { text: "reward<br>[units]", font: { size: 12 } });
  assert.equal("ticktext" in layout.yaxis, false);
});

test("words that do not fit into their bar are left out then", () => {
  const bars = { data: [{ type: "bar", text: ["a"], textposition: "inside", constraintext: "none" }], layout: { height: 500, yaxis: {} } };
  assert.equal(fitted(bars, 450).data[0].constraintext, "none");
  const { data, layout } = fitted(bars, 200);
  assert.deepEqual([data[0].constraintext, layout.uniformtext], ["inside", { mode: "hide", minsize: 12 }]);
});

test("ticks that would stand on each other are fewer then, with their words, and the ends stay", () => {
  const axis = { tickvals: [0, 1, 5, 25, 100], ticktext: ["0%", "1%", "5%", "25%", "100%"], range: [0, 100] };
  const { yaxis } = fitted({ data: [], layout: { height: 400, yaxis: axis } }, 160).layout;
  assert.deepEqual([yaxis.tickvals, yaxis.ticktext], [[0, 25, 100], ["0%", "25%", "100%"]]);
  const half = fitted({ data: [], layout: { height: 400, yaxis: { ...axis, domain: [0, 0.4] } } }, 160).layout.yaxis;
  assert.deepEqual(half.tickvals, [0, 100]);
  const log = fitted({ data: [], layout: { height: 400, yaxis: { tickvals: [0.1, 1, 10], range: [-1, 1], type: "log" } } }, 160).layout.yaxis;
  assert.deepEqual(log.tickvals, [0.1, 1, 10]);
});

test("names beside curves stand off each other then, within the plot and in the same order", () => {
  const name = (y, text) => ({ xref: "paper", x: 1, xanchor: "left", y, text });
  const level = { x: 3, y: 99, text: "a level" };
  const layout = { height: 400, yaxis: { range: [0, 100] }, annotations: [name(96, "top<br>most"), level, name(95, "next"), name(10, "low")] };
  const { annotations } = fitted({ data: [], layout }, 160).layout;
  assert.deepEqual(annotations.map(({ y }) => Math.round(10 * y) / 10), [83, 99, 57.5, 10]);
});
