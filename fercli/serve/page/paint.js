// How lanes are painted: segments, words, probabilities, valence, cuts, and the axis. Only what is in view is looked at.
import { HIGH, LOW, VALENCE, isRated, seriesOf } from "./model.js";
import { clock, upTo } from "./times.js";

const TICKS = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5, 9e5, 1.8e6, 3.6e6, 7.2e6];
const TOP = 4;
const GAP = 4;
const TIMELINE = 26;
const SAID = 18;
const STREAM = 34;
const RATED = 36;
export const AXIS = 22;
export const WORDS = 22;
const LABELLED = 20;
const READABLE = 24;

// Where the parts of a lane begin, and its height. A person who says nothing has no row of words, and one without
// ratings none for valence. While the tracks are on their way there is room for it.
export function layout(person, data, timeline) {
  const said = TOP + TIMELINE + GAP;
  const stream = said + (person.said.start.length ? SAID + GAP : 0);
  const rated = stream + STREAM + GAP;
  const height = (data.pending ? timeline.rated : isRated(person, data)) ? rated + RATED + 2 : stream + STREAM;
  return { said, stream, rated, height };
}

export function prepare(canvas, width, height, colours) {
  const dense = devicePixelRatio || 1;
  const [across, down] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, dense, ...colours };
}

// The colours of the scheme, light or dark.
export function coloursOf(node) {
  const style = getComputedStyle(node);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  return { ink: style.color, soft: colour("soft"), faint: colour("faint"), accent: colour("accent"), rated: colour("rated"), ground: colour("ground") };
}

export const scale = (view, width) => {
  const perMs = width / (view.to - view.from);
  return { width, perMs, x: (time) => (time - view.from) * perMs };
};

// Segments at least a pixel wide are drawn as they are; of narrower ones the longest in a pixel stands for it.
export function paintSegments({ pen, ink, accent }, person, timeline, view, at, selected) {
  const { start, end, class: kind, human, doubtful } = person.segments;
  const top = TOP;
  const narrow = new Map();
  const labels = [];
  for (let k = upTo(start, view.from - person.longest); k < start.length && start[k] < view.to; k++) {
    if (end[k] <= view.from) continue;
    const left = Math.max(at.x(start[k]), 0);
    const wide = Math.min(at.x(end[k]), at.width) - left;
    if (wide < 1) {
      const place = Math.floor(left);
      if (!(narrow.get(place)?.wide >= wide)) narrow.set(place, { wide, kind: kind[k] });
      continue;
    }
    fillSegment(pen, timeline, kind[k], left, top, wide);
    pen.fillStyle = ink;
    if (human[k]) pen.fillRect(left, top + TIMELINE - 4, wide - 0.8, 3);
    if (doubtful[k] && wide > 6) {
      pen.strokeStyle = "#000";
      pen.lineWidth = 2;
      pen.setLineDash([3, 3]);
      pen.beginPath();
      pen.moveTo(left, top + 1);
      pen.lineTo(left + wide, top + 1);
      pen.stroke();
      pen.setLineDash([]);
    }
    if (wide >= LABELLED) labels.push({ left, wide, kind: kind[k] });
  }
  for (const [left, one] of narrow) fillSegment(pen, timeline, one.kind, left, top, 1.8);
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.lineWidth = 3;
  for (const { left, wide, kind: own } of labels) {
    const { name, letters, ink: text, colour } = timeline.classes[own];
    if (own === timeline.unknown && wide < 90) continue;
    pen.fillStyle = own === timeline.unknown ? ink : text;
    pen.strokeStyle = colour;
    const shown = wide > 7 * name.length + 8 ? name : letters;
    if (own !== timeline.unknown) pen.strokeText(shown, left + wide / 2, top + 17);
    pen.fillText(shown, left + wide / 2, top + 17);
  }
  pen.textAlign = "start";
  if (selected !== null && selected < start.length) {
    const left = at.x(start[selected]);
    pen.strokeStyle = accent;
    pen.lineWidth = 3;
    pen.strokeRect(left + 0.5, top - 1.5, Math.max(at.x(end[selected]) - left - 1, 2), TIMELINE + 2);
  }
}

