// What a page's clock and Python tell each other about the playhead. Pure: time comes from whoever makes it.
//
// The clock's playhead is the one that counts. Python is told where it rests, and says with each run of its script where
// it believes it to be. A report may be lost: on a line that is cut, in a server that is started anew, in a page that is
// left too soon. So whenever Python has nothing to do and believes something else, it is told again.

const REST_MS = 150; // a held key is reported once it rests
const ANSWER_MS = 10000; // a report without any answer for as long counts as lost
const LOOK_AGAIN_MS = 100;
const TRIES = 3; // where Python cannot be convinced, it keeps its belief

const browserTimers = {
  now: () => performance.now(),
  later: (act, ms) => setTimeout(act, ms),
  cancel: (id) => clearTimeout(id),
};

// What outlives a page turn.
export const newTab = () => ({ count: 0, seek: "", carried: null });

export class Talk {
  constructor(clock, tab, time = browserTimers) {
    Object.assign(this, { clock, tab, time });
    this.believed = null; // where Python believes the playhead to be; null before it has said a word, and after the page
    this.tell = () => {};
    this.pending = null;
    this.reported = this.heard = -Infinity;
    this.tries = 0;
    clock.moved = () => this.reportSoon();
    clock.left = () => this.leave();
  }

  // Python's word, with each run of its script. It moves the playhead by giving `seek` a new value, and may have it play.
  hear({ at, seek, speed, play = false }) {
    const { clock, tab } = this;
    const first = this.believed === null, sought = seek !== "" && seek !== tab.seek;
    clock.speed = speed;
    this.believed = at;
    this.heard = this.time.now();
    tab.seek = seek; // empty in a new session, which knows of no move; then the playhead stays
    if (sought) tab.carried = null;
    if (!first && !sought) return;
    this.stopWaiting();
    clock.seek(tab.carried ?? at, play && sought);
    tab.carried = null;
  }

  reportSoon() {
    this.stopWaiting();
    this.tries = 0;
    this.pending = this.time.later(() => this.report(), REST_MS);
  }

  report() {
    this.stopWaiting();
    if (this.clock.playing || this.believed === null) return;
    this.reported = this.time.now();
    this.tell({ frame: this.clock.aim, seek: this.tab.seek, count: ++this.tab.count });
  }

  // Python has nothing to do: is it of one mind with the clock?
  check() {
    const { clock, believed } = this;
    if (clock.playing || this.pending !== null || believed === null) return;
    if (!clock.board) return this.checkSoon(); // the timeline may be drawn long after Python's last word
    if (clock.eager) return this.playSoon();
    if (clock.aim === believed) { this.tries = 0; return; }
    const wait = this.heard > this.reported ? 0 : this.reported + ANSWER_MS - this.time.now();
    if (wait > 0) this.checkSoon(wait);
    else if (this.tries++ < TRIES) this.report();
  }

  // A page that Python has play from somewhere begins once it is there.
  playSoon() {
    if (this.clock.isReady) this.clock.run();
    else this.checkSoon();
  }

  checkSoon(ms = LOOK_AGAIN_MS) {
    this.pending = this.time.later(() => { this.pending = null; this.check(); }, ms);
  }

  // What was said while the line was cut is lost.
  reconnected() { this.reported = -Infinity; }

  // The page is turned: the next one goes on from where this one was, if Python does not know it yet.
  leave() {
    if (this.believed === null) return;
    if (this.clock.playing || this.clock.aim !== this.believed) this.tab.carried = this.clock.aim;
    this.clock.playing = false;
    this.believed = null;
    this.stopWaiting();
  }

  stopWaiting() {
    this.time.cancel(this.pending);
    this.pending = null;
  }
}
