/** Elements, the live region and other small helpers of the page. */

/** The element with this id. */
export const $ = id => document.getElementById(id);

/**
 * Makes an element: h("button.quiet", {type: "button", onclick: f, "aria-label": "x"}, "text", child).
 * Names that begin with "on" are listeners, null and false leave an attribute out.
 */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      element.addEventListener(key.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

const ICONS = {
  up: "M12 19V5M6 11l6-6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  star: "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.9-5.2 2.9 1-5.9L3.5 9.7l5.9-.8z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  reuse: "M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  undo: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 0 12",
  keep: "M7 4h10v16l-5-4-5 4z",
  dice: "M5 5h14v14H5zM9 9h.01M15 15h.01M12 12h.01M15 9h.01M9 15h.01",
};

/** A line drawing that says nothing to a screen reader; the button around it has the words. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Tells a screen reader a sentence. */
export function say(sentence) {
  $("said").textContent = sentence;
}

let toastTimer = 0;

/** Shows a sentence for some seconds, and tells it to a screen reader. */
export function toast(sentence) {
  say(sentence);
  $("toast").textContent = sentence;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    $("toast").hidden = true;
  }, 6000);
}

/** The value of the checked radio button of a group. */
export function checked(name) {
  return document.querySelector(`input[name="${name}"]:checked`).value;
}

/** Checks one radio button of a group without telling anyone. */
export function check(name, value) {
  document.querySelector(`input[name="${name}"][value="${value}"]`).checked = true;
}

/** Calls f with the value whenever another radio button of a group is checked. */
export function onRadio(name, f) {
  for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
    input.addEventListener("change", () => f(input.value));
  }
}
