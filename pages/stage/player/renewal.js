const VERSION = "unknown"; // Python writes a digest of script and styles here

const RENEWED = "rlhf-stage-renewed-for";

// A tab that was open while the server was upgraded has the old player, which may not understand what is sent now. The
// address holds all that is on screen, so the page is loaded again: once for each version, in case it does not help.
export function renewed(version) {
  if (version === VERSION) return false;
  try {
    if (sessionStorage.getItem(RENEWED) === version) return false;
    sessionStorage.setItem(RENEWED, version);
  } catch { return false; } // an iframe that may keep nothing
  location.reload();
  return true;
}
