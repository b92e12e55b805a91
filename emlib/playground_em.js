// EM for a mixture of Gaussians in the plane. No page and no picture: it runs in Node, too.
//
// As in the lessons, `expect` is the E-step and `maximize` the M-step. `bound` is what each of them
// raises, and `Watch` says when to stop, as emlib does and in its words. A point is [x, y], a
// covariance [xx, xy, yy]; components count from 0.

export const AXES = [0, 1];
export const MAX_ITER = 1000;
const ENTRIES = [[0, 0], [0, 1], [1, 1]]; // of a covariance
const EPS = Number.EPSILON;
const LOG_2PI = Math.log(2 * Math.PI);
const LEAST = 1e-11; // of its variance a feature must keep for itself: with less it is singular

export const sum = (values, of = (x) => x) => values.reduce((total, x, i) => total + of(x, i), 0);
export const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
export const brief = (x, digits = 4) => {
  const rounded = Number(x.toPrecision(digits));
  const small = rounded !== 0 && Math.abs(rounded) < 1e-4; // as Python writes it
  return small ? rounded.toExponential().replace(/-(\d)$/, "-0$1") : String(rounded);
};
export const signed = (x, digits) => x.toFixed(digits).replace("-", "−");
const listing = (things) => things.join(", ").replace(/, ([^,]*)$/, " and $1");
const named = (numbers) => `component${numbers.length === 1 ? "" : "s"} ${listing(numbers)}`;

export const ones = (X) => X.map(() => [1]);
export const varies = (variance, mean) => variance > (4 * EPS * mean) ** 2; // by more than rounding

// The M-step has no answer: a component is left with too few points.
export class Collapse extends Error {}

// ---- Covariances --------------------------------------------------------------------------------

// Eigenvalues of a symmetric matrix, the larger first, its eigenvectors, and the first one's angle.
export function eigen([xx, xy, yy]) {
  const large = (xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy);
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const small = large > 0 ? (xx * yy - xy * xy) / large : 0;
  return { values: [large, small], vectors: [[cos, sin], [-sin, cos]], angle };
}

// A covariance with each axis measured in a unit of its own.
export const inUnits = (S, unit) => ENTRIES.map(([d, e], i) => S[i] / (unit[d] * unit[e]));

// A covariance S that can whiten, W S W' = 1. A floor, a variance for each feature, raises it:
// where an eigenvalue, in units of the floor, is below 1, it becomes 1.
export function covariance(S, floor) {
  const unit = (floor ?? [1, 1]).map(Math.sqrt);
  let { values, vectors } = eigen(inUnits(S, unit));
  if (floor && !(values[1] >= 1)) {
    values = values.map((value) => Math.max(value, 1));
    const entry = ([d, e]) => sum(values, (value, i) => value * vectors[i][d] * vectors[i][e]);
    S = inUnits(ENTRIES.map(entry), unit.map((u) => 1 / u));
  }
  const W = vectors.map((v, i) => AXES.map((d) => v[d] / unit[d] / Math.sqrt(values[i])));
  const logDet = sum(values, Math.log) + 2 * Math.log(unit[0] * unit[1]);
  const P = ENTRIES.map(([d, e]) => W[0][d] * W[0][e] + W[1][d] * W[1][e]); // the inverse, W'W
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
  const logs = logJoint(mixture);
  let logLikelihood = 0;
  const resp = X.map((x) => {
    const own = logs.map((log) => log(x));
    const top = Math.max(...own);
    const joint = own.map((log) => Math.exp(log - top));
    const total = sum(joint);
    logLikelihood += top + Math.log(total);
    return joint.map((one) => one / total);
  });
  return { resp, logLikelihood };
}

// Counts, means and covariances that the responsibilities call for, before any floor.
export function estimate(X, resp, structure) {
  const weighted = (k, of) => sum(X, (x, n) => resp[n][k] * of(x));
  const counts = resp[0].map((_, k) => weighted(k, () => 1));
  const means = counts.map((count, k) => AXES.map((d) => weighted(k, (x) => x[d]) / count));
  const scatters = means.map((mean, k) => {
    const product = (d, e) => (x) => (x[d] - mean[d]) * (x[e] - mean[e]);
    return ENTRIES.map(([d, e]) => weighted(k, product(d, e)));
  });
  const pooled = ENTRIES.map((_, i) => sum(scatters, (scatter) => scatter[i]) / X.length);
  const estimates = scatters.map((scatter, k) => {
    const [xx, xy, yy] = scatter.map((entry) => entry / counts[k]);
    if (structure === "tied") return pooled;
    if (structure === "diag") return [xx, 0, yy];
    return structure === "full" ? [xx, xy, yy] : [(xx + yy) / 2, 0, (xx + yy) / 2];
  });
  return { counts, means, estimates };
}

