// Draws what is in view, when it comes into view; zoom; print.
const axis = document.getElementById("axis"),
  pan = document.getElementById("pan");
const PRINT_WIDTH = 620;
const stale = new Set(plots),
  visible = new Set();
let waiting = false;

function drawVisible() {
  waiting = false;
  drawMainAxis(axis, axis.clientWidth);
  for (const plot of visible) if (stale.delete(plot)) drawPlot(plot, plot.clientWidth);
}
function redraw() {
  plots.forEach((plot) => stale.add(plot));
  if (!waiting) requestAnimationFrame(drawVisible);
  waiting = true;
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) visible.add(target);
      else visible.delete(target);
      if (isIntersecting && stale.delete(target)) drawPlot(target, target.clientWidth);
    }
  },
  { rootMargin: "500px" },
);

function showPan() {
  const hidden = facts.end - facts.start - (state.to - state.from);
  pan.disabled = hidden < 1;
  pan.value = hidden < 1 ? 0 : Math.round((1000 * (state.from - facts.start)) / hidden);
}

for (const plot of plots) {
  const person = persons[plot.dataset.person];
  plot.append(Object.assign(document.createElement("div"), { className: "cursor", hidden: true }));
  plot.setAttribute("aria-valuemin", facts.start / 1000);
  plot.setAttribute("aria-valuemax", facts.end / 1000);
  describe(plot);
  if (!plot.classList.contains("strip")) {
    const place = layout(person),
      gutter = plot.previousElementSibling;
    plot.style.height = `${place.height}px`; // so that nothing jumps when it is drawn
    const middles = {
      timeline: (place.timeline + place.speech - 4) / 2,
      speech: place.speech + SPEECH / 2,
      line: place.line + LINE / 2,
      probabilities: place.stream + STREAM / 2,
      balance: place.balance + BALANCE / 2,
      valence: place.balance + BALANCE / 2,
    };
    for (const label of gutter.children) label.style.top = `${middles[label.dataset.part]}px`;
  }
  plot.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(plot, event.clientX));
    },
    { passive: false },
  );
  watcher.observe(plot);
}

document.getElementById("zoom-in").addEventListener("click", () => zoom(0.5));
document.getElementById("zoom-out").addEventListener("click", () => zoom(2));
document.getElementById("zoom-all").addEventListener("click", () => showPart(facts.start, facts.end));
pan.addEventListener("input", () => {
  const length = state.to - state.from,
    from = facts.start + (pan.value / 1000) * (facts.end - facts.start - length);
  showPart(from, from + length);
});

const choice = document.getElementById("line");
function showLine() {
  state.line = Number(choice.value);
  for (const label of document.querySelectorAll("[data-part=line]")) label.textContent = data.lines[state.line];
  redraw();
}
if (choice) {
  choice.addEventListener("change", showLine);
  showLine();
}

listeners.view.push(redraw, showPan);
new ResizeObserver(redraw).observe(axis);

addEventListener("beforeprint", () => {
  Object.assign(state, { from: facts.start, to: facts.end });
  plots.forEach((plot) => drawPlot(plot, PRINT_WIDTH));
  drawMainAxis(axis, PRINT_WIDTH);
});
addEventListener("afterprint", redraw);

// A link such as report.html#t=15.2&person=Ross leads to a moment of a person.
const AROUND = 15000;
function showLinked() {
  const wanted = new URLSearchParams(location.hash.slice(1)),
    time = 1000 * Number(wanted.get("t") ?? NaN);
  if (!Number.isFinite(time)) return;
  player.seek(time);
  if (!persons.length) return;
  const person = Math.max(
    persons.findIndex(({ name }) => name === wanted.get("person")),
    0,
  );
  showPart(time - AROUND, time + AROUND);
  moveTo(person, time);
  document.getElementById(`person-${person}`).scrollIntoView();
}

if (facts.source) player.open(facts.source);
else player.without(facts.problem);
addEventListener("hashchange", showLinked);
showLinked();
document.documentElement.dataset.ready = "yes";
