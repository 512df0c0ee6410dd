// Streams and balances, and the whole chart of a person.
const MANY_RUNS = 40; // a pattern in so many pieces is not seen, and makes huge prints

// The bins in view; where there are several in a pixel, their mean.
function binsInView({ step, bin, percent }, at) {
  const group = Math.max(1, Math.floor(0.75 / (step * at.perMs))),
    found = [];
  const begin = (number) => facts.start + number * step;
  let k = upTo(bin, Math.floor((state.from - facts.start) / step) - group);
  while (k < bin.length && begin(bin[k]) < state.to) {
    const key = Math.floor(bin[k] / group),
      first = k;
    while (k < bin.length && Math.floor(bin[k] / group) === key) k++;
    const values = percent.map((column) => {
      let sum = 0;
      for (let n = first; n < k; n++) sum += column[n];
      return sum / (k - first);
    });
    const left = Math.max(at.x(begin(key * group)), 0),
      right = Math.min(at.x(begin((key + 1) * group)), at.width);
    if (right > left) found.push({ key, left: rounded(left), right: rounded(right), values });
  }
  return found;
}

// One outline for each run of neighbouring bins: along the tops, and back along the base.
function steps(bins, base, top) {
  let path = "";
  bins.forEach((one, k) => {
    if (!k || bins[k - 1].key !== one.key - 1) path += `M${one.left} ${base}`;
    path += `V${rounded(top(one))}H${one.right}`;
    if (k === bins.length - 1 || bins[k + 1].key !== one.key + 1) path += `V${base}z`;
  });
  return path;
}

function drawStream(svg, bins, at, top) {
  element("path", { d: `M0 ${top + STREAM}h${at.width}`, stroke: "#b5b5b5" }, svg);
  for (const one of bins) {
    const total = one.values.reduce((a, b) => a + b, 0) || 1;
    let sum = 0;
    one.stacked = one.values.map((value) => (sum += value / total));
  }
  const runs = bins.filter((one, k) => one.key - 1 !== bins[k - 1]?.key).length;
  for (let kind = UNKNOWN - 1; kind >= 0; kind--) {
    // from behind: each reaches down to the base
    const d = steps(bins, top + STREAM, (one) => top + STREAM * (1 - one.stacked[kind]));
    element("path", { d, fill: runs > MANY_RUNS ? classes[kind].colour : pattern(kind) }, svg);
  }
}

function drawBalance(svg, bins, at, top) {
  const zero = top + BALANCE / 2;
  const value = ({ values }) => values.reduce((sum, percent, kind) => sum + percent * classes[kind].sign, 0) / 100;
  element("path", { d: steps(bins, zero, (one) => zero - (value(one) * BALANCE) / 2), fill: "#555" }, svg);
  element("path", { d: `M0 ${zero}h${at.width}`, stroke: "#767676" }, svg);
  element("path", { d: `M0 ${top}h${at.width}M0 ${top + BALANCE}h${at.width}`, stroke: "#e3e3e3" }, svg);
}

// Runs of neighbouring bins.
const runsOf = (bins) =>
  bins.reduce((runs, one, k) => {
    if (k && bins[k - 1].key === one.key - 1) runs.at(-1).push(one);
    else runs.push([one]);
    return runs;
  }, []);

// Valence around its zero line, with its interval; what lies above is pleasant.
const [VALENCE, LOW, HIGH, AROUSAL, INTENSITY] = [0, 1, 2, 3, 4];
function drawValence(svg, bins, at, top) {
  const zero = top + BALANCE / 2,
    y = (one, column) => rounded(zero - (one.values[column] * BALANCE) / 200),
    point = (one, column) => `L${rounded((one.left + one.right) / 2)} ${y(one, column)}`;
  let line = "",
    band = "";
  for (const run of runsOf(bins)) {
    const first = run[0],
      last = run.at(-1);
    line += `M${first.left} ${y(first, VALENCE)}${run.map((one) => point(one, VALENCE)).join("")}H${last.right}`;
    const above = run.map((one) => point(one, HIGH)).join(""),
      below = run.map((one) => point(one, LOW)).reverse().join("");
    band += `M${first.left} ${y(first, HIGH)}${above}H${last.right}V${y(last, LOW)}${below}H${first.left}z`;
  }
  element("path", { d: `M0 ${top}h${at.width}M0 ${top + BALANCE}h${at.width}`, stroke: "#e3e3e3" }, svg);
  element("path", { d: band, fill: "#5b3a8c", "fill-opacity": 0.18, class: "interval" }, svg);
  element("path", { d: `M0 ${zero}h${at.width}`, stroke: "#767676" }, svg);
  element(
    "path",
    { d: line, fill: "none", stroke: "#5b3a8c", "stroke-width": 1.6, "stroke-linejoin": "round", class: "valence" },
    svg,
  );
  writeEnds(svg, ["+1", "\u22121"], at, top, BALANCE);
}

