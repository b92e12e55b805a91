// EM in the plane, moved by hand: points, ellipses, and one half step at a time.
//
// The mathematics comes first, as in the lessons: `expect` is the E-step, `maximize` the M-step, and
// `Watch` decides when to stop, as emlib does and in its words. Then come the points, `Session` (what
// happens to them), the link, the pictures, and last `render`, in the form that anywidget wants.
// There is no dependency and no network. A point is [x, y], a component has a number from 0.

const EPS = Number.EPSILON;
const LOG_2PI = Math.log(2 * Math.PI);
const LEAST = 1e-11; // of its variance a feature must keep for itself, or its covariance is singular
const MAX_ITER = 1000;
const STRUCTURES = ["full", "tied", "diag", "spherical"];
const MOST_K = 6;
const MOST_POINTS = 4000;

const sum = (values, of = (value) => value) =>
  values.reduce((total, value, i) => total + of(value, i), 0);
const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const ones = (X) => X.map(() => [1]);
const brief = (x, digits = 4) => String(Number(x.toPrecision(digits)));
const listing = (things) => things.join(", ").replace(/, ([^,]*)$/, " and $1");

// The M-step has no answer: a component is left with too few points.
export class Collapse extends Error {}

// ---- Covariances ---------------------------------------------------------------------------------

// A covariance [xx, xy, yy] that can whiten: W S W' = 1. A floor, a variance for each feature, raises
// it: where an eigenvalue, in units of the floor, is below 1, it becomes 1.
function covariance([xx, xy, yy], floor) {
  const [u, v] = (floor ?? [1, 1]).map(Math.sqrt);
  const { values, vectors } = eigen(xx / (u * u), xy / (u * v), yy / (v * v));
  const W = (of) => vectors.map(([x, y], e) => [x / u, y / v].map((one) => one / Math.sqrt(of[e])));
  const logDet = (of) => Math.log(of[0]) + Math.log(of[1]) + 2 * Math.log(u * v);
  if (!floor || Math.min(...values) >= 1) return { xx, xy, yy, W: W(values), logDet: logDet(values) };
  const up = values.map((value) => Math.max(value, 1));
  const entry = (i, j) => sum(up, (value, e) => value * vectors[e][i] * vectors[e][j]);
  const [a, b, c] = [entry(0, 0) * u * u, entry(0, 1) * u * v, entry(1, 1) * v * v];
  return { xx: a, xy: b, yy: c, W: W(up), logDet: logDet(up) };
}

// Eigenvalues of a symmetric matrix, the larger first, and its eigenvectors.
function eigen(xx, xy, yy) {
  const large = (xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy);
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const small = large > 0 ? (xx * yy - xy * xy) / large : 0;
  return { values: [large, small], vectors: [[cos, sin], [-sin, cos]] };
}

// The inverse W'W, as [xx, xy, yy].
function precision({ W: [[a, b], [c, d]] }) {
  return [a * a + c * c, a * b + c * d, b * b + d * d];
}

// What share of a feature's variance the other leaves unexplained: 0 for a singular covariance.
function unexplained(one) {
  const [xx, , yy] = precision(one);
  return 1 / Math.max(xx * one.xx, yy * one.yy);
}

// ---- The two steps -------------------------------------------------------------------------------

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
  const counts = K.map((k) => sum(resp, (shares) => shares[k]));
  const means = K.map((k) => [0, 1].map((d) => sum(resp, (r, n) => r[k] * X[n][d]) / counts[k]));
  const scatters = K.map((k) => {
    const [mx, my] = means[k];
    let [xx, xy, yy] = [0, 0, 0];
    X.forEach(([x, y], n) => {
      const share = resp[n][k];
      xx += share * (x - mx) * (x - mx);
      xy += share * (x - mx) * (y - my);
      yy += share * (y - my) * (y - my);
    });
    return [xx, xy, yy];
  });
  const pooled = [0, 1, 2].map((e) => sum(scatters, (scatter) => scatter[e]) / sum(counts));
  const estimates = scatters.map((scatter, k) => {
    const [xx, xy, yy] = scatter.map((total) => total / counts[k]);
    if (structure === "tied") return pooled;
    if (structure === "diag") return [xx, 0, yy];
    return structure === "full" ? [xx, xy, yy] : [(xx + yy) / 2, 0, (xx + yy) / 2];
  });
  return { counts, means, estimates };
}

// M-step: the mixture of highest expected log-likelihood, given the responsibilities.
export function maximize(X, resp, { structure, floor }) {
  const { counts, means, estimates } = estimate(X, resp, structure);
  const least = counts.indexOf(Math.min(...counts));
  if (!(counts[least] > 0)) {
    throw new Collapse(
      `component ${least} has no points left: use fewer components or another start`,
    );
  }
  const covariances = estimates.map((one) => covariance(one, floor));
  const mixture = { weights: [], means, covariances, structure, floor };
  const flat = means.map((_, k) => isSingular(mixture, k));
  if (!floor && flat.includes(true)) throw collapse(flat, counts);
  return { ...mixture, weights: counts.map((count) => count / sum(counts)) };
}

// The bound Q + H that responsibilities give to a mixture's log-likelihood. They are equal if the
// responsibilities are the mixture's own.
export function bound(X, resp, mixture) {
  const joint = logJoint(mixture);
  const term = (r, k, x) => (r > 0 ? r * (joint[k](x) - Math.log(r)) : 0);
  return sum(resp, (shares, n) => sum(shares, (r, k) => term(r, k, X[n])));
}

// Whether a covariance is singular, or so nearly that rounding has made it up.
function isSingular({ means, covariances }, k) {
  const { xx, yy } = covariances[k];
  const varies = [xx, yy].every((variance, d) => variance > (4 * EPS * means[k][d]) ** 2);
  return !(varies && unexplained(covariances[k]) > LEAST);
}

function collapse(flat, counts) {
  const k = flat.indexOf(true);
  const all = flat.length > 1 && !flat.includes(false);
  const who = all ? "all components have" : `component ${k} has`;
  return new Collapse(
    `${who} collapsed: ${brief(counts[k])} of the points do not span 2 dimensions, so its ` +
      "covariance is singular and the likelihood without bound: give the components a floor or a " +
      "prior, or use fewer components or another start",
  );
}

// ---- When to stop --------------------------------------------------------------------------------

