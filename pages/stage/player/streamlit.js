// The stage in Streamlit: one clock per page plays every chart and passage that Python mounted on it.
//
// Python sends each role once, as bytes (see wire.js). The clock knows frames by index; charts and passages hold, per
// frame, which of their values to show. While it plays nothing is sent to Python: only where the playhead comes to rest
// is reported (see talk.js). The parts are joined into one script when Python reads them.

import { keepAddress } from "./address.js";
import { watchApp } from "./app.js";
import { clockOf, clocks } from "./clocks.js";
import { followReader } from "./contents.js";
import { closeDrawer } from "./drawer.js";
import { watchLead } from "./lead.js";
import { mount, unmount } from "./mount.js";
import { deliver, watchPlaces } from "./parts.js";
import { isOutdated, isRenewalDue } from "./renewal.js";
import { newTab, Talk } from "./talk.js";
import { watchTerms } from "./terms.js";
import { isReadable, readHead } from "./wire.js";

const tab = newTab();
const talks = new Map(); // page -> Talk
const seeks = new Map(); // page -> how often Python had moved the playhead
let lookAgain = () => {}; // whether Python has nothing to do

function talkOf(page) {
  if (talks.get(page)?.clock !== clockOf(page)) talks.set(page, new Talk(clockOf(page), tab));
  return talks.get(page);
}

function hear(page, word) {
  for (const [other, talk] of talks) if (other !== page) talk.leave(); // the old page may still be on its way out
  talkOf(page).hear(word);
  if (seeks.has(page) && seeks.get(page) !== word.seek) closeDrawer();
  seeks.set(page, word.seek);
  lookAgain();
}

async function receive({ parentElement, data, setStateValue }) { // Streamlit calls it again after each run
  const message = readHead(data), { page, head, body } = message;
  if (head.role === "control" && isOutdated(head.version)) lookAgain();
  if (isRenewalDue()) return null; // the new player will read what comes now
  if (head.role === "control") return hear(page, head);
  if (head.role === "parts") return deliver(parentElement, message, say);
  if (!isReadable(body)) return head.role === "transport" && setStateValue("plain", true); // then all of the page comes so
  if (head.role === "transport") {
    talkOf(page).tell = (report) => setStateValue("report", report);
    lookAgain();
  }
  return mount(parentElement, message, setStateValue);
}

// What carries the parts of a page is hidden: what goes wrong there is said below the stage.
function say(element, error) {
  const place = element.checkVisibility() ? element : document.querySelector("[data-testid=stage]")?.parentElement ?? document.body;
  place.querySelector(":scope > .rlhf-failed")?.remove();
  const note = document.createElement("p");
  note.className = "rlhf-failed";
  note.textContent = `The player could not start: ${error.message}`;
  place.append(note);
  throw error;
}

function guarded(component) {
  receive(component).catch((error) => say(component.parentElement, error));
}

export default function () {
  const stage = (globalThis[Symbol.for("rlhf.stage")] ??= { waiting: new Map() });
  if (stage.mount) return;
  Object.assign(stage, { mount: guarded, unmount, clocks, talks });
  keepAddress();
  watchLead();
  watchTerms();
  watchPlaces(say);
  followReader();
  lookAgain = watchApp({
    rest: () => (isRenewalDue() ? location.reload() : talks.forEach((talk) => talk.check())),
    again: () => talks.forEach((talk) => talk.reconnected()),
  });
  for (const component of stage.waiting.values()) guarded(component);
  stage.waiting.clear();
}