// What the upper and the lower edge of a chart stand for.
const writeEnds = (svg, texts, at, top, height) =>
  texts.forEach((text, k) =>
    element(
      "text",
      {
        x: at.width - 3,
        y: k ? top + height - 3 : top + 10,
        "text-anchor": "end",
        "font-size": 10,
        fill: "#555",
        stroke: "#fff",
        "stroke-width": 3,
        "paint-order": "stroke",
      },
      svg,
      text,
    ),
  );

// Shares go from the base up to 100 %; degrees go up to the right of the picture and down to its left.
const isAngle = (line) => data.lines[line] === "yaw";
const MOST_DEGREES = 60;
function drawLine(svg, bins, at, top) {
  const angle = isAngle(state.line),
    zero = angle ? top + LINE / 2 : top + LINE;
  const height = ({ values }) =>
    angle
      ? zero - (Math.max(-1, Math.min(values[state.line] / MOST_DEGREES, 1)) * LINE) / 2
      : zero - (values[state.line] / 100) * LINE;
  let path = "";
  bins.forEach((one, k) => {
    const y = rounded(height(one));
    if (!k || bins[k - 1].key !== one.key - 1) path += `M${one.left} ${y}`;
    path += `L${rounded((one.left + one.right) / 2)} ${y}`;
    if (k === bins.length - 1 || bins[k + 1].key !== one.key + 1) path += `H${one.right}`;
  });
  element("path", { d: `M0 ${top}h${at.width}M0 ${top + LINE}h${at.width}`, stroke: "#e3e3e3" }, svg);
  element("path", { d: `M0 ${zero}h${at.width}`, stroke: "#b5b5b5" }, svg);
  element("path", { d: steps(bins, zero, height), fill: "#0b5394", "fill-opacity": 0.12 }, svg);
  element(
    "path",
    { d: path, fill: "none", stroke: "#0b5394", "stroke-width": 1.6, "stroke-linejoin": "round", class: "line" },
    svg,
  );
  const marks = angle ? [`${MOST_DEGREES}° right`, `${MOST_DEGREES}° left`] : ["100 %", ""];
  writeEnds(svg, marks, at, top, LINE);
}

// When the person speaks; narrow utterances are at least a pixel wide.
function drawSpeech(svg, { said }, at, top) {
  let path = "";
  for (let k = 0; k < said.start.length && said.start[k] < state.to; k++) {
    if (said.end[k] <= state.from) continue;
    const left = Math.max(at.x(said.start[k]), 0),
      right = Math.min(at.x(said.end[k]), at.width);
    path += rect(left, top, Math.max(right - left - 0.8, 1), SPEECH);
  }
  element("path", { d: `M0 ${top + SPEECH / 2}h${at.width}`, stroke: "#d9d9d9" }, svg);
  if (path) element("path", { d: path, fill: "#0b5394", class: "speech" }, svg);
}

function drawUnseen(svg, at, height) {
  for (const [from, to] of facts.unseen) {
    const left = Math.max(at.x(from), 0),
      right = Math.min(at.x(to), at.width);
    if (left < right)
      element("path", { d: rect(left, 0, right - left, height), fill: "#e8e8e8", class: "unseen" }, svg);
  }
}

function drawPlot(plot, width) {
  const person = persons[plot.dataset.person],
    at = scale(width);
  const strip = plot.classList.contains("strip"),
    place = layout(person),
    height = strip ? 24 : place.height;
  const svg = canvas(width, height);
  drawUnseen(svg, at, strip ? height : place.axis);
  if (strip) {
    element("path", { d: `M0 15.5h${width}`, stroke: "#d9d9d9" }, svg);
    drawTimeline(svg, person, at, CUTS + 1, 17, false);
  } else {
    plot.style.height = `${height}px`;
    const bins = binsInView(person.stream, at);
    drawTimeline(svg, person, at, place.timeline, laneHeight(person), true);
    if (person.said.start.length) drawSpeech(svg, person, at, place.speech);
    if (person.measured.bin.length) drawLine(svg, binsInView(person.measured, at), at, place.line);
    drawStream(svg, bins, at, place.stream);
    if (person.rated.bin.length) drawValence(svg, binsInView(person.rated, at), at, place.balance);
    else drawBalance(svg, bins, at, place.balance);
    drawAxis(svg, at, place.axis);
  }
  drawCuts(svg, at, place.axis, !strip);
  plot.querySelector("svg")?.remove();
  plot.prepend(svg);
}
