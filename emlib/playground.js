// EM in the plane, moved by hand: points, ellipses, and one half step at a time.
//
// Here is the page and, last, `render`, in the form anywidget wants. The mathematics is in
// `playground_em.js`, what happens to the points in `playground_session.js`, what is drawn in
// `playground_pictures.js`. They are modules. But anywidget takes one text, and a page opened from
// the disk no module at all: so `emlib/playground.py` joins them.

import { AXES, MAX_ITER, counted, signed } from "./playground_em.js";
import { COLOURS, drawCurve, drawPlane, mapping, viewOf } from "./playground_pictures.js";
import { MOST_POINTS, NAMES, Session, choicesOf } from "./playground_session.js";
import { linkOf, news, numbers, written } from "./playground_session.js";

const choice = (name) => {
  const option = ([value, label]) => `<option value="${value}">${label}</option>`;
  const options = Object.entries(NAMES[name]).map(option).join("");
  return `<label>${name} <select data-part="${name}">${options}</select></label>`;
};

const HTML = `
<p>Press <b>step</b>: its E-step shares every point out among the components, its M-step fits each
component to its shares.</p>
<div class="bar">
  ${choice("points")} ${choice("K")} ${choice("structure")} ${choice("floor")}
  <label>seed <input data-part="seed" type="number" min="0" max="999999"></label>
</div>
<div class="bar">
  <button data-part="e" aria-label="E-step">E</button>
  <button data-part="m" aria-label="M-step">M</button>
  <button data-part="step">step</button> <button data-part="run">run</button>
  <button data-part="restart">new start</button>
</div>
<div class="panes">
  <canvas data-part="plane" tabindex="0" role="application"></canvas>
  <div>
    <p data-part="status" role="status"></p>
    <canvas data-part="curve" role="img"></canvas>
    <p data-part="numbers"></p>
    <table>
      <thead><tr><th>component</th><th>weight</th><th>mean</th></tr></thead>
      <tbody data-part="components"></tbody>
    </table>
  </div>
  <div>
    <div class="bar">
      <button data-part="undo">undo</button>
      <button data-part="remove">remove points</button>
      <button data-part="clear">clear</button>
      <label><input data-part="kMeans" type="checkbox"> compare with k-means</label>
      <button data-part="link">copy link</button>
      <input data-part="address" readonly hidden aria-label="link to this state">
    </div>
    <p data-part="help">Click to place a point, draw with the mouse to place many; drag a number to
    move a mean. By keys: arrows move a cross, Enter places a point there, Delete removes the
    nearest; 0 to 5 takes hold of that mean, arrows move it, Escape lets go. Ellipses lie one and
    two standard deviations away. The floor is a share of each feature's variance. A run stops as
    emlib's fit does, with a tol of 1e-6 nats a point.</p>
  </div>
</div>`;

