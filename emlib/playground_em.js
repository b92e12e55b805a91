// EM in the plane: the points, the mixture, and what happens to them. No page and no picture, so
// that it runs in Node, too; `playground.js` shows it.
//
// The mathematics comes first, as in the lessons: `expect` is the E-step, `maximize` the M-step,
// `Watch` says when to stop, as emlib does and in its words. Then come the points, the `Session`
// (what happens to them) and the link. A point is [x, y], a covariance [xx, xy, yy]; components
// count from 0.

const EPS = Number.EPSILON;
const LOG_2PI = Math.log(2 * Math.PI);
const LEAST = 1e-11; // of its variance a feature must keep for itself: with less it is singular
export const MAX_ITER = 1000;
export const MOST_POINTS = 4000;
export const AXES = [0, 1];

export const sum = (values, of = (x) => x) => values.reduce((total, x, i) => total + of(x, i), 0);
const ones = (X) => X.map(() => [1]);
export const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
export const brief = (x, digits = 4) => {
  const rounded = Number(x.toPrecision(digits));
  const small = rounded !== 0 && Math.abs(rounded) < 1e-4; // as Python writes it
  return small ? rounded.toExponential().replace(/-(\d)$/, "-0$1") : String(rounded);
};
const listing = (things) => things.join(", ").replace(/, ([^,]*)$/, " and $1");
const named = (numbers) => `component${numbers.length === 1 ? "" : "s"} ${listing(numbers)}`;

const varies = (variance, mean) => variance > (4 * EPS * mean) ** 2; // by more than rounding

// The M-step has no answer: a component is left with too few points.
export class Collapse extends Error {}

// ---- Covariances --------------------------------------------------------------------------------

// Eigenvalues of a symmetric matrix, the larger first, and its eigenvectors.
export function eigen([xx, xy, yy]) {
  const large = (xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy);
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const small = large > 0 ? (xx * yy - xy * xy) / large : 0;
  return { values: [large, small], vectors: [[cos, sin], [-sin, cos]] };
}

const inUnits = ([xx, xy, yy], [u, v]) => [xx / (u * u), xy / (u * v), yy / (v * v)];

// A covariance S that can whiten, W S W' = 1. A floor, a variance for each feature, raises it:
// where an eigenvalue, in units of the floor, is below 1, it becomes 1.
function covariance(S, floor) {
  const unit = (floor ?? [1, 1]).map(Math.sqrt);
  let { values, vectors } = eigen(inUnits(S, unit));
  if (floor && !(values[1] >= 1)) {
    values = values.map((value) => Math.max(value, 1));
    const entry = (i, j) => sum(values, (value, e) => value * vectors[e][i] * vectors[e][j]);
    S = inUnits([entry(0, 0), entry(0, 1), entry(1, 1)], unit.map((u) => 1 / u));
  }
  const W = vectors.map((v, e) => AXES.map((d) => v[d] / unit[d] / Math.sqrt(values[e])));
  const logDet = sum(values, Math.log) + 2 * Math.log(unit[0] * unit[1]);
  const [[a, b], [c, d]] = W;
  const P = [a * a + c * c, a * b + c * d, b * b + d * d]; // the inverse, W'W
  const unexplained = 1 / Math.max(P[0] * S[0], P[2] * S[2]); // of a feature by the other
  return { S, W, P, logDet, unexplained };
}

// ---- The two steps ------------------------------------------------------------------------------

// The log of weight times density, a function of the point for each component.
function logJoint({ weights, means, covariances }) {
  return weights.map((weight, k) => {
    const [mx, my] = means[k];
    const { W: [[a, b], [c, d]], logDet } = covariances[k];
    const height = Math.log(weight) - LOG_2PI - logDet / 2;
    return ([x, y]) => {
      const u = a * (x - mx) + b * (y - my);
      const v = c * (x - mx) + d * (y - my);
      return height - (u * u + v * v) / 2;
    };
  });
}

// E-step: responsibilities by Bayes' rule, in logs, so that a point far out keeps its shares.
export function expect(X, mixture) {
  const joint = logJoint(mixture);
  let logLikelihood = 0;
  const resp = X.map((x) => {
    const logits = joint.map((of) => of(x));
    const top = Math.max(...logits);
    const shares = logits.map((logit) => Math.exp(logit - top));
    const total = sum(shares);
    logLikelihood += top + Math.log(total);
    return shares.map((share) => share / total);
  });
  return { resp, logLikelihood };
}

