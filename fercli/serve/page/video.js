// One video: player, lanes and panel, and what happens between them.
import { get, listen } from "./api.js";
import { makeCorrections } from "./corrections.js";
import { attempt, button, complain, make, say } from "./dom.js";
import { onKeys, showKeys } from "./keys.js";
import { makeLanes } from "./lanes.js";
import { AROUSAL, NO_TRACKS, VALENCE, boundary, covering, isRated, moved, ratingsAt, readTimeline, readTracks, segmentAt } from "./model.js";
import { makePanel } from "./panel.js";
import { makePlayer } from "./player.js";
import { clock, signed, upTo } from "./times.js";

export async function showVideo(main, name, job, facts) {
  const row = await get(`/v1/jobs/${job}`);
  name(row.name);
  if (row.state !== "done") return showUnfinished(main, name, job, row, facts);
  main.replaceChildren(make("p", { class: "hint" }, "Reading …"));
  const state = { timeline: null, data: NO_TRACKS, time: 0, person: null, segment: null };
  const drawn = get(`/v1/jobs/${job}/tracks-drawn`);
  drawn.catch(() => {}); // reported below
  state.timeline = readTimeline(await get(`/v1/jobs/${job}/timeline`));
  const video = state.timeline.video;
  state.time = video.start;

  let loading = Promise.resolve();
  const chosen = () => state.timeline.persons.find((one) => one.name === state.person) ?? null;
  const corrections = makeCorrections(job, state, reload);
  const player = makePlayer(job, video, {
    onTime: moment,
    drawn: () => ({ tracks: state.data.tracks, timeline: state.timeline, selected: chosen() }),
  });
  const lanes = makeLanes(job, video, state, {
    seek: player.seek,
    select,
    drag: (person, limits, time) => commit(moved(person, state.timeline.classes, limits, time), time),
    menu: (name) => {
      const person = state.timeline.persons.find((one) => one.name === name);
      select(person, segmentAt(person, state.time));
    },
  });
  const panel = makePanel({
    setClass,
    clear: () => annotate("clear"),
    setTimes,
    rename: corrections.rename,
    merge: corrections.merge,
    ignore: () => corrections.ignore(false),
    restore: () => corrections.ignore(true),
    undo: corrections.undo,
  });
  const said = make("p", { class: "said" });
  const now = make("p", { class: "now" });
  const tools = make("div", { class: "tools" }, exportMenu(job, facts), make("a", { class: "button", href: `/v1/jobs/${job}/report`, target: "_blank", rel: "noopener" }, "Report"), button("Undo", corrections.undoLast, { "aria-keyshortcuts": "Control+Z" }));
  const stage = make("div", { class: "stage" }, player.node, make("div", { class: "under" }, now, tools), said);
  const view = make("div", { class: "video-view" }, stage, panel.node, lanes.node);
  main.replaceChildren(view);
  lanes.refresh();
  const first = state.timeline.persons.find((one) => !one.ignored);
  if (first) select(first, segmentAt(first, state.time));
  else showSelection();
  panel.showLog(state.timeline.edits);
  panel.showNotes(state.timeline.warnings);
  moment(state.time);
  addTracks();

  // Boxes, probabilities and ratings: of a long video they take a while, in which everything else works already.
  async function addTracks() {
    try {
      state.data = readTracks(await drawn);
    } catch (error) {
      complain(error);
      return;
    }
    lanes.refresh();
    player.draw();
    moment(state.time);
    view.dataset.drawn = "all";
  }

  function moment(time) {
    state.time = time;
    const person = chosen();
    lanes.follow(time);
    const shot = upTo(state.data.shots, time) + 1;
    now.textContent = `${clock(time, 2)} of ${clock(video.end, 0)} · shot ${shot}`;
    describe(person);
    const { speech } = state.timeline;
    said.textContent = covering(speech, speech.longest, time).reverse().map((k) => (speech.person[k] ? `${speech.person[k]}: ` : "") + speech.text[k]).join(" ");
  }

  // The moment in the panel, and in the lanes for screen readers. They read out every change of a lane that has the focus,
  // so there is none while the video plays.
  function describe(person) {
    if (person) panel.showRated(ratingsAt(person, state.data, state.time, video.start), isRated(person, state.data) ? state.data.source : "");
    if (!player.playing()) lanes.describe((one) => [clock(state.time), ...sentence(one, state.time)].join(", "));
  }

  function sentence(person, time) {
    const rated = ratingsAt(person, state.data, time, video.start);
    const k = segmentAt(person, time);
    const { class: kind, reason, human } = person.segments;
    const found = k < 0 ? ["not on screen"] : [state.timeline.classes[kind[k]].name, human[k] ? "set by hand" : reason[k]];
    if (rated) found.push(`valence ${signed(rated[VALENCE])}`, `arousal ${signed(rated[AROUSAL])}`);
    const words = covering(person.said, person.said.longest, time).map((n) => person.said.text[n]);
    if (words.length) found.push(`says: ${words.reverse().join(" ")}`);
    return found.filter(Boolean);
  }

  function select(person, k) {
    state.person = person.name;
    state.segment = k < 0 ? null : k;
    showSelection();
  }

  function showSelection() {
    const person = chosen();
    if (person && state.segment !== null && state.segment >= person.segments.start.length) state.segment = null;
    panel.showPerson(person);
    panel.showSegment(person, state.segment, state.timeline.classes);
    lanes.mark();
    player.draw();
    describe(person);
  }

  // One after the other: an older timeline that arrives late would take the place of a newer one.
  function reload(name) {
    loading = loading.catch(() => {}).then(() => load(name));
    return loading;
  }

  // Reads the timeline again, and keeps the selection where it is, also if its person has another name now.
  async function load(name) {
    const latest = readTimeline(await get(`/v1/jobs/${job}/timeline`));
    const person = chosen(); // only now: while the timeline was on its way, somebody may have selected something else
    const k = state.segment;
    const middle = person && k !== null ? (person.segments.start[k] + person.segments.end[k]) / 2 : state.time;
    state.timeline = latest;
    if (name) state.person = name;
    const same = chosen();
    state.segment = same ? segmentAt(same, middle) : null;
    if (state.segment === -1) state.segment = null;
    lanes.refresh();
    panel.showLog(state.timeline.edits);
    panel.showNotes(state.timeline.warnings);
    showSelection();
  }

  async function commit(edit, around) {
    if (edit && (await corrections.correct(edit))) {
      const person = chosen();
      if (person && around !== undefined) {
        const k = segmentAt(person, around);
        state.segment = k < 0 ? state.segment : k;
      }
      showSelection();
      say(edit.edit === "clear" ? "no emotion here" : `${edit.class} from ${edit.start_s.toFixed(2)} to ${edit.end_s.toFixed(2)} s`);
    }
  }

  function annotate(kind, more = {}) {
    const person = chosen();
    if (!person || state.segment === null) {
      say("select a segment first");
      return;
    }
    const { start, end } = person.segments;
    const stretch = { start_s: start[state.segment] / 1000, end_s: end[state.segment] / 1000 };
    commit({ edit: kind, person: person.name, ...stretch, ...more });
  }

  function setClass(number) {
    annotate("set-emotion", { class: state.timeline.classes[number].name });
  }

  // Moves an edge of the selected segment to a time.
  function setEdge(edge, time) {
    const person = chosen();
    if (!person || state.segment === null) return;
    const inside = edge === "start" ? time + 1 : time - 1;
    commit(moved(person, state.timeline.classes, boundary(person, state.segment, edge), time), inside);
  }

  function setTimes(from, to) {
    const person = chosen();
    if (!person || state.segment === null || !Number.isFinite(from) || !Number.isFinite(to)) return;
    const { start, end } = person.segments;
    if (Math.abs(from - start[state.segment]) > 1) setEdge("start", from);
    else if (Math.abs(to - end[state.segment]) > 1) setEdge("end", to);
  }

  function neighbour(by) {
    const person = chosen();
    if (!person) return;
    const { start } = person.segments;
    const next = by > 0 ? start.findIndex((moment) => moment > state.time + 1) : start.findLastIndex((moment) => moment < state.time - 1);
    if (next < 0) return;
    select(person, next);
    player.seek(start[next]);
  }

  function another(by) {
    const shown = state.timeline.persons.filter((one) => !one.ignored);
    const place = shown.findIndex((one) => one.name === state.person);
    const person = shown[Math.min(Math.max(place + by, 0), shown.length - 1)];
    if (!person) return;
    select(person, segmentAt(person, state.time));
    lanes.reveal(person.name, document.activeElement?.matches("canvas[role=slider]"));
  }

  const step = (by) => () => {
    player.seek(state.time + by);
    const person = chosen();
    if (person) select(person, segmentAt(person, state.time));
  };
  const frame = 1000 / 25;
  const stopKeys = onKeys({
    " ": player.toggle,
    k: player.toggle,
    j: step(-2000),
    l: step(2000),
    ",": step(-frame),
    ".": step(frame),
    ArrowLeft: step(-200),
    ArrowRight: step(200),
    ShiftArrowLeft: () => neighbour(-1),
    ShiftArrowRight: () => neighbour(1),
    ArrowUp: () => another(-1),
    ArrowDown: () => another(1),
    0: () => setClass(state.timeline.unknown),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((key) => [key, () => setClass(key - 1)])),
    Delete: () => annotate("clear"),
    Backspace: () => annotate("clear"),
    "[": () => setEdge("start", state.time),
    "]": () => setEdge("end", state.time),
    r: corrections.rename,
    m: corrections.merge,
    i: () => corrections.ignore(chosen()?.ignored),
    undo: corrections.undoLast,
    "+": () => lanes.zoom(0.5),
    "=": () => lanes.zoom(0.5),
    "-": () => lanes.zoom(2),
    a: lanes.all,
    "?": showKeys,
  });
  const refresh = attempt(() => reload());
  const stopEvents = listen(
    `/v1/jobs/${job}/events`,
    {
      edits: ({ by }) => {
        if (by !== document.getElementById("annotator").value.trim()) say(`${by} has corrected something`);
        refresh();
      },
      erased: () => (location.hash = "#/"),
    },
    refresh,
  );
  return () => {
    stopKeys();
    stopEvents();
    lanes.stop();
    player.stop();
  };
}

