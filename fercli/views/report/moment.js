// The moment that is pointed at: a line through all charts, the face, and what was said of it.
const plots = [...document.querySelectorAll(".plot")];
const card = document.getElementById("moment");
const sheets = new Map();

function sheetUrl(person) {
  if (!sheets.has(person)) {
    const text = document.getElementById(`sheet-${person}`)?.textContent;
    sheets.set(person, text ? `url(data:image/jpeg;base64,${text})` : "");
  }
  return sheets.get(person);
}

const timeAt = (plot, clientX) => {
  const box = plot.getBoundingClientRect();
  return state.from + ((clientX - box.left) / box.width) * (state.to - state.from);
};

function sentence(person, time) {
  const found = segmentsAt(person, time).map((k) => {
    const { class: kind, score, reason, doubtful, human, apex } = person.segments;
    if (kind[k] === UNKNOWN) return `not assessable: ${reason[k]}`;
    const strongest = apex[k] === null ? "" : `, strongest at ${clock(apex[k])}`;
    const doubt = doubtful[k] ? `, doubtful: ${doubtful[k]}` : "";
    return `${classes[kind[k]].name}, ${human[k] ? "set by hand" : `score ${(score[k] / 100).toFixed(2)}`}${doubt}${strongest}`;
  });
  return [...new Set(found)].join("; ") || (unseenAt(time) ? "not analysed" : "not on screen");
}

function fillCard(person, time) {
  const says = card.querySelector(".says"),
    crop = card.querySelector(".crop");
  const line = (text, tag = "div") => {
    const node = document.createElement(tag);
    node.textContent = text;
    says.append(node);
    return node;
  };
  says.replaceChildren();
  line(person.name, "b");
  line(`${clock(time)} · shot ${upTo(shots, time) + 1}`);
  line(sentence(person, time));
  const spoken = upTo(person.said.start, time) - 1;
  if (spoken >= 0 && person.said.end[spoken] > time) line(`\u201c${person.said.text[spoken]}\u201d`).className = "spoken";
  const probabilities = probabilitiesAt(person, time) ?? [];
  const top = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 3);
  for (const kind of top.filter((one) => probabilities[one] > 0)) {
    const row = line(` ${classes[kind].name} ${probabilities[kind]} %`),
      mark = document.createElement("i");
    mark.style.backgroundColor = classes[kind].colour;
    row.prepend(mark);
  }
  const measured = valuesAt(person.measured, time);
  if (measured) {
    const words = (value, line) => (isAngle(line) ? `${Math.abs(value)}° ${value < 0 ? "left" : "right"}` : `${value} %`);
    line(measured.map((value, line) => `${data.lines[line]} ${words(value, line)}`.replaceAll(" ", "\u00a0")).join(" · ")).className = "measured";
  }
  const rated = valuesAt(person.rated, time);
  if (rated) {
    const signed = (value) => `${value < 0 ? "\u2212" : "+"}${(Math.abs(value) / 100).toFixed(2)}`;
    const [valence, low, high] = [VALENCE, LOW, HIGH].map((column) => signed(rated[column]));
    line(`valence ${valence} (${low} to ${high}) · arousal ${signed(rated[AROUSAL])} · intensity ${rated[INTENSITY]} %`).className =
      "measured";
  }
  const face = nearest(person.faces, time),
    away = Math.abs(person.faces[face] - time);
  const url = segmentsAt(person, time).length ? sheetUrl(state.person) : "";
  crop.hidden = !url;
  if (!url) return;
  const { side, columns } = data.sheet;
  crop.style.backgroundImage = url;
  crop.style.backgroundPosition = `${-side * (face % columns)}px ${-side * Math.floor(face / columns)}px`;
  if (away > 1000) line(`(face of ${clock(person.faces[face])})`);
}

function showCard(plot) {
  const person = persons[state.person],
    box = plot.getBoundingClientRect();
  fillCard(person, state.time);
  card.hidden = false;
  const x = box.left + ((state.time - state.from) / (state.to - state.from)) * box.width;
  const { offsetWidth: width, offsetHeight: height } = card;
  const left = x + 14 + width < innerWidth ? x + 14 : x - 14 - width;
  const top = box.top - height - 8 > 0 ? box.top - height - 8 : Math.min(box.bottom + 8, innerHeight - height);
  card.style.transform = `translate(${Math.max(left, 4)}px, ${Math.max(top, 4)}px)`;
}
const hideCard = () => {
  card.hidden = true;
};

