// The address bar. Streamlit makes a history entry of every change that Python makes to the address. The playhead would
// fill the history, and the browser's Back would do nothing that one can see; it should lead to the page before.
//
// Browsers refuse to change the address very often (a held key may do it): WebKit and Firefox with an error, which would
// end Streamlit's session, Chromium in silence. What was refused is written later.

const RETRY_MS = 1000;

export function keepAddress() {
  const { pushState: push, replaceState: replace } = history;
  let refused = null;

  const whole = (url) => (url == null ? location.href : new URL(url, location.href).href);

  function write(method, state, title, url) {
    clearTimeout(refused?.timer);
    refused = null;
    const wanted = whole(url);
    try {
      method.call(history, state, title, url);
      if (location.href === wanted) return true;
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
    }
    refused = { timer: setTimeout(retry, RETRY_MS, location.pathname, method, state, title, wanted) };
    return false;
  }

  function retry(path, method, ...entry) {
    if (location.pathname !== path) return; // the reader has gone back or forward
    if (write(method, ...entry)) dispatchEvent(new PopStateEvent("popstate", { state: entry[0] })); // for Streamlit to see it
  }

  history.pushState = (state, title, url) => {
    const here = url != null && new URL(url, location.href).pathname === location.pathname;
    write(here ? replace : push, state, title, url);
  };
  history.replaceState = (state, title, url) => { write(replace, state, title, url); };
}