// How far rounding alone may move the log-likelihood: emlib's estimate, so that both stop together.
function rounding(X, { resp, logLikelihood }, { weights, means, covariances, structure }) {
  const centre = estimate(X, ones(X), "full").means[0];
  const [rx, ry] = [0, 1].map((d) => Math.max(...X.map((x) => Math.abs(x[d] - centre[d]))));
  // The largest terms that a log-density, written out in powers of x, has here.
  const largest = covariances.map((one, k) => {
    const [xx, xy, yy] = precision(one);
    const [mx, my] = [means[k][0] - centre[0], means[k][1] - centre[1]];
    const slope = [xx * mx + xy * my, xy * mx + yy * my];
    const height = Math.log(weights[k]) - LOG_2PI - one.logDet / 2;
    const squares = (xx * rx * rx) / 2 + Math.abs(xy) * rx * ry + (yy * ry * ry) / 2;
    const rest = Math.abs(height - (slope[0] * mx + slope[1] * my) / 2);
    const lines = Math.abs(slope[0]) * rx + Math.abs(slope[1]) * ry;
    return (structure === "tied" ? 2 : 1) * squares + lines + rest;
  });
  const error = 10 * EPS * Math.max(...largest);
  const losses = covariances.map(unexplained).map((u) => (128 * EPS / u) ** 2 + 64 * EPS / Math.sqrt(u));
  const ofVariances = 2 * sum(resp, (shares) => sum(shares, (share, k) => share * losses[k]));
  const ofSum = 256 * EPS * (Math.abs(logLikelihood) + X.length);
  return ofSum + ofVariances + (error <= 1e-9 ? error * X.length : 0);
}

// EM's rate, and how many nats it has yet to gain (Aitken): what is left is a geometric series.
export function outlook(objectives, noise) {
  const gains = objectives.slice(1).map((now, t) => Math.abs(now - objectives[t]));
  let rate = NaN;
  for (let t = gains.length - 1; t > 0; t--) {
    if (gains[t - 1] > noise && gains[t] > noise) {
      rate = gains[t] / gains[t - 1];
      break;
    }
  }
  if (gains.length < 2) return { rate, distance: NaN };
  const [first, before, gain] = [gains.at(-3), gains.at(-2), gains.at(-1)];
  if (gain <= noise) return { rate, distance: noise };
  if (!(rate < 1)) return { rate, distance: Infinity };
  // On the way the rate itself still rises: then it is carried on to its own limit first.
  const rise = first > noise ? rate - before / first : 0;
  const limit = rise > noise / gain ? rate + (rise * rate) / (1 - rate) : rate;
  return { rate, distance: limit < 1 ? (gain * limit) / (1 - limit) : Infinity };
}

// Watches a fit and says why it should stop; null to go on. Close to a saddle EM is slow too, so a
// small gain alone proves nothing.
export class Watch {
  constructor(tol = 1e-6, maxIter = MAX_ITER) {
    Object.assign(this, { tol, maxIter, objectives: [], roundings: [] });
    Object.assign(this, { suspicion: null, growing: false });
  }

  // `suspect` tells why the mixture distrusts the place; null if it does not.
  look(nIter, now, rounded, nPoints, suspect) {
    this.objectives.push(now);
    this.roundings.push(rounded);
    const noise = Math.max(...this.roundings.slice(-2));
    const stop = (reason, message) => ({ reason, nIter, message, ...outlook(this.objectives, noise) });
    const [first, second] = this.objectives.slice(-3);
    const previous = this.objectives.at(-2);
    if (now < previous - noise) {
      return stop("decreased", `the objective fell by ${brief(previous - now, 3)} nats. ${LOOK}`);
    }
    if (this.objectives.length > 3) {
      const [before, gain] = [Math.abs(second - first), Math.abs(now - second)];
      const verdict = this.atRest(before, gain, noise, nPoints, suspect);
      if (verdict) return stop(...verdict);
    }
    if (nIter < this.maxIter) return null;
    const found = nIter > 0 ? suspect() : null;
    if (found?.reason === "collapsed") return stop("collapsed", found.message);
    if (this.suspicion || this.growing) return stop("stalled", this.suspicion?.message ?? PLATEAU);
    return stop("max_iter", "raise max_iter to go on");
  }

  // Whether nothing is left to gain, and whether the mixture may be trusted there.
  atRest(before, gain, noise, nPoints, suspect) {
    const small = this.tol * nPoints;
    if (gain > small) {
      Object.assign(this, { suspicion: null, growing: false }); // it climbs
      return null;
    }
    this.growing = gain > before + noise;
    if (this.growing) return null;
    if (gain > noise && !(outlook(this.objectives, noise).distance < small)) return null;
    if (!this.suspicion || gain <= noise) this.suspicion = suspect();
    if (!this.suspicion) return ["converged", "the gains shrink, and what is left of them is below tol"];
    const { reason, message } = this.suspicion;
    return reason === "collapsed" || gain <= noise ? [reason, message] : null;
  }
}

const PLATEAU =
  "the gains are below tol, but growing: EM is leaving a plateau; raise max_iter";
const LOOK =
  "Exact EM cannot do that: look for variances too small for the arithmetic (a floor helps)";

// Distrust components that only a floor holds up, and two that cannot be told apart.
export function suspicion(X, resp, mixture) {
  const { counts, estimates } = estimate(X, resp, mixture.structure);
  const K = [...counts.keys()];
  const heldUp = mixture.floor ? K.filter((k) => isHeldUp(X, estimates[k], mixture)) : [];
  if (heldUp.length) {
    const points = listing(heldUp.map((k) => brief(counts[k])));
    const message =
      `only the floor or ridge keeps ${named(heldUp)} from collapsing, on ${points} of the ` +
      "points: use fewer components or another start";
    return { reason: "collapsed", message };
  }
  let closest = { distance: 1 };
  for (const j of K) {
    for (const k of K.slice(0, j)) {
      const distance = separation(mixture, counts, j, k) || 0;
      if (distance < closest.distance) closest = { distance, pair: [k, j] };
    }
  }
  if (!closest.pair) return null;
  const message =
    `${named(closest.pair)} cannot be told apart, so this is a saddle or one component too many: ` +
    "use another start or fewer components";
  return { reason: "stalled", message };
}

const named = (numbers) => `component${numbers.length === 1 ? "" : "s"} ${listing(numbers)}`;

// At the floor in a direction in which the data as a whole are above it.
function isHeldUp(X, estimated, { structure, floor }) {
  const [u, v] = floor.map(Math.sqrt);
  const inUnits = ([a, b, c]) => [a / (u * u), b / (u * v), c / (v * v)];
  const whole = eigen(...inUnits(estimate(X, ones(X), structure).estimates[0]));
  const standing = whole.vectors.filter((_, e) => whole.values[e] > 1);
  const [a, b, c] = inUnits(estimated);
  const along = standing.map(([x, y]) => a * x * x + 2 * b * x * y + c * y * y);
  return (standing.length < 2 ? along : eigen(a, b, c).values).some((value) => value <= 1 + 1e-9);
}