// Counts, means and covariances that the responsibilities call for, before any floor.
export function estimate(X, resp, structure) {
  const K = [...resp[0].keys()];
  const counts = K.map((k) => sum(resp, (r) => r[k]));
  const means = K.map((k) => AXES.map((d) => sum(X, (x, n) => resp[n][k] * x[d]) / counts[k]));
  const scatters = K.map((k) => {
    let [xx, xy, yy] = [0, 0, 0];
    X.forEach((x, n) => {
      const [dx, dy] = [x[0] - means[k][0], x[1] - means[k][1]];
      xx += resp[n][k] * dx * dx;
      xy += resp[n][k] * dx * dy;
      yy += resp[n][k] * dy * dy;
    });
    return [xx, xy, yy];
  });
  const pooled = [0, 1, 2].map((e) => sum(scatters, (one) => one[e]) / X.length);
  const estimates = K.map((k) => {
    const [xx, xy, yy] = scatters[k].map((total) => total / counts[k]);
    if (structure === "tied") return pooled;
    if (structure === "diag") return [xx, 0, yy];
    return structure === "full" ? [xx, xy, yy] : [(xx + yy) / 2, 0, (xx + yy) / 2];
  });
  return { counts, means, estimates };
}

// M-step: the mixture of highest expected log-likelihood, given the responsibilities.
export function maximize(X, resp, { structure, floor }) {
  const { counts, means, estimates } = estimate(X, resp, structure);
  const empty = counts.findIndex((count) => !(count > 0));
  const advice = "use fewer components or another start";
  if (empty >= 0) throw new Collapse(`component ${empty} has no points left: ${advice}`);
  const covariances = estimates.map((S) => covariance(S, floor));
  const flat = covariances.map(({ S, unexplained }, k) => {
    const standing = means[k].every((mean, d) => varies(S[2 * d], mean));
    return !(standing && unexplained > LEAST); // singular
  });
  if (!floor && flat.includes(true)) {
    const k = flat.indexOf(true);
    const all = flat.length > 1 && !flat.includes(false);
    const who = all ? "all components have" : `component ${k} has`;
    throw new Collapse(
      `${who} collapsed: ${brief(counts[k])} of the points do not span 2 dimensions, so its ` +
        "covariance is singular and the likelihood without bound: give the components a floor or " +
        `a prior, or ${advice}`,
    );
  }
  const weights = counts.map((count) => count / sum(counts));
  return { weights, means, covariances, structure, floor };
}

// The bound Q + H that responsibilities give to a mixture's log-likelihood. It touches it if they
// are the mixture's own.
export function bound(X, resp, mixture) {
  const joint = logJoint(mixture);
  const term = (r, k, x) => (r > 0 ? r * (joint[k](x) - Math.log(r)) : 0);
  return sum(X, (x, n) => sum(resp[n], (r, k) => term(r, k, x)));
}

// ---- When to stop -------------------------------------------------------------------------------

// How far rounding alone may move the log-likelihood: emlib's estimate, so that both stop together.
function rounding(X, { resp, logLikelihood }, { weights, means, covariances, structure }) {
  const centre = AXES.map((d) => sum(X, (x) => x[d]) / X.length);
  const [rx, ry] = AXES.map((d) => Math.max(...X.map((x) => Math.abs(x[d] - centre[d]))));
  // The largest terms that a log-density, written out in powers of x, has here.
  const largest = covariances.map(({ P: [xx, xy, yy], logDet }, k) => {
    const [x, y] = AXES.map((d) => means[k][d] - centre[d]);
    const [u, v] = [xx * x + xy * y, xy * x + yy * y];
    const squares = (xx * rx * rx) / 2 + Math.abs(xy) * rx * ry + (yy * ry * ry) / 2;
    const rest = Math.abs(Math.log(weights[k]) - LOG_2PI - (logDet + u * x + v * y) / 2);
    return squares * (structure === "tied" ? 2 : 1) + Math.abs(u) * rx + Math.abs(v) * ry + rest;
  });
  const error = 10 * EPS * Math.max(...largest);
  const ofParameters = sum(covariances, ({ S, unexplained: left }, k) => {
    const shift = EPS ** 2 * Math.max(means[k][0] ** 2 / S[0], means[k][1] ** 2 / S[2]);
    const loss = (128 * EPS / left) ** 2 + (64 * EPS) / Math.sqrt(left) + shift;
    return 2 * loss * sum(resp, (r) => r[k]);
  });
  const ofSum = 256 * EPS * (Math.abs(logLikelihood) + X.length);
  return ofSum + ofParameters + (error <= 1e-9 ? error * X.length : 0);
}

