// The video with boxes over it. Presentation timestamps rule: the page asks which frame is shown and counts none. A video
// that the browser cannot play is shown frame by frame from the service.
import { make, button } from "./dom.js";
import { boxAt, kindAt } from "./model.js";

const STEP_MS = 400;
const INSIDE_MS = 0.5;

export function makePlayer(job, facts, { onTime, drawn }) {
  const film = make("video", { controls: true, playsinline: true, preload: "auto", "aria-label": "The video" });
  const still = make("img", { alt: "Frame of the video", hidden: true });
  const overlay = make("canvas", { "aria-hidden": "true" });
  const note = make("p", { class: "hint", hidden: true });
  const screen = make("div", { class: "screen" }, film, still, overlay);
  const node = make("div", { class: "player" }, screen, note);
  screen.style.setProperty("--ratio", facts.width / facts.height);
  let offset = 0; // what to add to the player's clock to have the timestamps of the file
  let framesOnly = false;
  let running = 0;
  let time = facts.start;
  let wanted = null;
  let ready = Promise.resolve();

  function draw() {
    const { clientWidth: width, clientHeight: height } = overlay;
    const dense = devicePixelRatio || 1;
    if (overlay.width !== Math.round(width * dense) || overlay.height !== Math.round(height * dense)) {
      overlay.width = Math.round(width * dense);
      overlay.height = Math.round(height * dense);
    }
    const pen = overlay.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "600 12px system-ui, sans-serif";
    let count = 0;
    const { tracks, timeline, selected } = drawn();
    for (const track of tracks.values()) {
      if (track.pts[0] > time || time >= track.end) continue;
      const person = timeline.personOf.get(track.number);
      if (!person || person.ignored) continue;
      drawBox(pen, track, person, timeline, person === selected, width, height);
      count += 1;
    }
    overlay.dataset.boxes = count;
  }

  function drawBox(pen, track, person, timeline, strong, width, height) {
    const [x1, y1, x2, y2] = boxAt(track, time);
    const kind = kindAt(person, track.number, time, timeline.unknown);
    const { colour, ink, name } = timeline.classes[kind];
    const [left, top] = [(x1 * width) / facts.width, (y1 * height) / facts.height];
    const [across, down] = [((x2 - x1) * width) / facts.width, ((y2 - y1) * height) / facts.height];
    for (const [line, style] of [
      [strong ? 6 : 4, "#000"],
      [strong ? 3.5 : 2, colour],
    ]) {
      pen.lineWidth = line;
      pen.strokeStyle = style;
      pen.strokeRect(left, top, across, down);
    }
    const text = kind === timeline.unknown ? person.name : `${person.name}: ${name}`;
    const long = pen.measureText(text).width + 8;
    const x = Math.max(0, Math.min(left - 1, width - long));
    const y = top > 18 ? top - 18 : top + down + 2;
    pen.fillStyle = colour;
    pen.fillRect(x, y, long, 17);
    pen.fillStyle = ink;
    pen.fillText(text, x + 4, y + 12.5);
  }

  function shown(now) {
    time = now;
    draw();
    onTime(time);
  }

  // Some browsers begin to count at the first frame, others keep the timestamps of the file: the first frame tells.
  function calibrate() {
    return new Promise((resolve) => {
      const give = setTimeout(resolve, 4000);
      film.requestVideoFrameCallback?.((_, frame) => {
        clearTimeout(give);
        offset = facts.start - frame.mediaTime * 1000;
        resolve();
      });
      if (!film.requestVideoFrameCallback) resolve();
    });
  }

  function follow() {
    if (film.requestVideoFrameCallback) {
      const each = (_, frame) => {
        const now = frame.mediaTime * 1000 + offset;
        // The frame that was asked for begins before the moment that was asked for; and a frame of an earlier request,
        // which a newer one has overtaken, may still come.
        shown(film.paused && wanted !== null ? wanted : now);
        film.requestVideoFrameCallback(each);
      };
      film.requestVideoFrameCallback(each);
    } else film.addEventListener("timeupdate", () => shown(film.currentTime * 1000 + offset));
  }

  function withoutPlayback() {
    if (framesOnly) return;
    framesOnly = true;
    film.hidden = true;
    still.hidden = false;
    note.hidden = false;
    note.replaceChildren("The browser cannot play this video, so single frames are shown. ", button("Play frames", toggle));
    showStill();
  }

  let asked = 0;
  function showStill() {
    clearTimeout(asked);
    asked = setTimeout(() => (still.src = `/v1/jobs/${job}/frames/${(time / 1000).toFixed(3)}.jpg`), 80);
    shown(time);
  }

  const clockOf = (moment) => Math.max(moment - offset, 0) / 1000 + INSIDE_MS / 1000;

  // The time is set at once, so that the next key counts from it; the player follows as soon as its clock is known.
  function seek(to) {
    wanted = Math.min(Math.max(to, facts.start), facts.end - 1);
    shown(wanted);
    if (framesOnly) showStill();
    else
      ready.then(() => {
        if (wanted !== null) film.currentTime = clockOf(wanted);
      });
  }

  // The player's own controls: what was asked for before no longer holds.
  function forgetWanted() {
    if (wanted !== null && (!film.paused || Math.abs(film.currentTime - clockOf(wanted)) > 0.001)) wanted = null;
  }

  function toggle() {
    if (!framesOnly) {
      wanted = null;
      if (film.paused) film.play().catch(() => {});
      else film.pause();
    } else if (running) {
      clearInterval(running);
      running = 0;
      shown(time);
    } else running = setInterval(() => (time + STEP_MS < facts.end ? seek(time + STEP_MS) : toggle()), STEP_MS);
  }

  film.addEventListener("error", withoutPlayback);
  film.addEventListener("pause", () => shown(time));
  film.addEventListener("play", forgetWanted);
  film.addEventListener("seeking", forgetWanted);
  const resized = new ResizeObserver(draw);
  resized.observe(screen);
  film.src = `/v1/jobs/${job}/video`;
  ready = calibrate();
  ready.then(follow);
  return {
    node,
    seek,
    toggle,
    draw,
    playing: () => (framesOnly ? running > 0 : !film.paused && !film.ended),
    stop: () => {
      resized.disconnect();
      clearInterval(running);
      clearTimeout(asked);
      film.removeEventListener("error", withoutPlayback);
      film.removeAttribute("src");
      film.load();
    },
  };
}
