// All videos: drop some, choose some from the root, see how far they are, open, cancel, erase.
import { erase, get, listen, post, upload } from "./api.js";
import { ask, attempt, button, complain, make, say } from "./dom.js";
import { about, bytes, clock } from "./times.js";

const STATES = { queued: "waiting", running: "running", done: "done", failed: "failed", cancelled: "cancelled" };

export async function showQueue(main, name, facts) {
  name("Videos");
  const rows = new Map();
  const list = make("ul", { class: "jobs", "aria-label": "Videos" });
  const more = make("div", { class: "more" });
  const empty = make("p", { class: "hint" }, "No video yet.");
  main.replaceChildren(dropZone(list, facts, added), empty, list, more);

  function added(job) {
    place(job, true);
  }

  function place(job, first = false) {
    let row = rows.get(job.id);
    if (!row) {
      row = jobRow(job, () => refresh(job.id));
      rows.set(job.id, row);
      if (first) list.prepend(row.node);
      else list.append(row.node);
    }
    if (row.state && row.state !== job.state && job.ended) say(`${job.name}: ${STATES[job.state]}`);
    row.state = job.state;
    row.show(job);
    empty.hidden = rows.size > 0;
  }

  const refresh = attempt(async (id) => place(await get(`/v1/jobs/${id}`), true));

  const load = attempt(async (address = "/v1/jobs?limit=100") => {
    const page = await get(address);
    page.jobs.forEach((job) => place(job));
    more.replaceChildren(...(page.next ? [button("Show older ones", () => load(page.next))] : []));
  });

  await load();
  empty.hidden = rows.size > 0;
  const changing = new Map();
  return listen(
    "/v1/events",
    {
      progress: (event) => rows.get(event.job)?.progress(event),
      state: ({ job }) => {
        clearTimeout(changing.get(job)); // several changes at once are one request
        changing.set(job, setTimeout(() => refresh(job), 60));
      },
      erased: ({ job }) => {
        rows.get(job)?.node.remove();
        rows.delete(job);
        empty.hidden = rows.size > 0;
      },
    },
    () => load(),
  );
}

function dropZone(list, facts, added) {
  const input = make("input", { type: "file", id: "files", multiple: true, accept: "video/*,.mkv,.ts,.mts,.mxf,.vob", class: "visually-hidden" });
  const zone = make(
    "section",
    { class: "drop", "aria-label": "Add videos" },
    input,
    make("label", { for: "files", class: "button main" }, "Choose videos"),
    make("span", {}, " or drop them here, or "),
    button("take one from the server", attempt(() => chooseFromRoot(added))),
  );
  const send = (files) => [...files].forEach((file) => sendFile(file, list, facts, added));
  input.addEventListener("change", () => {
    send(input.files);
    input.value = "";
  });
  for (const kind of ["dragenter", "dragover"])
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    send(event.dataTransfer.files);
  });
  return zone;
}

async function sendFile(file, list, facts, added) {
  if (file.size > facts.limits.upload_bytes) {
    say(`${file.name} is larger than ${bytes(facts.limits.upload_bytes)}`, "problem");
    return;
  }
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const figures = make("span", { class: "figures" });
  const { done, stop } = upload("/v1/jobs", file, null, (sent, total) => {
    bar.value = sent / total;
    figures.textContent = sent === total ? "looking at it" : `${bytes(sent)} of ${bytes(total)}`;
  });
  const row = make("li", { class: "job uploading" }, make("span", { class: "name" }, file.name), bar, figures, button("Stop", stop));
  list.prepend(row);
  try {
    const job = await done;
    added(job);
    say(`${job.name} is in the queue`);
  } catch (error) {
    complain(error);
  }
  row.remove();
}

async function chooseFromRoot(added, folder = "") {
  const found = await get(`/v1/files?folder=${encodeURIComponent(folder)}`);
  const options = [
    ...(folder ? [[`up:${folder.split("/").slice(0, -1).join("/")}`, "..  (up)"]] : []),
    ...found.folders.map((one) => [`up:${one}`, `${one.split("/").at(-1)}/`]),
    ...found.videos.map((one) => [`video:${one.path}`, `${one.path.split("/").at(-1)}  (${bytes(one.bytes)})`]),
  ];
  if (!options.length) {
    say("there is no video on the server");
    return;
  }
  const select = make("select", { name: "chosen", size: 14, required: true, "aria-label": "Folders and videos" });
  select.append(...options.map(([value, text]) => make("option", { value }, text)));
  select.addEventListener("dblclick", () => select.form.requestSubmit(select.form.querySelector("[value=ok]")));
  const answer = await ask(folder ? `Videos in ${folder}` : "Videos on the server", [select], "Open");
  if (!answer?.chosen) return;
  const [kind, path] = [answer.chosen.split(":")[0], answer.chosen.slice(answer.chosen.indexOf(":") + 1)];
  if (kind === "up") await chooseFromRoot(added, path);
  else added(await post("/v1/jobs", { path }));
}

function jobRow(job, refresh) {
  const name = make("a", { class: "name", href: `#/jobs/${job.id}` }, job.name);
  const state = make("span", { class: "state" });
  const bar = make("progress", { max: 1, "aria-label": `Progress of ${job.name}` });
  const figures = make("span", { class: "figures" });
  const buttons = make("span", { class: "buttons" });
  const node = make("li", { class: "job", "data-job": job.id }, name, state, bar, figures, buttons);
  const act = (path) => attempt(async () => {
    await post(`/v1/jobs/${job.id}/${path}`);
    refresh();
  });
  const remove = attempt(async () => {
    const text = `The annotations, all faces and all corrections${job.uploaded ? ", and the uploaded video" : ""} are erased.`;
    if (await ask(`Erase ${job.name}?`, [make("p", {}, text)], "Erase")) {
      await erase(`/v1/jobs/${job.id}`);
      node.remove();
    }
  });

  function progress({ stage, done, total, share, left_s: left }) {
    bar.hidden = false;
    bar.value = share;
    const steps = total ? `${done} of ${total}` : `${done}`;
    figures.textContent = `${stage}: ${steps}${left ? `, about ${about(left)} left` : ""}`;
  }

  function show(latest) {
    const { state: now, outcome, video } = latest;
    node.dataset.state = now;
    state.textContent = STATES[now];
    bar.hidden = now !== "running";
    const facts = [video.seconds ? clock(1000 * video.seconds, 0) : null, bytes(video.bytes)].filter(Boolean).join(" · ");
    if (now === "running" && latest.progress) progress(latest.progress);
    else if (now === "running") figures.textContent = "starts";
    else if (now === "queued") figures.textContent = latest.ahead ? `${latest.ahead} before it` : "next";
    else if (now === "done") figures.textContent = `${outcome.persons} persons, ${outcome.segments} segments · ${facts}`;
    else figures.textContent = outcome ? [outcome.message, outcome.hint].filter(Boolean).join(". ") : facts;
    if (now === "running" && !latest.progress) bar.removeAttribute("value");
    buttons.replaceChildren(
      ...(now === "done" ? [make("a", { class: "button main", href: `#/jobs/${job.id}` }, "Open")] : []),
      ...(now === "queued" || now === "running" ? [button("Cancel", act("cancel"))] : []),
      ...(now === "failed" || now === "cancelled" ? [button("Go on", act("resume"))] : []),
      button("Erase", remove, { "aria-label": `Erase ${job.name}` }),
    );
  }
  return { node, show, progress };
}
