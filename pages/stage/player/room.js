// On a slide, which is a low or wide frame that shows parts of a page, a chart takes the height that is left.

const SLIDE = matchMedia("(max-height: 600px), (min-aspect-ratio: 4/3)"); // as in slide.css
const SHELF = ".streamlit-embedded .st-key-lesson-parts", LEAST_PX = 140, BELOW_PX = 2;

const height = (element) => element?.offsetHeight ?? 0;

// Null where a chart has its own height.
export function roomOf(plot) {
  const shelf = SLIDE.matches && plot.closest(SHELF), main = shelf && shelf.closest("[data-testid=stMain]");
  if (!main) return null;
  const top = (element) => element.getBoundingClientRect().top;
  const before = top(shelf) - top(main) + main.scrollTop, above = top(plot) - top(plot.closest("[data-testid=stColumn]") ?? shelf);
  const below = height(document.querySelector(".st-key-lesson-controls")) + BELOW_PX;
  return Math.max(LEAST_PX, Math.floor(main.clientHeight - before - above - below));
}

// `changed` is called where there is more room, or less: another window, a longer title, controls that have come.
export function watchRoom(plot, changed) {
  const page = plot.closest(SHELF)?.closest("[data-testid=stMainBlockContainer]");
  if (!page) return () => {};
  let room = roomOf(plot), planned = 0;
  const look = () => {
    cancelAnimationFrame(planned);
    planned = requestAnimationFrame(() => {
      if (room === (room = roomOf(plot))) return;
      changed();
    });
  };
  const size = new ResizeObserver(look);
  size.observe(page);
  addEventListener("resize", look);
  return () => {
    cancelAnimationFrame(planned);
    size.disconnect();
    removeEventListener("resize", look);
  };
}
