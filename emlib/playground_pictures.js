// The playground's two pictures: the plane with its points and components, and the curve of the
// log-likelihood and the bound. What they show stands in a `Session` (see `playground_session.js`).

import { AXES, eigen, inUnits, signed, sum } from "./playground_em.js";

export const COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9"];
const LEVELS = [1, 3, 5].map((i) => COLOURS.map((one) => parseInt(one.slice(i, i + 2), 16)));
const SHOWN = 24; // half steps of the curve

const mixed = (shares) =>
  `rgb(${LEVELS.map((levels) => Math.round(sum(shares, (r, k) => r * levels[k]))).join()})`;

// The part of the plane that shows all points, with some room.
export function viewOf(X) {
  const places = X.length ? X : [[0, 0]];
  const [low, high] = [Math.min, Math.max].map((end) => {
    return AXES.map((d) => end(...places.map((x) => x[d])));
  });
  const room = AXES.map((d) => 0.12 * (high[d] - low[d]) || (X.length ? 1 : 5));
  return { low: AXES.map((d) => low[d] - room[d]), high: AXES.map((d) => high[d] + room[d]) };
}

// From data to the screen, and back, and data to the digits that can be seen there. Both axes have
// one scale, unless their ranges differ too much.
export function mapping({ low, high }, { clientWidth, clientHeight }) {
  const [left, top, right, bottom] = [52, 10, clientWidth - 10, clientHeight - 44];
  let scale = [(right - left) / (high[0] - low[0]), (bottom - top) / (high[1] - low[1])];
  if (Math.max(...scale) < 4 * Math.min(...scale)) scale = scale.map(() => Math.min(...scale));
  const [cx, cy] = AXES.map((d) => (low[d] + high[d]) / 2);
  const [mx, my] = [(left + right) / 2, (top + bottom) / 2];
  const digits = scale.map((pixels) => Math.max(0, Math.ceil(Math.log10(pixels))));
  return {
    scale,
    frame: { left, top, right, bottom },
    there: ([x, y]) => [mx + (x - cx) * scale[0], my - (y - cy) * scale[1]],
    back: ([px, py]) => [cx + (px - mx) / scale[0], cy - (py - my) / scale[1]],
    round: (x) => x.map((value, d) => Number(value.toFixed(digits[d]))),
  };
}

// Numbers a round step apart, some five of them: where they are on the screen, and as written.
function ticks(low, high, there) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [5, 2, 1].find((m) => m * power <= (high - low) / 4) * power;
  const first = Math.ceil(low / step);
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), 12);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return [there(value), signed(value, digits)];
  });
}

// A canvas as sharp as the screen, and ways to draw on it. Paths are those of SVG, or Path2D.
function paper(canvas, { ink, soft }) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  Object.assign(pen, { font: "13px system-ui, sans-serif", textBaseline: "middle" });

  const line = (path, strokeStyle, lineWidth, dashes = []) => {
    Object.assign(pen, { strokeStyle, lineWidth });
    pen.setLineDash(dashes);
    pen.stroke(new Path2D(path));
  };
  const edged = (path, colour, width, edge) => {
    line(path, ink, width + edge);
    line(path, colour, width);
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
  const axes = ({ left, top, right, bottom }, below, beside) => {
    line(`M${left},${top}V${bottom}H${right}`, soft, 1);
    for (const [x, label] of below) {
      line(`M${x},${bottom}v4`, soft, 1);
      text(label, x, bottom + 14, soft);
    }
    for (const [y, label] of beside) {
      line(`M${left},${y}h-4`, soft, 1);
      text(label, left - 7, y, soft, "right");
    }
  };
  return { pen, line, edged, disc, text, axes };
}

const pathOf = (places) => `M${places.join("L")}`; // straight from one place to the next