function drawCursor() {
  const share = (state.time - state.from) / (state.to - state.from);
  const shown = state.time !== null && share >= 0 && share <= 1;
  for (const plot of plots) {
    const line = plot.querySelector(".cursor");
    line.hidden = !shown;
    if (shown) line.style.transform = `translateX(${share * plot.clientWidth}px)`;
  }
}

function describe(plot) {
  const time = state.time ?? state.from;
  plot.setAttribute("aria-valuenow", Math.round(time) / 1000);
  plot.setAttribute("aria-valuetext", `${clock(time)}, ${sentence(persons[plot.dataset.person], time)}`);
}

function pointAt(plot, time) {
  moveTo(Number(plot.dataset.person), time);
  describe(plot);
  showCard(plot);
}

// To where the segment before or after the one at a moment begins.
function neighbour(person, time, forward) {
  const { start } = person.segments,
    k = forward ? upTo(start, time + 0.5) : upTo(start, time - 1) - 1;
  return start[k] ?? time;
}

function moveByKey(plot, event) {
  const person = persons[plot.dataset.person],
    time = state.time ?? state.from;
  const small = Math.max((state.to - state.from) / 200, 40),
    forward = event.key === "ArrowRight";
  const { start, end } = person.segments;
  const target = {
    ArrowLeft: () => (event.shiftKey ? neighbour(person, time, false) : time - small),
    ArrowRight: () => (event.shiftKey ? neighbour(person, time, forward) : time + small),
    Home: () => start[0] ?? facts.start,
    End: () => end.reduce((last, one) => Math.max(last, one - 1), facts.start),
  }[event.key]?.();
  if (target === undefined) return false;
  const length = state.to - state.from;
  if (target < state.from || target > state.to) showPart(target - length / 2, target + length / 2);
  pointAt(plot, target);
  return true;
}

function onKey(event) {
  const plot = event.currentTarget;
  const act = {
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    0: () => showPart(facts.start, facts.end),
    Escape: hideCard,
    Enter: () => player.toggle(state.time ?? state.from),
    " ": () => player.toggle(state.time ?? state.from),
  }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || (!act && !moveByKey(plot, event))) return;
  act?.();
  event.preventDefault();
}

// A press that moves selects a part to enlarge; one that does not plays the moment.
function onPress(event) {
  if (event.button) return;
  const plot = event.currentTarget,
    from = event.clientX,
    mark = document.createElement("div");
  const box = plot.getBoundingClientRect();
  mark.className = "selection";
  const move = ({ clientX }) => {
    const ends = [from, clientX].map((x) => Math.min(Math.max(x - box.left, 0), box.width)).sort((a, b) => a - b);
    mark.style.left = `${ends[0]}px`;
    mark.style.width = `${ends[1] - ends[0]}px`;
    if (ends[1] - ends[0] > 5) plot.append(mark);
    else mark.remove();
  };
  const release = ({ type, clientX }) => {
    for (const one of ["pointermove", "pointerup", "pointercancel"])
      removeEventListener(one, one === "pointermove" ? move : release);
    const selected = mark.isConnected;
    mark.remove();
    if (type === "pointercancel") return;
    const ends = [timeAt(plot, from), timeAt(plot, clientX)].sort((a, b) => a - b);
    if (selected) showPart(...ends);
    else {
      pointAt(plot, ends[0]);
      player.play(ends[0]);
    }
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
}

for (const plot of plots) {
  plot.addEventListener("pointermove", (event) => pointAt(plot, timeAt(plot, event.clientX)));
  plot.addEventListener("pointerleave", hideCard);
  plot.addEventListener("pointerdown", onPress);
  plot.addEventListener("keydown", onKey);
  plot.addEventListener("focus", () => {
    if (plot.matches(":focus-visible")) pointAt(plot, state.time ?? state.from);
  });
  plot.addEventListener("blur", hideCard);
}
listeners.moment.push(drawCursor);
listeners.view.push(drawCursor);
addEventListener("scroll", hideCard, { passive: true });
