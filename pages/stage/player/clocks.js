// One clock for each page, shared by all that is mounted on it; the next page takes over a run in mid-play.

import { Clock } from "./clock.js";
import { isCalm } from "./look.js";

const CARRY_PATIENCE_MS = 10000; // a page change in mid-play goes on from the same frame within this time

export const clocks = new Map();
let carried = null;

export function clockOf(page) {
  if (!clocks.has(page)) {
    const clock = new Clock({ isCalm });
    clock.takeOver = () => takeCarried(clock);
    clocks.set(page, clock);
  }
  return clocks.get(page);
}

export function carry(clock) {
  if (clock.playing) carried = { name: clock.name, at: performance.now() };
  clock.playing = false;
}

function takeCarried(newcomer) {
  for (const clock of clocks.values()) if (clock !== newcomer) carry(clock); // the old page may still be on its way out
  const name = carried && performance.now() - carried.at < CARRY_PATIENCE_MS ? carried.name : null;
  carried = null;
  return name;
}

export function leave(page, clock, player) {
  clock.players.delete(player);
  if (!clock.players.size && clocks.get(page) === clock) clocks.delete(page);
}
