// Streamlit makes a history entry of every change that Python makes to the address. The playhead would fill the history,
// and the browser's Back would do nothing that one can see; it should lead to the page before.
export function keepHistoryShort() {
  const push = history.pushState;
  history.pushState = function (state, title, url) {
    const here = url != null && new URL(url, location.href).pathname === location.pathname;
    return (here ? history.replaceState : push).call(history, state, title, url);
  };
}