// M-step: the mixture of highest expected log-likelihood, given the responsibilities.
export function maximize(X, resp, { structure, floor }) {
  const { counts, means, estimates } = estimate(X, resp, structure);
  const weights = counts.map((count) => count / sum(counts));
  const covariances = estimates.map((S) => covariance(S, floor));
  refuse(counts, means, covariances, floor);
  return { weights, means, covariances, structure, floor };
}

// Refuse a component without points, and without a floor one whose covariance is singular.
function refuse(counts, means, covariances, floor) {
  const advice = "use fewer components or another start";
  const empty = counts.findIndex((count) => !(count > 0));
  if (empty >= 0) throw new Collapse(`component ${empty} has no points left: ${advice}`);
  const singular = covariances.map(({ S, unexplained }, k) => {
    const standing = means[k].every((mean, d) => varies(S[2 * d], mean));
    return !(standing && unexplained > LEAST);
  });
  const k = singular.indexOf(true);
  if (floor || k < 0) return;
  const all = counts.length > 1 && !singular.includes(false);
  const who = all ? "all components have" : `component ${k} has`;
  throw new Collapse(
    `${who} collapsed: ${brief(counts[k])} of the points do not span 2 dimensions, so its ` +
      "covariance is singular and the likelihood without bound: give the components a floor or " +
      `a prior, or ${advice}`,
  );
}

// The bound Q + H that responsibilities give to a mixture's log-likelihood. It touches it if they
// are the mixture's own.
export function bound(X, resp, mixture) {
  const logs = logJoint(mixture);
  const term = (r, k, x) => (r > 0 ? r * (logs[k](x) - Math.log(r)) : 0);
  return sum(X, (x, n) => sum(resp[n], (r, k) => term(r, k, x)));
}

// ---- When to stop -------------------------------------------------------------------------------

// How far rounding alone may move the log-likelihood: emlib's estimate, so that both stop together.
export function rounding(X, { resp, logLikelihood }, { weights, means, covariances, structure }) {
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
  const t = gains.findLastIndex((gain, i) => gain > noise && gains[i - 1] > noise);
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
  objectives = [];
  rounded = 0; // how far rounding may have moved the last one
  suspicion = null;
  growing = false;

  constructor(tol = 1e-6, maxIter = MAX_ITER) {
    Object.assign(this, { tol, maxIter });
  }

  // `suspect` says why the mixture distrusts the place; null if it does not.
  look(nIter, now, rounded, nPoints, suspect) {
    this.objectives.push(now);
    const noise = Math.max(this.rounded, rounded);
    this.rounded = rounded;
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
    if (!this.suspicion) return ["converged", AT_REST];
    // Near a saddle it goes on: EM leaves one by itself in time.
    return this.suspicion[0] === "collapsed" || gain <= noise ? this.suspicion : null;
  }
}

const AT_REST = "the gains shrink, and what is left of them is below tol";
const PLATEAU = "the gains are below tol, but growing: EM is leaving a plateau; raise max_iter";

// Distrust components that only a floor holds up, and two that cannot be told apart.
export function suspicion(X, resp, mixture) {
  const { counts, estimates } = estimate(X, resp, mixture.structure);
  const components = [...counts.keys()];
  const heldUp = components.filter((k) => mixture.floor && isHeldUp(X, estimates[k], mixture));
  if (heldUp.length) {
    const points = listing(heldUp.map((k) => brief(counts[k])));
    const message = `only the floor or ridge keeps ${named(heldUp)} from collapsing, on ${points}`;
    return ["collapsed", `${message} of the points: use fewer components or another start`];
  }
  const pairs = components.flatMap((j) => components.slice(j + 1).map((k) => [j, k]));
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
// J is the symmetric divergence. n J follows a chi-square law, with 2 degrees of freedom for means,
// and with 1, 2 and 3 more for covariances; these are its .999 quantiles.
const QUANTILES = {
  tied: 13.81551055796427, spherical: 16.26623619623813, diag: 18.4668269529032,
  full: 20.51500565243288,
};

function separation({ means, covariances, structure }, counts, j, k) {
  const [dx, dy] = AXES.map((d) => means[j][d] - means[k][d]);
  const [a, b] = [covariances[j], covariances[k]];
  const trace = ([xx, xy, yy], S) => xx * S[0] + 2 * xy * S[1] + yy * S[2];
  const apart = [dx * dx, dx * dy, dy * dy];
  const squares = trace(a.P, apart) + trace(b.P, apart);
  const all = (squares + trace(a.P, b.S) + trace(b.P, a.S) - 4) / 2;
  const n = 1 / (1 / counts[j] + 1 / counts[k]);
  return n * Math.max(squares / 2 / QUANTILES.tied, all / QUANTILES[structure]);
}