// How clearly their points tell two components apart: below 1 two halves of one may differ as much.
// J is the symmetric divergence; n J follows a chi-square law, and these are its 1 - 1/1000 quantiles.
const CHI_SQUARE = { 2: 13.8155105579643, 3: 16.2662361962381, 4: 18.4668269529032, 5: 20.5150056524329 };

function separation({ means, covariances, structure }, counts, j, k) {
  const [dx, dy] = [means[j][0] - means[k][0], means[j][1] - means[k][1]];
  const [P, Q] = [precision(covariances[j]), precision(covariances[k])];
  const square = ([xx, xy, yy]) => xx * dx * dx + 2 * xy * dx * dy + yy * dy * dy;
  const trace = ([xx, xy, yy], one) => xx * one.xx + 2 * xy * one.xy + yy * one.yy;
  const ofMeans = (square(P) + square(Q)) / 2;
  const ofAll = ofMeans + (trace(P, covariances[k]) + trace(Q, covariances[j]) - 4) / 2;
  const n = 1 / (1 / counts[j] + 1 / counts[k]);
  const degrees = { full: 5, tied: 2, diag: 4, spherical: 3 }[structure];
  return n * Math.max(ofMeans / CHI_SQUARE[2], ofAll / CHI_SQUARE[degrees]);
}

// ---- Points --------------------------------------------------------------------------------------

// Numbers between 0 and 1 that a seed determines (mulberry32).
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// So many points, each made of two random numbers and two normal ones, to three decimals.
function made(n, place, random = generator(1)) {
  return Array.from({ length: n }, (_, i) => {
    const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - random())), 2 * Math.PI * random()];
    const normal = [radius * Math.cos(angle), radius * Math.sin(angle)];
    return place(i, random(), ...normal).map((x) => Number(x.toFixed(3)));
  });
}

// About each centre in turn, by a matrix of its own.
const blobs = (n, centres, shapes) =>
  made(n, (i, _, u, v) => {
    const [c, [a, b, d]] = [centres[i % centres.length], shapes[i % shapes.length]];
    return [c[0] + a * u, c[1] + b * u + d * v];
  });

// Each eruption is three characters: its length in thousandths of a minute less 1600, the wait less 40.
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
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
const oldFaithful = () =>
  ERUPTIONS.match(/.../g).map((three) => {
    const n = [...three].reduce((so, far) => so * 64 + ALPHABET.indexOf(far), 0);
    return [(1600 + (n >> 6)) / 1000, 40 + (n & 63)];
  });

export const PRESETS = {
  clusters: {
    label: "three clusters",
    X: () => blobs(150, [[-4, 0], [3, 3], [2, -3]], [[1, 0.6, 1.2], [1.4, -0.7, 0.6], [0.7, 0, 0.7]]),
  },
  // The lessons' blobs, stretched by the lessons' matrix, drawn anew.
  stretched: {
    label: "stretched blobs",
    X: () => blobs(300, [[11.1, 18.7], [19.9, 17.5], [-12.8, 4.9]], [[3.03, 2.29, 2.46]]),
  },
  faithful: { label: "Old Faithful", X: oldFaithful, axes: ["eruption (min)", "waiting (min)"] },
  moons: {
    label: "two moons",
    X: () =>
      made(200, (i, turn, u, v) => {
        const [x, y] = [Math.cos(Math.PI * turn), Math.sin(Math.PI * turn)];
        const [left, up] = i % 2 ? [1 - x, 0.5 - y] : [x, y];
        return [left + 0.1 * u, up + 0.1 * v];
      }),
  },
  ring: {
    label: "a ring",
    X: () =>
      made(200, (i, turn, u, v) => {
        const radius = i % 4 ? 4 + 0.3 * u : 0.7 * u;
        return [radius * Math.cos(2 * Math.PI * turn), radius * Math.sin(2 * Math.PI * turn)];
      }),
  },
};

// ---- What happens to them ------------------------------------------------------------------------

const FLOORS = { 0: "none", "1e-10": "1e-10 × variance", 0.001: "0.001 × variance" };

const different = (X) => [...new Map(X.map((x) => [x.join(), x])).values()];
const nearest = ([x, y], places) => {
  const squares = places.map(([a, b]) => (x - a) ** 2 + (y - b) ** 2);
  return squares.indexOf(Math.min(...squares));
};

// A floor that is a share of each feature's variance; a feature that is constant gets the other's.
function floorOf(X, share) {
  const [xx, , yy] = estimate(X, ones(X), "full").estimates[0];
  const either = Math.max(xx, yy) || 1;
  return share > 0 ? [share * (xx || either), share * (yy || either)] : null;
}

// A start: components of equal weight about these means, each with the covariance of all points.
export function start(X, means, structure, floor) {
  const [whole] = maximize(X, ones(X), { structure, floor }).covariances;
  const covariances = means.map(() => whole);
  return { weights: means.map(() => 1 / means.length), means, covariances, structure, floor };
}

// One person's points, choices and mixture, and how far they have come.
export class Session {
  constructor(choices = {}) {
    Object.assign(this, { K: 3, structure: "full", floor: "0", seed: 1, means: null, undos: [] });
    Object.assign(this, { points: "clusters", ...choices });
    this.X = choices.X ?? PRESETS[this.points].X();
    this.restart();
  }

  get axes() {
    return PRESETS[this.points]?.axes ?? ["x", "y"];
  }

  // Change some choices, and start anew.
  choose(choices) {
    Object.assign(this, { means: null, ...choices });
    if (choices.points) this.setPoints(PRESETS[choices.points].X(), choices.points);
    this.restart();
  }

  // Other points: the mixture stays, if there is one, and is judged anew.
  setPoints(X, points = "own") {
    this.undos.push([this.X, this.points]);
    Object.assign(this, { X, points });
    if (this.mixture && different(X).length >= this.K) this.judgeAnew();
    else this.restart();
  }

  undo() {
    this.setPoints(...this.undos.pop());
    this.undos.pop();
  }

