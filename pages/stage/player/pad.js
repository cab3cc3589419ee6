// What the reader draws on a chart: a line through points that pointer, finger and keyboard move. It tells nobody.

import { bends, guessWords, newGuess, nudged, putPoint, stroke, twoDigits } from "./guess.js";
import { setText } from "./look.js";

const guesses = new Map(); // name -> guess; it outlives charts and pages
const PAD = `
  <svg class="gs-line" aria-hidden="true"><polyline></polyline><text>your guess</text></svg>
  <div class="gs-surface" aria-hidden="true"></div><div class="gs-points" role="group"></div>`;
const BELOW = '<span class="gs-said" role="status"></span> <button type="button" class="rs-button gs-clear">Clear</button>';

function padPart(tag, className, html = "") {
  return Object.assign(document.createElement(tag), { className, innerHTML: html });
}

function makePoint({ moments, about, bounds }, point) {
  const handle = padPart("div", "gs-point");
  const attributes = {
    role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-label": `Your guess of ${about} at ${moments[point]}`,
    "aria-valuemin": bounds[0], "aria-valuemax": bounds[1], "data-point": point,
  };
  for (const [name, value] of Object.entries(attributes)) handle.setAttribute(name, value);
  return handle;
}

export function makePad(parent, clock) {
  const pad = padPart("div", "rlhf-guess", PAD), line = padPart("p", "gs-words", BELOW);
  const [svg, surface, points] = pad.children, words = line.firstChild, clear = line.querySelector("button");
  let spec = null, guess = null, axes = null, last = null;

  const left = (x) => axes.left + ((x - axes.x[0]) / (axes.x[1] - axes.x[0])) * axes.width;
  const top = (y) => axes.top + (1 - (y - axes.y[0]) / (axes.y[1] - axes.y[0])) * axes.height;
  const place = ({ clientX, clientY }) => {
    const box = surface.getBoundingClientRect();
    const [across, up] = [(clientX - box.left) / box.width, 1 - (clientY - box.top) / box.height];
    return [axes.x[0] + across * (axes.x[1] - axes.x[0]), axes.y[0] + up * (axes.y[1] - axes.y[0])];
  };
  const open = () => Boolean(spec && !spec.answer && clock.index === 0);

  function draw() {
    pad.hidden = !spec || !axes || (!open() && guess.of === null);
    line.hidden = !spec;
    if (!spec) return;
    setText(words, axes ? guessWords(spec, guess, clock.index > 0) : "Drawing waits for the chart to load.");
    clear.hidden = !open() || guess.of === null;
    surface.hidden = points.hidden = !open();
    if (!axes || pad.hidden) return;
    for (const part of [svg, surface])
      for (const side of ["left", "top", "width", "height"]) part.style[side] = `${axes[side]}px`;
    const knots = bends(spec, guess.values).map(([x, y]) => [left(x) - axes.left, top(y) - axes.top]);
    svg.children[0].setAttribute("points", knots.map((knot) => knot.join(",")).join(" "));
    svg.children[1].setAttribute("x", knots.at(-1)[0] - 4);
    const end = knots.at(-1)[1], falls = knots.at(-2)[1] < end; // the words stand where the line does not
    svg.children[1].setAttribute("y", Math.min(Math.max(end + (falls ? 20 : -10), 12), axes.height - 4));
    for (const handle of points.children) putHandle(handle, Number(handle.dataset.point));
  }

  function putHandle(handle, point) {
    const value = guess.values[point];
    handle.style.left = `${left(spec.knots[spec.anchors.indexOf(point)])}px`;
    handle.style.top = `${top(value)}px`;
    handle.setAttribute("aria-valuenow", value.toFixed(2));
    handle.setAttribute("aria-valuetext", twoDigits(value));
  }

  pad.onpointerdown = (event) => {
    if (!open() || event.button !== 0) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    event.target.closest(".gs-point")?.focus();
    last = place(event);
    stroke(spec, guess, last, last);
    draw();
  };
  pad.onpointermove = (event) => {
    if (!last || !open()) return;
    const now = place(event);
    stroke(spec, guess, last, now);
    last = now;
    draw();
  };
  pad.onpointerup = pad.onpointercancel = () => { last = null; };
  points.onkeydown = (event) => {
    const point = Number(event.target.dataset.point), value = open() ? nudged(spec, guess.values[point], event.key) : null;
    if (value === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    putPoint(spec, guess, point, value);
    draw();
  };
  clear.onclick = () => {
    Object.assign(guess, newGuess(spec));
    draw();
    points.firstChild?.focus();
  };

  return {
    draw,
    load(now) {
      const same = JSON.stringify(now?.moments) === JSON.stringify(spec?.moments) && now?.about === spec?.about;
      spec = now ?? null;
      if (spec && !pad.isConnected) parent.append(pad, line);
      if (spec) guess = guesses.get(spec.name);
      if (spec && guess?.values.length !== spec.moments.length) guesses.set(spec.name, guess = newGuess(spec));
      if (spec && guess.of === null) Object.assign(guess, newGuess(spec));
      if (spec && !(same && points.children.length)) points.replaceChildren(...spec.moments.slice(spec.given).map((_, i) => makePoint(spec, i + spec.given)));
      if (spec) points.setAttribute("aria-label", `Your guess of ${spec.about}`);
      draw();
    },
    stand(now, height) { // where the chart has its axes
      axes = now;
      Object.assign(pad.style, { height: `${height}px`, marginTop: `-${height}px` });
      draw();
    },
  };
}
