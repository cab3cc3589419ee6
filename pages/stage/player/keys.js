// Keys for the whole page, wherever they are not somebody else's.

const TYPING = "input, textarea, select, [contenteditable=true], [contenteditable=''], [role=slider], [role=combobox], [role=radiogroup], [role=tablist], [role=menu], [role=dialog]";

export function onKey(event, clock, root) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
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
