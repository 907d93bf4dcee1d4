/** The subjects to choose from, and those that are chosen. */

import * as api from "./api.js";
import {$, h, icon, onRadio, toast} from "./dom.js";
import {Picture, canvas, thumb, writeMask} from "./pictures.js";

/** Examples that are shown before "Show all". */
const FEW = 12;

/** What begins a name of the library, and what it consists of. */
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

export class Tray {
  /**
   * @param onAdd called with a Picture and the name that the library has it under, or null
   * @param onMask called with a subject whose mask is to be changed
   * @param onChange called after a subject changed here
   * @param onRemove called with a subject that shall go
   * @param onFront called with a subject that shall stand in front
   */
  constructor({onAdd, onMask, onChange, onRemove, onFront}) {
    Object.assign(this, {onAdd, onMask, onChange, onRemove, onFront});
    this.cards = new Map();
    this.examples = [];
    this.kept = [];
    this.shelf = "examples";
    this.all = false;
    onRadio("shelf", value => {
      this.shelf = value;
      this.draw();
    });
    $("thumbs-all").addEventListener("click", () => {
      this.all = true;
      this.draw();
    });
  }

  async loadExamples() {
    this.examples = await (await fetch("examples.json")).json();
    this.draw();
  }

  async loadLibrary() {
    const {subjects, warnings} = await api.subjects();
    this.kept = subjects;
    this.draw();
    warnings.forEach(toast);
  }

  draw() {
    const examples = this.shelf === "examples";
    const few = examples && !this.all ? this.examples.slice(0, FEW) : this.examples;
    $("thumbs").replaceChildren(...(examples
      ? few.map(name => this.item(label(name), `examples/${name}.png`, null))
      : this.kept.map(subject => this.item(subject.name, subject.reference, subject))));
    $("thumbs-all").hidden = !examples || this.all || this.examples.length <= FEW;
    $("thumbs-all").textContent = `Show all ${this.examples.length}`;
    $("shelf-empty").hidden = examples || this.kept.length > 0;
  }

  item(name, url, kept) {
    const button = h("button.thumb", {type: "button", "aria-label": `Add ${name}`, title: name}, canvas(128, 128));
    const loaded = Picture.fetch(url, name).then(async picture => {
      if (kept !== null) {
        picture.kept = kept;
      }
      button.firstChild.replaceWith(thumb(picture.view));
      return picture;
    });
    loaded.catch(() => button.classList.add("broken"));
    button.addEventListener("click", async () => {
      try {
        await this.onAdd(await loaded, kept);
      } catch (problem) {
        toast(problem.message);
      }
    });
    const remove = kept === null ? null : h("button.remove.icon", {
      type: "button", "aria-label": `Remove ${name} from the library`, title: "Remove from the library",
      onclick: () => this.forget(kept.name),
    }, icon("close"));
    return h("li", {}, button, remove);
  }

  async forget(name) {
    try {
      await api.removeSubject(name);
      toast(`@${name} is removed from the library.`);
      await this.loadLibrary();
    } catch (problem) {
      toast(problem.message);
    }
  }

  /** Shows the chosen subjects. */
  show(subjects) {
    const gone = new Set(this.cards.keys());
    let before = null;
    subjects.forEach((subject, i) => {
      gone.delete(subject.key);
      const card = this.cards.get(subject.key) ?? this.card(subject);
      this.cards.set(subject.key, card);
      const place = before === null ? $("chosen").firstChild : before.nextSibling;
      if (place !== card.element) {
        $("chosen").insertBefore(card.element, place);
      }
      before = card.element;
      this.update(subject, card, i === subjects.length - 1);
    });
    for (const key of gone) {
      this.cards.get(key).element.remove();
      this.cards.delete(key);
    }
    $("drop").classList.toggle("small", subjects.length > 0);
    $("drop").firstElementChild.textContent = subjects.length > 0 ? "Drop or choose another picture"
      : "Drop a picture of it here";
  }

