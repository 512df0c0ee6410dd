// How lanes are painted: segments, probabilities, cuts, speech, and the axis. Only what is in view is looked at.
import { clock, upTo } from "./times.js";

const TICKS = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5, 9e5, 1.8e6, 3.6e6, 7.2e6];
export const TIMELINE = 26;
export const STREAM = 34;
export const LANE = 4 + TIMELINE + 4 + STREAM;
export const AXIS = 22;
export const WORDS = 22;
const LABELLED = 20;

export function prepare(canvas, width, height) {
  const dense = devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  const style = getComputedStyle(canvas);
  return { pen, ink: style.color, faint: style.getPropertyValue("--faint"), accent: style.getPropertyValue("--accent") };
}

export const scale = (view, width) => {
  const perMs = width / (view.to - view.from);
  return { width, perMs, x: (time) => (time - view.from) * perMs };
};

// Segments at least a pixel wide are drawn as they are; of narrower ones the longest in a pixel stands for it.
export function paintSegments({ pen, ink, accent }, person, timeline, view, at, selected) {
  const { start, end, class: kind, human, doubtful } = person.segments;
  const top = 4;
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

// Probabilities, stacked to 100 %; of several bins in a pixel their mean.
export function paintStream({ pen, faint }, person, data, timeline, view, at) {
  const top = 8 + TIMELINE;
  pen.fillStyle = faint;
  pen.fillRect(0, top + STREAM - 1, at.width, 1);
  for (const number of person.tracks.track) {
    const stream = data.tracks.get(number)?.stream;
    if (stream?.bin.length) paintTrack(pen, stream, data.labels, timeline, view, at, top);
  }
}

function paintTrack(pen, { step, bin, percent }, labels, timeline, view, at, top) {
  const origin = timeline.video.start;
  const group = Math.max(1, Math.floor(1 / (step * at.perMs)));
  const last = (view.to - origin) / step;
  let k = upTo(bin, Math.floor((view.from - origin) / step) - group - 1);
  while (k < bin.length && bin[k] <= last) {
    const key = Math.floor(bin[k] / group);
    const first = k;
    while (k < bin.length && Math.floor(bin[k] / group) === key) k++;
    const left = Math.round(at.x(origin + key * group * step)); // whole pixels: no seams between bins
    const wide = Math.max(1, Math.round(at.x(origin + (key + 1) * group * step)) - left);
    let total = 0;
    const sums = percent.map((column) => {
      let sum = 0;
      for (let n = first; n < k; n++) sum += column[n];
      total += sum;
      return sum;
    });
    let y = top + STREAM;
    sums.forEach((sum, label) => {
      const tall = (STREAM * sum) / (total || 1);
      if (tall < 0.3) return;
      y -= tall;
      pen.fillStyle = timeline.classes[labels[label]].colour;
      pen.fillRect(left, y, wide, tall);
    });
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

export function paintWords({ pen, ink, faint }, speech, view, at) {
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "start";
  for (let k = upTo(speech.start, view.from - speech.longest); k < speech.start.length && speech.start[k] < view.to; k++) {
    const left = Math.max(at.x(speech.start[k]), 0);
    const wide = at.x(speech.end[k]) - left;
    if (wide < 0.5) continue;
    pen.fillStyle = faint;
    pen.fillRect(left, 2, Math.max(wide - 1, 1), WORDS - 4);
    if (wide < 24) continue;
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, wide - 3, WORDS);
    pen.clip();
    pen.fillStyle = ink;
    pen.fillText(speech.text[k], left + 3, 15);
    pen.restore();
  }
}