function exportMenu(job, facts) {
  const links = Object.entries(facts.formats).map(([name, summary]) =>
    make("li", {}, make("a", { href: `/v1/jobs/${job}/result?format=${name}`, download: "" }, make("b", {}, name), ` ${summary}`)),
  );
  const menu = make("details", { class: "menu" }, make("summary", { class: "button main" }, "Export"), make("ul", {}, ...links));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

// A video that is not done yet: its progress, and then itself.
function showUnfinished(main, name, job, row, facts) {
  const bar = make("progress", { max: 1, "aria-label": "Progress" });
  const text = make("p", { class: "figures" }, row.state);
  main.replaceChildren(bar, text, make("p", {}, make("a", { href: "#/" }, "All videos")));
  let stopVideo = null;
  let stopped = false;
  const show = (progress) => {
    bar.value = progress.share;
    text.textContent = `${progress.stage}: ${progress.done}${progress.total ? ` of ${progress.total}` : ""}`;
  };
  if (row.progress) show(row.progress);
  const look = attempt(async () => {
    const latest = await get(`/v1/jobs/${job}`);
    if (latest.state === "done") {
      stop();
      stopVideo = await showVideo(main, name, job, facts);
      if (stopped) stopVideo();
    } else text.textContent = [latest.state, latest.outcome?.message, latest.outcome?.hint].filter(Boolean).join(". ");
  });
  const stop = listen(`/v1/jobs/${job}/events`, { progress: show, state: look }, look);
  return () => {
    stopped = true;
    stop();
    stopVideo?.();
  };
}