  card(subject) {
    const id = subject.key;
    const picture = h("span.card-picture");
    const size = h("input", {
      id: `${id}-size`, type: "range", min: "0.1", max: "2", step: "0.02",
      oninput: event => {
        subject.setScale(Number(event.target.value));
        this.onChange(subject);
      },
    });
    const percent = h("output", {for: size.id});
    const front = h("button.quiet.icon", {type: "button", "aria-label": `Bring ${subject.name} to the front`,
      title: "To the front", onclick: () => this.onFront(subject)}, icon("up"));
    const scene = h("input", {type: "checkbox", id: `${id}-scene`, onchange: event => {
      subject.scene = event.target.checked;
      this.onChange(subject);
    }});
    const caption = h("input", {
      type: "text", id: `${id}-caption`, autocomplete: "off", "aria-describedby": `${id}-caption-help`, oninput: event => {
        subject.caption = event.target.value.trim();
      },
    });
    caption.value = subject.caption;
    const mask = h("button.quiet", {type: "button", onclick: () => this.onMask(subject)}, "Mask");
    const sizeBox = h("div.size", {}, h("label", {for: size.id}, "Size"), size, percent);
    const element = h("li.chosen-card", {"data-subject": id},
      h("div.chosen-head", {}, picture, h("strong", {}, subject.name), mask, front,
        h("button.quiet.icon", {type: "button", "aria-label": `Remove ${subject.name}`, title: "Remove",
          onclick: () => this.onRemove(subject)}, icon("close"))),
      sizeBox,
      h("p.error.small-error", {hidden: true}, "Too small to be drawn; make it larger."),
      h("details", {}, h("summary", {"aria-label": `More about ${subject.name}`}, "More"),
        h("div.field", {}, h("label", {for: caption.id}, "What it is"), caption,
          h("p.help", {id: `${id}-caption-help`}, "Words for what the picture shows. May stay empty.")),
        h("div.field.check", {}, h("label", {for: scene.id}, "This picture is the scene"), scene,
          h("p.help", {}, "It fills the canvas, and the others are put into it.")),
        h("button.quiet", {type: "button", onclick: () => this.keep(subject)}, icon("keep"), "Keep in the library")));
    return {element, picture, size, percent, front, scene, mask, sizeBox, error: element.querySelector(".small-error")};
  }

  update(subject, card, last) {
    const shown = subject.cut ?? subject.picture.view;
    if (card.shown !== shown) {
      card.shown = shown;
      card.picture.replaceChildren(thumb(shown, 96));
    }
    card.size.max = Math.max(2, subject.scale);
    card.size.value = subject.scale;
    card.percent.textContent = `${Math.round(100 * subject.scale)} %`;
    card.sizeBox.hidden = subject.scene;
    card.mask.hidden = subject.scene;
    card.front.hidden = last;
    card.scene.checked = subject.scene;
    card.error.hidden = subject.scene || subject.shown !== null;
  }

  /** Asks for a name and keeps the subject under it. */
  keep(subject) {
    const name = h("input", {id: "keep-name", type: "text", autocomplete: "off", maxlength: 64,
      "aria-describedby": "keep-help"});
    name.value = subject.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^[^a-z]+|-+$/g, "");
    const words = h("input", {id: "keep-words", type: "text", autocomplete: "off"});
    words.value = subject.caption;
    const error = h("p.error", {role: "alert", hidden: true});
    const dialog = $("keeper");
    const refuse = sentence => {
      error.textContent = sentence;
      error.hidden = false;
      name.setAttribute("aria-invalid", "true");
      name.focus();
    };
    dialog.replaceChildren(h("form", {
      novalidate: true,
      onsubmit: async event => {
        event.preventDefault();
        if (!NAME.test(name.value)) {
          refuse("Write a name of small letters, digits, - and _ that begins with a letter.");
          return;
        }
        try {
          const parts = new Map();
          const request = {name: name.value, reference: subject.picture.field("reference", parts)};
          parts.set("mask", await writeMask(subject.mask, subject.picture));
          request.mask = "part:mask";
          if (words.value.trim() !== "") {
            request.prompt = words.value.trim();
          }
          await api.addSubject(request, parts);
          dialog.close();
          toast(`Kept. Write @${name.value} in a prompt to put it into a picture.`);
          await this.loadLibrary();
        } catch (problem) {
          refuse(problem.errors?.[0]?.detail ?? problem.message);
        }
      },
    }, h("h2", {id: "keeper-title"}, "Keep the subject"),
    h("div.field", {}, h("label", {for: "keep-name"}, "Name"), name,
      h("p.help", {id: "keep-help"}, "Small letters, digits, - and _. In prompts it is @name.")),
    h("div.field", {}, h("label", {for: "keep-words"}, "Words for it in prompts"), words,
      h("p.help", {}, "May stay empty; then its name is used.")),
    error,
    h("div.row.end", {}, h("button.quiet", {type: "button", onclick: () => dialog.close()}, "Cancel"),
      h("button.primary", {type: "submit"}, "Keep"))));
    dialog.showModal();
    name.select();
  }
}

const label = name => name.replaceAll("-", " ");
