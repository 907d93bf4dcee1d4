/** The dialog in which a subject's mask is made: by transparency, a click, a box, a word or a brush. */

import * as api from "./api.js";
import {$, h, icon, onRadio, say} from "./dom.js";
import {alphaMask, readMask} from "./pictures.js";
import {Painter} from "./painter.js";

const TOOLS = [
  ["click", "Click", "Click on the subject. What belongs together there is found."],
  ["box", "Box", "Drag a box around the subject."],
  ["word", "Word", "Say what it is. The model marks where it sees that word; it must be one that it knows."],
  ["brush", "Brush", "Paint over the subject."],
  ["erase", "Eraser", "Paint over what does not belong to it."],
];

let dialog;
let painter;
let done;
let busy = 0;

/** Builds the dialog; once. */
export function setUp() {
  dialog = $("masker");
  const canvas = h("canvas.mask-canvas", {
    role: "application", "aria-label": "Picture. Arrow keys move a cross, Enter uses the tool there.",
    "aria-describedby": "masker-help",
  });
  dialog.append(h("form", {method: "dialog"},
    h("header", {}, h("h2", {id: "masker-title"}, "What is the subject?"),
      h("button.quiet.icon", {type: "button", "aria-label": "Close", onclick: () => close(null)}, icon("close"))),
    h("div.masker-body", {},
      h("div.masker-picture", {}, canvas, h("p.busy", {id: "masker-busy", hidden: true}, "Looking for the subject ...")),
      h("div.masker-tools", {},
        h("div.tools", {role: "radiogroup", "aria-label": "How to mark it"}, ...TOOLS.map(([value, label], i) =>
          h("label", {}, h("input", {type: "radio", name: "tool", value, checked: i === 0}), h("span", {}, label)))),
        h("p.help", {id: "masker-help"}, TOOLS[0][2]),
        h("div.field", {id: "word-field", hidden: true},
          h("label", {for: "word"}, "Word"),
          h("div.joined", {}, h("input", {id: "word", type: "text", autocomplete: "off", maxlength: 60}),
            h("button", {type: "button", id: "word-find"}, "Find"))),
        h("div.field", {id: "size-field", hidden: true},
          h("label", {for: "brush-size"}, "Size of the brush"),
          h("input", {id: "brush-size", type: "range", min: "0.01", max: "0.5", step: "0.01"})),
        h("p.error", {id: "masker-error", role: "alert", hidden: true}),
        h("div.row", {},
          h("button.quiet", {type: "button", id: "mask-undo", onclick: () => painter.undo()}, "Undo"),
          h("button.quiet", {type: "button", id: "mask-redo", onclick: () => painter.redo()}, "Redo"),
          h("button.quiet", {type: "button", onclick: () => painter.clear()}, "Clear"),
          h("button.quiet", {type: "button", id: "mask-alpha", onclick: () => painter.replace(alphaMask(painter.picture))},
            "Transparency")))),
    h("footer", {}, h("button.quiet", {type: "button", onclick: () => close(null)}, "Cancel"),
      h("button.primary", {type: "button", id: "mask-use", onclick: () => close(painter.mask)}, "Use this mask"))));

  painter = new Painter(canvas, "subject", {
    onChange: refresh,
    onClick: point => find(`click:${toPicture(point.x, "width")},${toPicture(point.y, "height")}`),
    onBox: box => find("box:" + [toPicture(box.x, "width"), toPicture(box.y, "height"),
      Math.max(1, toPicture(box.width, "width")), Math.max(1, toPicture(box.height, "height"))].join(",")),
  });
  onRadio("tool", choose);
  $("word-find").addEventListener("click", byWord);
  $("word").addEventListener("keydown", event => {
    if (event.key === "Enter") {
      event.preventDefault();
      byWord();
    }
  });
  $("brush-size").addEventListener("input", event => {
    painter.size = Number(event.target.value);
  });
  dialog.addEventListener("cancel", event => {
    event.preventDefault();
    close(null);
  });
}

/** A length of the working copy in pixels of the picture itself. */
function toPicture(length, side) {
  return Math.round(length * painter.picture[side] / painter.picture.view[side]);
}

/**
 * Asks for a mask.
 *
 * @param mask to begin with; null for none
 * @return the mask, or null when the user does not want one
 */
export function ask(picture, mask) {
  $("mask-alpha").hidden = !picture.transparent;
  $("word").value = "";
  error(null);
  choose(mask === null ? "click" : "brush");
  document.querySelector(`input[name="tool"][value="${painter.tool}"]`).checked = true;
  dialog.showModal();
  painter.open(picture, mask);
  painter.element.focus();
  refresh();
  return new Promise(resolve => {
    done = resolve;
  });
}

function close(mask) {
  busy++; // what is still being looked for comes too late
  $("masker-busy").hidden = true;
  dialog.close();
  done(mask);
}

function choose(tool) {
  painter.tool = tool;
  $("masker-help").textContent = TOOLS.find(([value]) => value === tool)[2];
  $("word-field").hidden = tool !== "word";
  $("size-field").hidden = tool !== "brush" && tool !== "erase";
  error(null);
}

function refresh() {
  $("mask-undo").disabled = !painter.canUndo;
  $("mask-redo").disabled = !painter.canRedo;
  $("brush-size").value = painter.size;
  $("mask-use").disabled = painter.empty;
}

function byWord() {
  const word = $("word").value.trim();
  if (word === "") {
    error("Write a word for the subject, such as teapot.");
    $("word").focus();
    return;
  }
  find(`attention:${word}`);
}

async function find(segment) {
  const mine = ++busy;
  $("masker-busy").hidden = false;
  error(null);
  try {
    const {picture} = painter;
    const parts = new Map();
    const image = picture.field("image", parts);
    const mask = await readMask(await api.segment({image, segment}, parts), picture);
    if (mine === busy) {
      painter.replace(mask);
      say("The subject is marked.");
    }
  } catch (problem) {
    if (mine === busy) {
      error(problem.message);
    }
  } finally {
    if (mine === busy) {
      $("masker-busy").hidden = true;
    }
  }
}

function error(sentence) {
  $("masker-error").textContent = sentence ?? "";
  $("masker-error").hidden = sentence === null;
}
