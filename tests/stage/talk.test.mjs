// What the clock and Python tell each other: nothing is lost, and nothing is said twice without need.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "../../pages/stage/player/clock.js";
import { newTab, Talk } from "../../pages/stage/player/talk.js";

const NAMES = ["idle", "sft-1", "rm-1", "ppo-1", "ppo-2", "done"];
const BOARD = { names: NAMES, phases: NAMES.map((name) => name.split("-")[0]), lines: NAMES.map(() => null) };

// A page that has been opened at a frame; `wait(ms)` lets time pass.
function open({ at = "idle", tab = newTab(), seek = "", drawn = true } = {}) {
  let now = 0, timers = [];
  const time = {
    now: () => now,
    later: (act, ms) => { timers.push({ act, due: now + ms }); return timers.at(-1); },
    cancel: (timer) => { timers = timers.filter((other) => other !== timer); },
  };
  const clock = new Clock({ now: time.now, request: (tick) => time.later(() => tick(now), 10), cancel: time.cancel });
  const talk = new Talk(clock, tab, time), said = [];
  talk.tell = (report) => said.push(report);
  talk.hear({ at, seek, speed: 10 });
  if (drawn) clock.load(BOARD);
  const wait = (ms) => {
    for (const end = now + ms; now < end; now += 10)
      for (const timer of timers.filter(({ due }) => due <= now)) { time.cancel(timer); timer.act(); }
  };
  return { clock, talk, tab, said, wait, frames: () => said.map(({ frame }) => frame) };
}

test("a step is reported once, when it rests", () => {
  const page = open();
  page.clock.step();
  assert.deepEqual(page.frames(), []);
  page.wait(300);
  assert.deepEqual(page.said, [{ frame: "sft-1", seek: "", count: 1 }]);
});

test("a held key is reported when it is released", () => {
  const page = open();
  for (let i = 0; i < 30; i++) { page.clock[i % 2 ? "back" : "step"](); page.wait(40); }
  page.clock.step();
  page.wait(1000);
  assert.deepEqual(page.frames(), ["sft-1"]);
});

test("a second finish is told from the first", () => {
  const page = open();
  for (let run = 0; run < 2; run++) { page.clock.run(); page.wait(2000); page.talk.hear({ at: "done", seek: "", speed: 10 }); }
  assert.deepEqual(page.frames(), ["done", "done"]);
  assert.notEqual(page.said[0].count, page.said[1].count);
});

test("nothing is said while it plays", () => {
  const page = open();
  page.clock.step();
  page.clock.run(); // before the step was reported
  page.wait(200);
  page.talk.check();
  assert.deepEqual(page.frames(), []);
});

test("a report that got lost is made again, at most a few times", () => {
  const page = open();
  page.clock.step();
  page.wait(200);
  page.talk.check(); // at once: the answer may be on its way
  assert.equal(page.said.length, 1);
  page.wait(11000);
  assert.equal(page.said.length, 2);
  page.talk.hear({ at: "idle", seek: "", speed: 5 }); // an answer, but to nothing that was said
  page.talk.check();
  assert.equal(page.said.length, 3);
  page.talk.reconnected();
  page.talk.check();
  assert.equal(page.said.length, 4);
  for (let i = 0; i < 9; i++) { page.talk.check(); page.wait(11000); }
  assert.equal(page.said.length, 4);
  assert.equal(new Set(page.said.map(({ count }) => count)).size, 4);
});

test("where both agree nothing is said", () => {
  const page = open();
  page.clock.step();
  page.wait(200);
  page.talk.hear({ at: "sft-1", seek: "", speed: 5 });
  page.talk.check();
  page.wait(5000);
  assert.deepEqual(page.frames(), ["sft-1"]);
});

test("Python moves the playhead by a new seek, and only once", () => {
  const page = open();
  page.talk.hear({ at: "done", seek: "a", speed: 5 });
  assert.equal(page.clock.name, "done");
  page.clock.back();
  page.talk.hear({ at: "done", seek: "a", speed: 5 });
  assert.equal(page.clock.name, "ppo-2");
  page.wait(200);
  assert.deepEqual(page.said.at(-1), { frame: "ppo-2", seek: "a", count: 1 });
});

test("a new session believes what the address says; the player stays and corrects it", () => {
  const page = open({ at: "done", seek: "a" });
  page.clock.reset();
  page.wait(200);
  page.talk.hear({ at: "done", seek: "", speed: 5 });
  assert.equal(page.clock.name, "idle");
  page.talk.check();
  assert.deepEqual(page.said.at(-1), { frame: "idle", seek: "", count: 2 });
});

test("the next page goes on from where this one played, or rested unreported", () => {
  for (const act of [({ clock, wait }) => { clock.run(); wait(120); }, ({ clock }) => clock.step()]) {
    const page = open();
    act(page);
    const { name } = page.clock;
    page.talk.leave();
    page.talk.leave(); // it is said twice: by the newcomer, and when the page is gone
    const next = open({ tab: page.tab });
    assert.equal(next.clock.name, name);
    next.talk.check();
    assert.deepEqual(next.frames(), [name]);
    assert.equal(open({ tab: page.tab }).clock.name, "idle"); // and no page after that
  }
});

test("a page whose timeline comes after Python's last word says where it is all the same", () => {
  const page = open();
  page.clock.step();
  page.talk.leave();
  const next = open({ tab: page.tab, drawn: false });
  next.talk.check();
  next.wait(500);
  assert.deepEqual(next.frames(), []);
  next.clock.load(BOARD);
  next.wait(500);
  assert.deepEqual(next.frames(), ["sft-1"]);
});

test("a preset that turns the page wins over a run in mid-play", () => {
  const page = open();
  page.clock.run();
  page.wait(120);
  page.talk.leave();
  assert.equal(open({ tab: page.tab, at: "done", seek: "b" }).clock.name, "done");
});

test("Python may have it play from where it has put the playhead, once, and not on another run of its script", () => {
  const page = open({ at: "done" });
  page.talk.hear({ at: "sft-1", seek: "a", speed: 10, play: true });
  assert.deepEqual([page.clock.name, page.clock.playing], ["sft-1", false]); // the page is still being drawn
  page.talk.check();
  assert.ok(page.clock.playing);
  page.wait(1000);
  assert.deepEqual([page.clock.name, page.frames()], ["done", ["done"]]);
  page.talk.hear({ at: "done", seek: "a", speed: 10, play: true });
  page.talk.check();
  assert.ok(!page.clock.playing);
});

test("it waits for the timeline that has the frame, and for what is in sight to be drawn", () => {
  const page = open(), chart = { draw() {}, near: true, ready: false };
  page.clock.players.add(chart);
  page.talk.hear({ at: "sft-9", seek: "a", speed: 10, play: true });
  page.talk.check();
  page.wait(300);
  const names = ["idle", "sft-9", "done"];
  page.clock.load({ ...BOARD, names, phases: names, lines: names.map(() => null) });
  page.wait(300);
  assert.ok(!page.clock.playing);
  chart.ready = true;
  page.wait(500);
  assert.equal(page.clock.name, "done");
});

test("who wants less motion is shown the end", () => {
  const page = open();
  page.clock.time.isCalm = () => true;
  page.talk.hear({ at: "sft-1", seek: "a", speed: 10, play: true });
  assert.deepEqual([page.clock.name, page.clock.playing], ["done", false]);
  page.talk.check();
  assert.deepEqual(page.frames(), ["done"]); // Python does not know it yet
});
