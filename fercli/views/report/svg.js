// What all charts share: SVG elements, the scale of time and its axis, and where things are.
const SVG = "http://www.w3.org/2000/svg";
const TICKS = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5, 9e5, 1.8e6, 3.6e6, 7.2e6];
const CUTS = 6,
  STREAM = 84,
  BALANCE = 46,
  LINE = 46,
  SPEECH = 12,
  GAP = 10,
  AXIS = 20;
const laneHeight = (person) => (person.lanes === 1 ? 28 : 16);

function element(name, attributes, parent, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

const pattern = (kind) => `url(#class-${kind})`;
const rounded = (value) => Math.round(value * 10) / 10;
const rect = (x, y, width, height) => `M${rounded(x)} ${y}h${rounded(width)}v${height}h${rounded(-width)}z`;

// Where things are: the x of a time, and the top of each lane of a person's chart.
function scale(width) {
  const perMs = width / (state.to - state.from);
  return { width, x: (time) => (time - state.from) * perMs, perMs };
}
function layout(person) {
  const timeline = CUTS + 2,
    speech = timeline + person.lanes * laneHeight(person) + 4,
    line = speech + (person.said.start.length ? SPEECH + GAP : GAP - 4),
    stream = line + (person.measured.bin.length ? LINE + GAP : 0);
  const balance = stream + STREAM + GAP;
  return { timeline, speech, line, stream, balance, axis: balance + BALANCE, height: balance + BALANCE + AXIS };
}

function drawAxis(svg, at, top) {
  const step = TICKS.find((tick) => tick * at.perMs >= 74) ?? TICKS.at(-1),
    digits = step < 1000 ? 1 : 0;
  for (let time = Math.ceil(state.from / step) * step; time <= state.to; time += step) {
    const x = rounded(at.x(time));
    element("path", { d: `M${x} ${top}v4`, stroke: "#767676" }, svg);
    element(
      "text",
      {
        x,
        y: top + 15,
        "text-anchor": x < 14 ? "start" : x > at.width - 14 ? "end" : "middle",
        "font-size": 11,
        fill: "#555",
      },
      svg,
      clock(time, digits),
    );
  }
}

function canvas(width, height) {
  return element("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": true, focusable: false });
}

function drawMainAxis(node, width) {
  const svg = canvas(width, AXIS);
  drawAxis(svg, scale(width), 0);
  node.replaceChildren(svg);
}
