// The data as it is drawn, what is shown of it, and who wants to know when that changes. Times are milliseconds.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const summed = (steps) => {
  let sum = 0;
  return steps.map((step) => (sum += step));
};

const data = read("charts-data");
const { classes, video: facts, persons } = data;
const UNKNOWN = classes.length - 1;
const shots = summed(data.shots);
for (const person of persons) {
  person.stream.bin = summed(person.stream.bin);
  person.measured.bin = summed(person.measured.bin);
  person.rated.bin = summed(person.rated.bin);
  person.faces = summed(person.faces);
}

const state = {
  from: facts.start,
  to: facts.end, // the part of the video that is drawn
  time: null,
  person: 0, // the moment that is pointed at or played
  line: 0, // which of data.lines is drawn
};
const listeners = { view: [], moment: [] };
const changed = (what) => listeners[what].forEach((listener) => listener());

const SHORTEST_VIEW = 500;

function showPart(from, to) {
  const length = Math.min(Math.max(to - from, SHORTEST_VIEW), facts.end - facts.start);
  state.from = Math.min(Math.max(from, facts.start), facts.end - length);
  state.to = state.from + length;
  changed("view");
}

function zoom(factor, around = state.time ?? (state.from + state.to) / 2) {
  const middle = Math.min(Math.max(around, state.from), state.to);
  showPart(middle - (middle - state.from) * factor, middle + (state.to - middle) * factor);
}

function moveTo(person, time) {
  state.person = person;
  state.time = Math.min(Math.max(time, facts.start), facts.end);
  changed("moment");
}

// Number of entries of an ascending list that are not above a value.
function upTo(values, value) {
  let low = 0,
    high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nearest(values, value) {
  const next = upTo(values, value);
  return next > 0 && (next === values.length || value - values[next - 1] <= values[next] - value) ? next - 1 : next;
}

// Segments (numbers) of a person at a moment, those that were assessed first.
function segmentsAt(person, time) {
  const { start, end, class: kind } = person.segments;
  const found = [];
  for (let k = upTo(start, time) - 1; k >= 0 && start[k] > time - person.longest; k--) if (end[k] > time) found.push(k);
  return found.sort((a, b) => (kind[a] === UNKNOWN) - (kind[b] === UNKNOWN) || a - b);
}
for (const person of persons) {
  const { start, end } = person.segments;
  person.longest = start.reduce((longest, from, k) => Math.max(longest, end[k] - from), 0) + 1;
}

// Whether nobody looked at a moment: only a part of the video was analysed.
const unseenAt = (time) => facts.unseen.some(([from, to]) => from <= time && time < to);

const probabilitiesAt = (person, time) => valuesAt(person.stream, time);

// All values of the bin that a moment lies in; null if there is none.
function valuesAt({ step, bin, percent }, time) {
  const wanted = Math.floor((time - facts.start) / step);
  const k = upTo(bin, wanted) - 1;
  return k >= 0 && bin[k] === wanted ? percent.map((column) => column[k]) : null;
}

function clock(time, digits = 1) {
  const unit = 10 ** (3 - digits);
  const total = Math.round(Math.abs(time) / unit) * unit;
  const hours = Math.floor(total / 3600000),
    minutes = Math.floor(total / 60000) % 60;
  const seconds = ((total % 60000) / 1000).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return (
    (time < 0 && total ? "-" : "") + (hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes) + ":" + seconds
  );
}
