// The stage: one clock per page plays every chart and passage that Python mounted on it.
//
// Python sends each role once, as bytes (see wire.js). The clock knows frames by index; charts and passages hold, per
// frame, which of their values to show. While it plays nothing is sent to Python: only pause, step, back, reset, scrub
// and finish report the frame's name. The parts are joined into one script when Python reads them.

import { keepHistoryShort } from "./address.js";
import { clocks } from "./clocks.js";
import { followReader } from "./contents.js";
import { guarded, unmount } from "./mount.js";
import { watchTerms } from "./terms.js";

export default function () {
  const stage = (globalThis[Symbol.for("rlhf.stage")] ??= { waiting: new Map() });
  if (stage.mount) return;
  Object.assign(stage, { mount: guarded, unmount, clocks });
  keepHistoryShort();
  watchTerms();
  followReader();
  for (const component of stage.waiting.values()) guarded(component);
  stage.waiting.clear();
}