// Which ground the page has: the site and JupyterLab say so, else the reader's system does.
function isDark() {
  const { theme } = document.documentElement.dataset;
  const lab = document.body.dataset.jpThemeLight;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return lab ? lab === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
let pages = 0;

// One playground: what is seen of its session, and what a reader does to it.
class Page {
  held = null; // the mean that the keys hold
  cross = null; // where the keys are
  down = null; // where the pointer went down, on which mean, and what it has done since
  frame = null; // of a run
  removing = false; // points, by each touch
  kMeans = false; // whether it is drawn, too

  constructor(model, el) {
    const root = document.createElement("div");
    root.className = "em-play";
    root.innerHTML = HTML;
    el.append(root);
    const elements = [...root.querySelectorAll("[data-part]")];
    const part = Object.fromEntries(elements.map((one) => [one.dataset.part, one]));
    Object.assign(this, { model, root, part });
    part.help.id = `em-play-help-${(pages += 1)}`;
    part.plane.setAttribute("aria-describedby", part.help.id);
    part.link.hidden = !model.get("page");
    root.addEventListener("click", ({ target }) => this.clicks[target.dataset.part]?.());
    root.addEventListener("change", ({ target }) => this.changes[target.dataset.part]?.(target));
    root.addEventListener("keydown", (event) => event.stopPropagation()); // JupyterLab has its own
    for (const [name, hear] of Object.entries(this.onPlane))
      part.plane.addEventListener(name, hear, { passive: false });
    this.fromModel();
  }

  // ---- What is shown

  // Do something, and say, show and tell Python what it did.
  act(what) {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.say(what?.() ?? news(this.session));
    this.update();
    this.tell();
  }

  say(words) {
    this.part.status.textContent = words;
  }

  // Show everything as it is.
  update() {
    const { root, part, session } = this;
    const { mixture, fresh, stuck } = session;
    if (!part.plane.clientWidth) return; // not on the page yet
    if (!mixture?.means[this.held]) this.held = null;
    root.toggleAttribute("data-dark", isDark());
    const style = getComputedStyle(root);
    const colour = (name) => [name, style.getPropertyValue(`--${name}`)];
    this.look = Object.fromEntries(["ink", "soft", "ground", "edge", "accent"].map(colour));
    drawPlane(part.plane, session, this);
    drawCurve(part.curve, session, this);
    for (const name of [...Object.keys(NAMES), "seed"]) part[name].value = session[name];
    part.floor.lastChild.hidden = session.floor !== "given";
    part.e.disabled = !mixture || fresh;
    part.m.disabled = !mixture || !fresh || stuck;
    part.step.disabled = part.run.disabled = !mixture || stuck;
    part.run.textContent = this.frame ? "stop" : "run";
    part.undo.disabled = !session.undos.length;
    part.remove.setAttribute("aria-pressed", this.removing);
    part.numbers.textContent = numbers(session, this.kMeans);
    this.spell();
  }

  // The components as a table, and both pictures in words.
  spell() {
    const { part, session: { X, mixture, curve } } = this;
    const rows = (mixture?.means ?? []).map((mean, k) => {
      return [k, signed(mixture.weights[k], 3), `(${mean.map((x) => signed(x, 2)).join(", ")})`];
    });
    part.components.innerHTML = rows
      .map((row) => `<tr style="--own: ${COLOURS[row[0]]}"><td>${row.join("</td><td>")}</td></tr>`)
      .join("");
    const said = rows.map(([k, weight, mean]) => `component ${k}, weight ${weight}, mean ${mean}`);
    part.plane.setAttribute("aria-label", [counted(X.length, "point"), ...said].join("; "));
    const end = curve.length ? `now ${signed(curve.at(-1).logLikelihood, 4)} nats` : "nothing yet";
    part.curve.setAttribute("aria-label", `Log-likelihood and bound by half steps: ${end}`);
  }

  // ---- Buttons and choices

  clicks = {
    e: () => this.half("e", "m"),
    m: () => this.half("m", "e"),
    step: () => this.act(() => this.session.step()),
    run: () => (this.frame ? this.act() : this.run()),
    restart: () => this.choose({ seed: (this.session.seed + 1) % 1e6 }),
    undo: () => this.act(() => this.undo()),
    clear: () => this.act(() => this.session.setPoints([])),
    remove: () => this.show({ removing: !this.removing }),
    link: () => this.link(),
  };

  changes = {
    points: ({ value }) => this.choose({ points: value }),
    K: ({ value }) => this.choose({ K: Number(value) }),
    structure: ({ value }) => this.choose({ structure: value, means: this.session.means }),
    floor: ({ value }) => this.choose({ floor: value, means: this.session.means }),
    seed: ({ value }) => this.choose({ seed: Math.min(Math.abs(Math.trunc(value)) || 0, 999999) }),
    kMeans: ({ checked }) => this.show({ kMeans: checked }),
  };

  show(choice) {
    Object.assign(this, choice);
    this.update();
  }

  half(step, other) {
    this.act(() => this.session[step]());
    this.part[other].focus(); // else the keyboard would be left on a button that cannot act
  }

  choose(choices) {
    this.act(() => {
      this.session.choose(choices);
      if ((choices.points ?? "own") !== "own") this.view = viewOf(this.session.X);
    });
  }

  undo() {
    this.session.undo();
    const { low, high } = this.view;
    const seen = (x) => AXES.every((d) => low[d] <= x[d] && x[d] <= high[d]);
    if (!this.session.X.every(seen)) this.view = viewOf(this.session.X);
  }

  // Run: at first so slowly that one can follow, then a step a frame; at once without motion.
  run() {
    const { session } = this;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    session.watch.maxIter = session.steps + MAX_ITER;
    let [due, wait] = [0, 300];
    const turn = (now) => {
      if (now >= due) {
        const end = performance.now() + 12;
        do session.step();
        while (calm && !session.stop && performance.now() < end);
        if (session.stop) return this.act();
        wait = Math.max(0, wait - 20);
        due = now + wait;
        if (!calm) this.update();
      }
      this.frame = requestAnimationFrame(turn);
    };
    this.frame = requestAnimationFrame(turn);
    this.say("");
    this.update();
  }

  link() {
    const { address } = this.part;
    address.value = location.href.split("#")[0] + linkOf(this.session);
    address.hidden = false;
    address.select();
    this.say("Copy the link from the field.");
    const copied = navigator.clipboard?.writeText(address.value);
    copied?.then(() => this.say("The link is copied."), () => {}); // not where it is forbidden
  }

  // ---- Points and means

  get map() {
    return mapping(this.view, this.part.plane);
  }

  // Which of some places is closest to one on the screen; null if none is within reach.
  closest(places, where, reach) {
    const far = places.map(this.map.there).map(([x, y]) => Math.hypot(x - where[0], y - where[1]));
    const n = far.indexOf(Math.min(...far));
    return far[n] < reach ? n : null;
  }

  meanAt(where, reach) {
    return this.closest(this.session.mixture?.means ?? [], where, reach);
  }

  touch(x) {
    if (this.removing) this.remove(x);
    else this.place(x);
  }

  place(x) {
    const { X } = this.session;
    if (X.length < MOST_POINTS) this.act(() => this.session.setPoints([...X, this.map.round(x)]));
    else this.say(`There are ${MOST_POINTS} points: no more will do.`);
  }

  remove(x) {
    const { X } = this.session;
    const n = this.closest(X, this.map.there(x), 24);
    if (n === null) this.say("There is no point near enough to remove.");
    else this.act(() => this.session.setPoints(X.toSpliced(n, 1)));
  }

  moveMean(k, to) {
    const means = this.session.mixture.means.with(k, this.map.round(to));
    this.act(() => this.session.choose({ means }));
  }

  // ---- Pointer and keys

  // A finger on a mean drags it, and anywhere else scrolls the page.
  onPlane = {
    pointerdown: (event) => {
      const at = this.where(event);
      const k = this.meanAt(at, event.pointerType === "mouse" ? 14 : 24);
      const before = this.session.undos.length;
      if (event.button === 0) this.down = { at, k, moved: false, before };
      this.part.plane.setPointerCapture(event.pointerId);
    },
    pointermove: (event) => {
      const { down, session: { undos } } = this;
      if (!down) return;
      const at = this.where(event);
      const far = Math.hypot(at[0] - down.at[0], at[1] - down.at[1]);
      if (down.k !== null && (down.moved || far > 4)) {
        down.moved = true;
        this.moveMean(down.k, this.map.back(at));
      } else if (down.k === null && event.pointerType === "mouse" && far > 9) {
        this.touch(this.map.back(at));
        undos.length = Math.min(undos.length, down.before + 1); // a trail is undone as one
        Object.assign(down, { at, moved: true });
      }
    },
    pointerup: (event) => {
      const { down } = this;
      if (down && !down.moved && down.k === null) this.touch(this.map.back(this.where(event)));
      this.down = null;
    },
    pointercancel: () => (this.down = null),
    touchstart: (event) => {
      if (this.meanAt(this.where(event.touches[0]), 24) !== null) event.preventDefault();
    },
    keydown: (event) => this.key(event),
  };

  // Where in the picture.
  where({ clientX, clientY }) {
    const { left, top } = this.part.plane.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return; // the browser's own keys
    const { key, shiftKey } = event;
    const { low, high } = this.view;
    const { means = [] } = this.session.mixture ?? {};
    const cross = this.cross ?? AXES.map((d) => (low[d] + high[d]) / 2);
    if (ARROWS[key]) {
      const pixels = shiftKey ? 2 : 12;
      const from = means[this.held] ?? cross;
      const to = AXES.map((d) => from[d] + (ARROWS[key][d] * pixels) / this.map.scale[d]);
      if (this.held !== null) this.moveMean(this.held, to);
      else {
        this.cross = AXES.map((d) => Math.min(Math.max(to[d], low[d]), high[d]));
        this.say(`Cross at ${this.cross.map((x) => signed(x, 2)).join(", ")}.`);
      }
    } else if (key === "Enter" || key === " ") this.place(cross);
    else if (key === "Delete" || key === "Backspace") this.remove(cross);
    else if (means[key]) {
      this.held = Number(key);
      this.say(`Holding mean ${key}: arrows move it, Escape lets go.`);
    } else if (key === "Escape" && this.held !== null) {
      this.held = null;
      this.say("Let go.");
    } else return;
    event.preventDefault();
    this.update();
  }

  // ---- Python and the link

  open(choices) {
    this.session = new Session(choices);
    Object.assign(this, { view: viewOf(this.session.X), held: null, cross: null });
  }

  // Tell Python what there is now.
  tell() {
    const { model, session: { X, mixture } } = this;
    const covariances = mixture?.covariances.map(({ S }) => S);
    this.telling = true;
    model.set("_points", new DataView(Float64Array.from(X.flat()).buffer));
    model.set("_mixture", mixture && { ...mixture, covariances });
    model.save_changes();
    this.telling = false;
  }

  // Hear that Python has changed something; act when all of it is here.
  hear = () => {
    if (this.telling || this.waiting) return;
    this.waiting = true;
    queueMicrotask(() => {
      this.waiting = false;
      this.act(() => this.fromModel());
    });
  };

  // What Python wants.
  fromModel() {
    const { model, session } = this;
    const bytes = model.get("_points");
    const length = (bytes?.byteLength ?? 0) / 16; // two numbers of 8 bytes each
    const number = (n, d) => bytes.getFloat64(16 * n + 8 * d, true);
    const X = Array.from({ length }, (_, n) => AXES.map((d) => number(n, d)));
    const { K = model.get("_K"), structure, floor, seed } = session ?? {};
    if (!session) this.open(length ? { K, X, points: "own" } : { K });
    else if (written(X) !== written(session.X))
      this.open({ K, structure, floor, seed, X, points: "own" });
    if (model.get("_mixture")?.weights) this.session.adopt(model.get("_mixture"));
  }

  // What the link wants.
  fromLink() {
    try {
      this.open(choicesOf(location.hash));
    } catch (error) {
      this.open();
      return `This link cannot be read: ${error.message}. Here are three clusters instead.`;
    }
  }
}

function render({ model, el }) {
  const page = new Page(model, el);
  const changed = ["change:_points", "change:_mixture"];
  changed.forEach((event) => model.on(event, page.hear));
  page.act();
  // On a page of its own it follows the link.
  const follow = () => {
    const asked = model.get("page") && location.hash.startsWith("#play");
    if (asked) page.act(() => page.fromLink());
  };
  window.addEventListener("hashchange", follow);
  follow();
  // The picture follows its size, and the page's ground.
  const update = () => page.update();
  const sizes = new ResizeObserver(update);
  const grounds = new MutationObserver(update);
  const watched = { attributeFilter: ["data-theme", "data-jp-theme-light"] };
  for (const one of [document.documentElement, document.body]) grounds.observe(one, watched);
  sizes.observe(page.part.plane);
  return () => {
    cancelAnimationFrame(page.frame);
    sizes.disconnect();
    grounds.disconnect();
    changed.forEach((event) => model.off(event, page.hear));
    window.removeEventListener("hashchange", follow);
  };
}

export default { render };
