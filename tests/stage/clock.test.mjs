// The clock and the nearest-frame rule, without a browser. Run by `node --test`, or by pytest through test_player.py.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Clock, nearestFrame } from "../../pages/stage/player/clock.js";

const LINES = ["sample", "score", "kl", "advantage", "update"];

// Idle, two frames each of SFT and the reward model, PPO steps of five lines, Done.
function board(steps = 2) {
  const frames = [["idle"], ["sft-1", "sft"], ["sft-2", "sft"], ["rm-1", "rm"], ["rm-2", "rm"]];
  for (let k = 1; k <= steps; k++)
    for (const line of LINES) frames.push([line === "update" ? `ppo-${k}` : `ppo-${k}-${line}`, "ppo", line]);
  frames.push(["done", "done"]);
  return {
    names: frames.map(([name]) => name),
    phases: frames.map(([name, phase]) => phase ?? name),
    lines: frames.map(([, , line]) => line ?? null),
  };
}

// A clock whose time is ours: `wait(ms)` lets it tick.
function clockAt(name, { steps = 2, calm = false } = {}) {
  let now = 0, tick = null;
  const clock = new Clock({
    now: () => now, request: (next) => { tick = next; }, cancel: () => { tick = null; }, isCalm: () => calm,
  });
  clock.reports = [];
  clock.moved = () => clock.reports.push(clock.name);
  clock.load(board(steps));
  clock.index = clock.board.names.indexOf(name);
  clock.wait = (ms) => {
    for (const end = now + ms; now < end && tick;) {
      now += 10;
      const due = tick;
      tick = null;
      due(now);
    }
  };
  return clock;
}

test("the nearest frame, by the table that Python's rule is tested with", () => {
  const { names, cases } = JSON.parse(readFileSync(new URL("nearest_frames.json", import.meta.url)));
  for (const [name, nearest] of cases) assert.equal(names[nearestFrame(names, name)], nearest, name);
});

test("Step goes from phase to phase and Back retraces", () => {
  const clock = clockAt("idle"), visited = [];
  for (let i = 0; i < 6; i++) { clock.step(); visited.push(clock.name); }
  assert.deepEqual(visited, ["sft-2", "rm-2", "ppo-1", "ppo-2", "done", "done"]);
  const back = [];
  for (let i = 0; i < 5; i++) { clock.back(); back.push(clock.name); }
  assert.deepEqual(back, ["ppo-2", "ppo-1", "rm-2", "sft-2", "idle"]);
});

test("Step by loop line stops at each line", () => {
  const clock = clockAt("rm-2"), visited = [];
  clock.mode = "line";
  for (let i = 0; i < 6; i++) { clock.step(); visited.push(clock.name); }
  assert.deepEqual(visited, [...LINES.slice(0, 4).map((line) => `ppo-1-${line}`), "ppo-1", "ppo-2-sample"]);
});

test("Run skips loop lines, keeps the speed, reports once and starts over at Done", () => {
  const clock = clockAt("idle"), seen = [];
  clock.speed = 10;
  clock.players.add({ draw: (index) => seen.push(clock.board.names[index]) });
  clock.run();
  clock.wait(140);
  assert.equal(clock.name, "sft-2"); // 20 beats a second
  clock.wait(1000);
  assert.deepEqual([clock.name, clock.playing, clock.reports], ["done", false, ["done"]]);
  assert.ok(!seen.includes("ppo-1-score"));
  clock.run();
  assert.equal(clock.name, "idle");
});

test("what brings little is passed over, unless one scrubs to it or goes line by line", () => {
  const clock = clockAt("idle"), seen = [];
  clock.board.beats = clock.board.names.map((name) => ["sft-1", "rm-1", "ppo-1"].includes(name) ? 0 : 1);
  clock.players.add({ draw: (index) => seen.push(clock.board.names[index]) });
  clock.speed = 10;
  clock.run();
  clock.wait(1000);
  assert.deepEqual(seen.filter((name, i) => name !== seen[i - 1]), ["idle", "sft-2", "rm-2", "ppo-2", "done"]);
  clock.scrub(clock.board.names.indexOf("rm-1"));
  assert.equal(clock.name, "rm-1");
  clock.mode = "line";
  clock.run();
  clock.wait(310);
  assert.equal(clock.name, "ppo-1");
});

test("a frame stays for its beats, unless one goes line by line or wants less motion", () => {
  const timed = (mode, calm) => {
    const clock = clockAt("rm-2", { calm });
    clock.board.beats = clock.board.names.map((name) => (name.startsWith("ppo") ? 2.5 : 1));
    Object.assign(clock, { speed: 10, mode });
    const at = { "rm-2": 0 };
    let ms = 0;
    for (clock.run(); clock.playing; ms += 10) { at[clock.name] ??= ms; clock.wait(10); }
    return [at["ppo-1"], at["ppo-2"], ms];
  };
  const near = (found, wanted) => found.forEach((ms, i) => assert.ok(Math.abs(ms - wanted[i]) <= 20, `${found}`));
  near(timed("phase", false), [50, 175, 300]); // 20 beats a second: one, then two and a half for each step
  near(timed("line", false), [250, 500, 550]);
  near(timed("phase", true), [1500, 3000, 4500]);
});

test("a hidden tab does not leap when it comes back", () => {
  const clock = clockAt("idle");
  clock.speed = 10;
  clock.run();
  clock.tick(60000);
  assert.equal(clock.name, "ppo-1"); // five frames, of a quarter of a second
});

test("reduced motion goes by phases, slowly enough to read", () => {
  const clock = clockAt("idle", { calm: true });
  clock.speed = 10;
  clock.run();
  clock.wait(1600);
  assert.equal(clock.name, "sft-2");
});

test("the scrubber skips loop lines in the direction of the move", () => {
  const clock = clockAt("rm-2"), { names } = clock.board;
  clock.scrub(names.indexOf("ppo-1-score"));
  assert.equal(clock.name, "ppo-1");
  clock.scrub(names.indexOf("ppo-1-score"));
  assert.equal(clock.name, "rm-2");
});

test("another run keeps the frame, or takes the nearest", () => {
  const clock = clockAt("ppo-2");
  clock.load(board(60));
  assert.equal(clock.name, "ppo-2");
  clock.index = clock.board.names.indexOf("ppo-40-kl");
  clock.load(board(8));
  assert.equal(clock.name, "ppo-8");
});

test("a frame that is sought before its run has come waits for it", () => {
  const clock = new Clock();
  clock.seek("ppo-40");
  assert.equal(clock.name, "ppo-40");
  clock.load(board(8)); // the run before, still on its way
  assert.deepEqual([clock.name, clock.aim], ["ppo-8", "ppo-40"]);
  clock.load(board(60));
  assert.deepEqual([clock.name, clock.aim, clock.wanted], ["ppo-40", "ppo-40", null]);
});

test("what the reader does ends the waiting, and a seek ends a run", () => {
  const clock = clockAt("ppo-1");
  clock.seek("ppo-40");
  clock.back();
  assert.deepEqual([clock.name, clock.aim], ["ppo-1", "ppo-1"]);
  clock.run();
  clock.seek("idle");
  assert.deepEqual([clock.name, clock.playing], ["idle", false]);
});
