/** The server's interface, /api/v1; see /openapi.json. */

const BASE = new URL("api/v1", document.baseURI).pathname;

/** What the server says is wrong: one sentence, and the fields that are meant. */
export class Problem extends Error {
  /** @param errors [{pointer, detail}] */
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }

  /** Whether no server answered, or one that is starting or stopping. */
  get offline() {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}

let askForToken = null;

/** Says who asks for the token when the server wants one: a function that answers when a session is open. */
export function onTokenNeeded(ask) {
  askForToken = ask;
}

async function send(method, path, body, accept = "application/json") {
  const headers = {Accept: accept};
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(BASE + path, {method, headers, body});
  } catch (e) {
    throw new Problem(0, "The server does not answer. Is it running?");
  }
  if (response.ok) {
    return response;
  }
  let problem = {};
  try {
    problem = await response.json();
  } catch (e) {
    // Not every answer on the way is the server's own; the status has to do.
  }
  const sentence = problem.detail ?? `The server answered with status ${response.status}.`;
  throw new Problem(response.status, sentence, problem.errors);
}

async function ask(method, path, body, accept) {
  try {
    return await send(method, path, body, accept);
  } catch (problem) {
    if (problem.status !== 401 || askForToken === null) {
      throw problem;
    }
    await askForToken();
    return send(method, path, body, accept);
  }
}

async function json(method, path, body) {
  const response = await ask(method, path, body);
  return response.status === 204 ? null : response.json();
}

/** A request with its pictures. @param parts Map of part name to Blob */
function multipart(request, parts) {
  if (parts.size === 0) {
    return request;
  }
  const form = new FormData();
  form.append("request", new Blob([JSON.stringify(request)], {type: "application/json"}));
  parts.forEach((blob, name) => form.append(name, blob, name));
  return form;
}

const part = encodeURIComponent;

export const capabilities = () => json("GET", "/capabilities");
export const openSession = token => send("POST", "/session", {token});

export const submit = (request, parts) => json("POST", "/jobs", multipart(request, parts));
export const jobs = state => json("GET", `/jobs?limit=50&state=${state}`);
export const job = id => json("GET", `/jobs/${part(id)}`);
export const cancel = id => json("DELETE", `/jobs/${part(id)}`);

export const images = (starred, before) => json("GET",
  `/images?limit=40${starred ? "&starred=true" : ""}${before ? `&before=${part(before)}` : ""}`);
export const imageDetails = id => json("GET", `/images/${part(id)}/details`);
export const star = (id, on) => json(on ? "PUT" : "DELETE", `/images/${part(id)}/star`);
export const deleteImage = id => json("DELETE", `/images/${part(id)}`);

export const subjects = () => json("GET", "/subjects");
export const addSubject = (request, parts) => json("POST", "/subjects", multipart(request, parts));
export const removeSubject = name => json("DELETE", `/subjects/${part(name)}`);

/** The mask that the server finds, as a PNG, white where the subject is. */
export async function segment(request, parts) {
  return (await ask("POST", "/segment", multipart(request, parts), "image/png")).blob();
}

/** A picture of the server: what `image:ID` or `job:ID/NAME` of a request stands for. */
export function pictureUrl(reference) {
  if (reference.startsWith("image:")) {
    return `${BASE}/images/${part(reference.slice(6))}`;
  }
  const [id, name] = reference.slice(4).split("/");
  return `${BASE}/jobs/${part(id)}/inputs/${part(name)}`;
}

/** Any file of this site as a Blob. */
export async function file(url) {
  let response;
  try {
    response = await fetch(url);
  } catch (e) {
    throw new Problem(0, "The server does not answer. Is it running?");
  }
  if (!response.ok) {
    throw new Problem(response.status, "A picture is not on this server any more.");
  }
  return response.blob();
}

const RETRY_MS = 1500;
const ENDED = new Set(["done", "failed", "cancelled"]);

/** Whether a job will change no more. */
export const ended = job => ENDED.has(job.state);

/**
 * Follows a job until it has ended, also across a restart of the server.
 *
 * @param onJob called with the job whenever its state changes, for the last time when it has ended
 * @param onProgress called with the progress
 * @param onLost called with true when the server does not answer, with false when it does again
 * @return a function that stops following
 */
export function watch(id, {onJob, onProgress, onLost}) {
  let source = null;
  let timer = 0;
  let over = false;

  function stop() {
    over = true;
    clearTimeout(timer);
    source?.close();
  }

  function told(job) {
    if (over) {
      return;
    }
    onLost(false);
    if (ended(job)) {
      stop();
    }
    onJob(job);
  }

  function listen() {
    source = new EventSource(`${BASE}/jobs/${part(id)}/events`);
    source.addEventListener("job", event => told(JSON.parse(event.data)));
    source.addEventListener("progress", event => onProgress(JSON.parse(event.data)));
    source.onerror = () => {
      // Browsers give up where the answer is no stream of events, as it is while a server starts; so we ask ourselves.
      source.close();
      timer = setTimeout(look, RETRY_MS);
    };
  }

  async function look() {
    try {
      const now = await job(id);
      told(now);
      if (!over) {
        listen();
      }
    } catch (problem) {
      if (problem.status === 404) {
        stop();
        onJob(null);
        return;
      }
      onLost(true);
      timer = setTimeout(look, RETRY_MS);
    }
  }

  listen();
  return stop;
}
