// To the clipboard, or as near to it as the browser lets one.

export const make = (tag, properties, ...inside) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside);
  return element;
};

// True once it is on the clipboard; else the text stands selected in the box, to be copied by hand.
export async function copy(text, box) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { /* an insecure address, an old browser, or an iframe that may not */ }
  box.querySelector("label")?.remove();
  const area = make("textarea", { value: text, readOnly: true, rows: 4 });
  const label = make("label", {}, "Press Ctrl+C or ⌘C to copy:", area);
  box.append(label);
  area.select();
  if (!document.execCommand("copy")) return false;
  label.remove();
  return true;
}
