// Which view is shown, the annotator's name, and the token.
import { Problem, get, post } from "./api.js";
import { ask, complain, field, make, say } from "./dom.js";
import { showKeys } from "./keys.js";
import { showQueue } from "./queue.js";
import { showVideo } from "./video.js";

const main = document.getElementById("main");
const where = document.getElementById("where");
const annotator = document.getElementById("annotator");
let leave = () => {};

annotator.value = localStorage.getItem("annotator") ?? "";
annotator.addEventListener("change", () => localStorage.setItem("annotator", annotator.value.trim()));
document.getElementById("keys-button").addEventListener("click", showKeys);

// The name for the log of edits; asked for once.
export async function annotatorName() {
  if (!annotator.value.trim()) {
    const input = make("input", { name: "name", required: true, maxlength: 60, autocomplete: "nickname" });
    const answer = await ask("Who corrects? The name stands in the log of edits.", [field("Your name", input)]);
    if (!answer?.name.trim()) return "";
    annotator.value = answer.name.trim();
    localStorage.setItem("annotator", annotator.value);
  }
  return annotator.value.trim();
}

async function signIn() {
  const input = make("input", { name: "token", type: "password", required: true, autocomplete: "current-password" });
  const answer = await ask("This service needs its token.", [field("Token", input)], "Sign in");
  if (answer) await post("/v1/session", { token: answer.token });
}

async function show() {
  leave();
  leave = () => {};
  where.textContent = "";
  const video = /^#\/jobs\/([0-9a-f]{16})$/.exec(location.hash);
  try {
    const facts = await get("/v1/version");
    leave = video ? await showVideo(main, where, video[1], facts) : await showQueue(main, facts);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      main.replaceChildren(make("button", { type: "button", onclick: show }, "Sign in"));
      try {
        await signIn();
      } catch (refused) {
        complain(refused);
        return;
      }
      if (await get("/v1/version").catch(() => null)) await show();
      return;
    }
    complain(error);
    main.replaceChildren(make("p", { class: "notice" }, error.message), make("p", {}, make("a", { href: "#/" }, "All videos")));
  }
  document.documentElement.dataset.ready = "yes";
}

addEventListener("hashchange", show);
addEventListener("unhandledrejection", (event) => say(String(event.reason?.message ?? event.reason), "problem"));
show();
