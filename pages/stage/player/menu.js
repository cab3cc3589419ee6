// A menu beside every chart: what one can take away of it. Made when it is opened, of what stands on the screen.

import { copy, make } from "./clipboard.js";
import { chartLink, csvOf, embedCode, fileName, momentWords, PICTURE_FONT, pictureOf, redrawCode } from "./takeaway.js";

const SCALE = 2, SAID_MS = 5000, MENU_GAP = 4;
const TAKE_ICON = "M11 4h2v8.200l3.100-3.100 1.400 1.400L12 16l-5.500-5.500 1.400-1.400 3.100 3.100zM5 18h14v2H5z";

// Where this page's states are to be had: in the app its own address. A file says what it knows.
export const whereabouts = { link: () => location.href, parameters: () => new URLSearchParams(location.search) };

function save(text, type, name) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

function titleAbove(plot, alt) {
  const place = plot.closest("[data-testid=stVerticalBlock], .columns > *, main") ?? document.body;
  const before = [...place.querySelectorAll("h1, h2, h3, h4, h5, h6, .rlhf-chart")].filter(
    (element) => element.compareDocumentPosition(plot) & Node.DOCUMENT_POSITION_FOLLOWING && element.getClientRects().length,
  ).at(-1);
  if (!before || before.matches(".rlhf-chart")) return alt;
  const heading = before.cloneNode(true);
  heading.querySelectorAll(".katex-mathml, annotation, [data-testid=stHeaderActionElements]").forEach((node) => node.remove());
  return heading.textContent.replace(/\s+/g, " ").trim();
}

function picture(plot, notes, title) {
  const style = getComputedStyle(document.documentElement), pen = document.createElement("canvas").getContext("2d");
  const colour = (name) => style.getPropertyValue(name).trim();
  const measure = (words, size, weight) => {
    pen.font = `${weight} ${size}px ${PICTURE_FONT}`;
    return pen.measureText(words).width;
  };
  const [ground, muted] = [colour("--rlhf-ground"), colour("--rlhf-muted")];
  return pictureOf(plot, { title, notes, ground, muted, width: plot.clientWidth, height: plot.clientHeight, measure });
}

// What the menu offers of a chart now: [label, act], where acting gives what is said of it.
function offers(chart, box) {
  const { page, plot, clock, figure, head } = chart, { part, alone, code, about: still } = head();
  const at = still ? "idle" : clock.name, about = { ...clock.board?.about, ...still };
  const name = fileName(page, part, whereabouts.parameters(), at), url = (about.linked ?? true) && whereabouts.link(), title = titleAbove(plot, head().alt);
  const link = (embed) => chartLink(url, alone && part, at, embed);
  const settings = still ? about.settings : `Settings: ${about.settings ?? "?"} · at ${momentWords(at)}`;
  const notes = [settings, [about.source, url && link(false)].filter(Boolean).join(" · ")];
  const python = about.python && (still ? about.python : code && redrawCode(about.python, code, at));
  const draw = async (format) => {
    const copied = picture(plot, notes, title), { width, height } = copied.layout;
    await globalThis.Plotly.downloadImage(copied, { format, width, height, scale: SCALE, filename: name });
    return `${format.toUpperCase()} saved`;
  };
  const put = (text, what) => async () => ((await copy(text, box)) ? `${what} copied` : null);
  return [
    globalThis.Plotly && plot.data && ["Picture as PNG", () => draw("png")],
    globalThis.Plotly && plot.data && ["Picture as SVG", () => draw("svg")],
    figure() && ["Numbers as CSV", async () => { save(csvOf(figure()), "text/csv", `${name}.csv`); return "CSV saved"; }],
    url && [still ? "Copy link to this page" : "Copy link to this moment", put(link(false), "Link")],
    url && alone && ["Copy HTML to embed this chart", put(embedCode(link(true), plot.clientHeight, title), "HTML")],
    python && ["Copy Python that redraws this figure", put(python, "Python")],
    about.cite && ["Copy how to cite, as BibTeX", put(about.cite, "BibTeX")],
  ].filter(Boolean);
}

function beside(box, button) {
  const at = button.getBoundingClientRect(), { width, height } = box.getBoundingClientRect();
  const below = at.bottom + MENU_GAP + height <= innerHeight || at.top < height;
  box.style.left = `${Math.max(8, Math.min(at.right, innerWidth - 8) - width)}px`;
  box.style.top = `${Math.max(8, below ? Math.min(at.bottom + MENU_GAP, innerHeight - height - 8) : at.top - MENU_GAP - height)}px`;
}

function arrows(event) {
  const items = [...event.currentTarget.children], now = items.indexOf(document.activeElement);
  const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items.at(next % items.length).focus();
}

function listOf(chart, box, tell, place) {
  const items = offers(chart, box).map(([label, act]) => {
    const take = async () => {
      const done = await act().catch((error) => `This could not be made: ${error.message ?? error}`);
      if (done === null) return place();
      box.hidePopover();
      tell(done);
    };
    const item = make("button", { type: "button", tabIndex: -1, textContent: label, onclick: take });
    item.setAttribute("role", "menuitem");
    return item;
  });
  const list = make("div", { onkeydown: arrows }, ...items);
  list.setAttribute("role", "menu");
  list.setAttribute("aria-label", "Take this chart away");
  return list;
}

// `chart` is { page, plot, clock, figure(), head() }.
export function makeMenu(parent, chart) {
  if (!("popover" in HTMLElement.prototype)) return () => {};
  const { part, about } = chart.head(), name = `Take this chart away: ${about?.title || part.replaceAll("_", " ")}`;
  const button = make("button", { type: "button", className: "tk-button", title: "Take this chart away" });
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${TAKE_ICON}"/></svg>`;
  button.setAttribute("aria-label", name);
  button.setAttribute("aria-haspopup", "menu");
  const box = make("div", { className: "tk-box", popover: "auto" }), said = make("span", { className: "tk-said" });
  said.setAttribute("role", "status");
  const row = make("div", { className: "rlhf-take" }, said, button, box);
  let timer = 0;
  const tell = (words) => {
    clearTimeout(timer);
    said.textContent = words;
    timer = setTimeout(() => { said.textContent = ""; }, SAID_MS);
  };
  const follow = () => beside(box, button);
  button.popoverTargetElement = box;
  box.onbeforetoggle = ({ newState }) => { if (newState === "open") box.replaceChildren(listOf(chart, box, tell, follow)); };
  box.ontoggle = ({ newState }) => {
    const open = newState === "open";
    for (const kind of ["scroll", "resize"]) (open ? addEventListener : removeEventListener)(kind, follow, true);
    if (!open) return box.replaceChildren();
    follow();
    box.querySelector("button").focus();
  };
  parent.insertBefore(row, chart.plot);
  return () => {
    removeEventListener("scroll", follow, true);
    removeEventListener("resize", follow, true);
    clearTimeout(timer);
  };
}