  // A start from means moved by hand, or else from points that the seed chooses.
  restart() {
    this.judgeAnew();
    this.mixture = null;
    const [places, random] = [different(this.X), generator(this.seed)];
    if (places.length < this.K) {
      const there = places.length === 1 ? "is 1 point" : `are ${places.length || "no"} points`;
      const apart = places.length < this.X.length ? " at different places" : "";
      const less = places.length ? ", or choose a smaller K" : "";
      this.trouble = `There ${there}${apart}, and K is ${this.K}: place more points${less}.`;
      return;
    }
    const drawn = Array.from({ length: this.K }, () =>
      places.splice(Math.floor(random() * places.length), 1).pop(),
    );
    try {
      const floor = floorOf(this.X, Number(this.floor));
      this.mixture = start(this.X, this.means ?? drawn, this.structure, floor);
      this.centres = this.mixture.means;
    } catch (error) {
      if (!(error instanceof Collapse)) throw error;
      this.trouble = `There is no start: ${error.message}.`;
    }
  }

  // A mixture from elsewhere.
  adopt({ weights, means, covariances, structure, floor }) {
    const made = covariances.map((one) => covariance(one, floor));
    Object.assign(this, { K: means.length, structure, means: null, centres: means });
    this.mixture = { weights, means, covariances: made, structure, floor };
    this.judgeAnew();
  }

  judgeAnew() {
    Object.assign(this, { resp: null, fresh: false, ahead: null, labels: null, stop: null });
    Object.assign(this, { steps: 0, curve: [], watch: new Watch(), stuck: false, trouble: "" });
  }

  // The E-step, and k-means' own: every point goes to the nearest centre.
  e() {
    const { resp, logLikelihood } = this.ahead ?? expect(this.X, this.mixture);
    Object.assign(this, { resp, fresh: true, ahead: null });
    this.labels = this.X.map((x) => nearest(x, this.centres));
    this.curve.push({ half: "E", logLikelihood, bound: logLikelihood });
    const rounded = rounding(this.X, { resp, logLikelihood }, this.mixture);
    const suspect = () => suspicion(this.X, resp, this.mixture);
    this.stop = this.watch.look(this.steps, logLikelihood, rounded, this.X.length, suspect);
  }

  // The M-step, and k-means' own: every centre goes to the mean of its points.
  m() {
    try {
      this.mixture = maximize(this.X, this.resp, this.mixture);
    } catch (error) {
      if (!(error instanceof Collapse)) throw error;
      this.stop = { reason: "collapsed", nIter: this.steps, message: error.message };
      this.stuck = true;
      return;
    }
    this.steps += 1;
    this.fresh = false;
    this.ahead = expect(this.X, this.mixture);
    const { logLikelihood } = this.ahead;
    this.curve.push({ half: "M", logLikelihood, bound: bound(this.X, this.resp, this.mixture) });
    const own = this.centres.map((_, k) => this.X.filter((_, n) => this.labels[n] === k));
    this.centres = own.map((some, k) =>
      some.length ? [0, 1].map((d) => sum(some, (x) => x[d]) / some.length) : this.centres[k],
    );
  }

  // An E-step, unless it has been done, and an M-step, unless that is the end.
  step() {
    if (!this.fresh) this.e();
    else this.stop = null;
    if (!this.stop) this.m();
  }
}

// ---- The link ------------------------------------------------------------------------------------

const places = (X) => X.map((x) => x.join(",")).join(";");

export function linkOf({ points, X, K, structure, floor, seed, means }) {
  const parts = { points: points === "own" ? places(X) : points, K, structure, floor, seed };
  if (means) parts.means = places(means);
  return `#play=1&${Object.entries(parts).map((pair) => pair.join("=")).join("&")}`;
}

// The choices in a link; an Error in words if it holds anything else.
export function choicesOf(link) {
  const given = Object.fromEntries(new URLSearchParams(link.slice(1)));
  const wrong = (name, allowed) => new Error(`${name} is "${given[name]}"; it must be ${allowed}`);
  const one = (name, allowed) => {
    if (!(given[name] in allowed)) throw wrong(name, `one of ${Object.keys(allowed).join(", ")}`);
  };
  const whole = (name, most) => {
    if (!/^\d{1,6}$/.test(given[name]) || !(given[name] <= most) || (name === "K" && given.K < 1))
      throw wrong(name, `a whole number up to ${most}`);
    return Number(given[name]);
  };
  const pairs = (name) => {
    const X = given[name].split(";").map((pair) => pair.split(",").map((x) => (x ? Number(x) : NaN)));
    const fine = X.every((x) => x.length === 2 && x.every((value) => Math.abs(value) <= 1e9));
    if (!fine || X.length > MOST_POINTS) throw wrong(name, "points x,y with ; between them");
    return X;
  };
  const { points = "clusters" } = given;
  Object.assign(given, { K: "3", structure: "full", floor: "0", seed: "1", points, ...given });
  one("structure", Object.fromEntries(STRUCTURES.map((name) => [name])));
  one("floor", FLOORS);
  const choices = { ...given, K: whole("K", MOST_K), seed: whole("seed", 999999), means: null };
  if (given.means) choices.means = pairs("means");
  if (choices.means && choices.means.length !== choices.K) throw wrong("means", `K = ${choices.K} points`);
  if (points in PRESETS) return choices;
  return { ...choices, points: "own", X: points ? pairs("points") : [] };
}

// ---- What is seen --------------------------------------------------------------------------------

const COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9"];
const MARGIN = { left: 52, right: 10, top: 10, bottom: 44 };
const FONT = "13px system-ui, sans-serif";
const SHOWN = 24; // half steps of the curve

const signed = (x, digits) => x.toFixed(digits).replace("-", "−");
const inColour = (shares) => {
  const mixed = (i) => sum(shares, (r, k) => r * parseInt(COLOURS[k].slice(i, i + 2), 16));
  return `rgb(${[1, 3, 5].map((i) => Math.round(mixed(i))).join()})`;
};

// The part of the plane that shows all points, with some room.
function viewOf(X) {
  const [low, high] = [Math.min, Math.max].map((most) =>
    [0, 1].map((d) => X.reduce((so, x) => most(so, x[d]), X[0]?.[d] ?? 0)),
  );
  const room = high.map((top, d) => 0.12 * (top - low[d]) || (X.length ? 1 : 5));
  return { low: low.map((x, d) => x - room[d]), high: high.map((x, d) => x + room[d]) };
}

// From data to the screen, and back. Both axes have one scale, unless their ranges differ too much.
function mapping({ low, high }, { width, height }) {
  const [w, h] = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  let scale = [w / (high[0] - low[0]), h / (high[1] - low[1])];
  if (Math.max(...scale) < 4 * Math.min(...scale)) scale = scale.map(() => Math.min(...scale));
  const [cx, cy] = low.map((x, d) => (x + high[d]) / 2);
  const middle = [MARGIN.left + w / 2, MARGIN.top + h / 2];
  return {
    scale,
    frame: [MARGIN.left, MARGIN.top, w, h],
    there: ([x, y]) => [middle[0] + (x - cx) * scale[0], middle[1] - (y - cy) * scale[1]],
    back: ([px, py]) => [cx + (px - middle[0]) / scale[0], cy - (py - middle[1]) / scale[1]],
  };
}

