// How the page around looks, and what the reader's system asks for.

let calm = null;
export const isCalm = () => (calm ??= matchMedia("(prefers-reduced-motion: reduce)")).matches;

export const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

export function theme(element) {
  const style = getComputedStyle(element);
  const probe = element.appendChild(document.createElement("i"));
  probe.style.color = style.getPropertyValue("--st-background-color") || "#fff";
  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  const name = 0.2126 * r + 0.7152 * g + 0.0722 * b < 110 ? "dark" : "light";
  document.documentElement.dataset.rlhfTheme = name;
  return { name, text: style.getPropertyValue("--st-text-color").trim(), font: style.getPropertyValue("--st-font").trim() };
}
