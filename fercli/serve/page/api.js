// Requests to the service. Every failure is a Problem with the text of its problem details.

export class Problem extends Error {
  constructor(status, { detail, hint, code } = {}) {
    super(detail ?? `the service answered ${status}`);
    Object.assign(this, { status, hint: hint ?? "", code: code ?? "" });
  }
}

async function answered(response) {
  if (response.ok) return response;
  let details = {};
  try {
    details = await response.json();
  } catch {
    // Something between the page and the service answered.
  }
  throw new Problem(response.status, details);
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Problem(0, { detail: "the service cannot be reached", code: "unreachable" });
  }
  return answered(response);
}

export const get = async (path) => (await ask(path)).json();
export const head = async (path) => ask(path, { method: "HEAD" });

export async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await ask(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
  return response.status === 204 ? null : response.json();
}

export const erase = (path) => ask(path, { method: "DELETE" });

// An upload, with its progress; fetch has none.
export function upload(path, file, options, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    const form = new FormData();
    if (options) form.append("options", JSON.stringify(options));
    form.append("file", file, file.name);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      let body = {};
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // no JSON
      }
      if (request.status === 201) resolve(body);
      else reject(new Problem(request.status, body));
    });
    request.addEventListener("error", () => reject(new Problem(0, { detail: "the upload was interrupted" })));
    request.addEventListener("abort", () => reject(new Problem(0, { detail: "the upload was stopped", code: "stopped" })));
    request.open("POST", path);
    request.send(form);
  });
  return { done, stop: () => request.abort() };
}

// Server-sent events; `again` is called after a connection was lost and found again, when events may be missing.
export function listen(path, handlers, again) {
  const source = new EventSource(path);
  let lost = false;
  for (const [kind, handler] of Object.entries(handlers))
    source.addEventListener(kind, (event) => handler(JSON.parse(event.data)));
  source.addEventListener("error", () => (lost = true));
  source.addEventListener("open", () => {
    if (lost) again();
    lost = false;
  });
  return () => source.close();
}
