// Timelines: a path for each class, whatever the number of segments, and ticks for the cuts.
const SLIM = 5;

// Segments at least a pixel wide are drawn as they are; of narrower ones the longest in a pixel stands for it.
// A pattern needs room: slim segments are plain.
function segmentPaths(person, { x, width }, top, height, lanes) {
  const { start, end, class: kind, lane, human, doubtful, apex } = person.segments;
  const paths = classes.map(() => ""),
    slim = classes.map(() => ""),
    narrow = new Map(),
    labels = [];
  let byHand = "",
    doubts = "",
    apexes = "";
  for (let k = upTo(start, state.from - person.longest); k < start.length && start[k] < state.to; k++) {
    if (end[k] <= state.from) continue;
    const left = Math.max(x(start[k]), 0),
      right = Math.min(x(end[k]), width),
      row = lanes ? lane[k] : 0;
    if (human[k]) byHand += rect(left, top + (row + 1) * height - 4, right - left, 3);
    // A dashed edge: the label may be wrong.
    if (doubtful[k] && right - left >= SLIM) doubts += `M${rounded(left)} ${top + row * height + 1}H${rounded(right)}`;
    // Where the expression is strongest: a triangle that points at the moment.
    if (lanes && apex[k] !== null && right - left >= SLIM && apex[k] >= state.from && apex[k] <= state.to)
      apexes += `M${rounded(x(apex[k]) - 4)} ${top + row * height}h8l-4 6z`;
    if (right - left >= 1) {
      const wide = right - left >= SLIM;
      (wide ? paths : slim)[kind[k]] += rect(left, top + row * height, right - left - (wide ? 0.8 : 0), height - 1);
      if (right - left >= 18 && kind[k] !== UNKNOWN) labels.push({ left, right, row, kind: kind[k] });
    } else {
      const place = row * 1e5 + Math.floor(left),
        rival = narrow.get(place);
      if (!rival || rival.size < right - left) narrow.set(place, { size: right - left, kind: kind[k] });
    }
  }
  for (const [place, { kind: winner }] of narrow)
    slim[winner] += rect(place % 1e5, top + Math.floor(place / 1e5) * height, 1, height - 1);
  return { paths, slim, labels, byHand, doubts, apexes };
}

// Names over each other cannot be read: where tracks of a person share a row and overlap, none is written.
function legible(labels) {
  const latest = new Map();
  for (const label of labels) {
    const rival = latest.get(label.row);
    if (rival && label.left < rival.right - 1) label.covered = rival.covered = true;
    if (!rival || rival.right < label.right) latest.set(label.row, label);
  }
  return labels.filter(({ covered }) => !covered);
}

function drawTimeline(svg, person, at, top, height, lanes) {
  const { paths, slim, labels, byHand, doubts, apexes } = segmentPaths(person, at, top, height, lanes);
  for (const kind of [UNKNOWN, ...Array(UNKNOWN).keys()])
    // what was judged lies on top
    for (const [d, fill] of [
      [paths[kind], pattern(kind)],
      [slim[kind], kind === UNKNOWN ? pattern(kind) : classes[kind].colour],
    ])
      if (d)
        element(
          "path",
          {
            d,
            fill,
            stroke: kind === UNKNOWN ? "#c4c4c4" : "none",
            class: "segments",
            "data-class": classes[kind].name,
          },
          svg,
        );
  if (doubts)
    element("path", { d: doubts, stroke: "#000", "stroke-width": 2, "stroke-dasharray": "3 3", class: "doubtful" }, svg);
  if (byHand) element("path", { d: byHand, fill: "#000", class: "by-hand" }, svg);
  if (apexes)
    element("path", { d: apexes, fill: "#000", stroke: "#fff", "stroke-width": 1.5, "paint-order": "stroke", class: "apexes" }, svg);
  if (height < 14) return;
  for (const { left, right, row, kind } of legible(labels)) {
    const { name, letters, ink } = classes[kind];
    const text = right - left > 7.5 * name.length + 8 ? name : letters;
    element(
      "text",
      {
        x: rounded((left + right) / 2),
        y: top + row * height + height / 2 + 3.5,
        "text-anchor": "middle",
        "font-size": 11,
        fill: ink,
        stroke: classes[kind].colour,
        "stroke-width": 3,
        "paint-order": "stroke",
      },
      svg,
      text,
    );
  }
}

function drawCuts(svg, at, height, all) {
  const inside = shots.slice(upTo(shots, state.from), upTo(shots, state.to)).map((time) => rounded(at.x(time)));
  const countable = inside.length < at.width / 4;
  if (!inside.length || !(countable || all)) return;
  const ticks = countable
    ? inside.map((x) => `M${x} 0v${CUTS}`).join("")
    : `M${inside[0]} ${CUTS / 2}H${inside.at(-1)}`;
  element(
    "path",
    { d: ticks, stroke: countable ? "#000" : "#d9d9d9", "stroke-width": countable ? 1 : CUTS, class: "cuts" },
    svg,
  );
  if (all && inside.length < at.width / 14)
    element(
      "path",
      {
        d: inside.map((x) => `M${x} ${CUTS}V${height}`).join(""),
        stroke: "#000",
        "stroke-opacity": 0.3,
        "stroke-dasharray": "2 3",
      },
      svg,
    );
}