// EM's rate, and how many nats it has yet to gain (Aitken): what is left is a geometric series.
export function outlook(objectives, noise) {
  const gains = objectives.slice(1).map((now, t) => Math.abs(now - objectives[t]));
  const clear = (t) => gains[t] > noise && gains[t - 1] > noise;
  let t = gains.length - 1;
  while (t > 0 && !clear(t)) t -= 1;
  const rate = t > 0 ? gains[t] / gains[t - 1] : NaN;
  if (gains.length < 2) return { rate, distance: NaN };
  const [first, before, gain] = [gains.at(-3), gains.at(-2), gains.at(-1)];
  if (gain <= noise) return { rate, distance: noise };
  if (!(rate < 1)) return { rate, distance: Infinity };
  // On the way the rate itself still rises: then it is carried on to its own limit first.
  const rise = first > noise ? rate - before / first : 0;
  const limit = rise > noise / gain ? rate + (rise * rate) / (1 - rate) : rate;
  return { rate, distance: limit < 1 ? (gain * limit) / (1 - limit) : Infinity };
}

// Watches a fit and says why it should stop; null to go on. A small gain alone proves nothing:
// close to a saddle EM is slow, too.
export class Watch {
  constructor(tol = 1e-6, maxIter = MAX_ITER) {
    Object.assign(this, { tol, maxIter, objectives: [], suspicion: null, growing: false });
    this.roundings = [];
  }

  // `suspect` says why the mixture distrusts the place; null if it does not.
  look(nIter, now, rounded, nPoints, suspect) {
    this.objectives.push(now);
    this.roundings.push(rounded);
    const noise = Math.max(...this.roundings.slice(-2));
    const stop = ([reason, message]) => {
      return { reason, nIter, message, ...outlook(this.objectives, noise) };
    };
    const fall = this.objectives.at(-2) - now;
    if (fall > noise) return stop(["decreased", `the objective fell by ${brief(fall, 3)} nats`]);
    const rest = this.objectives.length > 3 && this.atRest(noise, this.tol * nPoints, suspect);
    if (rest) return stop(rest);
    if (nIter < this.maxIter) return null;
    const found = nIter > 0 ? suspect() : null; // held up is held up, though not at rest
    if (found?.[0] === "collapsed") return stop(found);
    if (this.suspicion || this.growing) return stop(["stalled", this.suspicion?.[1] ?? PLATEAU]);
    return stop(["max_iter", "raise max_iter to go on"]);
  }

  // Whether nothing is left to gain, and whether the mixture may be trusted there.
  atRest(noise, small, suspect) {
    const [first, second, last] = this.objectives.slice(-3);
    const [before, gain] = [Math.abs(second - first), Math.abs(last - second)];
    if (gain > small) this.suspicion = null; // it climbs
    this.growing = gain <= small && gain > before + noise;
    if (gain > small || this.growing) return null;
    if (gain > noise && !(outlook(this.objectives, noise).distance < small)) return null;
    if (!this.suspicion || gain <= noise) this.suspicion = suspect();
    if (!this.suspicion) {
      return ["converged", "the gains shrink, and what is left of them is below tol"];
    }
    // Near a saddle it goes on: EM leaves one by itself in time.
    return this.suspicion[0] === "collapsed" || gain <= noise ? this.suspicion : null;
  }
}

const PLATEAU = "the gains are below tol, but growing: EM is leaving a plateau; raise max_iter";

// Distrust components that only a floor holds up, and two that cannot be told apart.
export function suspicion(X, resp, mixture) {
  const { counts, estimates } = estimate(X, resp, mixture.structure);
  const K = [...counts.keys()];
  const heldUp = K.filter((k) => mixture.floor && isHeldUp(X, estimates[k], mixture));
  if (heldUp.length) {
    const points = listing(heldUp.map((k) => brief(counts[k])));
    const message = `only the floor or ridge keeps ${named(heldUp)} from collapsing, on ${points}`;
    return ["collapsed", `${message} of the points: use fewer components or another start`];
  }
  const pairs = K.flatMap((j) => K.slice(j + 1).map((k) => [j, k]));
  const apart = pairs.map(([j, k]) => separation(mixture, counts, j, k) || 0);
  const least = Math.min(1, ...apart);
  if (least === 1) return null;
  const message = `${named(pairs[apart.indexOf(least)])} cannot be told apart, so this is a saddle`;
  return ["stalled", `${message} or one component too many: use another start or fewer components`];
}

