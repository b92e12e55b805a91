// EM in the plane, moved by hand: points, ellipses, and one half step at a time.
//
// The mathematics comes first, as in the lessons: `expect` is the E-step, `maximize` the M-step,
// `Watch` says when to stop, as emlib does and in its words. Then come the points, the `Session`
// (what happens to them), the link, the pictures, and last `render`, in the form anywidget wants.
// No dependency, no network. A point is [x, y], a covariance [xx, xy, yy]; components count from 0.

const EPS = Number.EPSILON;
const LOG_2PI = Math.log(2 * Math.PI);
const LEAST = 1e-11; // of its variance a feature must keep for itself: with less it is singular
const MAX_ITER = 1000;
const MOST_POINTS = 4000;
const AXES = [0, 1];

const sum = (values, of = (x) => x) => values.reduce((total, x, i) => total + of(x, i), 0);
const ones = (X) => X.map(() => [1]);
const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const brief = (x, digits = 4) => {
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
function eigen([xx, xy, yy]) {
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

const NAMES = { // of the choices there are
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

const written = (X) => X.map((x) => x.join(",")).join(";");

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

// ---- The pictures -------------------------------------------------------------------------------

const COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9"];
const SHOWN = 24; // half steps of the curve

const signed = (x, digits) => x.toFixed(digits).replace("-", "−");
const mixed = (shares) => {
  const level = (k, i) => parseInt(COLOURS[k].slice(i, i + 2), 16);
  const parts = [1, 3, 5].map((i) => Math.round(sum(shares, (r, k) => r * level(k, i))));
  return `rgb(${parts.join()})`;
};

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
    Object.assign(pen, { fillStyle, strokeStyle, lineWidth });
    pen.setLineDash([]);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
    if (strokeStyle) pen.stroke();
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

const STYLE = `
.em-play { --ink: #262626; --soft: #595959; --ground: #fff; --edge: #26262680; --accent: #0060a8;
  container-type: inline-size; padding: 8px; color: var(--ink); background: var(--ground);
  font: 15px/1.45 system-ui, sans-serif; }
.em-play[data-dark] { --ink: #f0f0f0; --soft: #b8b8b8; --ground: #16191d; --edge: #f0f0f080;
  --accent: #7cc4ff; color-scheme: dark; }
.em-play p { margin: 6px 0; }
.em-play .bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 6px 0; }
.em-play label { display: inline-flex; align-items: center; gap: 5px; margin: 0 6px 0 0; }
.em-play :is(button, select, input) { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--soft); border-radius: 4px; min-height: 38px; min-width: 38px; }
.em-play button { padding: 0 11px; cursor: pointer; }
.em-play button:disabled { opacity: 0.45; cursor: default; }
.em-play button[aria-pressed="true"] { background: var(--ink); color: var(--ground); }
.em-play :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.em-play input[type="number"] { width: 5em; }
.em-play input[type="checkbox"] { min-width: 22px; min-height: 22px; }
.em-play :is(label, .bar) { min-height: 38px; }
.em-play canvas { display: block; width: 100%; height: 200px; touch-action: manipulation; }
.em-play [data-part="plane"] { aspect-ratio: 4 / 3; height: auto; cursor: crosshair; }
.em-play [data-part="help"] { color: var(--soft); font-size: 13px; }
.em-play [data-part="status"] { min-height: 4.4em; border-left: 3px solid var(--accent);
  padding-left: 8px; }
.em-play table { display: block; overflow-x: auto; border-collapse: collapse; margin: 0; }
.em-play :is(th, td) { text-align: left; padding: 1px 10px 1px 6px; font-weight: normal;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
.em-play td:first-child { border-left: 12px solid var(--own); }
.em-play [hidden] { display: none; }
@container (min-width: 740px) {
  .em-play .panes { display: grid; grid-template-columns: 3fr 2fr; gap: 0 20px; }
  .em-play .panes > * { min-width: 0; }
  .em-play .panes > :nth-child(2) { grid-row: span 2; }
}`;

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
  root.innerHTML = `<style>${STYLE}</style>${PAGE}`;
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
