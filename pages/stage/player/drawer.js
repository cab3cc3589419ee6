// On a phone Streamlit's sidebar lies over the page: it gives way once something in it, a preset say, has moved the playhead.

const OVER = matchMedia("(max-width: 768px)");

export function closeDrawer() {
  const open = '[data-testid=stSidebar][data-collapsed="false"] [data-testid=stSidebarCollapseButton] button';
  if (OVER.matches) document.querySelector(open)?.click();
}
