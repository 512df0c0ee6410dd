// The keys of the video view, in one table: what they do, and their list for people.
import { ask, make } from "./dom.js";

export const KEYS = [
  [["Space", "K"], "Play or pause"],
  [["J", "L"], "Back or on by 2 seconds"],
  [[",", "."], "Back or on by one frame"],
  [["←", "→"], "Back or on by 0.2 seconds; with Shift to the segment before or after"],
  [["↑", "↓"], "Person above or below"],
  [["1", "…", "8"], "The class of the selected segment"],
  [["0"], "Not assessable"],
  [["Delete"], "No emotion in the selected segment"],
  [["["], "The selected segment begins at this moment"],
  [["]"], "The selected segment ends at this moment"],
  [["R"], "Rename the person"],
  [["M"], "Merge the person with another"],
  [["I"], "Ignore the person, or no longer"],
  [["Ctrl", "Z"], "Undo"],
  [["+", "−"], "Enlarge or reduce the timeline"],
  [["A"], "The whole timeline"],
  [["?"], "These keys"],
];

export function showKeys() {
  const table = make("table", { class: "keys" });
  for (const [keys, text] of KEYS)
    table.append(make("tr", {}, make("td", {}, ...keys.map((key) => make("kbd", {}, key))), make("td", {}, text)));
  return ask("Keys", [table], "");
}

// A dialog that was closed a moment ago still has the focus: what is pressed then is not typed into it.
const typing = (node) => node instanceof Element && !node.closest("dialog:not([open])") && node.closest("input:not([type=range]), select, textarea");

// Calls the action of a key that is pressed; returns how to stop.
export function onKeys(actions) {
  const press = (event) => {
    if (typing(event.target) || event.altKey || document.getElementById("dialog").open) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() !== "z") return;
    if (event.key === " " && event.target instanceof Element && event.target.closest("button, a, summary")) return;
    const name = control ? "undo" : event.shiftKey && event.key.startsWith("Arrow") ? `Shift${event.key}` : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions[name];
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}