function fillSegment(pen, timeline, kind, left, top, wide) {
  const room = wide > 3 ? wide - 0.8 : wide;
  if (kind !== timeline.unknown) {
    pen.fillStyle = timeline.classes[kind].colour;
    pen.fillRect(left, top, room, TIMELINE - 1);
    return;
  }
  pen.strokeStyle = "#8a8a8a";
  pen.lineWidth = 1;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, room, TIMELINE - 1);
  pen.clip();
  pen.beginPath();
  for (let x = left - TIMELINE - (left % 8); x < left + room; x += 8) {
    pen.moveTo(x, top + TIMELINE);
    pen.lineTo(x + TIMELINE, top);
  }
  pen.rect(left + 0.5, top + 0.5, room - 1, TIMELINE - 2);
  pen.stroke();
  pen.restore();
}

// Probabilities, stacked to 100 %; of several bins in a pixel their mean. Set pixel by pixel, because tens of thousands of
// rectangles, for hours of video, take too long. What was drawn there before is gone.
export function paintStream({ pen, faint, dense }, person, data, timeline, view, at, top) {
  const [across, down] = [pen.canvas.width, Math.round(STREAM * dense)];
  const image = pen.createImageData(across, down);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = data.labels.map((label) => asPixel(timeline.classes[label].colour));
  const inside = (x) => Math.min(Math.max(Math.round(x * dense), 0), across);
  eachBin(seriesOf(person, data, "stream"), timeline.video.start, view, at, (left, wide, means) => {
    const [from, to] = [inside(left), inside(left + wide)];
    const total = means.reduce((sum, mean) => sum + mean, 0) || 1;
    let share = 0;
    let bottom = down;
    means.forEach((mean, label) => {
      share += mean / total;
      const edge = Math.round(down * (1 - share));
      for (let y = edge; y < bottom; y++) for (let x = from; x < to; x++) pixels[y * across + x] = colours[label];
      bottom = edge;
    });
  });
  pen.putImageData(image, 0, Math.round(top * dense));
  pen.fillStyle = faint;
  pen.fillRect(0, top + STREAM - 1, at.width, 1);
}

// #rrggbb as an opaque pixel, red first.
function asPixel(colour) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

// Calls a function with the bins in view, grouped so that none is narrower than a pixel: `key` numbers the groups.
function eachBin({ step, bin, sums }, origin, view, at, draw) {
  const group = Math.max(1, Math.floor(1 / (step * at.perMs)));
  const last = (view.to - origin) / step;
  let k = upTo(bin, Math.floor((view.from - origin) / step) - group - 1);
  while (k < bin.length && bin[k] <= last) {
    const key = Math.floor(bin[k] / group);
    const first = k;
    while (k < bin.length && Math.floor(bin[k] / group) === key) k++;
    const left = Math.round(at.x(origin + key * group * step)); // whole pixels: no seams between bins
    const wide = Math.max(1, Math.round(at.x(origin + (key + 1) * group * step)) - left);
    const means = sums.map((sum) => (sum[k] - sum[first]) / (k - first));
    draw(left, wide, means, key);
  }
}

export function paintUnseen({ pen, faint }, timeline, at, height) {
  pen.fillStyle = faint;
  for (const [from, to] of timeline.video.unseen) pen.fillRect(at.x(from), 0, (to - from) * at.perMs, height);
}

export function paintCuts({ pen, faint }, shots, view, at, height) {
  const inside = shots.slice(upTo(shots, view.from), upTo(shots, view.to));
  if (inside.length > at.width / 8) return;
  pen.fillStyle = faint;
  for (const cut of inside) pen.fillRect(Math.round(at.x(cut)), 0, 1, height);
}

export function paintAxis({ pen, ink }, view, at) {
  const step = TICKS.find((tick) => tick * at.perMs >= 74) ?? TICKS.at(-1);
  pen.fillStyle = ink;
  pen.font = "11px system-ui, sans-serif";
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = at.x(time);
    pen.fillRect(Math.round(x), 0, 1, 5);
    pen.textAlign = x < 16 ? "start" : x > at.width - 16 ? "end" : "center";
    pen.fillText(clock(time, step < 1000 ? 1 : 0), x, 17);
  }
}

