// Step by phase or by loop line: two radio buttons, one Tab stop, arrows choose.

export function makeModes(root, clock) {
  const radios = [...root.querySelectorAll("[data-mode]")];

  function choose(mode) {
    clock.mode = mode;
    for (const radio of radios) {
      radio.setAttribute("aria-checked", radio.dataset.mode === mode);
      radio.tabIndex = radio.dataset.mode === mode ? 0 : -1;
    }
  }

  radios.forEach((radio, i) => {
    radio.onclick = () => choose(radio.dataset.mode);
    radio.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      radios[1 - i].focus();
      radios[1 - i].click();
    };
  });
  choose(clock.mode);
}
