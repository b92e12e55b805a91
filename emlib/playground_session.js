// What happens in the playground: the points there are, one person's `Session` with them, what is
// said of it, and its link. No page: it runs in Node, too.

import { AXES, Collapse, Watch, bound, brief, counted, covariance } from "./playground_em.js";
import { estimate, expect, maximize, ones, rounding, signed } from "./playground_em.js";
import { sum, suspicion, varies } from "./playground_em.js";

export const MOST_POINTS = 4000;

// ---- Points -------------------------------------------------------------------------------------

// Numbers from 0 to 1 that a seed determines (mulberry32).
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// So many points, each made of its number, two normal random numbers, and one from 0 to 2 pi.
function made(length, place, random = generator(1)) {
  const angle = () => 2 * Math.PI * random();
  return Array.from({ length }, (_, i) => {
    const [radius, turn] = [Math.sqrt(-2 * Math.log(1 - random())), angle()];
    const x = place(i, radius * Math.cos(turn), radius * Math.sin(turn), angle());
    return x.map((value) => Number(value.toFixed(3)));
  });
}

const PRESETS = {
  clusters: () =>
    made(150, (i, u, v) => {
      if (i % 3 === 0) return [-4 + u, 0.6 * u + 1.2 * v];
      return i % 3 === 1 ? [3 + 1.4 * u, 3 - 0.7 * u + 0.6 * v] : [2 + 0.7 * u, -3 + 0.7 * v];
    }),
  // The lessons' stretched blobs: their centres and their matrix.
  stretched: () =>
    made(300, (i, u, v) => {
      const [x, y] = [[11.1, 18.7], [19.9, 17.5], [-12.8, 4.9]][i % 3];
      return [x + 2.65 * u + 1.47 * v, y + 0.6 * u + 3.36 * v];
    }),
  // An eruption is three characters: its length in ms less 1600 s, and the wait in minutes less 40.
  faithful: () =>
    ERUPTIONS.match(/.../g).map((three) => {
      const number = [...three].reduce((n, digit) => 64 * n + DIGITS.indexOf(digit), 0);
      return [(1600 + (number >> 6)) / 1000, 40 + (number & 63)];
    }),
  moons: () =>
    made(200, (i, u, v, turn) => {
      const [x, y] = [Math.cos(turn / 2) + 0.1 * u, Math.sin(turn / 2) + 0.1 * v];
      return i % 2 ? [1 - x, 0.5 - y] : [x, y];
    }),
  ring: () =>
    made(200, (i, u, v, turn) =>
      i % 4 ? [Math.cos(turn), Math.sin(turn)].map((x) => (4 + 0.3 * u) * x) : [u, v],
    ),
};
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const ERUPTIONS =
  "VGd38ER5YAhMjrjK3FmSmVGj5UBg-j3fEaDieec2M7mSh8tC2MMo0i00CfQd38B2M7SwcMxTjrYVGh5lFcpaZAciHdgCX" +
  "ipbRdQc1eYvY6XC4B8oXe3fJnlog-e4RIkNi2MIjrXQrhYvO7qDlPg6GJo0Zmio3fEoXe25EpJhX5V13OkNbgTf9vJjKi" +
  "2M8o0g3PKhmqe7cmSc7JPmSXc1g5lGjKdbWV5_MsBa6XKkNcZhaVGhdbZgjgd4UG9PcZXq5makajbe8t8bWk9OKgjo4BA" +
  "oHc3fNgCWlxiXcZ4BBpagDpMhFm7q9jKhcIf4B7mSi2tCookWZfmzZAyJpani1d1aJlPfBDAkuj3PJi1lFvDcZTfQb5lG" +
  "kumXtf4z5jKgARFlgo4B5e7hImGgjn3f6hVg4RBq5k6nDXLdf9f9vKjrgoHbgja5_JlPe6X9siu38DrfbbWbCWPkufUlV" +
  "bWUjKfcpr38Da_n9O5dsk6GIYvcTiQkdaB_Nr8m5DCl9r4z97ZHkdbR5Se7fgjfjKXCnAbWje7Y4RFkdbfQhXth6nBiHc" +
  "cpi3f6i1h97Fo0f3fHo0ad4ia-bf9fTilhEbAABlxc7qKg-gdbp4BDkuc2t6hFbZAi5D9jKhCFVmSe4B9YvZSPOf9aCWD" +
  "o0s6GFdsa4BAfhg2MEj3ZbWcdLdcpcfhcaDUk6dcpUCnEeNk9fAiYo4RE3wEfxbakdBTOdsZBk7q5kKKNkdjYvg7ZHhFg" +
  "8LRg-Y9OEiYhUlXjKXdsmYfeaDViYh6GGfxdnVcjri3wIfQh5_3AAKnEZdLf8c6i1o3P6ipY";

