// Buttons that copy what Python has written, and say so where they are.

import { copy, make } from "./clipboard.js";

const COPIED_MS = 4000;

export function makeCopying(parent) {
  const said = make("span", { className: "cp-said" }), row = make("div", { className: "cp-row" });
  said.setAttribute("role", "status");
  parent.append(row);
  let timer = 0;
  const buttonOf = ([what, text]) => {
    const button = make("button", { type: "button", className: "rs-button", textContent: `Copy ${what.toLowerCase()}` });
    button.onclick = async () => {
      clearTimeout(timer);
      said.textContent = (await copy(text, row)) ? `✓ ${what} copied` : "";
      timer = setTimeout(() => { said.textContent = ""; }, COPIED_MS);
    };
    return button;
  };
  return {
    update(tell, text) {
      if (text !== null) row.replaceChildren(...JSON.parse(text).items.map(buttonOf), said);
    },
    destroy() { clearTimeout(timer); },
  };
}
