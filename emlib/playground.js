// EM in the plane, moved by hand: points, ellipses, and one half step at a time.
//
// What happens to the points is in `playground_em.js`. Here are the pictures and, last, `render`,
// in the form anywidget wants. The two are modules; but anywidget takes one text, and a page that
// is opened from the disk no module at all. So `emlib/playground.py` joins them.

import { AXES, MAX_ITER, MOST_POINTS, NAMES, Session } from "./playground_em.js";
import { brief, choicesOf, counted, eigen, linkOf, sum, written } from "./playground_em.js";

// ---- The pictures -------------------------------------------------------------------------------

const COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9"];
const SHOWN = 24; // half steps of the curve

const signed = (x, digits) => x.toFixed(digits).replace("-", "−");
const LEVELS = [1, 3, 5].map((i) => COLOURS.map((one) => parseInt(one.slice(i, i + 2), 16)));
const mixed = (shares) =>
  `rgb(${LEVELS.map((levels) => Math.round(sum(shares, (r, k) => r * levels[k]))).join()})`;

// The part of the plane that shows all points, with some room.
function viewOf(X) {
  const [low, high] = [Math.min, Math.max].map((end) =>
    AXES.map((d) => X.reduce((so, x) => end(so, x[d]), X[0]?.[d] ?? 0)),
  );
  const room = AXES.map((d) => 0.12 * (high[d] - low[d]) || (X.length ? 1 : 5));
  return { low: AXES.map((d) => low[d] - room[d]), high: AXES.map((d) => high[d] + room[d]) };
}

// From data to the screen, and back. Both axes have one scale, unless their ranges differ too much.
function mapping({ low, high }, { clientWidth, clientHeight }) {
  const [left, top, width, height] = [52, 10, clientWidth - 62, clientHeight - 54];
  let scale = [width / (high[0] - low[0]), height / (high[1] - low[1])];
  if (Math.max(...scale) < 4 * Math.min(...scale)) scale = scale.map(() => Math.min(...scale));
  const [cx, cy] = AXES.map((d) => (low[d] + high[d]) / 2);
  const [mx, my] = [left + width / 2, top + height / 2];
  return {
    scale,
    frame: { left, top, right: left + width, bottom: top + height },
    there: ([x, y]) => [mx + (x - cx) * scale[0], my - (y - cy) * scale[1]],
    back: ([px, py]) => [cx + (px - mx) / scale[0], cy - (py - my) / scale[1]],
  };
}

// Numbers a round step apart, some five of them, as they are and as they are written.
function ticks(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [5, 2, 1].find((m) => m * power <= (high - low) / 4) * power;
  const first = Math.ceil(low / step);
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), 12);
  const values = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => first + i);
  return values.map((n) => [n * step, signed(n * step, digits)]);
}

// A canvas to draw on, as sharp as the screen.
function paper(canvas) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  Object.assign(pen, { font: "13px system-ui, sans-serif", textBaseline: "middle" });
  const line = (places, strokeStyle, lineWidth, dashes = []) => {
    Object.assign(pen, { strokeStyle, lineWidth });
    pen.setLineDash(dashes);
    pen.beginPath();
    places.forEach(([x, y]) => pen.lineTo(x, y));
    pen.stroke();
  };
  const disc = ([x, y], radius, fillStyle, strokeStyle, lineWidth) => {
    pen.fillStyle = fillStyle;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
    if (!strokeStyle) return;
    Object.assign(pen, { strokeStyle, lineWidth });
    pen.setLineDash([]);
    pen.stroke();
  };
  const text = (words, x, y, fillStyle, textAlign = "center") => {
    Object.assign(pen, { fillStyle, textAlign });
    pen.fillText(words, x, y);
  };
  return { pen, line, disc, text };
}

