// Beside the video: the selected segment and person with what can be corrected, and the log of edits.
import { button, make, rebuild } from "./dom.js";
import { AROUSAL, HIGH, INTENSITY, LOW, VALENCE } from "./model.js";
import { clock, signed } from "./times.js";

export function makePanel({ setClass, clear, setTimes, rename, merge, ignore, restore, undo }) {
  const person = make("section", { class: "box", "aria-label": "Person" });
  const rated = make("p", { class: "rated", hidden: true });
  const segment = make("section", { class: "box", "aria-label": "Segment" });
  const log = make("ol", { class: "log", reversed: true });
  const logBox = make("details", { class: "box", open: true }, make("summary", {}, "Edits"), log);
  const notes = make("details", { class: "box", hidden: true });
  const node = make("aside", { class: "panel", "aria-label": "Corrections" }, person, segment, logBox, notes);

  function showPerson(chosen) {
    if (!chosen) {
      person.replaceChildren(make("p", { class: "hint" }, "Select a lane to correct it."));
      return;
    }
    const facts = [`${chosen.seconds.toFixed(1)} s on screen`, chosen.identity === null ? null : `identity ${chosen.identity.toFixed(2)}`];
    const named = chosen.name !== "Unassigned";
    rebuild(
      person,
      make("h2", {}, chosen.name),
      make("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
      rated,
      make(
        "div",
        { class: "buttons" },
        ...(named ? [button("Rename", rename, { "aria-keyshortcuts": "r" }), button("Merge", merge, { "aria-keyshortcuts": "m" })] : []),
        chosen.ignored ? button("No longer ignore", restore) : button("Ignore", ignore, { "aria-keyshortcuts": "i" }),
      ),
    );
  }

  // The ratings of the person at the moment; `values` is null where there are none.
  function showRated(values, source) {
    rated.hidden = !source;
    if (!source) return;
    const shown = (column) => signed(values[column]);
    rated.textContent = values
      ? `Valence ${shown(VALENCE)} (${shown(LOW)} to ${shown(HIGH)}) · arousal ${shown(AROUSAL)} · intensity ${values[INTENSITY]} %, ${source}`
      : "No valence at this moment";
  }

  function showSegment(chosen, k, classes) {
    if (!chosen || k === null || k < 0 || chosen.ignored) {
      segment.replaceChildren(make("p", { class: "hint" }, "No segment is selected."));
      return;
    }
    const { start, end, class: kind, score, reason, doubtful, human } = chosen.segments;
    const source = human[k] ? "set by hand" : score[k] === null ? reason[k] : `score ${(score[k] / 100).toFixed(2)}`;
    const doubt = doubtful[k] ? `, doubtful: ${doubtful[k]}` : "";
    const input = (label, value) => {
      const made = make("input", { type: "number", step: "0.01", value: (value / 1000).toFixed(3), "aria-label": label });
      made.addEventListener("change", () => setTimes(1000 * Number(from.value), 1000 * Number(to.value)));
      return made;
    };
    const from = input("Start, seconds", start[k]);
    const to = input("End, seconds", end[k]);
    const unknown = classes.length - 1;
    const choices = classes.map((one, number) => {
      const key = number === unknown ? "0" : String(number + 1);
      const made = button("", () => setClass(number), { class: "class", "aria-pressed": String(kind[k] === number), "aria-keyshortcuts": key, "data-class": one.name });
      const swatch = make("span", { class: "swatch", "aria-hidden": "true" }, one.letters);
      swatch.style.background = one.colour;
      swatch.style.color = one.ink;
      made.append(swatch, make("span", {}, one.name), make("kbd", { "aria-hidden": "true" }, key));
      return made;
    });
    rebuild(
      segment,
      make("h2", {}, classes[kind[k]].name),
      make("p", { class: "hint" }, `${clock(start[k], 2)} to ${clock(end[k], 2)} · ${source}${doubt}`),
      make("div", { class: "times" }, make("label", {}, "from ", from), make("label", {}, "to ", to), make("span", {}, "s")),
      make("div", { class: "classes", role: "group", "aria-label": "Class of the segment" }, ...choices),
      button("No emotion here", clear, { "aria-keyshortcuts": "Delete" }),
    );
  }

  function showLog(edits) {
    rebuild(
      log,
      ...[...edits].reverse().map((edit) => {
        const undone = edit.state === "undone";
        const row = make("li", { value: edit.number, "data-state": edit.state });
        row.append(
          make("span", { class: "what" }, edit.text),
          make("span", { class: "hint" }, ` ${edit.by ?? ""}${edit.on ? ` · ${new Date(edit.on).toLocaleString()}` : ""}${edit.state === "applied" ? "" : ` · ${edit.state}`}`),
        );
        if (!undone) row.append(" ", button("Undo", () => undo(edit.number), { "aria-label": `Undo edit ${edit.number}: ${edit.text}` }));
        return row;
      }),
    );
    logBox.querySelector("summary").textContent = `Edits (${edits.length})`;
  }

  function showNotes(warnings) {
    notes.hidden = !warnings.length;
    notes.replaceChildren(make("summary", {}, `Warnings (${warnings.length})`), make("ul", {}, ...warnings.map((text) => make("li", {}, text))));
  }
  return { node, showPerson, showRated, showSegment, showLog, showNotes };
}
