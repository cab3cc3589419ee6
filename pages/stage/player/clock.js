// The clock: which frame is shown, and how it moves. Pure: no page, no server, and time comes from whoever makes it.

const CALM_BPS = 1 / 1.5;
const MAX_TICK_MS = 250; // a hidden tab gets no ticks; it must not leap when it comes back

const beatsPerSecond = (speed, calm) => (calm ? CALM_BPS : 20 ** ((speed - 1) / 9));

const place = (name) => {
  const [phase, number = ""] = name.split("-");
  return [phase, /^\d{1,9}$/.test(number) ? Number(number) : 0];
};

export function nearestFrame(names, name) { // as `nearest` of rlhf_core.timeline: one table tests both
  if (names.includes(name)) return names.indexOf(name);
  const [phase, wanted] = place(name);
  let best = 0, least = Infinity;
  names.forEach((other, i) => {
    const [itsPhase, number] = place(other), distance = Math.abs(number - wanted);
    if (itsPhase === phase && other.split("-").length < 3 && distance < least) [best, least] = [i, distance];
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
    this.board = null; // names, phases, lines, beats, metrics, narration
    this.index = 0;
    this.playing = false;
    this.mode = "phase";
    this.speed = 5;
    this.wanted = null; // name of a frame that waits for its timeline
    this.eager = false; // it is to play from there
    this.players = new Set();
    this.moved = () => {}; // the reader has put the playhead somewhere, or a run has ended
    this.left = () => {}; // the page is gone
  }

  get name() { return this.board?.names[this.index] ?? this.aim; }
  get aim() { return this.wanted ?? this.board?.names[this.index] ?? "idle"; }
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

  // A run spends its time where it changes: frames that bring little are there to step to, and passed over.
  isDue(i) { return this.isPlayed(i) && (this.mode === "line" || this.board.beats?.[i] !== 0); }

  // How long a frame stays: whoever goes by phases, or line by line, is given each alike.
  lasts(i) { return this.mode === "line" || this.time.isCalm() ? 1 : this.board.beats?.[i] || 1; }

  next(from, direction, allowed) {
    for (let i = from + direction; i >= 0 && i <= this.last; i += direction) if (allowed.call(this, i)) return i;
    return direction > 0 ? this.last : 0;
  }

  load(board) {
    const { aim } = this;
    this.board = board;
    this.index = nearestFrame(board.names, aim);
    if (board.names[this.index] === aim) this.wanted = null; // or else the timeline that has it is on its way
    this.show();
  }

  // Whether all that is in sight has been drawn, so that nothing of the play is missed.
  get isReady() { return Boolean(this.board) && !this.wanted && [...this.players].every(({ near, ready }) => near === false || ready !== false); }

  // Whoever wants less motion sees the end, and plays it if they like.
  seek(name, play = false) {
    this.playing = false;
    this.eager = play && !this.time.isCalm();
    this.wanted = play && !this.eager ? "done" : name;
    if (this.board) this.load(this.board);
  }

  show() {
    for (const player of this.players) if (!this.playing || player.near !== false) player.draw(this.index);
  }

  go(index) {
    this.playing = this.eager = false;
    this.wanted = null;
    this.index = index;
    this.show();
    this.moved();
  }

  step() { if (this.board) this.go(this.next(this.index, 1, this.isStop)); }
  back() { if (this.board) this.go(this.next(this.index, -1, this.isStop)); }
  reset() { if (this.board) this.go(0); }
  end() { if (this.board) this.go(this.last); }
  toggle() { if (this.playing) this.go(this.index); else this.run(); }

  scrub(target) {
    if (!this.board) return;
    this.go(this.isPlayed(target) ? target : this.next(target, target < this.index ? -1 : 1, this.isPlayed));
  }

  run() {
    if (!this.board) return;
    if (this.index === this.last) this.index = 0;
    this.wanted = null;
    this.eager = false;
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
    this.debt += (Math.min(Math.max(now - this.before, 0), MAX_TICK_MS) * beatsPerSecond(this.speed, this.time.isCalm())) / 1000;
    this.before = now;
    const shown = this.index;
    for (let stays; this.index < this.last && this.debt >= (stays = this.lasts(this.index)); this.debt -= stays)
      this.index = this.next(this.index, 1, this.isDue);
    if (this.index === this.last) return this.go(this.last);
    if (this.index !== shown) this.show();
    this.schedule();
  }
}
