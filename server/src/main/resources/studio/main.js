/** The studio: holds what is being made, and connects the parts of the page. */

import * as api from "./api.js";
import {$, check, checked, h, onRadio, say, toast} from "./dom.js";
import {Edit} from "./edit.js";
import * as form from "./form.js";
import {Gallery} from "./gallery.js";
import {Jobs} from "./jobs.js";
import * as masker from "./masker.js";
import {Picture, readMask} from "./pictures.js";
import * as restore from "./restore.js";
import {Stage, drawn} from "./stage.js";
import {Subject, arrange} from "./subject.js";
import {Tray} from "./tray.js";

const SCENES = ["a field of snow", "a beach", "a meadow", "a city at night", "a forest", "a wooden table"];

/** Pictures of the gallery that are offered for an edit. */
const OFFERED = 12;

/** A name of the library in a prompt. */
const MENTION = /(^|[^@])@[a-z]/;

const WORDS = {
  personalize: {title: "Canvas", prompt: "Scene", button: "Make the picture",
    placeholder: "Where shall it be? Such as: a field of snow"},
  inpaint: {title: "Paint over what shall be new", prompt: "What shall be there", button: "Repaint",
    placeholder: "Such as: a beach"},
  outpaint: {title: "Drag the frame", prompt: "What lies beyond", button: "Extend the picture",
    placeholder: "Such as: a meadow"},
};

const state = {
  mode: "personalize",
  view: "arrange",
  subjects: [],
  size: {width: 256, height: 256},
  limits: {subjects: 16},
  result: null,
};

const layers = {
  arrange: h("div.layer.arrange"),
  hole: h("canvas.layer.hole", {role: "application",
    "aria-label": "Picture. Arrow keys move a cross, Enter paints there, Control Z takes back."}),
  frame: h("div.layer.frame"),
  blank: h("div.layer.blank", {}, h("p.stage-hint", {}, h("strong", {}, "Choose a picture"),
    h("span", {}, "Drop one here, or take one at the side."))),
  result: h("div.layer.result"),
};
$("stage").append(...Object.values(layers));

const stage = new Stage(layers.arrange, {onChange: changed, onRemove: remove});
const edit = new Edit(layers.hole, layers.frame, () => {
  form.clearError();
  showLayer();
});
const gallery = new Gallery({
  onReuse: image => guarded(async () => told(await reuse(await restore.requestOf(image)))),
  onEdit: (task, image) => guarded(() => take(task, image)),
});
const tray = new Tray({
  onAdd: add, onMask: subject => guarded(() => changeMask(subject)), onChange: changed, onRemove: remove, onFront: toFront,
});
const jobs = new Jobs({
  onShown: showProgress,
  onDone: finished,
  onLost: lost,
  onReuse: job => guarded(async () => told(await reuse(job.request))),
});

/** Kept when the server has told what it can do; until then no place on the canvas is known. */
let isReady;
const ready = new Promise(resolve => {
  isReady = resolve;
});

/** Runs what may fail, and tells its sentence. */
async function guarded(f) {
  try {
    return await f();
  } catch (problem) {
    toast(problem.message);
    return undefined;
  }
}

// --- subjects ---

function changed() {
  stage.show(state.subjects, state.size);
  tray.show(state.subjects);
  form.clearError();
}

async function add(picture, kept) {
  await ready;
  if (state.subjects.length >= state.limits.subjects) {
    throw new Error(`A picture takes up to ${state.limits.subjects} subjects; remove one first.`);
  }
  let mask = null;
  if (kept) {
    mask = await readMask(await api.file(kept.mask), picture);
  } else if (!picture.transparent) {
    mask = await masker.ask(picture, null);
    if (mask === null) {
      return;
    }
  }
  const subject = new Subject(picture, mask, kept?.name ?? null);
  if (subject.box === null) {
    throw new Error(`${picture.name} is transparent everywhere; choose a picture that shows something.`);
  }
  state.subjects.push(subject);
  arrange(state.subjects, state.size);
  setView("arrange");
  changed();
  say(`${subject.name} is on the canvas.`);
}

async function changeMask(subject) {
  const mask = await masker.ask(subject.picture, subject.mask);
  if (mask !== null) {
    subject.setMask(mask);
    subject.lay(state.size);
    changed();
  }
}

