const VERSION = "unknown"; // Python writes a digest of script and styles here

const RENEWED = "rlhf-stage-renewed-for";

let due = false;

export const isRenewalDue = () => due;

// A tab that was open while the server was upgraded has the old player, which may not understand what is sent now. The
// address holds all that is on screen, so the page is loaded again, as soon as Python has had its say on the address: once
// for each version, in case it does not help.
export function isOutdated(version) {
  if (due || version === VERSION) return due;
  try {
    if (sessionStorage.getItem(RENEWED) === version) return false;
    sessionStorage.setItem(RENEWED, version);
  } catch { return false; } // an iframe that may keep nothing
  return (due = true);
}
