// Plotly comes with Streamlit's own chart, of which Python mounts one that nobody sees. On a slow line that takes as long
// as it takes: only a chunk that failed ends the wait, and Plotly is welcome even after that.

const LOOK_MS = 100;

const find = (what) => document.querySelector(`.st-key-stage-plotly ${what}`);

// "here", "failed" where its chunk could not be loaded, "withheld" where Streamlit draws with it and we have no hold of
// it, or "coming".
export function plotlyState() {
  if (globalThis.Plotly) return "here";
  if (find("[role=alert]")) return "failed";
  return find(".js-plotly-plot .main-svg") ? "withheld" : "coming";
}

const watchers = new Set();
let said = "coming", timer = null;

function look() {
  const state = plotlyState();
  if (state !== said) for (const watcher of [...watchers]) watcher(said = state);
  timer = state === "here" ? null : setTimeout(look, LOOK_MS);
}

// Call `watcher` with each new state, until what this returns is called.
export function watchPlotly(watcher) {
  if (timer === null) look();
  watchers.add(watcher);
  if (said !== "coming") watcher(said);
  return () => watchers.delete(watcher);
}