function drawPlane(canvas, session, { view, look, cross, held, kMeans }) {
  const { X, resp, mixture, centres, axes } = session;
  const { pen, line, disc, text } = paper(canvas);
  const { there, back, frame: { left, top, right, bottom } } = mapping(view, canvas);
  const [low, high] = [back([left, bottom]), back([right, top])];
  // The axes.
  for (const [x, label] of ticks(low[0], high[0])) {
    const [px] = there([x, 0]);
    line([[px, bottom], [px, bottom + 4]], look.soft, 1);
    text(label, px, bottom + 14, look.soft);
  }
  for (const [y, label] of ticks(low[1], high[1])) {
    const [, py] = there([0, y]);
    line([[left - 4, py], [left, py]], look.soft, 1);
    text(label, left - 7, py, look.soft, "right");
  }
  line([[left, top], [left, bottom], [right, bottom]], look.soft, 1);
  text(axes[0], (left + right) / 2, bottom + 33, look.ink);
  pen.save();
  pen.rotate(-Math.PI / 2);
  text(axes[1], -(top + bottom) / 2, 9, look.ink);
  pen.restore();
  pen.beginPath();
  pen.rect(left, top, right - left, bottom - top);
  pen.clip();
  // The points, in the colours of their shares, with an edge that shows on any ground; of many
  // points edges would overlap, and take most of the time.
  const radius = Math.max(2.2, Math.min(4.5, Math.sqrt(3000 / X.length)));
  const edge = X.length > 500 ? null : look.edge;
  X.forEach((x, n) => disc(there(x), radius, resp ? mixed(resp[n]) : look.soft, edge, 0.8));
  // The components: ellipses one and two standard deviations away, and the number at the mean.
  mixture?.means.forEach((mean, k) => {
    const { values, vectors } = eigen(mixture.covariances[k].S);
    const long = values.map((value) => Math.sqrt(Math.max(value, 0)));
    for (const sigmas of [1, 2]) {
      const round = Array.from({ length: 73 }, (_, i) => {
        const turned = [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)];
        const away = (d) => sum(turned, (part, e) => part * long[e] * vectors[e][d]);
        return there(AXES.map((d) => mean[d] + sigmas * away(d)));
      });
      line(round, look.ink, 5 - sigmas);
      line(round, COLOURS[k], 3.6 - sigmas);
    }
  });
  // k-means: its centres, and the borders between what is nearest to each.
  if (kMeans && mixture) {
    for (const ends of borders(centres)) line(ends.map(there), look.ink, 1.5, [6, 5]);
    centres.map(there).forEach(([x, y], k) => {
      for (const [colour, wide] of [[look.ink, 6], [COLOURS[k], 3]]) {
        line([[x - 7, y - 7], [x + 7, y + 7]], colour, wide);
        line([[x - 7, y + 7], [x + 7, y - 7]], colour, wide);
      }
    });
  }
  mixture?.means.forEach((mean, k) => {
    const size = held === k ? 15 : 11;
    disc(there(mean), size + 1.5, look.ink);
    disc(there(mean), size, look.ground, COLOURS[k], held === k ? 6 : 3);
    const [x, y] = there(mean);
    text(String(k), x, y + 1, look.ink);
  });
  if (cross) {
    const [x, y] = there(cross);
    line([[x - 12, y], [x + 12, y]], look.ink, 2);
    line([[x, y - 12], [x, y + 12]], look.ink, 2);
  }
}

// Of the line halfway between any two centres, the piece to which no third one is nearer.
function borders(centres) {
  const pairs = centres.flatMap((a, j) => centres.slice(j + 1).map((b) => [a, b]));
  const pieces = pairs.map(([a, b]) => {
    const middle = AXES.map((d) => (a[d] + b[d]) / 2);
    const along = [a[1] - b[1], b[0] - a[0]];
    let [from, to] = [-1e3, 1e3];
    for (const c of centres) {
      // At middle + t along, c is no nearer than a as long as t slope <= room.
      const slope = 2 * sum(AXES, (d) => along[d] * (c[d] - a[d]));
      const room = sum(AXES, (d) => (middle[d] - c[d]) ** 2 - (middle[d] - a[d]) ** 2);
      if (c === a || c === b) continue;
      if (slope > 0) to = Math.min(to, room / slope);
      else if (slope < 0) from = Math.max(from, room / slope);
      else if (room < 0) to = from;
    }
    return from < to ? [from, to].map((t) => AXES.map((d) => middle[d] + t * along[d])) : [];
  });
  return pieces.filter((piece) => piece.length);
}

