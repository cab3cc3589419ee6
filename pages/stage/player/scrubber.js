// The slider under the buttons, with a mark where each stage begins.

const beginnings = ({ phases }) =>
  phases.flatMap((phase, i) => (i > 1 && phase !== phases[i - 1] && phase !== "done" ? [[phase, i]] : []));

function makeMark([phase, i], last) {
  const mark = document.createElement("i");
  mark.dataset.mark = phase;
  mark.style.setProperty("--at", (i - 1) / last);
  return mark;
}

function spoken({ phases, metrics, lines }, i) {
  return phases[i] === "ppo" ? `PPO step ${metrics.ppo_step[i]}, ${lines[i] ?? "update"}` : metrics.phase[i];
}

export function makeScrubber(root, clock) {
  const range = root.querySelector("input[type=range]"), track = root.querySelector(".rs-track");
  let heard = null; // Firefox says the last value once more when the pointer is lifted
  range.onpointerdown = range.onkeydown = () => { heard = null; };
  range.oninput = () => {
    if (range.value !== heard) clock.scrub(Number(heard = range.value));
    range.value = clock.index;
  };
  return {
    load(board) {
      range.max = board.names.length - 1;
      track.replaceChildren(...beginnings(board).map((place) => makeMark(place, board.names.length - 1)));
    },
    draw(board, index) {
      range.value = index;
      track.style.setProperty("--done", clock.last ? index / clock.last : 0);
      if (!clock.playing) range.setAttribute("aria-valuetext", spoken(board, index));
    },
  };
}
