// Terms of the glossary: links to #term-… whose title is the term's sentence. It opens on hover, focus and tap.

const TERM = 'a[href^="#term-"]', TERM_GAP = 6, TERM_DELAY = 120;
const tip = { box: null, of: null, timer: 0, planned: false };

export function watchTerms() {
  const reactions = { pointerover: pointAt, pointerout: pointAway, focusin: focusTerm, focusout: blurTerm, click: tapTerm, keydown: keyOnTerm };
  for (const [kind, react] of Object.entries(reactions)) document.addEventListener(kind, react, true);
  addEventListener("scroll", placeTip, { capture: true, passive: true });
  new MutationObserver(prepareSoon).observe(document.body, { childList: true, subtree: true });
  prepareSoon();
}

function prepareSoon() {
  if (tip.planned) return;
  tip.planned = true;
  setTimeout(() => {
    tip.planned = false;
    document.querySelectorAll(`${TERM}[title]`).forEach(prepareTerm);
  }, 200);
}

// The title becomes a description, or the browser would show it a second time.
function prepareTerm(link) {
  const meaning = link.getAttribute("title"), term = link.getAttribute("href").slice("#term-".length);
  const id = `rlhf-meaning-${term}`;
  if (!document.getElementById(id)) document.body.append(termNode("div", { id, hidden: true, textContent: meaning }));
  link.removeAttribute("title");
  Object.assign(link.dataset, { term, meaning });
  link.setAttribute("role", "button");
  link.setAttribute("aria-describedby", id);
}

const termNode = (tag, properties) => Object.assign(document.createElement(tag), properties);
const termAt = (event) => event.target instanceof Element ? event.target.closest(TERM) : null;
const onTip = (event) => tip.box?.contains(event.target);

function openTip(link) {
  clearTimeout(tip.timer);
  if (link.hasAttribute("title")) prepareTerm(link);
  tip.box ??= document.body.appendChild(termNode("div", { id: "rlhf-term", className: "rlhf-term", role: "tooltip" }));
  tip.box.textContent = link.dataset.meaning;
  tip.box.hidden = false;
  tip.of = link;
  placeTip();
}

function placeTip() {
  if (!tip.of) return;
  const at = tip.of.getClientRects()[0], { width, height } = tip.box.getBoundingClientRect();
  if (!at || at.bottom < 0 || at.top > innerHeight) return closeTip();
  const below = at.bottom + TERM_GAP + height <= innerHeight;
  tip.box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  tip.box.style.top = `${below ? at.bottom + TERM_GAP : at.top - TERM_GAP - height}px`;
}

function closeTip() {
  clearTimeout(tip.timer);
  if (tip.box) tip.box.hidden = true;
  tip.of = null;
}

function soon(act) {
  clearTimeout(tip.timer);
  tip.timer = setTimeout(act, TERM_DELAY);
}

function pointAt(event) {
  if (event.pointerType === "touch") return;
  const link = termAt(event);
  if (link) soon(() => openTip(link));
  else if (onTip(event)) clearTimeout(tip.timer); // one may point at the sentence, to read or copy it
}

function pointAway(event) {
  if (event.pointerType === "touch") return;
  if (termAt(event) || onTip(event)) soon(closeTip);
}

function focusTerm(event) {
  const link = termAt(event);
  if (link?.matches(":focus-visible")) openTip(link);
}

function blurTerm(event) {
  if (tip.of && tip.of === termAt(event)) closeTip();
}

function tapTerm(event) {
  const link = termAt(event);
  if (!link) return onTip(event) ? undefined : closeTip();
  event.preventDefault(); // the address is the app's
  event.stopPropagation();
  openTip(link);
}

function keyOnTerm(event) {
  if (event.key === "Escape" && tip.of) closeTip();
  if (event.key === " " && termAt(event)) {
    event.preventDefault();
    event.stopPropagation();
    openTip(termAt(event));
  }
}
