// The contents of a long page: the section that the reader is in is marked, and a section is one press away.

import { isCalm } from "./look.js";

const CONTENTS = "nav.rlhf-contents";

export function followReader() {
  let planned = false;
  document.addEventListener("scroll", () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => { planned = false; document.querySelectorAll(CONTENTS).forEach(markSection); });
  }, { capture: true, passive: true });
  document.addEventListener("click", goToSection, true);
}

const sectionOf = (link) => document.getElementById(link.getAttribute("href").slice(1));

function markSection(nav) {
  const links = [...nav.querySelectorAll("a")];
  const read = links.filter((link) => sectionOf(link)?.getBoundingClientRect().top < 0.45 * innerHeight).at(-1);
  for (const link of links)
    if (link === read) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
}

function goToSection(event) {
  const link = event.target instanceof Element && event.target.closest(`${CONTENTS} a`);
  const section = link && sectionOf(link);
  if (!section) return;
  event.preventDefault(); // the address is the app's
  section.tabIndex = -1;
  section.focus({ preventScroll: true });
  section.scrollIntoView({ behavior: isCalm() ? "instant" : "smooth", block: "start" });
}