// ---- What happens to them -----------------------------------------------------------------------

export const NAMES = { // of the choices there are
  points: {
    clusters: "three clusters", stretched: "stretched blobs", faithful: "Old Faithful",
    moons: "two moons", ring: "a ring", own: "your own",
  },
  K: { 1: "1", 2: "2", 3: "3", 4: "4", 5: "5", 6: "6" },
  structure: { full: "full", tied: "tied", diag: "diag", spherical: "spherical" },
  floor: { 0: "none", "1e-10": "1e-10", 0.001: "0.001", given: "Python's" },
};

const axesOf = (points) =>
  points === "faithful" ? ["eruption (min)", "waiting (min)"] : ["x", "y"];
const different = (X) => [...new Map(X.map((x) => [x.join(), x])).values()];
const nearest = ([x, y], places) => {
  const squares = places.map(([a, b]) => (x - a) ** 2 + (y - b) ** 2);
  return squares.indexOf(Math.min(...squares));
};

// A spherical component has one variance, which must be above the floors of both features.
const floorFor = (structure, floor) =>
  floor && structure === "spherical" ? floor.map(() => Math.max(...floor)) : floor;

// A start: components of equal weight about these means, each with the covariance of all points.
// The floor is a share of each feature's variance; a feature that is constant gets the other's.
export function start(X, means, structure, share) {
  const { means: [mean], estimates: [[xx, , yy]] } = estimate(X, ones(X), "full");
  const own = [xx, yy].map((variance, d) => (varies(variance, mean[d]) ? variance : 0));
  const floor = share ? AXES.map((d) => share * (own[d] || own[1 - d] || 1)) : null;
  const one = maximize(X, ones(X), { structure, floor: floorFor(structure, floor) });
  const weights = means.map(() => 1 / means.length);
  return { ...one, weights, means, covariances: means.map(() => one.covariances[0]) };
}

// One person's points, choices and mixture, and how far they have come.
export class Session {
  K = 3;
  structure = "full";
  floor = "0";
  seed = 1;
  means = null; // those that were moved by hand
  undos = [];

  constructor({ points = "clusters", X = PRESETS[points](), ...choices } = {}) {
    Object.assign(this, { points, X, axes: axesOf(points), ...choices });
    this.restart();
  }

  // Change some choices, and start anew: from means moved by hand, or from points the seed chooses.
  choose(choices) {
    const { points } = choices;
    if (points) this.setPoints(PRESETS[points]?.() ?? [], points, axesOf(points));
    Object.assign(this, { means: null, ...choices });
    this.restart();
  }

  restart() {
    this.judgeAnew();
    this.mixture = null;
    if (this.floor === "given") this.floor = "0"; // Python's went with its mixture
    const { X, K, structure, floor, seed } = this;
    const places = different(X);
    if (places.length < K) {
      const are = places.length === 1 ? "is" : "are";
      const apart = places.length < X.length ? " at different places" : "";
      const there = `There ${are} ${counted(places.length, "point")}${apart}`;
      this.note = `${there}, and K is ${K}: place more points, or choose a smaller K.`;
      return;
    }
    const random = generator(seed);
    const chosen = () => places.splice(Math.floor(random() * places.length), 1)[0];
    this.centres = this.means ?? Array.from({ length: K }, chosen);
    const where = this.means ? "where you put them" : `at points chosen by seed ${seed}`;
    const alike = "the same weight for each, and the covariance of all points";
    this.note = `A new start: means ${where}, ${alike}.`;
    try {
      this.mixture = start(X, this.centres, structure, Number(floor));
    } catch (error) {
      if (!(error instanceof Collapse)) throw error;
      this.note = `There is no start: ${error.message}.`;
    }
  }

  // Forget the responsibilities, the curve and the verdict; the mixture stays.
  judgeAnew() {
    Object.assign(this, { resp: null, fresh: false, ahead: null, stop: null, stuck: false });
    Object.assign(this, { steps: 0, curve: [], watch: new Watch() });
    this.note = "The mixture stays as it was, and is judged anew.";
  }

  // Other points. If it is one more or less, the mixture stays, and is judged anew.
  setPoints(X, points = "own", axes = this.axes) {
    const one = Math.abs(X.length - this.X.length) === 1;
    this.undos.push([this.X, this.points, this.axes]);
    Object.assign(this, { X, points, axes });
    if (this.mixture && one && different(X).length >= this.K) this.judgeAnew();
    else this.restart();
  }

