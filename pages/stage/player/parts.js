// What the parts of a page play comes in one message; each part goes to the place that the page has left for it.
//
// Streamlit may draw a place anew, and elsewhere, where something before it has come or gone: the part moves there as it is.

import { mount, unmount } from "./mount.js";
import { divided, isReadable } from "./wire.js";

const PLACE = ".rlhf-part";
const LENT = ["background-color", "base-radius", "border-color", "border-color-light", "button-radius", "code-font", "font",
  "link-color", "secondary-background-color", "text-color"].map((name) => `--st-${name}`);

const rooms = new Map(); // name of a part -> the element in which it plays, and what
let sent = new Map(); // name of a part -> what it is to play

// Streamlit tells its components alone how the page looks; `component` is one of them.
function lend(component) {
  const given = getComputedStyle(component), { style } = document.documentElement;
  for (const name of LENT) {
    const value = given.getPropertyValue(name);
    if (style.getPropertyValue(name) !== value) style.setProperty(name, value);
  }
}

// Of two places for a part, the stale one is on its way out, or else the second.
function places() {
  const chosen = new Map(), all = [...document.querySelectorAll(PLACE)], isStale = (place) => place.closest("[data-stale=true]");
  for (const place of [...all.filter((each) => !isStale(each)), ...all.filter(isStale)])
    if (!chosen.has(place.dataset.part)) chosen.set(place.dataset.part, place);
  return chosen;
}

function furnish(failed) {
  for (const [name, place] of places()) {
    const message = sent.get(name);
    if (!message) continue;
    if (!rooms.has(name)) rooms.set(name, { element: document.createElement("div"), message: null });
    const room = rooms.get(name), { element } = room;
    if (element.parentElement !== place) place.append(element);
    if (room.message === message) continue;
    room.message = message;
    mount(element, message).catch((error) => failed(element, error));
  }
}

// A part without a place goes, unless it may be drawn anew in a moment.
function vacate() {
  for (const [name, { element }] of rooms) {
    if (element.isConnected || sent.has(name)) continue;
    unmount(element);
    rooms.delete(name);
  }
}

const concerns = (node) => node instanceof HTMLElement && (node.matches(PLACE) || node.querySelector(PLACE));

export function watchPlaces(failed) {
  new MutationObserver((changes) => {
    if (!changes.some(({ addedNodes, removedNodes }) => [...addedNodes, ...removedNodes].some(concerns))) return;
    furnish(failed);
  }).observe(document.body, { childList: true, subtree: true });
}

export function deliver(component, message, failed) {
  if (!component.isConnected) return; // Streamlit has taken it away before its script had come
  const parts = divided(message);
  if (![...parts.values()].every(({ body }) => isReadable(body))) return; // the transport says so, and all comes plain
  lend(component);
  sent = parts;
  furnish(failed);
  vacate();
}
