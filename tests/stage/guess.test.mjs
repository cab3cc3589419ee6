// What a reader's guess does when it is drawn, nudged and held to the run. No page in here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bends, guessWords, heightAt, held, newGuess, nudged, putPoint, stroke } from "../../pages/stage/player/guess.js";

// Four points over 0 ... 3, the first of them given; the second holds two knots.
const SPEC = {
  about: "true reward", of: "beta=0", knots: [0, 1, 2, 3, 4], anchors: [0, 1, 1, 2, 3], given: 1, start: 1, bounds: [-1, 3],
  moments: ["the start", "the end of SFT", "PPO step 4", "PPO step 8"], answer: null,
};
const ANSWER = { x: [0, 1, 2, 3, 4], y: [1, 1.5, 1.5, 2.5, 2], moments: ["the start", "the end of SFT", "the end of SFT", "PPO step 4", "PPO step 8"] };
const told = { ...SPEC, answer: ANSWER };

function guessAt(...values) {
  return { values, of: "beta=0" };
}

test("a new guess is level, and nobody has drawn it", () => {
  assert.deepEqual(newGuess(SPEC), { values: [1, 1, 1, 1], of: null });
});

test("what is given stays, what is free moves within the axis", () => {
  const guess = newGuess(SPEC);
  putPoint(SPEC, guess, 0, 3);
  assert.deepEqual(guess, newGuess(SPEC));
  putPoint(SPEC, guess, 3, 99);
  assert.deepEqual(guess, guessAt(1, 1, 1, 3));
  assert.deepEqual(bends(SPEC, guess.values), [[0, 1], [1, 1], [2, 1], [3, 1], [4, 3]]);
});

test("keys nudge by a fortieth of the axis, pages by five, Home and End go to its ends", () => {
  const keys = ["ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft", "PageUp", "PageDown", "Home", "End", "a", "toString"];
  assert.deepEqual(keys.map((key) => nudged(SPEC, 1, key)).map((v) => v && Number(v.toFixed(6))), [1.1, 1.1, 0.9, 0.9, 1.5, 0.5, -1, 3, null, null]);
  assert.equal(nudged(SPEC, 3, "ArrowUp"), 3);
});

test("the line between points is straight, and level beyond them", () => {
  const line = [[0, 0], [2, 4], [2, 6], [3, 0]];
  assert.deepEqual([-1, 0, 0.5, 2, 2.5, 3, 9].map((x) => heightAt(line, x)), [0, 0, 1, 4, 3, 0, 0]);
});

test("a stroke moves all points that it passes, in either direction, and a tap the nearest one", () => {
  for (const [from, to] of [[[0.5, 0], [4, 2]], [[4, 2], [0.5, 0]]]) {
    const guess = newGuess(SPEC);
    stroke(SPEC, guess, from, to);
    assert.deepEqual(guess.values.map((value) => Number(value.toFixed(3))), [1, 0.857, 1.429, 2]);
  }
  const guess = newGuess(SPEC);
  stroke(SPEC, guess, [2.7, 2.2], [2.7, 2.2]);
  assert.deepEqual(guess.values, [1, 1, 2.2, 1]);
  stroke(SPEC, guess, [0.1, 0], [0.1, 0]); // the nearest is given: the next one moves
  assert.deepEqual(guess.values, [1, 0, 2.2, 1]);
});

test("a guess that is right is not off, and its peak is where it was", () => {
  const right = held(told, guessAt(1, 1.5, 2.5, 2));
  assert.ok(right.off < 1e-12);
  assert.match(guessWords(told, guessAt(1, 1.5, 2.5, 2), true), /0\.00 off on average; true reward ran from 1\.00 to 2\.50\. You put the peak at PPO step 4, at 2\.50; that is where it was, at 2\.50\./);
});

test("how far off is the mean distance along the axis, and both peaks are named", () => {
  const higher = held(told, guessAt(2, 2.5, 3.5, 3));
  assert.ok(Math.abs(higher.off - 1) < 1e-9);
  assert.match(guessWords(told, guessAt(1, 1.5, 2, 3), true), /You put the peak at PPO step 8, at 3\.00; it was at PPO step 4, at 2\.50\./);
  assert.match(guessWords(told, guessAt(1, 1, 1, 1), true), /level and has no peak; it was at PPO step 4/);
  assert.match(guessWords({ ...told, answer: { ...ANSWER, y: [-1, -2, -2, -3, -2.5] } }, guessAt(1, 1, 1, 2), true), /from −3\.00 to −1\.00/);
});

test("the words say what comes next", () => {
  const none = newGuess(SPEC), mine = guessAt(1, 1, 2, 1), other = { ...mine, of: "beta=2" };
  const says = [
    [SPEC, none, false, /^How will true reward go\? Draw it, .* arrow keys/], [SPEC, mine, false, /^Press Run/],
    [SPEC, none, true, /^The run has begun\. Press Reset/], [SPEC, mine, true, /^Your guess stands/],
    [SPEC, other, false, /^The settings have changed since you drew this\. It is kept/],
    [told, none, true, /^Nothing was drawn/], [told, mine, true, /^Your guess is/],
    [told, other, true, /^You drew this for other settings; held to this run: Your guess is/],
  ];
  for (const [spec, guess, begun, words] of says) assert.match(guessWords(spec, guess, begun), words);
});