function remove(subject) {
  const at = state.subjects.indexOf(subject);
  state.subjects.splice(at, 1);
  arrange(state.subjects, state.size);
  changed();
  const next = state.subjects[Math.min(at, state.subjects.length - 1)];
  next ? stage.focus(next) : $("drop").focus();
  say(`${subject.name} is removed.`);
}

function toFront(subject) {
  state.subjects.splice(state.subjects.indexOf(subject), 1);
  state.subjects.push(subject);
  changed();
  say(`${subject.name} stands in front.`);
}

function resize() {
  const size = {width: form.side("width"), height: form.side("height")};
  if (size.width !== state.size.width || size.height !== state.size.height) {
    state.size = size;
    arrange(state.subjects, size);
    shape();
    changed();
  }
}

/** A picture of the gallery to be repainted or extended. */
async function take(task, image) {
  const picture = await Picture.fetch(image.url, image.prompt || "Picture", `image:${image.id}`);
  setMode(task);
  edit.open(picture);
  $("stage-title").scrollIntoView({block: "nearest"});
}

function offer() {
  edit.offer(gallery.images.slice(0, OFFERED), image => guarded(() => take(state.mode, image)));
}

// --- what the canvas shows ---

function setMode(mode) {
  state.mode = mode;
  check("mode", mode);
  const words = WORDS[mode];
  const edits = mode !== "personalize";
  $("stage-title").textContent = words.title;
  document.querySelector("label[for=prompt]").textContent = words.prompt;
  $("prompt").placeholder = words.placeholder;
  $("generate").textContent = words.button;
  $("source").hidden = !edits;
  for (const element of [$("tray-title"), $("chosen"), $("drop"), document.querySelector(".shelf")]) {
    element.hidden = edits;
  }
  form.show(mode);
  form.clearError();
  setView("arrange");
  if (edits) {
    offer();
    edit.show(mode);
  }
}

function setView(view) {
  state.view = view;
  check("view", view);
  showLayer();
}

function showLayer() {
  const arranged = state.mode === "personalize" ? "arrange" : edit.layer;
  const shown = state.view === "result" && layers.result.firstChild !== null ? "result" : arranged;
  for (const [name, layer] of Object.entries(layers)) {
    layer.hidden = name !== shown;
  }
  $("views").hidden = layers.result.firstChild === null;
  $("result-bar").hidden = shown !== "result" || state.result === null;
  shape();
}

/** Gives the stage the proportions of what it shows. */
function shape() {
  const shown = Object.keys(layers).find(name => !layers[name].hidden);
  const {width, height} = shown === "result" ? layers.result.firstChild
    : shown === "hole" || shown === "frame" ? edit.shape : state.size;
  $("stage").style.setProperty("--ratio", width / height);
}

/** A finished picture on the canvas. */
function showResult(image) {
  state.result = image;
  layers.result.replaceChildren(h("img", {src: image.url, alt: `Made: ${image.prompt || "picture"}`, width: image.width,
    height: image.height}));
  $("result-bar").replaceChildren(...gallery.actions(image, () => {}));
  setView("result");
}

// --- making a picture ---

async function request() {
  const {mode, subjects} = state;
  const parts = new Map();
  const words = {task: mode, prompt: $("prompt").value.trim(), ...form.values()};
  const refuse = (pointer, detail) => {
    throw Object.assign(new Error(detail), {errors: [{pointer, detail}]});
  };
  if (mode === "personalize" && subjects.length === 0 && !MENTION.test(words.prompt)) {
    refuse("/subjects", "Choose a subject first: an example, or a picture of your own.");
  }
  const pictures = mode === "personalize" ? await entries(parts) : await edit.fields(parts);
  if (words.prompt === "") {
    refuse("/prompt", mode === "personalize" ? "Say where it shall be, such as: a field of snow."
      : "Say what shall be there, such as: a beach.");
  }
  return {request: {...words, ...pictures}, parts};
}

async function entries(parts) {
  const subjects = await Promise.all(state.subjects.map((subject, i) => subject.entry(i + 1, parts)));
  return subjects.length === 0 ? {} : {subjects, task: subjects.length > 1 ? "compose" : "personalize"};
}

