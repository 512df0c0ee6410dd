// The data of a video as the views use it. Times are milliseconds.
import { summed, upTo } from "./times.js";

const EDGES = ["x1", "y1", "x2", "y2"];

// Until the tracks have come.
export const NO_TRACKS = { pending: true, tracks: new Map(), shots: [], labels: [], source: "" };

// What no edit changes: boxes, probabilities and ratings of each track, and the cuts.
export function readTracks(data) {
  const { boxes, streams, rated } = data;
  const found = new Map();
  boxes.track.forEach((number, k) =>
    found.set(number, {
      number,
      end: boxes.end[k],
      pts: summed(boxes.pts[k]),
      edges: EDGES.map((edge) => summed(boxes[edge][k])),
    }),
  );
  const binned = ({ step, bin, percent }, k) => ({ step: step[k], bin: summed(bin[k]), percent: percent[k] });
  streams.track.forEach((number, k) => found.has(number) && (found.get(number).stream = binned(streams, k)));
  rated.track.forEach((number, k) => found.has(number) && (found.get(number).rated = binned(rated, k)));
  return { tracks: found, shots: summed(data.shots), labels: data.labels, source: rated.source };
}

// Columns of what is rated: percent, of -1 to 1.
export const [VALENCE, LOW, HIGH, AROUSAL, INTENSITY] = [0, 1, 2, 3, 4];

// What is binned of all tracks of a person as one series: `stream` or `rated`. A bin of two tracks comes twice. `sums` are
// those of the bins before each one: the mean of many bins is a difference.
const series = new WeakMap();
export function seriesOf(person, data, kind) {
  let known = series.get(person);
  if (known?.data !== data) series.set(person, (known = { data }));
  return (known[kind] ??= joined(person.tracks.track.map((number) => data.tracks.get(number)?.[kind]).filter((one) => one?.bin.length)));
}

function joined(parts) {
  if (!parts.length) return { step: 1, bin: [], percent: [], sums: [] };
  const bin = parts.flatMap((part) => part.bin);
  const order = [...bin.keys()].sort((a, b) => bin[a] - bin[b]);
  const ordered = (column) => order.map((k) => column[k]);
  const percent = parts[0].percent.map((_, n) => ordered(parts.flatMap((part) => part.percent[n])));
  return { step: parts[0].step, bin: ordered(bin), percent, sums: percent.map((column) => [0, ...summed(column)]) };
}

// The ratings of a person at a moment; null if there are none.
export function ratingsAt(person, data, time, origin) {
  const { step, bin, percent } = seriesOf(person, data, "rated");
  const number = Math.floor((time - origin) / step + 1e-6);
  const place = upTo(bin, number) - 1;
  return bin[place] === number ? percent.map((column) => column[place]) : null;
}

export const isRated = (person, data) => seriesOf(person, data, "rated").bin.length > 0;

export function boxAt({ pts, edges }, time) {
  const next = upTo(pts, time);
  const last = Math.max(next - 1, 0);
  if (next === pts.length) return edges.map((edge) => edge[last]);
  const share = Math.max(0, (time - pts[last]) / (pts[next] - pts[last]));
  return edges.map((edge) => edge[last] + share * (edge[next] - edge[last]));
}

const longest = ({ start, end }) => start.reduce((most, from, k) => Math.max(most, end[k] - from), 0) + 1;

// Persons with their segments, as the log of edits has them now.
export function readTimeline(data) {
  const personOf = new Map();
  for (const person of data.persons) {
    person.longest = longest(person.segments);
    person.tracks.track.forEach((track) => personOf.set(track, person));
    person.said.longest = longest(person.said);
  }
  data.speech.longest = longest(data.speech);
  return { ...data, personOf, unknown: data.classes.length - 1 };
}

// Numbers of the entries that cover a moment, of columns that are sorted by their start.
export function covering({ start, end }, longest, time) {
  const found = [];
  for (let k = upTo(start, time) - 1; k >= 0 && start[k] > time - longest; k--) if (end[k] > time) found.push(k);
  return found;
}

// The segment of a person at a moment: a manual one, or else the last to begin; -1 if there is none.
export function segmentAt(person, time) {
  const found = covering(person.segments, person.longest, time);
  return found.find((k) => person.segments.human[k]) ?? found[0] ?? -1;
}

// The class of a track at a moment.
export function kindAt(person, track, time, unknown) {
  const { class: kind, human, track: own } = person.segments;
  const found = covering(person.segments, person.longest, time);
  return kind[found.find((k) => human[k]) ?? found.find((k) => own[k] === track)] ?? unknown;
}

const TOUCH = 3;

// What moves if an edge of a segment is dragged: the segments that end and begin there, and how far it may go.
export function boundary(person, k, edge) {
  const { start, end } = person.segments;
  const at = edge === "start" ? start[k] : end[k];
  let left = edge === "end" ? k : -1;
  let right = edge === "start" ? k : -1;
  let least = -Infinity;
  let most = Infinity;
  for (let n = 0; n < start.length; n++) {
    if (edge === "start" && n !== k && Math.abs(end[n] - at) <= TOUCH) left = n;
    if (edge === "end" && n !== k && Math.abs(start[n] - at) <= TOUCH) right = n;
    if (end[n] <= at + TOUCH && n !== left) least = Math.max(least, end[n]);
    if (start[n] >= at - TOUCH && n !== right) most = Math.min(most, start[n]);
  }
  if (left >= 0) least = start[left];
  if (right >= 0) most = end[right];
  return { at, left, right, least, most };
}

// The edit that moves a boundary to a time: the segment that grows takes the stretch, or nothing is left there.
export function moved(person, classes, { at, left, right, least, most }, time) {
  const to = Math.round(Math.min(Math.max(time, least), most));
  if (Math.abs(to - at) < 2) return null;
  const grows = to < at ? right : left;
  const stretch = { person: person.name, start_s: Math.min(to, at) / 1000, end_s: Math.max(to, at) / 1000 };
  if (grows < 0) return { edit: "clear", ...stretch };
  return { edit: "set-emotion", ...stretch, class: classes[person.segments.class[grows]].name };
}
