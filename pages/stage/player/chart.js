// A chart that the clock moves: by Plotly as soon as it is there, and until then a sketch.

import { clockOf, leave } from "./clocks.js";
import { theme } from "./look.js";
import { makeMenu } from "./menu.js";
import { makePad } from "./pad.js";
import { watchPlotly } from "./plotly.js";
import { plotted } from "./plotted.js";
import { roomOf, watchRoom } from "./room.js";
import { sketched } from "./sketch.js";
import { fitted } from "./tight.js";

const NEAR_VIEWPORT = "200px";
const PAPER_PX = 700; // between the margins of print.css, on A4 and on Letter
const SKETCH_AFTER_MS = 2500; // on a fast line nothing is seen before the chart

const small = matchMedia("(max-height: 600px), (max-width: 640px)"); // a chart may be lower there

const heightOf = (plot, { height, low }) => roomOf(plot) ?? (low && small.matches ? low : height);

function makePlot(parent, head) {
  const plot = document.createElement("div");
  plot.className = "rlhf-chart";
  plot.setAttribute("role", "img");
  parent.append(plot);
  plot.style.height = `${heightOf(plot, head)}px`;
  return plot;
}

function coloured(text) { // a figure gives the palette's colours as custom properties
  const style = getComputedStyle(document.documentElement);
  return text.replace(/var\((--[\w-]+)\)/g, (whole, name) => style.getPropertyValue(name).trim() || whole);
}

// What is on the screen, as the newest call of `make` has it.
function makeScreen(plot, clock, pad) {
  const stand = (axes) => pad.stand(axes, plot.offsetHeight);
  let drawing = null, turn = 0;
  return {
    get figure() { return drawing?.figure; },
    draw(index) { drawing?.show(index); },
    fit(width) { drawing?.fit?.(width); },
    resize() { const now = drawing; now?.resize(() => drawing === now); },
    async make(text, look, height) {
      const mine = ++turn, how = globalThis.Plotly ? plotted : sketched;
      drawing = null; // no draw in between
      const whole = JSON.parse(coloured(text)), figure = height ? fitted(whole, height) : whole;
      const next = await how(plot, figure, look, stand);
      if (mine !== turn) return;
      drawing = next;
      pad.load(figure.guess);
      await drawing.begin(clock.index);
    },
    end() {
      turn++;
      drawing?.end();
    },
  };
}

function watchPlace(plot, player, screen, clock) { // draw where it can be seen, and anew where it has another width
  const sight = new IntersectionObserver(([entry]) => {
    player.near = entry.isIntersecting;
    if (player.near) player.draw(clock.index);
  }, { rootMargin: NEAR_VIEWPORT });
  let width = 0, planned = 0;
  const size = new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (!now || now === width) return;
    width = now;
    planned = requestAnimationFrame(() => screen.resize()); // another layout in here would be a loop
  });
  sight.observe(plot);
  size.observe(plot);
  return () => {
    cancelAnimationFrame(planned);
    sight.disconnect();
    size.disconnect();
  };
}

export function makeChart(parent, page, head) {
  const plot = makePlot(parent, head), clock = clockOf(page), pad = makePad(parent, clock);
  const screen = makeScreen(plot, clock, pad);
  const player = { draw(index) { screen.draw(index); pad.draw(); }, near: true, ready: false };
  clock.players.add(player);
  const unwatchPlace = watchPlace(plot, player, screen, clock);
  const print = () => { screen.draw(clock.index); screen.fit(PAPER_PX); }, printed = () => screen.fit(null);
  addEventListener("beforeprint", print);
  addEventListener("afterprint", printed);
  const leaveMenu = makeMenu(parent, { page, plot, clock, figure: () => screen.figure, head: () => head });
  let text = null, look = null, patient = true;
  const lowered = () => { const here = heightOf(plot, head); return here !== head.height && here; };
  const turned = () => { plot.style.height = `${heightOf(plot, head)}px`; remake(); };
  if (head.low) small.addEventListener("change", turned);
  const unwatchRoom = watchRoom(plot, turned);

  async function remake() {
    if (text === null || (patient && !globalThis.Plotly)) return;
    await screen.make(text, look, lowered());
    player.ready = true;
  }
  const hurry = () => { patient = false; return globalThis.Plotly ? null : remake(); };
  const patience = setTimeout(hurry, SKETCH_AFTER_MS);
  const unwatchPlotly = watchPlotly((state) => (state === "here" ? remake() : hurry()));

  return {
    async update(tell, newText, newHead) {
      plot.setAttribute("aria-label", newHead.alt);
      plot.style.height = `${heightOf(plot, head = newHead)}px`;
      const now = theme(parent);
      if (!newText && JSON.stringify(now) === JSON.stringify(look)) return;
      [text, look] = [newText ?? text, now];
      await remake();
    },
    destroy() {
      clearTimeout(patience);
      leaveMenu();
      unwatchRoom();
      small.removeEventListener("change", turned);
      unwatchPlotly();
      unwatchPlace();
      removeEventListener("beforeprint", print);
      removeEventListener("afterprint", printed);
      leave(page, clock, player);
      screen.end();
    },
  };
}
