// The clock: which frame is shown, and how it moves. Pure: no page, no server, and time comes from whoever makes it.

const CALM_FPS = 1 / 1.5;
const MAX_TICK_MS = 250; // a hidden tab gets no ticks; it must not leap when it comes back

const framesPerSecond = (speed, calm) => (calm ? CALM_FPS : 20 ** ((speed - 1) / 9));

export function nearestFrame(names, name) { // the twin of storyboard.nearest_frame; one table tests both
  if (names.includes(name)) return names.indexOf(name);
  const parts = (text) => { const [phase, number, line = ""] = text.split("-"); return [phase, Number(number) || 0, line]; };
  const [phase, number, line] = parts(name);
  const rank = (other) => [Math.abs(other[1] - number), other[2] !== line, other[2] !== ""].map(Number);
  let best = 0, bestRank = null;
  names.forEach((candidate, i) => {
    const other = parts(candidate);
    if (other[0] !== phase) return;
    const own = rank(other);
    const differs = bestRank && own.findIndex((value, j) => value !== bestRank[j]);
    if (!bestRank || (differs >= 0 && own[differs] < bestRank[differs])) [best, bestRank] = [i, own];
  });
  return best;
}

const inBrowser = { // looked up as it is used: Node has no such thing
  now: () => performance.now(),
  request: (tick) => requestAnimationFrame(tick),
  cancel: (request) => cancelAnimationFrame(request),
  isCalm: () => false,
};

export class Clock {
  constructor(time = {}) {
    this.time = { ...inBrowser, ...time };
    this.board = null; // names, phases, lines, metrics, narration
    this.index = 0;
    this.playing = false;
    this.mode = "phase";
    this.speed = 5;
    this.wanted = null; // a frame name that waits for the timeline
    this.seen = null; // id of the last seek
    this.players = new Set();
    this.report = () => {};
    this.takeOver = () => null; // name of a frame at which the page before was playing
  }

  get name() { return this.board?.names[this.index] ?? this.wanted ?? "idle"; }
  get last() { return this.board ? this.board.names.length - 1 : 0; }

  isLoopLine(i) { return this.board.phases[i] === "ppo" && this.board.lines[i] && this.board.lines[i] !== "update"; }

  isStop(i) {
    const { phases } = this.board;
    if (phases[i] === "ppo") return this.mode === "line" || !this.isLoopLine(i);
    return i === this.last || phases[i + 1] !== phases[i];
  }

  isPlayed(i) {
    return this.time.isCalm() ? this.isStop(i) : this.mode === "line" || !this.isLoopLine(i);
  }

  next(from, direction, allowed) {
    for (let i = from + direction; i >= 0 && i <= this.last; i += direction) if (allowed.call(this, i)) return i;
    return direction > 0 ? this.last : 0;
  }

  load(board) {
    const name = this.wanted ?? this.name;
    this.wanted = null;
    this.board = board;
    this.index = nearestFrame(board.names, name);
    this.show();
  }

  control({ at, seek, speed }) {
    this.speed = speed;
    if (seek === this.seen) return;
    const first = this.seen === null;
    this.seen = seek;
    const carried = first ? this.takeOver() : null;
    this.wanted = carried ?? at;
    if (this.board) this.load(this.board);
    if (carried) this.reportWhenReady = true;
  }

  show() {
    for (const player of this.players) if (!this.playing || player.near !== false) player.draw(this.index);
    if (this.reportWhenReady && this.board) { this.reportWhenReady = false; this.report(this.name); }
  }

  go(index) {
    this.playing = false;
    this.index = index;
    this.show();
    this.report(this.name);
  }

  step() { if (this.board) this.go(this.next(this.index, 1, this.isStop)); }
  back() { if (this.board) this.go(this.next(this.index, -1, this.isStop)); }
  reset() { if (this.board) this.go(0); }
  end() { if (this.board) this.go(this.last); }
  toggle() { if (this.playing) this.go(this.index); else this.run(); }

  scrub(target) {
    let index = target;
    if (!this.isPlayed(index)) index = this.next(index, target < this.index ? -1 : 1, this.isPlayed);
    this.playing = false;
    this.index = index;
    this.show();
  }

  run() {
    if (!this.board) return;
    if (this.index === this.last) this.index = 0;
    this.playing = true;
    this.show();
    this.debt = 0;
    this.before = this.time.now();
    this.schedule();
  }

  schedule() {
    this.time.cancel(this.request);
    this.request = this.time.request((now) => this.tick(now));
  }

  tick(now) {
    if (!this.playing) return;
    this.debt += (Math.min(Math.max(now - this.before, 0), MAX_TICK_MS) * framesPerSecond(this.speed, this.time.isCalm())) / 1000;
    this.before = now;
    const due = Math.floor(this.debt);
    if (due > 0) {
      this.debt -= due;
      for (let i = 0; i < due && this.index < this.last; i++) this.index = this.next(this.index, 1, this.isPlayed);
      if (this.index === this.last) return this.go(this.last);
      this.show();
    }
    this.schedule();
  }
}
