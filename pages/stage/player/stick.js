// The transport stays in sight. The style sheet pins Streamlit's element by its key, for Streamlit writes the classes of
// its elements anew whenever the script runs; only where the header ends must be measured.

export function stick(root) {
  const header = document.querySelector("[data-testid=stHeader]"), scroller = root.closest("[data-testid=stMain]");
  const held = root.closest("[data-testid=stElementContainer]");
  if (!scroller) return () => {};

  const end = () => (header ? Math.max(0, header.getBoundingClientRect().bottom - scroller.getBoundingClientRect().top) : 0);
  const away = () => parseFloat(getComputedStyle(held).getPropertyValue("--rlhf-away")) || 0; // what of it may scroll off
  function place() {
    const { style } = document.documentElement, below = end();
    style.setProperty("--rlhf-top", `${below}px`);
    style.setProperty("--rlhf-covered", `${below + root.offsetHeight - away()}px`); // focus is not hidden behind it
    shade();
  }
  function shade() { // a shadow only where something passes below
    const top = root.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    root.toggleAttribute("data-pinned", scroller.scrollTop > 0 && top <= end() - away() + 1);
  }

  const observer = new ResizeObserver(place);
  observer.observe(root);
  if (header) observer.observe(header);
  scroller.addEventListener("scroll", shade, { passive: true });
  return () => {
    observer.disconnect();
    scroller.removeEventListener("scroll", shade);
  };
}
