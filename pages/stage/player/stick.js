// The transport stays in sight: its Streamlit element becomes sticky below Streamlit's header.
export function stick(root) {
  const element = root.closest("[data-testid=stElementContainer]");
  if (!element) return () => {};
  element.classList.add("rlhf-sticky");
  const header = document.querySelector("[data-testid=stHeader]");
  const scroller = root.closest("[data-testid=stMain]");
  const place = () => {
    const top = scroller?.getBoundingClientRect().top ?? 0;
    const below = header ? Math.max(0, header.getBoundingClientRect().bottom - top) : 0;
    element.style.setProperty("--rlhf-top", `${below}px`);
    if (scroller) scroller.style.scrollPaddingTop = `${below + root.offsetHeight}px`; // focus is not hidden behind it
  };
  const observer = new ResizeObserver(place);
  observer.observe(root);
  if (header) observer.observe(header);
  return () => observer.disconnect();
}
