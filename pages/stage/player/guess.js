// A curve that the reader guesses before it is played: points to be moved, the line through them, and how far off it
// was. Pure: no page. What Python says of it stands in pages/drawing/guess.py.

const NUDGES = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
const NUDGE = 1 / 40; // of the axis
const LOOKS = 200; // places at which two curves are compared

export const newGuess = ({ moments, start }) => ({ values: moments.map(() => start), of: null }); // of: drawn for which run

const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);

export const twoDigits = (value) => (Math.abs(value) < 0.005 ? "0.00" : value.toFixed(2).replace("-", "−"));

export function putPoint(spec, guess, point, value) {
  if (point < spec.given) return;
  guess.values[point] = clamp(value, spec.bounds);
  guess.of = spec.of;
}

export function nudged({ bounds: [low, high] }, value, key) { // null for a key that is not ours
  if (key === "Home") return low;
  if (key === "End") return high;
  return Object.hasOwn(NUDGES, key) ? clamp(value + NUDGES[key] * NUDGE * (high - low), [low, high]) : null;
}

export const bends = ({ knots, anchors }, values) => knots.map((x, i) => [x, values[anchors[i]]]);

export function heightAt(line, x) {
  const after = line.findIndex(([at]) => at >= x);
  if (after <= 0) return line[after === 0 ? 0 : line.length - 1][1];
  const [[x0, y0], [x1, y1]] = [line[after - 1], line[after]];
  return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

// A stroke from one place to another moves all points that it passes, or else the one nearest to its end.
export function stroke(spec, guess, from, to) {
  const [low, high] = [from, to].map(([x]) => x).sort((a, b) => a - b);
  const free = spec.knots.map((x, i) => [x, spec.anchors[i]]).filter(([, point]) => point >= spec.given);
  const passed = free.filter(([x]) => low <= x && x <= high);
  for (const [x, point] of passed) putPoint(spec, guess, point, heightAt(from[0] <= to[0] ? [from, to] : [to, from], x));
  if (passed.length) return;
  const [nearest] = [...free].sort(([a], [b]) => Math.abs(a - to[0]) - Math.abs(b - to[0]));
  putPoint(spec, guess, nearest[1], to[1]);
}

const peakOf = (heights) => heights.indexOf(Math.max(...heights));

export function held(spec, { values }) {
  const line = bends(spec, values), { x, y, moments } = spec.answer, curve = x.map((at, i) => [at, y[i]]);
  const [first, last] = [x[0], x.at(-1)];
  const places = Array.from({ length: LOOKS + 1 }, (_, i) => first + (i / LOOKS) * (last - first));
  const gaps = places.map((at) => Math.abs(heightAt(line, at) - heightAt(curve, at)));
  const [mine, its] = [peakOf(values), peakOf(y)];
  return {
    off: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length,
    low: Math.min(...y),
    high: y[its],
    level: Math.max(...values) - Math.min(...values) < 0.005,
    guessed: { moment: spec.moments[mine], height: values[mine] },
    was: { moment: moments[its], height: y[its] },
  };
}

function guessVerdict(spec, guess) {
  const { off, low, high, level, guessed, was } = held(spec, guess);
  const drawn = level ? "Your line is level and has no peak" : `You put the peak at ${guessed.moment}, at ${twoDigits(guessed.height)}`;
  const where = guessed.moment === was.moment && !level ? "that is where it was" : `it was at ${was.moment}`;
  return `Your guess is ${twoDigits(off)} off on average; ${spec.about} ran from ${twoDigits(low)} to ${twoDigits(high)}. ` +
    `${drawn}; ${where}, at ${twoDigits(was.height)}.`;
}

// What stands below the chart: what to do, what happens next, or how it went.
export function guessWords(spec, guess, begun) {
  const kept = guess.of !== null && guess.of !== spec.of;
  if (spec.answer && guess.of === null) return "Nothing was drawn before this run was played. Press Reset to draw.";
  if (spec.answer) return (kept ? "You drew this for other settings; held to this run: " : "") + guessVerdict(spec, guess);
  if (kept && !begun) return "The settings have changed since you drew this. It is kept: move it, clear it, or leave it.";
  if (begun) return guess.of === null ? "The run has begun. Press Reset to draw your guess first." : "Your guess stands. It is held to the run at its end.";
  if (guess.of === null) return `How will ${spec.about} go? Draw it, or move a point by its arrow keys; then press Run.`;
  return "Press Run to see how it goes. Results are kept back until then.";
}
