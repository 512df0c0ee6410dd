// Elements, messages and dialogs.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Gives a node these children. Those that it has already are not taken out, which would end their focus or a drag.
export function arrange(node, children) {
  const kept = new Set(children);
  for (const child of [...node.childNodes]) if (!kept.has(child)) child.remove();
  children.forEach((child, place) => {
    if (node.childNodes[place] !== child) node.insertBefore(child, node.childNodes[place] ?? null);
  });
}

// Gives a node other children. The one that had the focus is followed by that of the same name, or else by the first.
export function rebuild(node, ...children) {
  const name = (one) => one.getAttribute("aria-label") ?? one.textContent;
  const before = node.contains(document.activeElement) ? name(document.activeElement) : null;
  node.replaceChildren(...children);
  if (before === null) return;
  const all = [...node.querySelectorAll("button, input")];
  (all.find((one) => name(one) === before) ?? all[0])?.focus({ preventScroll: true });
}

export const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

// A short message, also spoken by screen readers.
let clearing = 0;
export function say(text, kind = "") {
  const status = document.getElementById("status");
  status.textContent = text;
  status.dataset.kind = kind;
  status.classList.add("shown");
  clearTimeout(clearing);
  clearing = setTimeout(() => status.classList.remove("shown"), kind === "problem" ? 9000 : 3500);
}

export function complain(error) {
  if (error.code === undefined) console.error(error);
  say(error.hint ? `${error.message}. ${error.hint}` : error.message, "problem");
}

// Runs something that may fail, and says so.
export const attempt = (action) => async (...values) => {
  try {
    return await action(...values);
  } catch (error) {
    complain(error);
    return undefined;
  }
};

// A modal dialog with a form; resolves to the values of its fields, or null if it is closed.
export function ask(title, fields, confirm = "OK") {
  const dialog = document.getElementById("dialog");
  return new Promise((resolve) => {
    const form = make("form", { method: "dialog" });
    form.append(make("h2", { id: "dialog-title" }, title), ...fields);
    const row = make("div", { class: "buttons" });
    row.append(
      make("button", { type: "button", onclick: () => dialog.close("") }, confirm ? "Cancel" : "Close"),
      ...(confirm ? [make("button", { value: "ok", class: "main" }, confirm)] : []),
    );
    form.append(row);
    dialog.replaceChildren(form);
    dialog.addEventListener(
      "close",
      () => {
        const answer = dialog.returnValue === "ok" ? Object.fromEntries(new FormData(form)) : null;
        dialog.replaceChildren();
        resolve(answer);
      },
      { once: true },
    );
    dialog.returnValue = "";
    dialog.showModal();
    dialog.querySelector("input, select, button")?.focus();
  });
}

export const field = (label, control) => make("label", { class: "field" }, make("span", {}, label), control);