  undo() {
    this.setPoints(...this.undos.pop());
    this.undos.pop();
  }

  // A mixture from Python.
  adopt({ weights, means, covariances, structure, floor }) {
    const limits = floorFor(structure, floor);
    const made = covariances.map((S) => covariance(S, limits));
    this.mixture = { weights, means, covariances: made, structure, floor: limits };
    Object.assign(this, { K: means.length, structure, floor: floor ? "given" : "0" });
    Object.assign(this, { means: null, centres: means });
    this.judgeAnew();
    this.note = "This mixture is Python's.";
  }

  // The E-step, and k-means' own: every point goes to the nearest centre.
  e() {
    const { X, mixture, steps } = this;
    const expected = this.ahead ?? expect(X, mixture);
    const { resp, logLikelihood } = expected;
    const labels = X.map((x) => nearest(x, this.centres));
    Object.assign(this, { resp, labels, fresh: true, ahead: null });
    this.curve.push({ half: "E", logLikelihood, bound: logLikelihood });
    const rounded = rounding(X, expected, mixture);
    const suspect = () => suspicion(X, resp, mixture);
    this.stop = this.watch.look(steps, logLikelihood, rounded, X.length, suspect);
  }

  // The M-step, and k-means' own: every centre goes to the mean of its points.
  m() {
    const { X, resp, labels } = this;
    this.stop = null;
    try {
      this.mixture = maximize(X, resp, this.mixture);
    } catch (error) {
      if (!(error instanceof Collapse)) throw error;
      this.stop = { reason: "collapsed", nIter: this.steps, message: error.message };
      this.stuck = true;
      return;
    }
    const ahead = expect(X, this.mixture); // the curve shows it now; the next E-step takes it over
    Object.assign(this, { steps: this.steps + 1, fresh: false, ahead });
    const { logLikelihood } = ahead;
    this.curve.push({ half: "M", logLikelihood, bound: bound(X, resp, this.mixture) });
    this.centres = this.centres.map((centre, k) => {
      const own = X.filter((_, n) => labels[n] === k);
      return own.length ? AXES.map((d) => sum(own, (x) => x[d]) / own.length) : centre;
    });
  }

  // An E-step, unless it has been done, and an M-step, unless that was the end.
  step() {
    const before = this.fresh;
    if (!before) this.e();
    if (before || !this.stop) this.m();
  }
}

// ---- What is said of it -------------------------------------------------------------------------

// What has just happened, in a sentence or two.
export function news({ note, stop, curve, steps, resp, fresh }) {
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
export function numbers({ X, K, structure, curve, stop, resp, labels }, kMeans) {
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

// ---- The link -----------------------------------------------------------------------------------

export const written = (X) => X.map((x) => x.join(",")).join(";");

export function linkOf({ points, X, K, structure, floor, seed, means }) {
  const moved = means ? `&means=${written(means)}` : "";
  const where = points === "own" ? written(X) : points;
  return `#play&points=${where}&K=${K}&structure=${structure}&floor=${floor}&seed=${seed}${moved}`;
}

// The choices in a link; an Error in words if it holds anything else.
export function choicesOf(link) {
  const given = Object.fromEntries(new URLSearchParams(link.slice(1)));
  const { points = "clusters", K = "3", structure = "full", floor = "0", seed = "1" } = given;
  const check = (name, value, fine, allowed) => {
    if (!fine) throw new Error(`${name} is "${value}"; it must be ${allowed}`);
  };
  for (const [name, value] of Object.entries({ K, structure, floor })) {
    const allowed = Object.keys(NAMES[name]).filter((one) => one !== "given");
    check(name, value, allowed.includes(value), `one of ${allowed.join(", ")}`);
  }
  check("seed", seed, /^\d{1,6}$/.test(seed), "a whole number up to 999999");
  const pairs = (name, text) => {
    const number = (word) => (word ? Number(word) : NaN);
    const X = text ? text.split(";").map((pair) => pair.split(",").map(number)) : [];
    const fine = X.every((x) => x.length === 2 && x.every((value) => Math.abs(value) <= 1e9));
    check(name, text, fine && X.length <= MOST_POINTS, "pairs x,y with ; between them");
    return X;
  };
  const means = given.means ? pairs("means", given.means) : null;
  if (means) check("means", given.means, means.length === Number(K), `${K} pairs x,y`);
  const choices = { points, K: Number(K), structure, floor, seed: Number(seed), means };
  if (Object.hasOwn(PRESETS, points)) return choices;
  return { ...choices, points: "own", X: pairs("points", points) };
}