// When something is said, and which words if there is room for them.
export function paintWords({ pen, ink, faint }, speech, view, at) {
  eachSaid(speech, view, at, (left, wide, text) => {
    pen.fillStyle = faint;
    pen.fillRect(left, 2, wide, WORDS - 4);
    writeClipped(pen, text, left, wide, 2, WORDS - 4, ink);
  });
}

// When a person speaks: a line as long as the words, which stand above it.
export function paintSaid({ pen, ink, accent, faint }, { said }, view, at, top) {
  pen.fillStyle = faint;
  pen.fillRect(0, top + SAID - 2, at.width, 1);
  eachSaid(said, view, at, (left, wide, text) => {
    pen.fillStyle = accent;
    pen.fillRect(left, top + SAID - 3, wide, 3);
    writeClipped(pen, text, left, wide, top, SAID - 3, ink);
  });
}

function eachSaid(speech, view, at, draw) {
  for (let k = upTo(speech.start, view.from - speech.longest); k < speech.start.length && speech.start[k] < view.to; k++) {
    if (speech.end[k] <= view.from) continue;
    const left = Math.max(at.x(speech.start[k]), 0);
    draw(left, Math.max(at.x(speech.end[k]) - left - 1, 1), speech.text[k]);
  }
}

function writeClipped(pen, text, left, wide, top, height, ink) {
  if (wide < READABLE) return;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, wide - 2, height);
  pen.clip();
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "start";
  pen.fillStyle = ink;
  pen.fillText(text, left + 3, top + height - 4);
  pen.restore();
}

// Valence around its zero line, with its interval; what lies above is pleasant. A stretch without ratings has no curve.
export function paintRated({ pen, soft, faint, rated: colour, ground }, person, data, timeline, view, at, top) {
  const zero = top + RATED / 2;
  const y = (percent) => zero - (percent * RATED) / 200;
  pen.fillStyle = faint;
  pen.fillRect(0, top, at.width, 1);
  pen.fillRect(0, top + RATED - 1, at.width, 1);
  pen.fillStyle = soft;
  pen.fillRect(0, Math.round(zero), at.width, 1);
  paintRuns(pen, runsOf(seriesOf(person, data, "rated"), timeline.video.start, view, at), y, colour);
  pen.font = "10px system-ui, sans-serif";
  pen.textAlign = "end";
  pen.lineWidth = 3;
  pen.strokeStyle = ground;
  pen.fillStyle = soft;
  for (const [text, base] of [["valence +1", top + 9], ["\u22121", top + RATED - 2]]) {
    pen.strokeText(text, at.width - 3, base);
    pen.fillText(text, at.width - 3, base);
  }
  pen.textAlign = "start";
}

// Neighbouring bins.
function runsOf(rated, origin, view, at) {
  const runs = [];
  let before = NaN;
  eachBin(rated, origin, view, at, (left, wide, means, key) => {
    if (key !== before + 1) runs.push([]);
    runs.at(-1).push({ left, right: left + wide, means });
    before = key;
  });
  return runs;
}

function paintRuns(pen, runs, y, colour) {
  const band = new Path2D();
  const line = new Path2D();
  const along = (path, bins, column) => bins.forEach(({ left, right, means }) => path.lineTo((left + right) / 2, y(means[column])));
  for (const run of runs) {
    const first = run[0];
    const last = run.at(-1);
    band.moveTo(first.left, y(first.means[HIGH]));
    along(band, run, HIGH);
    band.lineTo(last.right, y(last.means[HIGH]));
    band.lineTo(last.right, y(last.means[LOW]));
    along(band, run.toReversed(), LOW);
    band.lineTo(first.left, y(first.means[LOW]));
    band.closePath();
    line.moveTo(first.left, y(first.means[VALENCE]));
    along(line, run, VALENCE);
    line.lineTo(last.right, y(last.means[VALENCE]));
  }
  pen.globalAlpha = 0.25;
  pen.fillStyle = colour;
  pen.fill(band);
  pen.globalAlpha = 1;
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.strokeStyle = colour;
  pen.stroke(line);
}
