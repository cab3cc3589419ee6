// Mounting: a message becomes a transport, a chart or a passage, and later messages change it. No Streamlit in here.

import { makeChart } from "./chart.js";
import { makeCopying } from "./copying.js";
import { makeLive } from "./live.js";
import { makeTransport } from "./transport.js";
import { readBody, sameBytes } from "./wire.js";

const MAKERS = { transport: makeTransport, chart: makeChart, live: makeLive, copying: makeCopying };
const instances = new WeakMap(); // element -> { role, bytes, ... }

// `message` is what readHead gives; `tell(name, value)` reaches whoever has sent it.
export async function mount(element, message, tell = () => {}) {
  const { page, head, body } = message;
  let instance = instances.get(element);
  if (!instance) {
    element.querySelector(".rlhf-wait")?.remove();
    instance = { role: MAKERS[head.role](element, page, head), bytes: null, work: Promise.resolve() };
    instances.set(element, instance);
  }
  instance.latest = message;
  instance.work = instance.work.catch(() => {}).then(async () => {
    if (instance.latest !== message) return; // a newer one follows, or the element is gone
    const text = sameBytes(body, instance.bytes) ? null : await readBody(body);
    instance.bytes = body;
    if (instance.latest) await instance.role.update(tell, text, head);
  });
  return instance.work;
}

export function unmount(element) {
  const instance = instances.get(element);
  if (!instance) return;
  instance.latest = null;
  instance.role.destroy();
  instances.delete(element);
}
