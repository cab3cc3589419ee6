// One clock for each page, shared by all that is mounted on it.

import { Clock } from "./clock.js";
import { isCalm } from "./look.js";

export const clocks = new Map();

export function clockOf(page) {
  if (!clocks.has(page)) clocks.set(page, new Clock({ isCalm }));
  return clocks.get(page);
}

export function leave(page, clock, player) {
  clock.players.delete(player);
  if (clock.players.size) return;
  clock.left();
  if (clocks.get(page) === clock) clocks.delete(page);
}
