// One button leads: the player's, unless the page has one of its own, which Streamlit may draw at any time and anywhere.

const OWN = "[data-testid=stBaseButton-primary]";

export function watchLead() {
  const look = () => document.documentElement.toggleAttribute("data-page-leads", document.querySelector(OWN) !== null);
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
}
