// What is taken away of a chart: names of files, links, numbers and the picture's layout. No page in here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chartLink, csvOf, embedCode, fileName, momentWords, pictureOf, redrawCode, wrapped } from "../../pages/stage/player/takeaway.js";

const parameters = (text) => new URLSearchParams(text);
const rowsOf = (figure) => csvOf(figure).trimEnd().split("\n").slice(1);

test("a moment has words", () => {
  const words = ["idle", "sft-4", "rm-10", "ppo-3-advantage", "ppo-3", "done"].map(momentWords);
  assert.deepEqual(words, ["the beginning", "SFT epoch 4", "reward-model epoch 10", "PPO step 3, advantage", "PPO step 3", "the end of the run"]);
});

test("a file's name carries what differs from the defaults, and no more", () => {
  assert.equal(fileName("ppo", "reward_kl_path", parameters(""), "idle"), "ppo-reward-kl-path");
  assert.equal(fileName("ppo", "reward_kl_path", parameters("beta=0.5&at=ppo-3&speed=9&show=loop&embed=true"), "ppo-3"), "ppo-reward-kl-path-beta0.5-at-ppo-3");
  assert.match(fileName("ppo", "x", parameters("scenario=../a<b>&pin=beta%3D0"), "idle"), /^ppo-x-scenario\.\._a_b_-pinbeta_0$/);
  assert.ok(fileName("ppo", "x", parameters(`a=${"9".repeat(999)}&${"b=1&".repeat(99)}`), "done").length <= 180);
});

test("Python is filled in with the chart and the moment, whatever else stands in it", () => {
  const python = 'from {module} import {name}\nview = View(x{pinned})\n{call}(view).at("{at}", {other})';
  assert.equal(redrawCode(python, { module: "pages.x", call: "pairs(7)" }, "ppo-3"), 'from pages.x import pairs\nview = View(x)\npairs(7)(view).at("ppo-3", {other})');
  assert.match(redrawCode(python, { module: "a", call: "b", pinned: ", pinned=$&" }, "done"), /View\(x, pinned=\$&\)/);
});

test("a link leads to the chart at the moment, with the settings, and without what else is on the page", () => {
  const here = "https://example.org/ppo?beta=0&at=ppo-1&tour=4&controls=beta&embed=true&plain=true#x";
  assert.equal(chartLink(here, "loop", "ppo-3"), "https://example.org/ppo?beta=0&controls=beta&at=ppo-3&show=loop");
  assert.equal(chartLink(here, "", "idle"), "https://example.org/ppo?beta=0&controls=beta");
  const code = embedCode(chartLink(here, "loop", "ppo-3", true), 321, 'A "title" <b>');
  assert.match(code, /^<iframe src="https:\/\/example.org\/ppo\?beta=0&amp;controls=beta&amp;at=ppo-3&amp;show=loop&amp;embed=true" /);
  assert.match(code, / height="630" .* title="A &quot;title&quot; &lt;b>"><\/iframe>$/);
});

test("numbers are tidy: series, place and units of every point that is drawn, without ghosts and gaps", () => {
  const layout = { xaxis: { title: { text: "PPO step" } }, yaxis: { title: { text: "mean reward [reward units]" } }, yaxis2: { title: { text: "true reward [own units]" } } };
  const data = [
    { x: [0, 1, 2], y: [9, 9, 9], hoverinfo: "skip" },
    { x: [0, 1], y: [0.5, null], name: "J, <b>all</b>" },
    { x: [1], y: [2], hovertemplate: "step %{x}<br>labellers’ judgement %{y:.2f}<extra></extra>" },
    { x: [1], y: [3], yaxis: "y2", hovertemplate: "step %{x}: %{y:.2f} units<extra></extra>" },
    { x: [1], y: [4], visible: "legendonly", name: "pinned", text: ["a"] },
    { x: [1], y: [5], visible: false, name: "hidden" },
  ];
  assert.equal(csvOf({ data, layout }).split("\n")[0], "series,x,x_quantity,x_unit,y,y_quantity,y_unit,label");
  assert.deepEqual(rowsOf({ data: data, layout }), [
    '"J, all",0,PPO step,,0.5,mean reward,reward units,',
    "labeller_reward,1,PPO step,,2,mean reward,reward units,",
    "true_reward,1,PPO step,,3,true reward,own units,",
  ]);
});

test("places on the pipeline are counts of epochs and steps; marks on an axis without a title are told by their words", () => {
  const pipeline = { title: { text: "epochs, then PPO steps" }, tickvals: [0, 1, 2, 3, 4], ticktext: ["0", "40", "30", "4", "8"] };
  const course = { data: [{ name: "KL", x: [0, 1, 1.5, 2, 4], y: [0, 1, 2, 3, 4] }], layout: { xaxis: pipeline, yaxis: { title: { text: "KL [nats]" } } } };
  assert.deepEqual(rowsOf(course).map((row) => row.split(",").slice(1, 3).join(" ")), ["0 SFT epoch", "40 SFT epoch", "15 Reward model epoch", "0 PPO step", "8 PPO step"]);
  const bars = { data: [{ type: "bar", name: "now", x: [0.2], y: [1] }, { mode: "text", hoverinfo: "skip", x: [0], y: [1], text: ["Say &lt;sorry&gt;"] }], layout: { xaxis: { title: "probability [%]" }, yaxis: {} } };
  assert.deepEqual(rowsOf(bars), ["now,0.2,probability,%,,,,Say <sorry>"]);
  const marks = { ...bars, data: [{ name: "base", x: [0.2], y: [1], hovertext: ["plain"], hovertemplate: ["%{hovertext} base <b>%{x:.2f}</b><extra></extra>"] }] };
  assert.deepEqual(rowsOf(marks), ["base,0.2,probability,%,,,,plain base"]);
});

test("a picture has title and small print around a plot of the same size", () => {
  const measure = (words, size) => words.length * size * 0.5;
  assert.deepEqual(wrapped("one two three", 40, (words) => words.length * 10), ["one", "two", "thre", "e"]);
  const figure = { data: [{ x: [1] }], layout: { margin: { l: 40, r: 12, t: 24, b: 30, autoexpand: false }, annotations: [{ text: "SFT" }] } };
  const made = pictureOf(figure, { title: "Is 1 < 2?", notes: ["Settings: β 0.3", "source"], ground: "#fff", muted: "#555", width: 400, height: 300, measure });
  const { width, height, margin, annotations, paper_bgcolor } = made.layout;
  assert.equal(width - margin.l - margin.r, 400 - 52);
  assert.equal(height - margin.t - margin.b, 300 - 54);
  assert.deepEqual(annotations.map(({ text }) => text), ["SFT", "Is 1 &lt; 2?", "Settings: β 0.3<br>source"]);
  assert.equal(paper_bgcolor, "#fff");
  assert.equal(figure.layout.annotations.length, 1, "the figure on the screen is left alone");
});
