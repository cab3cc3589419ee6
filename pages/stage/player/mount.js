// Mounting: Python's bytes become a transport, a chart or a passage, and later bytes change it.

import { makeChart } from "./chart.js";
import { clockOf } from "./clocks.js";
import { makeLive } from "./live.js";
import { renewed } from "./renewal.js";
import { makeTransport } from "./transport.js";
import { PLAIN, readBody, readHead, sameBytes } from "./wire.js";

const MAKERS = { transport: makeTransport, chart: makeChart, live: makeLive };
const instances = new WeakMap(); // parentElement -> { role, bytes, ... }; Streamlit calls mount again on each change

export async function mount(component) {
  const { parentElement, data } = component;
  const { page, head, body } = readHead(data);
  if (head.role === "control") return renewed(head.version) ? null : clockOf(page).control(head);
  if (body[0] !== PLAIN && !globalThis.DecompressionStream) return component.setStateValue("plain", true);
  let instance = instances.get(parentElement);
  if (!instance) {
    parentElement.querySelector(".rlhf-wait")?.remove();
    instance = { role: MAKERS[head.role](parentElement, page, head), bytes: null, work: Promise.resolve() };
    instances.set(parentElement, instance);
  }
  instance.latest = component;
  instance.work = instance.work.catch(() => {}).then(async () => {
    if (instance.latest !== component) return; // a newer call follows, or the element is gone
    const text = sameBytes(body, instance.bytes) ? null : await readBody(body);
    instance.bytes = body;
    if (instance.latest) await instance.role.update(component, text, head);
  });
  return instance.work;
}

export function unmount(parentElement) {
  const instance = instances.get(parentElement);
  if (!instance) return;
  instance.latest = null;
  instance.role.destroy();
  instances.delete(parentElement);
}

export function guarded(component) {
  mount(component).catch((error) => {
    const note = document.createElement("p");
    note.className = "rlhf-wait";
    note.textContent = `The player could not start: ${error.message}`;
    component.parentElement.append(note);
    throw error;
  });
}
