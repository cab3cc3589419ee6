// The first Tab stop leads to the player; Streamlit's header and the whole sidebar stand before it.

const ID = "rlhf-player";

export function makeSkip(root) {
  const link = document.createElement("a");
  root.id = ID;
  Object.assign(link, { className: "rlhf-skip", href: `#${ID}`, textContent: "Skip to the player" });
  link.onclick = (event) => {
    event.preventDefault(); // the address is Streamlit's
    root.querySelector("button").focus();
  };
  document.body.prepend(link);
  return () => link.remove();
}