async function make() {
  if ($("generate").disabled) {
    return;
  }
  form.clearError();
  $("generate").disabled = true;
  try {
    const made = await request();
    const job = await api.submit(made.request, made.parts);
    jobs.follow(job);
    jobs.show(job.id);
    setView("result");
    $("stage").scrollIntoView({block: "nearest"});
    say("The picture is being made.");
  } catch (problem) {
    form.showProblem(problem);
  } finally {
    $("generate").disabled = false;
  }
}

let saidAt = 0;
let previews = 0;

/** Progress on the canvas; null when nothing is under way. */
async function showProgress(job, progress, words) {
  $("progress").hidden = job === null;
  if (job === null) {
    if (layers.result.querySelector(".waiting, .preview") !== null) {
      state.result === null ? layers.result.replaceChildren() : showResult(state.result);
      setView(state.result === null ? "arrange" : state.view);
    }
    return;
  }
  $("progress-words").textContent = words;
  $("progress-bar").value = (progress?.percent ?? 0) / 100;
  $("cancel").hidden = words.startsWith("Stopping");
  if (Date.now() - saidAt > 5000) { // a screen reader shall not read every step
    saidAt = Date.now();
    say(words);
  }
  const first = layers.result.firstChild;
  const mine = ++previews;
  if (progress?.preview) {
    const bytes = Uint8Array.from(atob(progress.preview.slice(progress.preview.indexOf(",") + 1)), c => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    if (mine === previews && jobs.shown === job.id) {
      layers.result.replaceChildren(drawn(bitmap, "preview"));
    }
  } else if (first === null || first.dataset.job !== job.id && !first.classList.contains("preview")) {
    const waiting = h("canvas.waiting", {"data-job": job.id, "aria-hidden": "true"});
    waiting.width = state.size.width;
    waiting.height = state.size.height;
    layers.result.replaceChildren(waiting);
  }
  showLayer();
}

async function finished(job, shown) {
  await guarded(() => gallery.load());
  offer();
  if (shown && job.images.length > 0) {
    previews++;
    showResult(job.images[0]);
    say("The picture is done.");
  }
  job.warnings.forEach(toast);
}

function lost(is) {
  $("offline").hidden = !is;
}

// --- settings of earlier pictures ---

/** Puts a request's settings back. @return sentences about what could not be */
async function reuse(request) {
  await ready;
  const mode = request.task in WORDS ? request.task : "personalize";
  setMode(mode);
  $("prompt").value = request.prompt ?? "";
  form.fill(request);
  const missing = [];
  if (mode === "personalize") {
    state.size = {width: form.side("width"), height: form.side("height")};
    state.subjects = [];
    for (const [i, entry] of (request.subjects ?? []).entries()) {
      try {
        state.subjects.push(await restore.subject(entry, `Subject ${i + 1}`, tray.kept, state.size));
      } catch (problem) {
        missing.push(problem.message);
      }
    }
    changed();
    showLayer();
  } else if (request.image) {
    await edit.restore(request).catch(problem => missing.push(problem.message));
  }
  return missing;
}

function told(missing) {
  toast(["The settings are restored.", ...missing].join(" "));
}

async function reusePng(file) {
  const {request, missing} = await restore.requestIn(file);
  const sentences = await reuse(request);
  told(missing ? [...sentences, "The pictures that it was made from are files elsewhere; choose them again."] : sentences);
}

// --- files ---

/** A file for what is being made: a subject, or the picture to repaint or extend. */
async function open(file) {
  const picture = await Picture.read(file, file.name.replace(/\.[^.]+$/, ""));
  if (state.mode === "personalize") {
    await add(picture, null);
  } else {
    edit.open(picture);
    setView("arrange");
  }
}

/** A picture that was made here brings its settings where a subject is expected; else it is what is to be edited. */
async function dropped(file) {
  if (state.mode === "personalize" && await restore.isRecorded(file)) {
    await reusePng(file);
  } else {
    await open(file);
  }
}

function setUpFiles() {
  $("drop").addEventListener("click", () => $("file").click());
  $("source-drop").addEventListener("click", () => $("file").click());
  $("restore").addEventListener("click", () => $("restore-file").click());
  for (const [id, use] of [["file", open], ["restore-file", reusePng]]) {
    $(id).addEventListener("change", event => {
      const [file] = event.target.files;
      event.target.value = "";
      guarded(() => use(file));
    });
  }
  let inside = 0;
  const isFile = event => [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragenter", event => {
    if (isFile(event)) {
      inside++;
      $("curtain").hidden = document.querySelector("dialog[open]") !== null;
    }
  });
  document.addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    $("curtain").hidden = inside === 0 || $("curtain").hidden;
  });
  document.addEventListener("dragover", event => event.preventDefault());
  document.addEventListener("drop", event => {
    event.preventDefault();
    inside = 0;
    $("curtain").hidden = true;
    const file = event.dataTransfer.files[0];
    if (file && document.querySelector("dialog[open]") === null) {
      guarded(() => dropped(file));
    }
  });
  document.addEventListener("paste", event => {
    const file = event.clipboardData?.files[0];
    if (file) {
      event.preventDefault();
      guarded(() => open(file));
    }
  });
}

