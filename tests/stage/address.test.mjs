// The address bar, with a browser of ours that refuses when it is told to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keepAddress } from "../../pages/stage/player/address.js";

function browserAt(start) {
  const entries = [start], waiting = new Map(), events = [];
  let refuses = null;
  const go = (url, push) => {
    if (refuses === "loudly") throw Object.assign(new Error("too often"), { name: "SecurityError" });
    if (refuses === "silently") return;
    const { href } = new URL(url, entries.at(-1));
    if (push) entries.push(href); else entries[entries.length - 1] = href;
  };
  globalThis.location = {
    get href() { return entries.at(-1); },
    get pathname() { return new URL(entries.at(-1)).pathname; },
  };
  globalThis.history = { pushState: (state, title, url) => go(url, true), replaceState: (state, title, url) => go(url, false) };
  globalThis.PopStateEvent ??= class { constructor(type) { this.type = type; } };
  globalThis.dispatchEvent = ({ type }) => events.push(type);
  let timers = 0;
  globalThis.setTimeout = (act, ms, ...rest) => { waiting.set(++timers, () => act(...rest)); return timers; };
  globalThis.clearTimeout = (id) => waiting.delete(id);
  keepAddress();
  return {
    entries, events,
    refuse(how) { refuses = how; },
    later() { for (const [id, act] of [...waiting]) { waiting.delete(id); act(); } },
  };
}

const timers = { setTimeout, clearTimeout };
test.afterEach(() => Object.assign(globalThis, timers));

test("the playhead makes no history, another page does", () => {
  const { entries } = browserAt("http://a/ppo");
  history.pushState({}, "", "/ppo?at=ppo-1");
  history.pushState({}, "", "/ppo?at=ppo-2");
  history.pushState({}, "", "/sft?at=ppo-2");
  history.replaceState({}, "", "?at=done");
  assert.deepEqual(entries, ["http://a/ppo?at=ppo-2", "http://a/sft?at=done"]);
});

for (const how of ["loudly", "silently"])
  test(`what a browser refuses ${how} is written later, and Streamlit hears of it`, () => {
    const browser = browserAt("http://a/ppo");
    browser.refuse(how);
    history.pushState({}, "", "?at=ppo-1");
    history.replaceState({}, "", "?at=ppo-2");
    assert.deepEqual(browser.entries, ["http://a/ppo"]);
    browser.later();
    browser.refuse(null);
    browser.later();
    assert.deepEqual([browser.entries, browser.events], [["http://a/ppo?at=ppo-2"], ["popstate"]]);
  });

test("a newer address replaces one that was refused", () => {
  const browser = browserAt("http://a/ppo");
  browser.refuse("loudly");
  history.replaceState({}, "", "?at=ppo-1");
  browser.refuse(null);
  history.replaceState({}, "", "?at=ppo-2");
  browser.later();
  assert.deepEqual(browser.entries, ["http://a/ppo?at=ppo-2"]);
});

test("what was refused on a page is not written on another", () => {
  const browser = browserAt("http://a/ppo");
  browser.refuse("loudly");
  history.replaceState({}, "", "?at=ppo-1");
  browser.refuse(null);
  browser.entries.push("http://a/sft"); // the browser's Forward
  browser.later();
  assert.deepEqual(browser.entries, ["http://a/ppo", "http://a/sft"]);
});

test("other errors are errors", () => {
  browserAt("http://a/ppo");
  assert.throws(() => history.pushState({}, "", "http://["), TypeError);
});
