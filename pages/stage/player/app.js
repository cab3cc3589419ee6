// Streamlit's own state, from the attributes in which it shows it.

const QUIET_MS = 300; // what a run has sent may be drawn a moment after its end

// Call `rest` whenever the app is connected and its script has nothing to do, and before that `again` if it was cut off.
// What is returned looks once more: for what the script has sent may be drawn long after its end.
export function watchApp({ rest, again }) {
  const app = document.querySelector("[data-testid=stApp]");
  if (!app) return () => {};
  let timer = null, cut = false;
  const look = () => {
    clearTimeout(timer);
    const { testConnectionState, testScriptState } = app.dataset;
    if (testConnectionState !== "CONNECTED") { cut = true; return; }
    if (cut) again();
    cut = false;
    if (testScriptState === "notRunning") timer = setTimeout(rest, QUIET_MS);
  };
  new MutationObserver(look).observe(app, { attributeFilter: ["data-test-connection-state", "data-test-script-state"] });
  look();
  return look;
}
