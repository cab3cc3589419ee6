// How the message that brings the parts of a page is taken apart. No page in here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { divided, readHead } from "../../pages/stage/player/wire.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (message) => new TextDecoder().decode(message.body);

test("each part gets its own bytes, whatever they are", () => {
  const parts = [["ppo-loop", 'ppo {"role":"live"}\n{"template":"ä\n"}'], ["ppo-climb", 'ppo {"role":"chart","height":320}\n{}']];
  const head = { role: "parts", parts: parts.map(([name, wire]) => [name, bytes(wire).length]) };
  const message = readHead(bytes(`ppo ${JSON.stringify(head)}\n${parts.map(([, wire]) => wire).join("")}`));
  const found = divided(message);
  assert.deepEqual([...found.keys()], ["ppo-loop", "ppo-climb"]);
  assert.deepEqual(found.get("ppo-loop").head, { role: "live" });
  assert.equal(text(found.get("ppo-loop")), '{"template":"ä\n"}');
  assert.equal(found.get("ppo-climb").head.height, 320);
  assert.equal(text(found.get("ppo-climb")), "{}");
});

test("a page without parts brings none", () => {
  assert.equal(divided(readHead(bytes('ppo {"role":"parts","parts":[]}\n'))).size, 0);
});