// The log-likelihood and the bound, half step by half step.
function drawCurve(canvas, { curve }, { look }) {
  const { line, disc, text } = paper(canvas);
  const shown = curve.slice(-SHOWN);
  const [left, top, right, bottom] = [94, 30, canvas.clientWidth - 8, canvas.clientHeight - 40];
  line([[left, top], [left, bottom], [right, bottom]], look.soft, 1);
  text("nats", left - 7, 12, look.ink, "right");
  line([[left + 4, 12], [left + 26, 12]], look.ink, 2);
  text("log-likelihood", left + 31, 12, look.ink, "left");
  line([[left + 130, 12], [left + 152, 12]], look.accent, 2, [5, 3]);
  text("bound", left + 157, 12, look.ink, "left");
  const span = shown.length ? ` ${curve.length - shown.length + 1} to ${curve.length}` : "";
  text(`half steps${span}`, (left + right) / 2, bottom + 31, look.ink);
  if (!shown.length) return;
  const all = shown.flatMap(({ logLikelihood, bound: below }) => [logLikelihood, below]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(0.06 * (most - least), 1e-9 * Math.abs(most), 1e-9);
  const x = (i) => left + 12 + ((right - left - 24) * i) / Math.max(shown.length - 1, 7);
  const y = (nats) => bottom - ((bottom - top) * (nats - least + room)) / (most - least + 2 * room);
  for (const [nats, label] of ticks(least - room, most + room)) {
    line([[left - 4, y(nats)], [left, y(nats)]], look.soft, 1);
    text(label, left - 7, y(nats), look.soft, "right");
  }
  line(shown.map((one, i) => [x(i), y(one.logLikelihood)]), look.ink, 2);
  line(shown.map((one, i) => [x(i), y(one.bound)]), look.accent, 2, [5, 3]);
  shown.forEach((one, i) => {
    disc([x(i), y(one.logLikelihood)], 3, look.ink);
    disc([x(i), y(one.bound)], 3, look.ground, look.accent, 2);
    const wide = x(1) - x(0) > 14; // else there is room for every second letter
    if (wide || one.half === "M") text(one.half, x(i), bottom + 12, look.soft);
  });
}

// ---- The page -----------------------------------------------------------------------------------

const button = (name, label, more = "") =>
  `<button type="button" data-part="${name}" ${more}>${label}</button>`;
const choice = (name) => {
  const options = Object.entries(NAMES[name]);
  const written = options.map(([value, label]) => `<option value="${value}">${label}</option>`);
  return `<label>${name} <select data-part="${name}">${written.join("")}</select></label>`;
};

const PAGE = `
<p>Press <b>step</b>: its E-step shares every point out among the components, its M-step fits each
component to its shares.</p>
<div class="bar">
  ${choice("points")} ${choice("K")} ${choice("structure")} ${choice("floor")}
  <label>seed <input data-part="seed" type="number" min="0" max="999999"></label>
</div>
<div class="bar">
  ${button("e", "E", 'aria-label="E-step"')} ${button("m", "M", 'aria-label="M-step"')}
  ${button("step", "step")} ${button("run", "run")} ${button("restart", "new start")}
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
      ${button("undo", "undo")} ${button("remove", "remove points", 'aria-pressed="false"')}
      ${button("clear", "clear")}
      <label><input data-part="kMeans" type="checkbox"> compare with k-means</label>
      ${button("link", "copy link")}
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

// What has just happened, in a sentence or two.
function news({ note, stop, curve, steps, resp, fresh }) {
  if (stop) {
    const message = stop.message.replace("raise max_iter", "press run");
    return `${stop.reason} after ${counted(stop.nIter, "iteration")}: ${message}.`;
  }
  if (!resp) return note;
  const { logLikelihood, bound: below } = curve.at(-1);
  const now = `${signed(logLikelihood, 4)} nats`;
  const shared = "E-step: the points are shared out. The bound touches the log-likelihood";
  if (fresh) return `${shared}, ${now}.`;
  const rise = signed(logLikelihood - curve.at(-2).logLikelihood, 4);
  const gap = signed(logLikelihood - below, 4);
  return (
    `M-step ${steps}: the components fit their shares. The log-likelihood is ${now}, ` +
    `${rise} more than before, and the bound ${gap} below it, until the next E-step.`
  );
}

// The numbers that go with it.
function numbers({ X, K, structure, curve, stop, resp, labels }, kMeans) {
  const said = [counted(X.length, "point")];
  if (curve.length) {
    const { logLikelihood } = curve.at(-1);
    const free = 3 * K - 1 + { full: 3 * K, tied: 3, diag: 2 * K, spherical: K }[structure];
    const bic = signed(free * Math.log(X.length) - 2 * logLikelihood, 1);
    said.push(`log-likelihood ${signed(logLikelihood, 4)} nats`, `BIC ${bic} (less is better)`);
  }
  if (Number.isFinite(stop?.distance)) said.push(`${brief(stop.distance, 2)} nats left to gain`);
  if (kMeans && resp) {
    const apart = resp.filter((r, n) => r.indexOf(Math.max(...r)) !== labels[n]).length;
    said.push(`k-means from the same start puts ${counted(apart, "point")} elsewhere`);
  }
  return `${said.join("; ")}.`;
}

let instances = 0;

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "em-play";
  root.innerHTML = PAGE;
  el.append(root);
  const part = {};
  for (const one of root.querySelectorAll("[data-part]")) part[one.dataset.part] = one;
  part.help.id = `em-play-help-${(instances += 1)}`;
  part.plane.setAttribute("aria-describedby", part.help.id);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const shown = { view: null, look: {}, held: null, cross: null, kMeans: false };
  let session;
  let frame = null; // of a run
  let telling = false;

  // Show everything as it is.
  function update() {
    const { X, mixture, curve, stuck, fresh } = session;
    if (!part.plane.clientWidth) return; // not on the page yet
    if (!mixture?.means[shown.held]) shown.held = null;
    root.toggleAttribute("data-dark", isDark());
    const style = getComputedStyle(root);
    for (const name of ["ink", "soft", "ground", "edge", "accent"])
      shown.look[name] = style.getPropertyValue(`--${name}`).trim();
    drawPlane(part.plane, session, shown);
    drawCurve(part.curve, session, shown);
    for (const name of [...Object.keys(NAMES), "seed"]) part[name].value = session[name];
    part.floor.lastChild.hidden = session.floor !== "given";
    part.e.disabled = !mixture || fresh;
    part.m.disabled = !mixture || !fresh || stuck;
    part.step.disabled = part.run.disabled = !mixture || stuck;
    part.run.textContent = frame ? "stop" : "run";
    part.undo.disabled = !session.undos.length;
    part.numbers.textContent = numbers(session, shown.kMeans);
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

  const say = (words) => (part.status.textContent = words);

  // Do something, and say, show and tell Python what it did.
  function act(what) {
    cancelAnimationFrame(frame);
    frame = null;
    const words = what?.();
    say(words ?? news(session));
    update();
    telling = true;
    const { mixture, X } = session;
    model.set("_points", new DataView(Float64Array.from(X.flat()).buffer));
    const covariances = mixture?.covariances.map(({ S }) => S);
    model.set("_mixture", mixture && { ...mixture, covariances });
    model.save_changes();
    telling = false;
  }

  function undo() {
    session.undo();
    const { low, high } = shown.view;
    const seen = (x) => AXES.every((d) => low[d] <= x[d] && x[d] <= high[d]);
    if (!session.X.every(seen)) shown.view = viewOf(session.X);
  }

  function open(choices) {
    session = new Session(choices);
    Object.assign(shown, { view: viewOf(session.X), held: null, cross: null });
  }

  // Run: at first so slowly that one can follow, then a step a frame; at once without motion.
  function run() {
    session.watch.maxIter = session.steps + MAX_ITER;
    let [due, wait] = [0, 300];
    const turn = (now) => {
      if (now >= due) {
        const end = performance.now() + 12;
        do session.step();
        while (calm && !session.stop && performance.now() < end);
        if (session.stop) return act();
        wait = Math.max(0, wait - 20);
        due = now + wait;
        if (!calm) update();
      }
      frame = requestAnimationFrame(turn);
    };
    frame = requestAnimationFrame(turn);
    say("");
    update();
  }

  const clicks = {
    e: () => {
      act(() => session.e());
      part.m.focus(); // else the keyboard would be left on a button that cannot act
    },
    m: () => {
      act(() => session.m());
      part.e.focus();
    },
    step: () => act(() => session.step()),
    run: () => (frame ? act() : run()),
    restart: () => act(() => session.choose({ seed: (session.seed + 1) % 1e6 })),
    undo: () => act(undo),
    clear: () => act(() => session.setPoints([])),
    remove: () => part.remove.setAttribute("aria-pressed", String(!removing())),
    link: () => {
      part.address.value = location.href.split("#")[0] + linkOf(session);
      part.address.hidden = false;
      part.address.select();
      say("Copy the link from the field.");
      const copied = navigator.clipboard?.writeText(part.address.value);
      copied?.then(() => say("The link is copied."), () => {}); // not where it is forbidden
    },
  };
  const removing = () => part.remove.getAttribute("aria-pressed") === "true";
  for (const [name, click] of Object.entries(clicks)) part[name].addEventListener("click", click);

  const changes = {
    points: (points) => {
      session.choose({ points });
      if (points !== "own") shown.view = viewOf(session.X);
    },
    K: (K) => session.choose({ K: Number(K) }),
    structure: (structure) => session.choose({ structure, means: session.means }),
    floor: (floor) => session.choose({ floor, means: session.means }),
    seed: (seed) => session.choose({ seed: Math.min(Math.abs(Math.trunc(seed)) || 0, 999999) }),
  };
  for (const [name, change] of Object.entries(changes))
    part[name].addEventListener("change", () => act(() => change(part[name].value)));
  part.kMeans.addEventListener("change", () => {
    shown.kMeans = part.kMeans.checked;
    update();
  });

  // Points and means, on the screen.
  const map = () => mapping(shown.view, part.plane);
  const closest = (places, where, reach) => {
    const far = places.map(map().there).map(([x, y]) => Math.hypot(x - where[0], y - where[1]));
    const n = far.indexOf(Math.min(...far));
    return far[n] < reach ? n : null;
  };
  const round = (x) => {
    return x.map((v, d) => Number(v.toFixed(Math.max(0, Math.ceil(Math.log10(map().scale[d]))))));
  };
  function place(x) {
    if (session.X.length >= MOST_POINTS) say(`There are ${MOST_POINTS} points: no more will do.`);
    else act(() => session.setPoints([...session.X, round(x)]));
  }
  function remove(x) {
    const n = closest(session.X, map().there(x), 24);
    if (n === null) say("There is no point near enough to remove.");
    else act(() => session.setPoints(session.X.filter((_, i) => i !== n)));
  }
  function moveMean(k, to) {
    const means = session.mixture.means.map((mean, j) => (j === k ? round(to) : mean));
    act(() => session.choose({ means }));
  }

  // By pointer: a finger on a mean drags it, and anywhere else scrolls the page.
  let down = null;
  const where = ({ clientX, clientY }) => {
    const box = part.plane.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  const meanAt = (at, reach) => closest(session.mixture?.means ?? [], at, reach);
  const pointer = {
    pointerdown: (event) => {
      const at = where(event);
      if (event.button === 0) down = { at, k: meanAt(at, event.pointerType === "mouse" ? 14 : 24) };
      part.plane.setPointerCapture(event.pointerId);
    },
    pointermove: (event) => {
      if (!down) return;
      const [x, y] = where(event);
      const far = Math.hypot(x - down.at[0], y - down.at[1]);
      if (down.k !== null && (down.moved || far > 4)) {
        down.moved = true;
        moveMean(down.k, map().back([x, y]));
      } else if (down.k === null && event.pointerType === "mouse" && far > 9) {
        const { undos } = session;
        const { before = undos.length } = down;
        (removing() ? remove : place)(map().back([x, y]));
        undos.length = Math.min(undos.length, before + 1); // a trail of points is undone as one
        down = { at: [x, y], k: null, moved: true, before };
      }
    },
    pointerup: (event) => {
      const x = map().back(where(event));
      if (down && !down.moved && down.k === null) (removing() ? remove : place)(x);
      down = null;
    },
    pointercancel: () => (down = null),
    touchstart: (event) => meanAt(where(event.touches[0]), 24) !== null && event.preventDefault(),
  };
  for (const [name, hear] of Object.entries(pointer))
    part.plane.addEventListener(name, hear, { passive: false });

  // By keys. JupyterLab must not hear them.
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  root.addEventListener("keydown", (event) => event.stopPropagation());
  part.plane.addEventListener("keydown", (event) => {
    const { key, shiftKey } = event;
    const { view, held } = shown;
    if (event.ctrlKey || event.altKey || event.metaKey) return; // the browser's own keys
    const at = shown.cross ?? AXES.map((d) => (view.low[d] + view.high[d]) / 2);
    if (arrows[key]) {
      const from = held === null ? at : session.mixture.means[held];
      const to = AXES.map((d) => from[d] + (arrows[key][d] * (shiftKey ? 2 : 12)) / map().scale[d]);
      if (held !== null) moveMean(held, to);
      else {
        shown.cross = AXES.map((d) => Math.min(Math.max(to[d], view.low[d]), view.high[d]));
        say(`Cross at ${shown.cross.map((x) => signed(x, 2)).join(", ")}.`);
      }
    } else if (key === "Enter" || key === " ") place(at);
    else if (key === "Delete" || key === "Backspace") remove(at);
    else if (session.mixture?.means[key]) {
      shown.held = Number(key);
      say(`Holding mean ${key}: arrows move it, Escape lets go.`);
    } else if (key === "Escape" && held !== null) {
      shown.held = null;
      say("Let go.");
    } else return;
    event.preventDefault();
    update();
  });

  // What Python wants.
  function fromModel() {
    const bytes = model.get("_points");
    const number = (i) => bytes.getFloat64(8 * i, true);
    const length = (bytes?.byteLength ?? 0) / 16;
    const X = Array.from({ length }, (_, n) => [number(2 * n), number(2 * n + 1)]);
    const { K = model.get("_K"), structure, floor, seed } = session ?? {};
    if (!session) open(length ? { K, X, points: "own" } : { K });
    else if (written(X) !== written(session.X)) {
      open({ K, structure, floor, seed, X, points: "own" });
    }
    if (model.get("_mixture")?.weights) session.adopt(model.get("_mixture"));
  }
  // What the link wants, on a page of its own.
  function fromLink() {
    try {
      if (location.hash.startsWith("#play")) open(choicesOf(location.hash));
    } catch (error) {
      open();
      return `This link cannot be read: ${error.message}. Here are three clusters instead.`;
    }
  }
  let waiting = false;
  const hear = () => {
    if (telling || waiting) return;
    waiting = true; // until all that Python has changed is here
    queueMicrotask(() => {
      waiting = false;
      act(fromModel);
    });
  };
  const changed = ["change:_points", "change:_mixture"];
  changed.forEach((event) => model.on(event, hear));
  fromModel();
  const page = Boolean(model.get("page"));
  const follow = () => page && location.hash.startsWith("#play") && act(fromLink);
  window.addEventListener("hashchange", follow);
  part.link.hidden = !page;

  // The picture follows its size, and the page's ground.
  const sizes = new ResizeObserver(update);
  const grounds = new MutationObserver(update);
  const watched = { attributeFilter: ["data-theme", "data-jp-theme-light"] };
  for (const one of [document.documentElement, document.body]) grounds.observe(one, watched);
  act(page ? fromLink : null);
  sizes.observe(part.plane);
  return () => {
    cancelAnimationFrame(frame);
    sizes.disconnect();
    grounds.disconnect();
    changed.forEach((event) => model.off(event, hear));
    window.removeEventListener("hashchange", follow);
  };
}

export default { render };