// Numbers a round step apart, some five of them, and how many decimals they want.
function ticks(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [5, 2, 1].map((m) => m * power).find((one) => one <= (high - low) / 4);
  const first = Math.ceil(low / step);
  const values = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => first + i);
  const decimals = Math.min(Math.max(0, -Math.floor(Math.log10(step))), 12);
  return values.map((value) => [value * step, signed(value * step, decimals)]);
}

// A canvas to draw on, as sharp as the screen.
function surface(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  Object.assign(pen, { font: FONT, textAlign: "center", textBaseline: "middle", lineJoin: "round" });
  const line = (places, colour, lineWidth, dashes = []) => {
    pen.beginPath();
    places.forEach(([x, y]) => pen.lineTo(x, y));
    Object.assign(pen, { strokeStyle: colour, lineWidth });
    pen.setLineDash(dashes);
    pen.stroke();
  };
  const disc = ([x, y], radius, fill, stroke, lineWidth) => {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(pen, { fillStyle: fill, strokeStyle: stroke, lineWidth });
    pen.setLineDash([]);
    if (fill) pen.fill();
    if (stroke) pen.stroke();
  };
  const text = (words, x, y, colour, align = "center") => {
    Object.assign(pen, { fillStyle: colour, textAlign: align });
    pen.fillText(words, x, y);
  };
  return { pen, width, height, line, disc, text };
}

function drawPlane(canvas, session, { view, look, cross, held, kMeans }) {
  const { X, resp, mixture, centres, axes } = session;
  const paper = surface(canvas);
  const { pen, line, disc, text } = paper;
  const { there, back, frame } = mapping(view, paper);
  const [left, top, w, h] = frame;
  const [bottom, right] = [top + h, left + w];
  // The axes.
  const [low, high] = [back([left, bottom]), back([right, top])];
  for (const [x, label] of ticks(low[0], high[0])) {
    line([[there([x, 0])[0], bottom], [there([x, 0])[0], bottom + 4]], look.soft, 1);
    text(label, there([x, 0])[0], bottom + 14, look.soft);
  }
  for (const [y, label] of ticks(low[1], high[1])) {
    line([[left - 4, there([0, y])[1]], [left, there([0, y])[1]]], look.soft, 1);
    text(label, left - 7, there([0, y])[1], look.soft, "right");
  }
  text(axes[0], left + w / 2, bottom + 33, look.ink);
  pen.save();
  pen.rotate(-Math.PI / 2);
  text(axes[1], -(top + h / 2), 10, look.ink);
  pen.restore();
  line([[left, top], [left, bottom], [right, bottom]], look.soft, 1);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, w, h);
  pen.clip();
  // The points, in the colours of their shares, with an edge that shows on any ground.
  const radius = Math.max(2.2, Math.min(4.5, Math.sqrt(3000 / X.length)));
  X.forEach((x, n) => disc(there(x), radius, resp ? inColour(resp[n]) : look.soft, look.edge, 0.8));
  // k-means: borders halfway between the centres, and the centres.
  if (kMeans && mixture) {
    for (const border of borders(centres, Math.hypot(high[0] - low[0], high[1] - low[1]))) {
      line(border.map(there), look.ink, 1.5, [6, 5]);
    }
    centres.forEach((centre, k) => {
      const [x, y] = there(centre);
      for (const [colour, width] of [[look.ink, 6], [COLOURS[k], 3]]) {
        line([[x - 7, y - 7], [x + 7, y + 7]], colour, width);
        line([[x - 7, y + 7], [x + 7, y - 7]], colour, width);
      }
    });
  }
  // The components: ellipses one and two standard deviations away, and the number at the mean.
  mixture?.means.forEach(([mx, my], k) => {
    const { xx, xy, yy } = mixture.covariances[k];
    const { values, vectors } = eigen(xx, xy, yy);
    const [a, b] = vectors.map((v, e) => v.map((one) => one * Math.sqrt(Math.max(values[e], 0))));
    for (const sigmas of [1, 2]) {
      const round = Array.from({ length: 73 }, (_, i) => {
        const [cos, sin] = [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)];
        const at = (d) => [mx, my][d] + sigmas * (a[d] * cos + b[d] * sin);
        return there([at(0), at(1)]);
      });
      line(round, look.ink, 5 - sigmas);
      line(round, COLOURS[k], 3.6 - sigmas);
    }
  });
  mixture?.means.forEach((mean, k) => {
    const [x, y] = there(mean);
    disc([x, y], held === k ? 15 : 11, look.ground, look.ink, held === k ? 7 : 5);
    disc([x, y], held === k ? 15 : 11, null, COLOURS[k], held === k ? 5 : 3);
    text(String(k), x, y + 1, look.ink);
  });
  if (cross) {
    const [x, y] = there(cross);
    line([[x - 12, y], [x + 12, y]], look.ink, 2);
    line([[x, y - 12], [x, y + 12]], look.ink, 2);
  }
  pen.restore();
}

// Where two centres are nearest and equally near: for each pair a piece of the line halfway.
function borders(centres, reach) {
  const found = [];
  centres.forEach(([ax, ay], j) =>
    centres.slice(0, j).forEach(([bx, by]) => {
      const [mx, my, length] = [(ax + bx) / 2, (ay + by) / 2, Math.hypot(ax - bx, ay - by)];
      const [ux, uy] = [(ay - by) / length, (bx - ax) / length];
      let [from, to] = [-2 * reach, 2 * reach];
      for (const [cx, cy] of centres) {
        // At m + t u the centre c is farther than a as long as slope * t <= room.
        const slope = 2 * (ux * (cx - ax) + uy * (cy - ay));
        const room = (mx - cx) ** 2 + (my - cy) ** 2 - (mx - ax) ** 2 - (my - ay) ** 2;
        if (slope > 1e-12 * reach) to = Math.min(to, room / slope);
        else if (slope < -1e-12 * reach) from = Math.max(from, room / slope);
        else if (room < -1e-9 * reach * reach) to = -Infinity;
      }
      if (from < to) found.push([from, to].map((t) => [mx + t * ux, my + t * uy]));
    }),
  );
  return found;
}