// At the floor in a direction in which the data as a whole are above it.
function isHeldUp(X, estimated, { structure, floor }) {
  const unit = floor.map(Math.sqrt);
  const whole = eigen(inUnits(estimate(X, ones(X), structure).estimates[0], unit));
  const standing = whole.vectors.filter((_, e) => whole.values[e] > 1);
  const [xx, xy, yy] = inUnits(estimated, unit);
  const along = standing.map(([x, y]) => xx * x * x + 2 * xy * x * y + yy * y * y);
  const least = standing.length < 2 ? along : eigen([xx, xy, yy]).values;
  return least.some((value) => value <= 1 + 1e-9);
}

// How clearly their points tell two components apart: below 1 two halves of one may differ as much.
// J is the symmetric divergence; n J follows a chi-square law, and these are its .999 quantiles.
const CHI_SQUARE = [, , 13.81551055796427, 16.26623619623813, 18.4668269529032, 20.51500565243288];

function separation({ means, covariances, structure }, counts, j, k) {
  const [dx, dy] = AXES.map((d) => means[j][d] - means[k][d]);
  const [a, b] = [covariances[j], covariances[k]];
  const trace = ([xx, xy, yy], S) => xx * S[0] + 2 * xy * S[1] + yy * S[2];
  const squares = trace(a.P, [dx * dx, dx * dy, dy * dy]) + trace(b.P, [dx * dx, dx * dy, dy * dy]);
  const all = (squares + trace(a.P, b.S) + trace(b.P, a.S) - 4) / 2;
  const degrees = { full: 5, tied: 2, diag: 4, spherical: 3 }[structure];
  const n = 1 / (1 / counts[j] + 1 / counts[k]);
  return n * Math.max(squares / 2 / CHI_SQUARE[2], all / CHI_SQUARE[degrees]);
}

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
  constructor(choices = {}) {
    Object.assign(this, { points: "clusters", K: 3, structure: "full", floor: "0", seed: 1 });
    Object.assign(this, { means: null, undos: [], ...choices });
    this.X = choices.X ?? PRESETS[this.points]();
    this.axes = axesOf(this.points);
    this.restart();
  }

  // Change some choices, and start anew: from means moved by hand, or from points the seed chooses.
  choose(choices) {
    if (choices.points) {
      this.setPoints(PRESETS[choices.points]?.() ?? [], choices.points);
      this.axes = axesOf(this.points);
    }
    Object.assign(this, { means: null, ...choices });
    this.restart();
  }

  restart() {
    this.judgeAnew();
    this.mixture = null;
    if (this.floor === "given") this.floor = "0"; // Python's went with its mixture
    const [places, random, K] = [different(this.X), generator(this.seed), this.K];
    if (places.length < K) {
      const are = places.length === 1 ? "is" : "are";
      const there = `There ${are} ${counted(places.length, "point")}`;
      const apart = places.length < this.X.length ? " at different places" : "";
      this.note = `${there}${apart}, and K is ${K}: place more points, or choose a smaller K.`;
      return;
    }
    const where = this.means ? "where you put them" : `at points chosen by seed ${this.seed}`;
    const alike = "the same weight for each, and the covariance of all points";
    this.note = `A new start: means ${where}, ${alike}.`;
    const chosen = () => places.splice(Math.floor(random() * places.length), 1)[0];
    const means = this.means ?? Array.from({ length: K }, chosen);
    try {
      this.mixture = start(this.X, means, this.structure, Number(this.floor) || 0);
    } catch (error) {
      if (!(error instanceof Collapse)) throw error;
      this.note = `There is no start: ${error.message}.`;
    }
    this.centres = means;
  }

  // Forget the responsibilities, the curve and the verdict; the mixture stays.
  judgeAnew() {
    Object.assign(this, { resp: null, fresh: false, ahead: null, stop: null, stuck: false });
    Object.assign(this, { steps: 0, curve: [], watch: new Watch() });
    this.note = "The mixture stays as it was, and is judged anew.";
  }

  // Other points. If it is one more or less, the mixture stays, and is judged anew.
  setPoints(X, points = "own") {
    const one = Math.abs(X.length - this.X.length) === 1;
    this.undos.push([this.X, this.points]);
    Object.assign(this, { X, points });
    if (points !== "own") this.axes = axesOf(points); // a point more leaves the units as they are
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
    const expected = this.ahead ?? expect(this.X, this.mixture);
    const { resp, logLikelihood } = expected;
    Object.assign(this, { resp, fresh: true, ahead: null });
    this.labels = this.X.map((x) => nearest(x, this.centres));
    this.curve.push({ half: "E", logLikelihood, bound: logLikelihood });
    const rounded = rounding(this.X, expected, this.mixture);
    const suspect = () => suspicion(this.X, resp, this.mixture);
    this.stop = this.watch.look(this.steps, logLikelihood, rounded, this.X.length, suspect);
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
