// Every correction is one edit in the log, with the annotator's name.
import { Problem, post } from "./api.js";
import { ask, complain, field, make, say } from "./dom.js";
import { annotatorName } from "./main.js";

export function makeCorrections(job, state, reload) {
  let running = Promise.resolve();

  // One after the other, so that each sees what the one before has changed. The person is selected afterwards.
  const correct = (edit, person) => (running = running.then(() => send(edit, person)));

  async function send(edit, person) {
    const by = await annotatorName();
    if (!by) return false;
    try {
      const { notes } = await post(`/v1/jobs/${job}/edits`, { ...edit, by });
      await reload(person);
      if (notes.length) say(notes.join(". "));
      return true;
    } catch (error) {
      if (error instanceof Problem && error.code === "persons-seen-together" && !edit.force) {
        const text = make("p", {}, `${error.message}.`);
        return (await ask("Merge them all the same?", [text], "Merge")) ? send({ ...edit, force: true }, person) : false;
      }
      complain(error);
      if (error.status === 404 || error.status === 409) await reload();
      return false;
    }
  }

  const others = () => state.timeline.persons.filter((one) => one.name !== state.person && one.name !== "Unassigned" && !one.ignored);

  async function rename() {
    const person = state.person;
    if (!person || person === "Unassigned") return;
    const known = make("datalist", { id: "known-names" }, ...others().map((one) => make("option", { value: one.name })));
    const input = make("input", { name: "name", required: true, maxlength: 200, value: person, list: "known-names" });
    input.addEventListener("focus", () => input.select());
    const answer = await ask(`Rename ${person}`, [field("New name", input), known], "Rename");
    const to = answer?.name.trim();
    if (!to || to === person) return;
    const merged = others().some((one) => one.name === to);
    if (merged && !(await ask(`There is a ${to} already. Merge them?`, [], "Merge"))) return;
    const edit = merged ? { edit: "merge", persons: [person], to } : { edit: "rename", person, to };
    if (await correct(edit, to)) say(`${person} is ${to}`);
  }

  async function merge() {
    const person = state.person;
    if (!person || person === "Unassigned") return;
    if (!others().length) {
      say("there is nobody to merge with", "problem");
      return;
    }
    const select = make("select", { name: "to" }, ...others().map((one) => make("option", { value: one.name }, one.name)));
    const answer = await ask(`Merge ${person} with`, [field("Person", select)], "Merge");
    if (answer && (await correct({ edit: "merge", persons: [person], to: answer.to }, answer.to)))
      say(`${person} and ${answer.to} are one person`);
  }

  async function ignore(ignored) {
    const person = state.person;
    if (person && (await correct({ edit: ignored ? "restore" : "ignore", person })))
      say(ignored ? `${person} is shown again` : `${person} is left out of all exports`);
  }

  // The last edit of this annotator that is not undone.
  async function undoLast() {
    const by = await annotatorName();
    const own = state.timeline.edits.filter((edit) => edit.by === by && edit.state !== "undone" && edit.edit !== "undo");
    const last = own.at(-1);
    if (!last) say("nothing of yours to undo");
    else if (await correct({ edit: "undo", of: [last.number] })) say(`undone: ${last.text}`);
  }

  const undo = (number) => correct({ edit: "undo", of: [number] });
  return { correct, rename, merge, ignore, undo, undoLast };
}
