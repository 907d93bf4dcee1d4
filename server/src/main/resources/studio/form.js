/** The fields behind "Advanced", and errors beside the fields that they are about. */

import {$, h, icon} from "./dom.js";

const PERSONALIZE = ["personalize"];
const EDITS = ["inpaint", "outpaint"];

/** In the order of the page. A field without `tasks` is for all. */
const FIELDS = [
  {name: "seed", label: "Seed", type: "number", step: 1, placeholder: "random",
    help: "Where chance begins. The same seed and settings give the same picture again."},
  {name: "num_images", label: "Pictures", type: "number", min: 1, step: 1,
    help: "How many are made, each from the next seed."},
  {name: "steps", label: "Steps", type: "number", min: 1, step: 1,
    help: "How often the picture is refined. More takes longer and helps up to a point."},
  {name: "tau", label: "Tau", type: "number", min: 0, max: 1, step: 0.05,
    help: "The subject's parts are put in while the noise is above tau. Less: more likeness. More: more freedom."},
  {name: "perturb", label: "Perturbation", type: "checkbox", tasks: PERSONALIZE,
    help: "Shuffles the subject's parts within small windows: looser likeness, freer pose."},
  {name: "true_cfg_scale", label: "Guidance", type: "number", min: 1, max: 100, step: 0.5,
    help: "How closely the picture follows the words; 1 for none."},
  {name: "negative_prompt", label: "Not in the picture", type: "text",
    help: "Words that guidance leads away from."},
  {name: "width", label: "Width", type: "number", min: 16, step: 16, tasks: PERSONALIZE,
    help: "In pixels, a multiple of 16."},
  {name: "height", label: "Height", type: "number", min: 16, step: 16, tasks: PERSONALIZE,
    help: "In pixels, a multiple of 16."},
  {name: "image_prompt", label: "What the picture shows", type: "text", tasks: EDITS,
    help: "Helps the new part to fit the kept one."},
  {name: "soft_edge", label: "Soft edge", type: "number", min: 0, max: 1024, step: 1, tasks: EDITS,
    help: "Pixels over which old and new mix."},
];

const TAUS = {inpaint: "inpaint_tau", outpaint: "outpaint_tau"};

let defaults = {};
let mode = "personalize";

/** Builds the fields; once. @param onChange called with the name of a field that the user changed */
export function setUp(onChange) {
  $("fields").append(...FIELDS.map(field => {
    const id = `field-${field.name}`;
    const input = h("input", {
      id, type: field.type, "data-field": `/${field.name}`, "aria-describedby": `${id}-help`, min: field.min, max: field.max,
      step: field.step, placeholder: field.placeholder, autocomplete: "off",
      oninput: () => {
        clearError(`/${field.name}`);
        onChange(field.name);
      },
    });
    const label = h("label", {for: id}, field.label);
    const dice = field.name !== "seed" ? null : h("button.quiet.icon", {
      type: "button", "aria-label": "Another seed", title: "Another seed",
      onclick: () => {
        input.value = Math.floor(Math.random() * 1e9);
        clearError("/seed");
        onChange("seed");
      },
    }, icon("dice"));
    return h(field.type === "checkbox" ? "div.field.check" : "div.field", {id: `${id}-box`},
      label, dice === null ? input : h("div.joined", {}, input, dice),
      h("p.help", {id: `${id}-help`}, field.help),
      h("p.error", {"data-pointer": `/${field.name}`, hidden: true}));
  }));
}

/** Shows the model's settings where nothing is written. */
export function takeDefaults(from) {
  defaults = from;
  show(mode);
  $("field-perturb").checked = defaults.perturb;
}

const isFor = (field, task) => (field.tasks ?? [task]).includes(task);

const standard = name => name === "tau" ? defaults[TAUS[mode] ?? "tau"] : defaults[name];

/** Shows the fields of a task. */
export function show(task) {
  mode = task;
  for (const field of FIELDS) {
    $(`field-${field.name}-box`).hidden = !isFor(field, task);
    const value = standard(field.name);
    if (field.type === "number" && value !== undefined) {
      $(`field-${field.name}`).placeholder = value;
    }
  }
}

/**
 * What is written in the fields, by name; what is empty is left to the server.
 *
 * @throws {pointer, message} when something is not a number
 */
export function values() {
  const values = {};
  for (const field of FIELDS.filter(field => isFor(field, mode))) {
    const input = $(`field-${field.name}`);
    if (field.type === "checkbox") {
      if (input.checked !== defaults[field.name]) {
        values[field.name] = input.checked;
      }
    } else if (input.validity.badInput) {
      throw Object.assign(new Error(`${field.label} is not a number; write one, or leave it empty.`),
        {errors: [{pointer: `/${field.name}`, detail: "Write a number, or leave it empty."}]});
    } else if (input.value.trim() !== "") {
      values[field.name] = field.type === "number" ? Number(input.value) : input.value.trim();
    }
  }
  return values;
}

/** Writes a request's values into the fields and empties the others. */
export function fill(request) {
  for (const field of FIELDS) {
    const input = $(`field-${field.name}`);
    if (field.type === "checkbox") {
      input.checked = request[field.name] ?? defaults[field.name] ?? false;
    } else {
      input.value = request[field.name] ?? "";
    }
  }
}

/** A number of the canvas: what is written, when that can be one, or the model's. */
export function side(name) {
  const value = Number($(`field-${name}`).value);
  return Number.isInteger(value) && value >= 16 && value % 16 === 0 ? value : defaults[name];
}

const errorOf = pointer => document.querySelector(`.error[data-pointer="${CSS.escape(pointer)}"]`);
const fieldOf = pointer => document.querySelector(`[data-field="${CSS.escape(pointer)}"]`);

/** Takes away what is said about one field, or about all. */
export function clearError(pointer) {
  const errors = pointer === undefined ? document.querySelectorAll(".error[data-pointer]") : [errorOf(pointer)];
  for (const error of errors) {
    if (error !== null && !error.hidden) {
      error.hidden = true;
      error.textContent = "";
      const field = fieldOf(error.dataset.pointer);
      field?.removeAttribute("aria-invalid");
    }
  }
  $("form-error").hidden = true;
}

/** Shows what is wrong: beside the field where the server names one, else above the button. */
export function showProblem(problem) {
  clearError();
  let first = null;
  let told = false;
  for (const {pointer, detail} of problem.errors ?? []) {
    // What is wrong with a part of a field, such as /subjects/0/mask, is told at the nearest field around it.
    let at = pointer.replace(/^#/, "");
    while (at !== "" && errorOf(at) === null) {
      at = at.slice(0, at.lastIndexOf("/"));
    }
    const error = at === "" ? null : errorOf(at);
    if (error === null || error.closest("[hidden]:not(.error)") !== null) {
      continue;
    }
    error.textContent = detail;
    error.hidden = false;
    told = true;
    error.id ||= `error${at.replaceAll("/", "-")}`;
    const field = fieldOf(at);
    if (field !== null) {
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", `${error.id} ${field.id}-help`);
    }
    first ??= field ?? error;
  }
  if (told) {
    if (first.closest("details")) {
      first.closest("details").open = true;
    }
    first.focus();
    first.scrollIntoView({block: "nearest"});
  } else {
    $("form-error").textContent = problem.message;
    $("form-error").hidden = false;
  }
}