// The plane; `held` is the mean that the keys hold, `cross` where they are.
export function drawPlane(canvas, session, { view, look, cross, held, kMeans }) {
  const { X, resp, centres } = session;
  const { means = [], covariances } = session.mixture ?? {};
  const { pen, line, edged, disc, text, axes } = paper(canvas, look);
  const { scale, frame, there, back } = mapping(view, canvas);
  const { left, top, right, bottom } = frame;
  // The axes and their names.
  const [low, high] = [back([left, bottom]), back([right, top])];
  const below = ticks(low[0], high[0], (x) => there([x, 0])[0]);
  axes(frame, below, ticks(low[1], high[1], (y) => there([0, y])[1]));
  text(session.axes[0], (left + right) / 2, bottom + 33, look.ink);
  pen.save();
  pen.rotate(-Math.PI / 2);
  text(session.axes[1], -(top + bottom) / 2, 9, look.ink);
  pen.restore();
  pen.beginPath();
  pen.rect(left, top, right - left, bottom - top);
  pen.clip();
  // The points, in the colours of their shares, with an edge that shows on any ground; of many
  // points edges would overlap, and take most of the time.
  const radius = Math.max(2.2, Math.min(4.5, Math.sqrt(3000 / X.length)));
  const edge = X.length > 500 ? null : look.edge;
  X.forEach((x, n) => disc(there(x), radius, resp ? mixed(resp[n]) : look.soft, edge, 0.8));
  // The components: ellipses one and two standard deviations away.
  means.forEach((mean, k) => {
    const { values, angle } = eigen(inUnits(covariances[k].S, [1 / scale[0], -1 / scale[1]]));
    for (const sigmas of [1, 2]) {
      const [long, short] = values.map((value) => sigmas * Math.sqrt(Math.max(value, 0)));
      const ellipse = new Path2D();
      ellipse.ellipse(...there(mean), long, short, angle, 0, 2 * Math.PI);
      edged(ellipse, COLOURS[k], 3.6 - sigmas, 1.4);
    }
  });
  // k-means: its centres, and the borders between what is nearest to each.
  if (kMeans && means.length) {
    for (const ends of borders(centres)) line(pathOf(ends.map(there)), look.ink, 1.5, [6, 5]);
    centres.map(there).forEach(([x, y], k) => {
      edged(`M${x - 7},${y - 7}l14,14`, COLOURS[k], 3, 3);
      edged(`M${x - 7},${y + 7}l14,-14`, COLOURS[k], 3, 3);
    });
  }
  // The numbers at the means, and the cross of the keys.
  means.map(there).forEach(([x, y], k) => {
    const [size, width] = held === k ? [15, 6] : [11, 3];
    disc([x, y], size + 1.5, look.ink);
    disc([x, y], size, look.ground, COLOURS[k], width);
    text(String(k), x, y + 1, look.ink);
  });
  if (cross) {
    const [x, y] = there(cross);
    line(`M${x - 12},${y}h24M${x},${y - 12}v24`, look.ink, 2);
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
export function drawCurve(canvas, { curve }, { look }) {
  const { line, disc, text, axes } = paper(canvas, look);
  const [left, top, right, bottom] = [94, 30, canvas.clientWidth - 8, canvas.clientHeight - 40];
  const frame = { left, top, right, bottom };
  const dashes = [5, 3];
  text("nats", left - 7, 12, look.ink, "right");
  line(`M${left + 4},12h22`, look.ink, 2);
  text("log-likelihood", left + 31, 12, look.ink, "left");
  line(`M${left + 130},12h22`, look.accent, 2, dashes);
  text("bound", left + 157, 12, look.ink, "left");
  const shown = curve.slice(-SHOWN);
  const span = shown.length ? ` ${curve.length - shown.length + 1} to ${curve.length}` : "";
  text(`half steps${span}`, (left + right) / 2, bottom + 31, look.ink);
  if (!shown.length) return axes(frame, [], []);
  // The scales, and some room at their ends.
  const all = shown.flatMap((one) => [one.logLikelihood, one.bound]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(0.06 * (most - least), 1e-9 * Math.abs(most), 1e-9);
  const x = (i) => left + 12 + ((right - left - 24) * i) / Math.max(shown.length - 1, 7);
  const y = (nats) => bottom - ((bottom - top) * (nats - least + room)) / (most - least + 2 * room);
  axes(frame, [], ticks(least - room, most + room, y));
  line(pathOf(shown.map((one, i) => [x(i), y(one.logLikelihood)])), look.ink, 2);
  line(pathOf(shown.map((one, i) => [x(i), y(one.bound)])), look.accent, 2, dashes);
  shown.forEach((one, i) => {
    disc([x(i), y(one.logLikelihood)], 3, look.ink);
    disc([x(i), y(one.bound)], 3, look.ground, look.accent, 2);
    const wide = x(1) - x(0) > 14; // else there is room for every second letter
    if (wide || one.half === "M") text(one.half, x(i), bottom + 12, look.soft);
  });
}
