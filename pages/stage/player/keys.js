// Keys for the whole page, wherever they are not somebody else's. Of several players they move the one last touched.

const TYPING = "input, textarea, select, [contenteditable=true], [contenteditable=''], [role=slider], [role=combobox], [role=radiogroup], [role=tablist], [role=menu], [role=dialog]";

const players = new Map(); // root -> clock
let touched = null;

function onKey(event) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const root = players.has(touched) ? touched : players.keys().next().value, clock = players.get(root);
  const target = event.target instanceof Element ? event.target : document.body;
  const pressable = target.closest("button, a[href], summary, [role=button]");
  if (target.closest(TYPING) || (pressable && (event.key === " " || !root.contains(pressable)))) return;
  const act = {
    " ": () => { if (!event.repeat) clock.toggle(); },
    ArrowRight: () => clock.step(), ArrowLeft: () => clock.back(), Home: () => clock.reset(), End: () => clock.end(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

export function takeKeys(root, clock) {
  const touch = () => { touched = root; };
  root.addEventListener("pointerdown", touch);
  root.addEventListener("focusin", touch);
  if (!players.size) document.addEventListener("keydown", onKey);
  players.set(root, clock);
  return () => {
    players.delete(root);
    if (!players.size) document.removeEventListener("keydown", onKey);
  };
}
