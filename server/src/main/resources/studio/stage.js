/** The canvas on which subjects are arranged: each is an element of its own, for pointer, keyboard and screen reader. */

import {h, say} from "./dom.js";
import {canvas} from "./pictures.js";
import {TOKEN} from "./geometry.js";

const GROW = 1.1;

export class Stage {
  /**
   * @param element where the subjects stand
   * @param onChange called after a subject was moved or scaled here, with the subject
   * @param onRemove called with a subject that shall go
   */
  constructor(element, {onChange, onRemove}) {
    this.element = element;
    this.onChange = onChange;
    this.onRemove = onRemove;
    this.elements = new Map();
    this.tokens = h("canvas.tokens", {"aria-hidden": "true"});
    this.hint = h("p.stage-hint", {}, h("strong", {}, "Choose a subject"),
      h("span", {}, "It appears here. Drag it to its place; the scene around it is drawn from your words."));
    element.append(this.tokens, this.hint);
  }

  /** Shows these subjects, the last in front. @param size {width, height} of the canvas in pixels */
  show(subjects, size) {
    this.size = size;
    this.element.style.setProperty("--columns", size.width / TOKEN);
    this.element.style.setProperty("--rows", size.height / TOKEN);
    this.hint.hidden = subjects.length > 0;
    const gone = new Set(this.elements.keys());
    let before = this.hint;
    for (const subject of subjects) {
      gone.delete(subject.key);
      const element = this.elements.get(subject.key) ?? this.make(subject);
      this.elements.set(subject.key, element);
      // Moving an element that has the focus would take it away.
      if (before.nextSibling !== element) {
        before.after(element);
      }
      before = element;
      this.place(subject, element);
    }
    for (const key of gone) {
      this.elements.get(key).remove();
      this.elements.delete(key);
    }
    this.mark(null);
  }

  focus(subject) {
    this.elements.get(subject.key)?.focus({preventScroll: true});
  }

  make(subject) {
    const handle = h("span.handle", {"aria-hidden": "true"});
    const element = h("div.placed", {
      tabindex: "0", role: "group", "aria-roledescription": "movable subject",
      onpointerdown: event => this.drag(event, subject, element, event.target === handle),
      onkeydown: event => this.key(event, subject),
      onfocus: () => this.mark(subject),
      onblur: () => this.mark(null),
    }, h("canvas", {"aria-hidden": "true"}), handle);
    return element;
  }

  place(subject, element) {
    element.classList.toggle("scene", subject.scene);
    const shown = subject.scene ? {x: 0, y: 0, width: 1, height: 1} : subject.shown;
    element.hidden = shown === null;
    element.setAttribute("aria-label", this.words(subject));
    if (shown === null) {
      return;
    }
    const picture = subject.scene ? subject.picture.view : subject.cut;
    const drawn = element.firstChild;
    if (drawn.source !== picture) {
      drawn.source = picture;
      drawn.width = picture.width;
      drawn.height = picture.height;
      drawn.getContext("2d").drawImage(picture, 0, 0);
    }
    element.style.left = `${100 * shown.x}%`;
    element.style.top = `${100 * shown.y}%`;
    element.style.width = `${100 * shown.width}%`;
    element.style.height = `${100 * shown.height}%`;
  }

  words(subject) {
    if (subject.scene) {
      return `${subject.name}, the scene`;
    }
    const [x, y, size] = [subject.x, subject.y, subject.scale].map(share => `${Math.round(100 * share)} %`);
    return `${subject.name}, middle ${x} from the left and ${y} from the top, size ${size}. `
      + "Arrow keys move, plus and minus scale, Delete removes.";
  }

  drag(event, subject, element, scaling) {
    if (event.button !== 0 || subject.scene) {
      return;
    }
    element.focus({preventScroll: true});
    element.setPointerCapture(event.pointerId);
    element.classList.add("dragged");
    const room = this.element.getBoundingClientRect();
    const from = {x: subject.x, y: subject.y, scale: subject.scale, pointer: [event.clientX, event.clientY]};
    const middle = [room.left + from.x * room.width, room.top + from.y * room.height];
    const distance = (x, y) => Math.max(8, Math.hypot(x - middle[0], y - middle[1]));
    const move = moved => {
      if (scaling) {
        subject.x = from.x;
        subject.y = from.y;
        subject.setScale(from.scale * distance(moved.clientX, moved.clientY) / distance(...from.pointer));
      } else {
        subject.moveTo(from.x + (moved.clientX - from.pointer[0]) / room.width,
          from.y + (moved.clientY - from.pointer[1]) / room.height);
      }
      subject.touched = true;
      this.place(subject, element);
      this.mark(subject);
    };
    const end = () => {
      element.classList.remove("dragged");
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", end);
      element.removeEventListener("pointercancel", end);
      this.onChange(subject);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
    event.preventDefault();
  }

  key(event, subject) {
    const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.onRemove(subject);
      return;
    }
    if (subject.scene) {
      return;
    }
    if (event.key in moves) {
      const far = event.shiftKey ? 4 : 1;
      subject.step(far * moves[event.key][0], far * moves[event.key][1]);
    } else if (event.key === "+" || event.key === "=") {
      subject.setScale(subject.scale * GROW);
    } else if (event.key === "-") {
      subject.setScale(subject.scale / GROW);
    } else {
      return;
    }
    event.preventDefault();
    this.onChange(subject);
    this.mark(subject);
    say(this.words(subject).split(". ")[0]);
  }

  /** Shows which tokens a subject takes; null for none. */
  mark(subject) {
    const tokens = subject?.fit?.tokens;
    this.tokens.hidden = !tokens || subject.scene;
    if (this.tokens.hidden) {
      return;
    }
    this.tokens.width = tokens.columns;
    this.tokens.height = tokens.rows;
    const context = this.tokens.getContext("2d");
    context.fillStyle = getComputedStyle(this.element).getPropertyValue("--accent");
    tokens.covered.forEach((covered, i) => {
      if (covered) {
        context.fillRect(i % tokens.columns + subject.at.columns, Math.floor(i / tokens.columns) + subject.at.rows, 1, 1);
      }
    });
  }
}

/** Draws a picture that may be a preview of a few pixels, smoothly. */
export function drawn(bitmap, className) {
  const made = canvas(bitmap.width, bitmap.height);
  made.className = className;
  made.getContext("2d").drawImage(bitmap, 0, 0);
  return made;
}
