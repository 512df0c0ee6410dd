// A lane for each person, all on one scale of time: draw what is in view, zoom, select, drag boundaries.
import { arrange, button, make } from "./dom.js";
import { boundary, segmentAt } from "./model.js";
import { AXIS, WORDS, coloursOf, layout, paintAxis, paintCuts, paintRated, paintSaid, paintSegments, paintStream, paintUnseen, paintWords, prepare, scale } from "./paint.js";
import { clock } from "./times.js";

const GRAB = 6; // pixels
const SHORTEST_VIEW = 500;

export function makeLanes(job, facts, state, { seek, select, drag, menu }) {
  const view = { from: facts.start, to: facts.end };
  const axis = make("canvas", { class: "axis", "aria-hidden": "true" });
  const words = make("canvas", { class: "words", role: "img", "aria-label": "What is said" });
  const wordsRow = make("div", { class: "lane words-row", hidden: true }, make("span", { class: "lane-head" }, "Speech"), words);
  const rows = make("div", { class: "rows" });
  const cursor = make("div", { class: "cursor", "aria-hidden": "true" });
  const preview = make("div", { class: "preview", hidden: true, "aria-hidden": "true" });
  const pan = make("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": "Part of the video that is shown", disabled: true });
  const bar = make(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    button("−", () => zoom(2), { "aria-label": "Zoom out" }),
    button("+", () => zoom(0.5), { "aria-label": "Zoom in" }),
    button("All", () => showPart(facts.start, facts.end)),
    pan,
  );
  const plots = make("div", { class: "plots" }, make("div", { class: "lane axis-row" }, make("span", { class: "lane-head" }), axis), wordsRow, rows, cursor, preview);
  const node = make("section", { class: "lanes", "aria-label": "Timelines" }, bar, plots);
  const canvasOf = new Map(); // name -> canvas
  const laneOf = new Map(); // name -> row
  const visible = new Set();
  const stale = new Set();
  let waiting = 0;
  let [left, across] = [0, 0]; // where the timelines are, pixels; measured when they are painted

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) visible.add(target);
        else visible.delete(target);
      }
      schedule();
    },
    { rootMargin: "200px" },
  );

  function schedule() {
    waiting ||= requestAnimationFrame(paint);
  }

  function redraw() {
    for (const canvas of canvasOf.values()) stale.add(canvas);
    stale.add(axis).add(words);
    schedule();
  }

  function paint() {
    waiting = 0;
    const width = axis.clientWidth;
    if (!width) return;
    left = axis.offsetLeft;
    across = width;
    const at = scale(view, width);
    const colours = coloursOf(axis);
    if (stale.delete(axis)) paintAxis(prepare(axis, width, AXIS, colours), view, at);
    if (stale.delete(words) && !wordsRow.hidden) paintWords(prepare(words, width, WORDS, colours), state.timeline.speech, view, at);
    for (const canvas of visible) if (stale.delete(canvas)) paintLane(canvas, at, colours);
    placeCursor();
  }

  function paintLane(canvas, at, colours) {
    const person = state.timeline.persons.find((one) => one.name === canvas.dataset.person);
    if (!person) return;
    const place = layout(person, state.data, state.timeline);
    const tools = prepare(canvas, at.width, place.height, colours);
    paintStream(tools, person, state.data, state.timeline, view, at, place.stream);
    tools.pen.globalCompositeOperation = "destination-over"; // behind everything
    paintCuts(tools, state.data.shots, view, at, place.height);
    paintUnseen(tools, state.timeline, at, place.height);
    tools.pen.globalCompositeOperation = "source-over";
    paintSegments(tools, person, state.timeline, view, at, state.person === person.name ? state.segment : null);
    if (place.stream > place.said) paintSaid(tools, person, view, at, place.said);
    if (place.height > place.rated) paintRated(tools, person, state.data, state.timeline, view, at, place.rated);
  }

  function placeCursor() {
    const share = (state.time - view.from) / (view.to - view.from);
    cursor.hidden = !across || share < 0 || share > 1;
    cursor.style.transform = `translateX(${left + share * across}px)`;
  }

  const timeAt = (canvas, clientX) => {
    const box = canvas.getBoundingClientRect();
    return view.from + ((clientX - box.left) / box.width) * (view.to - view.from);
  };

  function showPart(from, to) {
    const length = Math.min(Math.max(to - from, SHORTEST_VIEW), facts.end - facts.start);
    view.from = Math.min(Math.max(from, facts.start), facts.end - length);
    view.to = view.from + length;
    const hidden = facts.end - facts.start - length;
    pan.disabled = hidden < 1;
    pan.value = hidden < 1 ? 0 : Math.round((1000 * (view.from - facts.start)) / hidden);
    redraw();
  }

  function zoom(factor, around = state.time) {
    const middle = Math.min(Math.max(around, view.from), view.to);
    showPart(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
  }

  // Keeps a moment in view while the video plays.
  function follow(time) {
    const length = view.to - view.from;
    if (time > view.to || time < view.from) showPart(time - length * 0.05, time + length * 0.95);
    placeCursor();
  }

  // The edge of a segment near the pointer.
  function edgeAt(person, canvas, clientX) {
    const time = timeAt(canvas, clientX);
    const reach = (GRAB * (view.to - view.from)) / canvas.clientWidth;
    let best = null;
    person.segments.start.forEach((start, k) => {
      for (const [edge, moment] of [
        ["start", start],
        ["end", person.segments.end[k]],
      ]) {
        const away = Math.abs(moment - time);
        const chosen = state.person === person.name && state.segment === k;
        if (away <= reach && (!best || away < best.away || (chosen && away <= best.away))) best = { k, edge, away };
      }
    });
    return best;
  }

  function press(person, canvas, event) {
    if (event.button) return;
    const now = state.timeline.persons.find((one) => one.name === person.name);
    const edge = edgeAt(now, canvas, event.clientX);
    if (edge) {
      event.preventDefault();
      beginDrag(now, canvas, edge, event);
      return;
    }
    const time = timeAt(canvas, event.clientX);
    select(now, segmentAt(now, time));
    seek(time);
  }

  function beginDrag(person, canvas, { k, edge }, event) {
    const limits = boundary(person, k, edge);
    const moment = (clientX) => Math.min(Math.max(timeAt(canvas, clientX), limits.least, facts.start), limits.most, facts.end);
    canvas.setPointerCapture(event.pointerId);
    select(person, k);
    const box = canvas.getBoundingClientRect();
    const outer = plots.getBoundingClientRect();
    const show = (time) => {
      preview.hidden = false;
      preview.style.height = `${box.height}px`;
      preview.style.transform = `translate(${canvas.offsetLeft + ((time - view.from) / (view.to - view.from)) * box.width}px, ${box.top - outer.top + plots.scrollTop}px)`;
      preview.dataset.time = clock(time, 2);
    };
    show(limits.at);
    const move = ({ clientX }) => show(moment(clientX));
    const end = ({ type, clientX }) => {
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", end);
      canvas.removeEventListener("pointercancel", end);
      preview.hidden = true;
      if (type === "pointerup" && Math.abs(clientX - event.clientX) > 2) drag(person, limits, moment(clientX));
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
  }

  function lane(person) {
    const canvas = make("canvas", {
      "data-person": person.name,
      tabindex: 0,
      role: "slider",
      "aria-label": `Timeline of ${person.name}`,
      "aria-valuemin": facts.start / 1000,
      "aria-valuemax": facts.end / 1000,
    });
    canvas.addEventListener("pointerdown", (event) => press(person, canvas, event));
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) return;
      const now = state.timeline.persons.find((one) => one.name === person.name);
      canvas.classList.toggle("edge", Boolean(now && edgeAt(now, canvas, event.clientX)));
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key !== "Home" && event.key !== "End") return;
      event.preventDefault();
      seek(event.key === "Home" ? facts.start : facts.end);
    });
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible") && state.person !== person.name) select(person, segmentAt(person, state.time));
    });
    const name = button("", () => menu(person.name), { class: "person-name", title: person.name, "aria-label": `${person.name}: select`, "aria-pressed": "false" });
    canvasOf.set(person.name, canvas);
    watcher.observe(canvas);
    const made = make("div", { class: "lane", "data-person": person.name }, make("div", { class: "lane-head" }, name), canvas);
    laneOf.set(person.name, made);
    return made;
  }

  function showHead({ name, face, by_hand: byHand }) {
    const picture = face === null ? null : make("img", { src: `/v1/jobs/${job}/faces/${face}.jpg`, alt: "", width: 40, height: 40, loading: "lazy" });
    const mark = byHand ? make("span", { class: "mark", title: "corrected by hand" }, "✎") : null;
    laneOf.get(name).querySelector(".person-name").replaceChildren(...[picture, make("span", {}, name), mark].filter(Boolean));
  }

  function forget(name) {
    const canvas = canvasOf.get(name);
    watcher.unobserve(canvas);
    visible.delete(canvas);
    stale.delete(canvas);
    canvasOf.delete(name);
    laneOf.delete(name);
  }

  // Persons have changed. The lanes of those who stay are kept: a new one would lose the focus and a drag that has begun.
  function refresh() {
    const focused = document.activeElement?.dataset?.person;
    const { persons, speech } = state.timeline;
    const shown = persons.filter((person) => !person.ignored);
    const ignored = persons.filter((person) => person.ignored);
    wordsRow.hidden = !speech.start.length;
    for (const name of [...laneOf.keys()]) if (!shown.some((person) => person.name === name)) forget(name);
    const children = shown.map((person) => laneOf.get(person.name) ?? lane(person));
    shown.forEach(showHead);
    for (const person of shown) canvasOf.get(person.name).style.height = `${layout(person, state.data, state.timeline).height}px`;
    if (!shown.length) children.push(make("p", { class: "hint" }, "No face was found."));
    if (ignored.length)
      children.push(make("div", { class: "ignored" }, "Ignored: ", ...ignored.map((person) => button(person.name, () => menu(person.name)))));
    arrange(rows, children);
    if (focused && !canvasOf.has(focused)) canvasOf.get(state.person)?.focus({ preventScroll: true });
    mark();
    redraw();
  }

  // The selection has changed.
  function mark() {
    for (const row of rows.querySelectorAll(".lane")) {
      const chosen = row.dataset.person === state.person;
      row.classList.toggle("chosen", chosen);
      row.querySelector(".person-name").setAttribute("aria-pressed", String(chosen));
    }
    redraw();
  }

  // The moment in words, in each lane.
  function describe(words) {
    for (const person of state.timeline.persons) {
      const canvas = canvasOf.get(person.name);
      canvas?.setAttribute("aria-valuenow", Math.round(state.time) / 1000);
      canvas?.setAttribute("aria-valuetext", words(person));
    }
  }

  plots.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(axis, event.clientX));
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        const by = ((event.deltaX || event.deltaY) * (view.to - view.from)) / axis.clientWidth;
        showPart(view.from + by, view.to + by);
      }
    },
    { passive: false },
  );
  axis.addEventListener("pointerdown", (event) => seek(timeAt(axis, event.clientX)));
  pan.addEventListener("input", () => {
    const length = view.to - view.from;
    const from = facts.start + (pan.value / 1000) * (facts.end - facts.start - length);
    showPart(from, from + length);
  });
  const resized = new ResizeObserver(redraw);
  resized.observe(axis);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);

  return {
    node,
    refresh,
    mark,
    follow,
    describe,
    zoom,
    all: () => showPart(facts.start, facts.end),
    reveal: (name, focus) => {
      canvasOf.get(name)?.scrollIntoView({ block: "nearest" });
      if (focus) canvasOf.get(name)?.focus({ preventScroll: true });
    },
    stop: () => {
      watcher.disconnect();
      resized.disconnect();
      scheme.removeEventListener("change", redraw);
    },
  };
}
