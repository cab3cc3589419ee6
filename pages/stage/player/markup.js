// What the transport is made of, as HTML.

export const STAGES = [["idle", "Base"], ["sft", "SFT"], ["rm", "Reward model"], ["ppo", "PPO"]];
export const KEYS = { run: "space", back: "←", step: "→", reset: "home" };
export const ICONS = {
  run: "M7 4.5v15l12-7.5z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  back: "M18 5v14L8 12zM5 5h2.4v14H5z",
  step: "M6 5v14l10-7zM16.6 5H19v14h-2.4z",
  reset: "M12 5a7 7 0 1 1-6.6 9.3l2.1-.7A4.8 4.8 0 1 0 12 7.200V10L7 6l5-4z",
};

const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
const button = (action, label) =>
  `<button type="button" class="rs-button" data-action="${action}" aria-label="${label}" title="${label} (${KEYS[action]})">${icon(action)}<span>${label}</span></button>`;
const mode = (name) =>
  `<button type="button" role="radio" aria-label="${name}" data-mode="${name.split(" ").pop()}">${name}</button>`;

export const TRANSPORT = `
  <div class="rs-bar">
    <div class="rs-buttons" role="group" aria-label="Playback">
      ${button("run", "Run")}${button("back", "Back")}${button("step", "Step")}${button("reset", "Reset")}
    </div>
    <ol class="rs-strip" aria-label="Pipeline">
      ${STAGES.map(([phase, label]) => `<li data-phase="${phase}"><span>${label}</span></li>`).join("")}
    </ol>
    <div class="rs-scrub">
      <div class="rs-track" aria-hidden="true"></div>
      <input type="range" min="0" step="1" value="0" aria-label="Position in the pipeline">
    </div>
    <div class="rs-switch"><span aria-hidden="true">Step by</span>
      <div role="radiogroup" aria-label="Step by">${mode("phase")}${mode("loop line")}</div>
      <button type="button" class="rs-about" aria-label="What the figures mean" title="What the figures mean">?</button>
    </div>
  </div>
  <div class="rs-tiles"></div>
  <div class="rs-figures" role="dialog" aria-label="What the figures mean" popover>
    <dl></dl><button type="button" class="rs-button">Close</button>
  </div>
  <p class="rs-narration"></p>
  <p class="rs-note" role="status"></p>
  <p class="rs-spoken" aria-live="polite"></p>`;
