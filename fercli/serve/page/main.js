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
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part of the address behind # says which view is shown
  main.focus();
});

// The name for the log of edits; asked for once.
export async function annotatorName() {
  if (!annotator.value.trim()) {
    const input = make("input", { name: "name", required: true, maxlength: 60, autocomplete: "nickname", value: "annotator-1" }); // one who has only a mouse can go on
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

// What the view is of: the heading, and the title of the window.
function name(text) {
  where.textContent = text;
  document.title = text ? `${text} · fercli` : "fercli";
}

async function show() {
  leave();
  leave = () => {};
  name("");
  const video = /^#\/jobs\/([0-9a-f]{16})$/.exec(location.hash);
  try {
    const facts = await get("/v1/version");
    leave = video ? await showVideo(main, name, video[1], facts) : await showQueue(main, name, facts);
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

addEventListener("hashchange", async () => {
  await show();
  main.focus(); // what had the focus is gone
});
addEventListener("unhandledrejection", (event) => say(String(event.reason?.message ?? event.reason), "problem"));
show();