// The log-likelihood and the bound, half step by half step.
function drawCurve(canvas, { curve }, look) {
  const { width, height, line, disc, text } = surface(canvas);
  const shown = curve.slice(-SHOWN);
  const [left, right, top, bottom] = [78, width - 12, 30, height - 40];
  line([[left, top], [left, bottom], [right, bottom]], look.soft, 1);
  text("nats", left - 7, 12, look.ink, "right");
  line([[left + 8, 12], [left + 30, 12]], look.ink, 2);
  text("log-likelihood", left + 35, 12, look.ink, "left");
  line([[left + 136, 12], [left + 158, 12]], look.accent, 2, [5, 3]);
  text("bound", left + 163, 12, look.ink, "left");
  const first = curve.length - shown.length;
  const span = shown.length ? `half steps ${first + 1} to ${curve.length}` : "half steps";
  text(span, (left + right) / 2, height - 9, look.ink);
  if (!shown.length) return;
  const all = shown.flatMap(({ logLikelihood, bound: below }) => [logLikelihood, below]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(0.05 * (most - least), 1e-9 * Math.abs(most), 1e-9);
  const x = (i) => left + 12 + ((right - left - 24) * i) / Math.max(shown.length - 1, 7);
  const y = (nats) => bottom - ((bottom - top) * (nats - least + room)) / (most - least + 2 * room);
  for (const [nats, label] of ticks(least - room, most + room)) {
    text(label, left - 7, y(nats), look.soft, "right");
    line([[left - 4, y(nats)], [left, y(nats)]], look.soft, 1);
  }
  line(shown.map((one, i) => [x(i), y(one.logLikelihood)]), look.ink, 2);
  line(shown.map((one, i) => [x(i), y(one.bound)]), look.accent, 2, [5, 3]);
  shown.forEach((one, i) => {
    disc([x(i), y(one.logLikelihood)], 3, look.ink);
    disc([x(i), y(one.bound)], 3, look.ground, look.accent, 2);
    text(one.half, x(i), bottom + 12, look.soft);
  });
}

// ---- The page ------------------------------------------------------------------------------------

const options = (pairs) =>
  pairs.map(([value, label]) => `<option value="${value}">${label}</option>`).join("");
const button = (name, label, more = "") =>
  `<button type="button" data-part="${name}" ${more}>${label}</button>`;
const choice = (name, label, pairs) =>
  `<label>${label} <select data-part="${name}">${options(pairs)}</select></label>`;
const labels = Object.entries(PRESETS).map(([name, { label }]) => [name, label]);

const PAGE = `
<p>Press <b>step</b>: its E-step shares every point out among the components, its M-step fits each
component to its shares.</p>
<div class="row">
  ${choice("points", "points", [...labels, ["own", "your own"]])}
  ${choice("K", "K", [1, 2, 3, 4, 5, 6].map((K) => [K, K]))}
  ${choice("structure", "structure", STRUCTURES.map((name) => [name, name]))}
  ${choice("floor", "floor", [...Object.entries(FLOORS), ["given", "from Python"]])}
  <label>seed <input data-part="seed" type="number" min="0" max="999999" step="1"></label>
</div>
<div class="row">
  ${button("e", "E", 'aria-label="E-step"')} ${button("m", "M", 'aria-label="M-step"')}
  ${button("step", "step")} ${button("run", "run")} ${button("restart", "new start")}
</div>
<div class="panes">
  <div>
    <canvas data-part="plane" tabindex="0" role="application"></canvas>
    <p class="help" data-part="help">Click to place a point, drag a number to move a mean. Keys: arrows
    move a cross, Enter places a point, Delete removes the nearest; 0 to 5 takes hold of that mean for
    the arrows, Escape lets go. Ellipses: one and two standard deviations.</p>
    <div class="row">
      ${button("undo", "undo")} ${button("remove", "remove points", 'aria-pressed="false"')}
      ${button("clear", "clear")}
      <label><input data-part="kMeans" type="checkbox"> compare with k-means</label>
    </div>
  </div>
  <div>
    <p class="status" data-part="status" role="status"></p>
    <canvas data-part="curve" role="img"></canvas>
    <p data-part="numbers"></p>
    <table>
      <thead><tr><th>component</th><th>weight</th><th>mean</th></tr></thead>
      <tbody data-part="components"></tbody>
    </table>
    <div class="row" data-part="linking">
      ${button("link", "copy link")}
      <input data-part="address" readonly hidden aria-label="link to this state">
    </div>
  </div>
</div>`;

const STYLE = `
.em-play { --ink: #262626; --soft: #595959; --ground: #fff; --edge: #26262680; --accent: #0060a8;
  container-type: inline-size; color: var(--ink); background: var(--ground); padding: 8px;
  font: 15px/1.45 system-ui, sans-serif; }
.em-play[data-dark] { --ink: #f0f0f0; --soft: #b8b8b8; --ground: #16191d; --edge: #f0f0f080;
  --accent: #7cc4ff; }
.em-play p { margin: 6px 0; }
.em-play .row { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin: 8px 0; }
.em-play label { display: inline-flex; align-items: center; gap: 5px; min-height: 36px; }
.em-play :is(button, select, input) { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--soft); border-radius: 4px; min-height: 38px; min-width: 38px; }
.em-play button { padding: 0 11px; cursor: pointer; }
.em-play button:disabled { opacity: 0.45; cursor: default; }
.em-play button[aria-pressed="true"] { background: var(--ink); color: var(--ground); }
.em-play :is(button, select, input, canvas):focus-visible { outline: 3px solid var(--accent);
  outline-offset: 2px; }
.em-play input[type="number"] { width: 5.5em; }
.em-play input[type="checkbox"] { min-height: 22px; min-width: 22px; }
.em-play canvas { display: block; width: 100%; touch-action: manipulation; }
.em-play [data-part="plane"] { aspect-ratio: 4 / 3; cursor: crosshair; }
.em-play [data-part="curve"] { height: 200px; }
.em-play .help { color: var(--soft); font-size: 13px; }
.em-play .status { min-height: 4.4em; border-left: 3px solid var(--accent); padding-left: 8px; }
.em-play table { border-collapse: collapse; margin: 6px 0; font-variant-numeric: tabular-nums; }
.em-play :is(th, td) { text-align: left; padding: 1px 16px 1px 0; font-weight: normal; }
.em-play th { color: var(--soft); }
.em-play td:first-child { border-left: 12px solid var(--own); padding-left: 8px; }
.em-play [hidden] { display: none; }
@container (min-width: 760px) {
  .em-play .panes { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 20px; }
}`;

// Which ground the page has: the site and JupyterLab say so, else the reader's system does.
function isDark() {
  const { theme } = document.documentElement.dataset;
  const lab = document.body.dataset.jpThemeLight;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return lab ? lab === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

// What has just happened, in a sentence or two.
function news({ trouble, stop, curve, steps, resp, fresh, seed, means }) {
  const [last, before] = [curve.at(-1), curve.at(-2)];
  if (trouble) return trouble;
  if (stop) {
    const message = stop.message.replace("raise max_iter", "press run");
    return `${stop.reason} after ${counted(stop.nIter, "iteration")}: ${message}.`;
  }
  if (!resp) {
    const from = means ? "A start from the means where you put them" : `A start from seed ${seed}`;
    return curve.length || steps ? "" : `${from}: the same weight and covariance for each component.`;
  }
  const now = signed(last.logLikelihood, 4);
  if (fresh) return `E-step: the points are shared out, and the bound touches the log-likelihood, ${now}.`;
  const rise = signed(last.logLikelihood - before.logLikelihood, 4);
  const gap = signed(last.logLikelihood - last.bound, 4);
  return (
    `M-step ${steps}: the components fit their shares. The log-likelihood rose by ${rise} nats to ` +
    `${now}; the bound is ${gap} below it, until the next E-step.`
  );
}

// The numbers that go with it.
function numbers({ X, K, structure, curve, stop, resp, labels, mixture }, kMeans) {
  const said = [counted(X.length, "point")];
  const { logLikelihood } = curve.at(-1) ?? {};
  if (mixture && logLikelihood !== undefined) {
    const covariances = { full: 3 * K, tied: 3, diag: 2 * K, spherical: K }[structure];
    const bic = (3 * K - 1 + covariances) * Math.log(X.length) - 2 * logLikelihood;
    said.push(`log-likelihood ${signed(logLikelihood, 4)} nats`, `BIC ${signed(bic, 1)} (less is better)`);
  }
  if (stop?.rate > 0) said.push(`rate of EM ${brief(stop.rate, 3)}`);
  if (stop && Number.isFinite(stop.distance)) said.push(`${brief(stop.distance, 2)} nats left to gain`);
  if (kMeans && resp && labels) {
    const apart = resp.filter((r, n) => r.indexOf(Math.max(...r)) !== labels[n]).length;
    said.push(`k-means from the same start puts ${counted(apart, "point")} elsewhere than EM does`);
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
  const onPage = Boolean(model.get("page")); // a page of its own has a link
  let session, view, frame;
  const look = {};
  const shown = { held: null, cross: null, kMeans: false };

  // Show everything as it is.
  function update() {
    const { mixture, X, curve } = session;
    root.toggleAttribute("data-dark", isDark());
    const style = getComputedStyle(root);
    for (const name of ["ink", "soft", "ground", "edge", "accent"])
      look[name] = style.getPropertyValue(`--${name}`).trim();
    drawPlane(part.plane, session, { ...shown, view, look });
    drawCurve(part.curve, session, look);
    for (const name of ["points", "K", "structure", "floor", "seed"]) part[name].value = session[name];
    part.points.querySelector("[value=own]").hidden = session.points !== "own";
    part.floor.querySelector("[value=given]").hidden = session.floor !== "given";
    const ready = mixture && !session.stuck;
    part.e.disabled = !mixture || session.fresh;
    part.m.disabled = !ready || !session.fresh;
    part.step.disabled = part.run.disabled = !ready;
    part.run.textContent = frame ? "stop" : "run";
    part.undo.disabled = !session.undos.length;
    part.numbers.textContent = numbers(session, shown.kMeans);
    const rows = (mixture?.means ?? []).map(([x, y], k) => ({
      k, weight: mixture.weights[k].toFixed(3), mean: `(${signed(x, 2)}, ${signed(y, 2)})`,
    }));
    part.components.innerHTML = rows
      .map(({ k, weight, mean }) => `<tr><td style="--own: ${COLOURS[k]}">${k}</td><td>${weight}</td>
        <td>${mean}</td></tr>`)
      .join("");
    const said = rows.map(({ k, weight, mean }) => `component ${k}, weight ${weight}, mean ${mean}`);
    const what = said.length ? said.join("; ") : "no components";
    part.plane.setAttribute("aria-label", `${counted(X.length, "point")}; ${what}`);
    const ends = curve.length
      ? `from ${signed(curve[0].bound, 2)} to ${signed(curve.at(-1).logLikelihood, 2)} nats`
      : "nothing yet";
    part.curve.setAttribute("aria-label", `Log-likelihood and bound: ${ends}`);
  }

  const say = (words) => (part.status.textContent = words);
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = null;
  };
  let telling = false;
  function tell() {
    telling = true;
    model.set("_points", new DataView(Float64Array.from(session.X.flat()).buffer));
    const { weights, means, covariances, structure, floor } = session.mixture ?? {};
    const triples = covariances?.map(({ xx, xy, yy }) => [xx, xy, yy]);
    const mixture = session.mixture && { weights, means, covariances: triples, structure, floor };
    model.set("_mixture", mixture);
    model.save_changes();
    telling = false;
  }

  // Do something, and say and show what it did.
  function act(what) {
    pause();
    what();
    say(news(session));
    update();
    tell();
  }

  function open(choices) {
    session = new Session(choices);
    view = viewOf(session.X);
    shown.held = null;
  }

  // Run: the first steps so slowly that one can follow, then one a frame; no motion if none is wanted.
  function run() {
    session.watch.maxIter = session.steps + MAX_ITER;
    let due = 0;
    let wait = 300;
    say("");
    const turn = (now) => {
      for (const end = performance.now() + 12; now >= due || calm; ) {
        session.step();
        due = now + (wait = Math.max(0, wait - 20));
        if (session.stop) return act(() => {});
        if (!calm || performance.now() > end) break;
      }
      if (!calm) update();
      frame = requestAnimationFrame(turn);
    };
    frame = requestAnimationFrame(turn);
    update();
  }

  const clicks = {
    e: () => act(() => session.e()),
    m: () => act(() => session.m()),
    step: () => act(() => session.step()),
    run: () => (frame ? act(() => {}) : run()),
    restart: () => act(() => session.choose({ seed: (session.seed + 1) % 1e6 })),
    undo: () => act(() => session.undo()),
    clear: () => act(() => session.setPoints([])),
    remove: () => part.remove.setAttribute("aria-pressed", part.remove.ariaPressed !== "true"),
    link: () => {
      part.address.value = location.href.split("#")[0] + linkOf(session);
      part.address.hidden = false;
      part.address.select();
      navigator.clipboard?.writeText(part.address.value).then(() => say("The link is copied."), () => {});
    },
  };
  for (const [name, click] of Object.entries(clicks)) part[name].addEventListener("click", click);

  const changes = {
    points: (points) => {
      session.choose({ points });
      view = viewOf(session.X);
    },
    K: (K) => session.choose({ K: Number(K) }),
    structure: (structure) => session.choose({ structure, means: session.means }),
    floor: (floor) => session.choose({ floor, means: session.means }),
    seed: (seed) => session.choose({ seed: Math.min(Math.max(Math.trunc(Number(seed)), 0), 999999) || 0 }),
  };
  for (const [name, change] of Object.entries(changes))
    part[name].addEventListener("change", () => act(() => change(part[name].value)));
  part.kMeans.addEventListener("change", () => {
    shown.kMeans = part.kMeans.checked;
    update();
  });

  // Points and means, by pointer.
  const map = () => mapping(view, { width: part.plane.clientWidth, height: part.plane.clientHeight });
  const far = ([x, y], [a, b]) => Math.hypot(x - a, y - b);
  function round([x, y]) {
    const digits = map().scale.map((scale) => Math.max(0, Math.ceil(Math.log10(scale))));
    return [Number(x.toFixed(digits[0])), Number(y.toFixed(digits[1]))];
  }
  function place(x) {
    if (session.X.length < MOST_POINTS) act(() => session.setPoints([...session.X, round(x)]));
    else say(`There are ${MOST_POINTS} points: no more will do.`);
  }
  function remove(place) {
    const { there } = map();
    const distances = session.X.map((x) => far(there(x), there(place)));
    const n = distances.indexOf(Math.min(...distances));
    if (distances[n] < 24) act(() => session.setPoints(session.X.filter((_, i) => i !== n)));
    else say("There is no point near enough to remove.");
  }
  function moveMean(k, x) {
    const means = session.mixture.means.map((mean, j) => (j === k ? round(x) : mean.map((v) => v)));
    act(() => session.choose({ means }));
  }
  const meanAt = (where, reach) => {
    const distances = (session.mixture?.means ?? []).map((mean) => far(map().there(mean), where));
    const k = distances.indexOf(Math.min(...distances));
    return distances[k] < reach ? k : null;
  };
  const where = ({ clientX, clientY }) => {
    const box = part.plane.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  let down = null;
  part.plane.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const from = where(event);
    down = { from, k: meanAt(from, event.pointerType === "mouse" ? 14 : 24) };
    part.plane.setPointerCapture(event.pointerId);
  });
  part.plane.addEventListener("pointermove", (event) => {
    if (!down || (far(where(event), down.from) < 4 && !down.moved)) return;
    down.moved = true;
    if (down.k !== null) moveMean(down.k, map().back(where(event)));
  });
  part.plane.addEventListener("pointerup", (event) => {
    const removing = part.remove.getAttribute("aria-pressed") === "true";
    if (down && down.k === null && !down.moved) (removing ? remove : place)(map().back(where(event)));
    down = null;
  });
  part.plane.addEventListener("pointercancel", () => (down = null));
  // A finger on a mean drags it; anywhere else it scrolls the page.
  const grasp = (event) => {
    if (meanAt(where(event.touches[0]), 24) !== null) event.preventDefault();
  };
  part.plane.addEventListener("touchstart", grasp, { passive: false });

  // By keys.
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  root.addEventListener("keydown", (event) => event.stopPropagation());
  part.plane.addEventListener("keydown", (event) => {
    const { key } = event;
    const at = shown.cross ?? view.low.map((x, d) => (x + view.high[d]) / 2);
    if (arrows[key]) {
      const far = (event.shiftKey ? 2 : 12);
      const by = arrows[key].map((way, d) => (way * far) / map().scale[d]);
      const from = shown.held === null ? at : session.mixture.means[shown.held];
      const to = from.map((x, d) => x + by[d]);
      if (shown.held !== null) moveMean(shown.held, to);
      else {
        shown.cross = to.map((x, d) => Math.min(Math.max(x, view.low[d]), view.high[d]));
        say(`Cross at ${shown.cross.map((x) => signed(x, 2)).join(", ")}.`);
      }
    } else if (key === "Enter" || key === " ") place(at);
    else if (key === "Delete" || key === "Backspace") remove(at);
    else if (/^\d$/.test(key) && session.mixture?.means[key]) {
      shown.held = Number(key);
      say(`Holding mean ${key}: the arrows move it, Escape lets go.`);
    } else if (key === "Escape" && shown.held !== null) {
      shown.held = null;
      say("Let go.");
    } else return;
    event.preventDefault();
    update();
  });

  // What Python, or the link, wants.
  function fromModel() {
    const bytes = model.get("_points");
    const flat = bytes?.byteLength ? new Float64Array(bytes.buffer.slice(bytes.byteOffset)) : [];
    const X = Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n], flat[2 * n + 1]]);
    const K = model.get("_K") ?? 3;
    open(X.length ? { X, points: "own", K } : { K });
    const mixture = model.get("_mixture");
    if (mixture) adopt(mixture);
  }
  function adopt(mixture) {
    session.adopt(mixture);
    session.floor = mixture.floor ? "given" : "0";
  }
  function fromLink() {
    if (!location.hash.startsWith("#play")) return;
    try {
      open(choicesOf(location.hash));
    } catch (error) {
      open();
      return `This link does not hold what a link should: ${error.message}. Here are three clusters.`;
    }
  }
  const heard = (event, what) => {
    const hear = () => telling || act(what);
    model.on(event, hear);
    return () => model.off(event, hear);
  };
  const ends = [
    heard("change:_points", fromModel),
    heard("change:_mixture", () => model.get("_mixture") && adopt(model.get("_mixture"))),
  ];
  fromModel();
  const complaint = onPage && fromLink();
  part.linking.hidden = !onPage;
  if (onPage) {
    const follow = () => act(fromLink);
    window.addEventListener("hashchange", follow);
    ends.push(() => window.removeEventListener("hashchange", follow));
  }

  // The picture follows the page: its size, and its ground.
  const sizes = new ResizeObserver(update);
  sizes.observe(part.plane);
  const grounds = new MutationObserver(update);
  for (const one of [document.documentElement, document.body])
    grounds.observe(one, { attributeFilter: ["data-theme", "data-jp-theme-light"] });
  act(() => {});
  if (complaint) say(complaint);
  return () => {
    pause();
    sizes.disconnect();
    grounds.disconnect();
    ends.forEach((end) => end());
  };
}

export default { render };
