// The video, where there is one, and the boxes over it. Presentation timestamps rule: the page asks the browser which
// frame it shows and never counts frames.
const player = (() => {
  const film = document.getElementById("video"),
    overlay = document.getElementById("overlay");
  const note = document.getElementById("player-clock"),
    aside = document.getElementById("player");
  const followsFrames = "requestVideoFrameCallback" in film;
  let offset = 0; // what to add to the player's clock to have the timestamps of the file
  let ready = null,
    tracks = null,
    caution = "";

  const pts = (playerSeconds) => playerSeconds * 1000 + offset;

  // Some browsers begin to count at the first frame, others keep the timestamps of the file: the first frame tells.
  async function calibrate(first) {
    film.currentTime = 0; // shows the first frame, should it not have been shown yet
    const seconds = await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 5000, null))]);
    if (seconds === null) return;
    offset = facts.start - seconds * 1000;
    frameShown(facts.start);
  }

  function loadTracks() {
    const { track, person, end, pts: times, ...edges } = read("boxes-data");
    return track.map((number, k) => ({
      number,
      person: persons[person[k]],
      end: end[k],
      pts: summed(times[k]),
      edges: ["x1", "y1", "x2", "y2"].map((edge) => summed(edges[edge][k])),
    }));
  }

  function boxAt({ pts: times, edges }, time) {
    const next = upTo(times, time),
      last = next - 1;
    if (next === times.length) return edges.map((edge) => edge[last]);
    const share = (time - times[last]) / (times[next] - times[last]);
    return edges.map((edge) => edge[last] + share * (edge[next] - edge[last]));
  }

  // A person's own segment speaks of that person, whatever the track.
  function kindAt({ person, number }, time) {
    const { class: kind, track, human } = person.segments,
      found = segmentsAt(person, time);
    return kind[found.find((k) => human[k]) ?? found.find((k) => track[k] === number)] ?? UNKNOWN;
  }

  function drawBox(pen, track, time, scaleX, scaleY) {
    const [x1, y1, x2, y2] = boxAt(track, time),
      { colour, ink, name } = classes[kindAt(track, time)];
    const x = x1 * scaleX,
      y = y1 * scaleY,
      text = `${track.person.name}: ${name}`;
    for (const [width, style] of [
      [4, "#000"],
      [2, colour],
    ]) {
      pen.lineWidth = width;
      pen.strokeStyle = style;
      pen.strokeRect(x, y, (x2 - x1) * scaleX, (y2 - y1) * scaleY);
    }
    if (name === classes[UNKNOWN].name) return;
    const width = pen.measureText(text).width + 8,
      left = Math.max(0, Math.min(x - 1, overlay.clientWidth - width));
    const top = y > 18 ? y - 18 : y2 * scaleY + 2;
    pen.fillStyle = colour;
    pen.fillRect(left, top, width, 17);
    pen.fillStyle = ink;
    pen.fillText(text, left + 4, top + 12.5);
  }

  function draw(time) {
    tracks ??= loadTracks();
    const { clientWidth: width, clientHeight: height } = overlay,
      dense = devicePixelRatio || 1;
    overlay.width = width * dense;
    overlay.height = height * dense;
    const pen = overlay.getContext("2d");
    pen.scale(dense, dense);
    pen.font = "12px system-ui, sans-serif";
    const shown = tracks.filter((track) => track.pts[0] <= time && time < track.end);
    for (const track of shown) drawBox(pen, track, time, width / facts.width, height / facts.height);
    overlay.dataset.boxes = shown.length;
  }

  function frameShown(time) {
    draw(time);
    note.textContent = `${clock(time)} · shot ${upTo(shots, time) + 1}${caution}`;
    if (film.paused) return;
    moveTo(state.person, time);
    const length = state.to - state.from;
    if (time > state.to && length < facts.end - facts.start) showPart(time, time + length);
  }

  function follow() {
    if (followsFrames) {
      const each = (_, frame) => {
        frameShown(pts(frame.mediaTime));
        film.requestVideoFrameCallback(each);
      };
      film.requestVideoFrameCallback(each);
    } else film.addEventListener("timeupdate", () => frameShown(pts(film.currentTime)));
  }

  function open(source, remark = "") {
    caution = remark;
    aside.hidden = false;
    document.body.classList.remove("no-video");
    offset = 0;
    const first = new Promise((resolve) => {
      if (followsFrames) film.requestVideoFrameCallback((_, frame) => resolve(frame.mediaTime));
    });
    const loaded = new Promise((resolve) => film.addEventListener("loadeddata", resolve, { once: true }));
    ready = followsFrames ? loaded.then(() => calibrate(first)) : loaded;
    film.src = source;
    film.style.aspectRatio = `${facts.width} / ${facts.height}`;
    film.addEventListener(
      "loadedmetadata",
      () => {
        film.style.aspectRatio = "";
        document.documentElement.style.setProperty("--aspect", film.videoWidth / film.videoHeight);
      },
      { once: true },
    );
  }

  function without(reason) {
    ready = null;
    aside.hidden = false;
    document.body.classList.add("no-video");
    const label = document.createElement("label"),
      picker = document.createElement("input");
    picker.type = "file";
    picker.accept = "video/*,.mkv,.ts,.mts";
    picker.addEventListener("change", () => {
      const [file] = picker.files;
      if (!file) return;
      open(
        URL.createObjectURL(file),
        file.size === facts.size ? "" : " · This is not the file that was analysed: moments may not fit.",
      );
    });
    label.append("Choose the video to play moments: ", picker);
    const text = document.createElement("span");
    text.className = "notice";
    text.textContent = `No playback: ${reason}. Everything else works. `;
    note.replaceChildren(text, label);
  }

  async function seek(time) {
    if (!ready) return;
    await ready;
    film.currentTime = Math.max((time - offset) / 1000, 0) + 0.0005; // inside the frame that begins then
  }

  async function play(time) {
    if (!ready) return;
    hideCard();
    await seek(time);
    await film.play().catch(() => {});
  }

  film.addEventListener("error", () => without("the browser cannot find or decode the video"));
  follow();
  return { open, without, seek, play, toggle: (time) => (film.paused ? play(time) : film.pause()) };
})();