// --- the page ---

function setUpTheme() {
  const dark = () => {
    const {theme} = document.documentElement.dataset;
    return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const tell = () => $("theme").setAttribute("aria-pressed", String(dark()));
  tell();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
  $("theme").addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("likeness-theme", theme);
    } catch (e) {
      // Without storage the choice holds until the page is left.
    }
    tell();
    edit.repaint();
  });
}

function setUpComposer() {
  $("chips").append(...SCENES.map(scene => h("button.chip", {type: "button", onclick: () => {
    $("prompt").value = scene;
    form.clearError();
  }}, scene)));
  $("composer").addEventListener("submit", event => {
    event.preventDefault();
    make();
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && document.querySelector("dialog[open]") === null) {
      event.preventDefault();
      make();
    }
  });
  $("prompt").addEventListener("input", () => form.clearError("/prompt"));
  $("clear").addEventListener("click", () => {
    state.subjects = [];
    edit.open(null);
    $("prompt").value = "";
    form.fill({});
    resize();
    changed();
    setMode(state.mode);
    say("Everything is as at the beginning.");
  });
  $("cancel").addEventListener("click", () => jobs.cancel(jobs.shown));
}

/** Asks for the token of a server that wants one. */
function askForToken() {
  const dialog = $("keeper");
  const token = h("input", {id: "token", type: "password", autocomplete: "current-password"});
  const error = h("p.error", {role: "alert", hidden: true});
  let open = false;
  return new Promise(resolve => {
    dialog.replaceChildren(h("form", {
      onsubmit: async event => {
        event.preventDefault();
        try {
          await api.openSession(token.value);
          open = true;
          dialog.close();
          resolve();
        } catch (problem) {
          error.textContent = problem.status === 401 || problem.status === 403
            ? "That is not the token of this server." : problem.message;
          error.hidden = false;
          token.focus();
        }
      },
    }, h("h2", {id: "keeper-title"}, "This server asks for a token"),
    h("div.field", {}, h("label", {for: "token"}, "Token"), token,
      h("p.help", {}, "Whoever runs the server knows it.")), error,
    h("div.row.end", {}, h("button.primary", {type: "submit"}, "Open the studio"))));
    // There is no studio without the token: Escape leads back here.
    dialog.addEventListener("close", function again() {
      open ? dialog.removeEventListener("close", again) : dialog.showModal();
    });
    dialog.showModal();
  });
}

const RETRY_MS = 2000;

async function begin() {
  try {
    const {model, defaults, limits} = await api.capabilities();
    lost(false);
    $("model").textContent = `${model.name}, ${defaults.width} x ${defaults.height}`;
    state.size = {width: defaults.width, height: defaults.height};
    state.limits = limits;
    form.takeDefaults(defaults);
    shape();
    changed();
    await Promise.all([tray.loadLibrary(), gallery.load()]);
    isReady();
    const running = await jobs.load();
    if (running !== null) {
      await guarded(() => reuse(running.request));
      setView("result");
    }
  } catch (problem) {
    if (!problem.offline && problem.status !== 503) {
      toast(problem.message);
      return;
    }
    lost(true);
    setTimeout(begin, RETRY_MS);
  }
}

api.onTokenNeeded(askForToken);
masker.setUp();
form.setUp(name => {
  if (name === "width" || name === "height") {
    resize();
  }
});
setUpTheme();
setUpComposer();
setUpFiles();
onRadio("mode", setMode);
onRadio("view", setView);
guarded(() => tray.loadExamples());
setMode(checked("mode"));
begin();
