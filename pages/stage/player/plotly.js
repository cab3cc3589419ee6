// Plotly comes with Streamlit's own chart, of which Python mounts one that nobody sees.

const PLOTLY_PATIENCE_MS = 8000;

export const chunkFailed = () => document.querySelector(".st-key-stage-plotly [role=alert]") !== null; // Streamlit cannot draw either

let plotlyPromise = null;
export function plotly() { // set by Streamlit's own chart chunk
  plotlyPromise ??= new Promise((resolve) => {
    const started = performance.now();
    const look = () => {
      if (globalThis.Plotly) resolve(globalThis.Plotly);
      else if (chunkFailed() || performance.now() - started > PLOTLY_PATIENCE_MS) resolve(null);
      else setTimeout(look, 40);
    };
    look();
  });
  return plotlyPromise;
}
