/** A mask that is painted on a picture: brush, eraser, box and click, with undo, by pointer or keyboard. */

import {say} from "./dom.js";
import {canvas, copy} from "./pictures.js";

const UNDO = 20;

/** Shortest long side of what is drawn, so that small pictures have smooth edges on the screen. */
const DRAWN_SIDE = 768;

/** Share of the picture's long side that an arrow key moves the cross by. */
const STEP = 1 / 64;

export class Painter {
  /**
   * @param element canvas on the page
   * @param look "subject" dims what is not marked, "hole" hatches what is
   * @param onChange called after each change of the mask
   * @param onClick called with {x, y} in pixels of the working copy when the tool is "click"
   * @param onBox called with {x, y, width, height} when the tool is "box"; without it the box is filled
   */
  constructor(element, look, {onChange, onClick, onBox}) {
    this.element = element;
    this.look = look;
    this.onChange = onChange;
    this.onClick = onClick;
    this.onBox = onBox;
    this.tool = "brush";
    this.size = 0.1;
    this.cross = null;
    this.corner = null;
    this.pointer = null;
    element.tabIndex = 0;
    element.addEventListener("pointerdown", event => this.down(event));
    element.addEventListener("pointermove", event => this.move(event));
    element.addEventListener("pointerup", event => this.up(event));
    element.addEventListener("pointercancel", event => this.up(event));
    element.addEventListener("pointerleave", () => {
      this.hover = null;
      this.draw();
    });
    element.addEventListener("keydown", event => this.key(event));
    element.addEventListener("blur", () => {
      this.cross = null;
      this.draw();
    });
  }

  /** Begins with a picture. @param mask null for an empty one */
  open(picture, mask) {
    this.picture = picture;
    const {width, height} = picture.view;
    this.mask = mask === null ? canvas(width, height) : copy(mask);
    this.past = [];
    this.future = [];
    this.blank = this.empty;
    const zoom = Math.max(1, DRAWN_SIDE / Math.max(width, height));
    this.element.width = Math.round(width * zoom);
    this.element.height = Math.round(height * zoom);
    this.draw();
  }

  /** Takes another mask, such as one that was found. */
  replace(mask) {
    this.remember();
    this.mask = copy(mask);
    this.changed();
  }

  clear() {
    this.replace(canvas(this.mask.width, this.mask.height));
  }

  /** Whether nothing is marked. */
  get empty() {
    const {width, height} = this.mask;
    const pixels = this.mask.getContext("2d").getImageData(0, 0, width, height).data;
    return !pixels.some((value, i) => i % 4 === 3 && value > 0);
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  undo() {
    if (this.canUndo) {
      this.future.push(this.mask);
      this.mask = this.past.pop();
      this.changed();
    }
  }

  redo() {
    if (this.canRedo) {
      this.past.push(this.mask);
      this.mask = this.future.pop();
      this.changed();
    }
  }

  remember() {
    this.past.push(copy(this.mask));
    if (this.past.length > UNDO) {
      this.past.shift();
    }
    this.future = [];
  }

  changed() {
    this.blank = this.empty;
    this.draw();
    this.onChange();
  }

  /** The pointer in pixels of the working copy. */
  at(event) {
    const room = this.element.getBoundingClientRect();
    return {
      x: (event.clientX - room.left) / room.width * this.mask.width,
      y: (event.clientY - room.top) / room.height * this.mask.height,
    };
  }

  down(event) {
    if (event.button !== 0) {
      return;
    }
    this.element.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.begin(this.at(event));
  }

  move(event) {
    this.hover = this.at(event);
    if (event.pointerId === this.pointer) {
      // A fast stroke has more points than there are events.
      const points = event.getCoalescedEvents?.() ?? [];
      (points.length > 0 ? points : [event]).forEach(point => this.go(this.at(point)));
    }
    this.draw();
  }

  up(event) {
    if (event.pointerId !== this.pointer) {
      return;
    }
    this.pointer = null;
    if (event.type === "pointercancel") {
      this.corner = null;
    }
    this.finish(this.at(event));
  }

  begin(point) {
    if (this.tool === "click") {
      this.onClick(this.inside(point));
    } else if (this.tool === "box") {
      this.corner = point;
      this.hover = point;
    } else {
      this.remember();
      this.last = point;
      this.go(point);
    }
  }

  go(point) {
    if (this.tool === "brush" || this.tool === "erase") {
      const context = this.mask.getContext("2d");
      context.globalCompositeOperation = this.tool === "erase" ? "destination-out" : "source-over";
      context.strokeStyle = "#fff";
      context.fillStyle = "#fff";
      context.lineWidth = this.size * this.side;
      context.beginPath();
      context.moveTo(this.last.x, this.last.y);
      context.lineTo(point.x, point.y);
      context.stroke();
      context.beginPath(); // a line without length draws nothing, not even round ends
      context.arc(point.x, point.y, this.size * this.side / 2, 0, 2 * Math.PI);
      context.fill();
      context.globalCompositeOperation = "source-over";
      this.last = point;
      this.blank = this.blank && this.tool === "erase";
    }
  }

  finish(point) {
    if (this.tool === "box" && this.corner !== null) {
      const from = this.inside(this.corner);
      const to = this.inside(point);
      this.corner = null;
      const box = {
        x: Math.min(from.x, to.x), y: Math.min(from.y, to.y),
        width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y),
      };
      if (box.width > 1 && box.height > 1) {
        this.box(box);
      }
    } else if (this.tool === "brush" || this.tool === "erase") {
      this.changed();
      return;
    }
    this.draw();
  }

  box(box) {
    if (this.onBox) {
      this.onBox(box);
      return;
    }
    this.remember();
    const context = this.mask.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(box.x, box.y, box.width, box.height);
    this.changed();
  }

  inside(point) {
    return {
      x: Math.round(Math.min(this.mask.width - 1, Math.max(0, point.x))),
      y: Math.round(Math.min(this.mask.height - 1, Math.max(0, point.y))),
    };
  }

  get side() {
    return Math.max(this.mask.width, this.mask.height);
  }

  key(event) {
    const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    const step = this.side * STEP * (event.shiftKey ? 4 : 1);
    if (event.key in moves) {
      const from = this.cross ?? {x: this.mask.width / 2, y: this.mask.height / 2};
      this.cross = this.inside({x: from.x + moves[event.key][0] * step, y: from.y + moves[event.key][1] * step});
      this.hover = this.corner === null ? null : this.cross;
      say(`${Math.round(100 * this.cross.x / this.mask.width)} % from the left, `
        + `${Math.round(100 * this.cross.y / this.mask.height)} % from the top`);
    } else if (event.key === "Enter" || event.key === " ") {
      this.cross ??= {x: this.mask.width / 2, y: this.mask.height / 2};
      if (this.tool === "box" && this.corner !== null) {
        this.finish(this.cross);
      } else {
        this.begin(this.cross);
        if (this.tool !== "box") {
          this.finish(this.cross);
        }
      }
    } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
      event.shiftKey ? this.redo() : this.undo();
    } else if (event.key === "[" || event.key === "]") {
      this.size = Math.min(0.5, Math.max(0.01, this.size * (event.key === "]" ? 1.25 : 0.8)));
      this.onChange();
    } else if (event.key === "Escape" && this.corner !== null) {
      this.corner = null;
      event.stopPropagation();
    } else {
      return;
    }
    event.preventDefault();
    this.draw();
  }

  draw() {
    const {width, height} = this.element;
    const context = this.element.getContext("2d");
    const style = getComputedStyle(this.element);
    const accent = style.getPropertyValue("--accent");
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture.view, 0, 0, width, height);
    if (!this.blank) {
      const mark = this.look === "subject" ? this.dimmed(width, height, style) : this.hatched(width, height, accent);
      context.drawImage(mark, 0, 0);
      context.drawImage(this.outline(width, height, accent), 0, 0);
    }

    const zoom = width / this.mask.width;
    context.lineWidth = 2;
    context.strokeStyle = accent;
    if (this.corner !== null && this.hover) {
      context.setLineDash([8, 6]);
      context.strokeRect(this.corner.x * zoom, this.corner.y * zoom, (this.hover.x - this.corner.x) * zoom,
        (this.hover.y - this.corner.y) * zoom);
      context.setLineDash([]);
    }
    const brush = this.tool === "brush" || this.tool === "erase";
    const spot = this.cross ?? this.hover;
    if (brush && spot) {
      for (const [colour, wide] of [["#000", 4], ["#fff", 2]]) {
        context.strokeStyle = colour;
        context.lineWidth = wide;
        context.beginPath();
        context.arc(spot.x * zoom, spot.y * zoom, this.size * this.side * zoom / 2, 0, 7);
        context.stroke();
      }
    }
    if (this.cross !== null) {
      for (const [colour, wide] of [["#fff", 6], [accent, 3]]) {
        context.strokeStyle = colour;
        context.lineWidth = wide;
        context.beginPath();
        context.moveTo(this.cross.x * zoom - 18, this.cross.y * zoom);
        context.lineTo(this.cross.x * zoom + 18, this.cross.y * zoom);
        context.moveTo(this.cross.x * zoom, this.cross.y * zoom - 18);
        context.lineTo(this.cross.x * zoom, this.cross.y * zoom + 18);
        context.stroke();
      }
    }
  }

  /** What is not the subject, behind a veil. */
  dimmed(width, height, style) {
    const veil = canvas(width, height);
    const context = veil.getContext("2d");
    context.globalAlpha = 0.78;
    context.fillStyle = style.getPropertyValue("--surface");
    context.fillRect(0, 0, width, height);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "destination-out";
    context.drawImage(this.mask, 0, 0, width, height);
    return veil;
  }

  /** The hole, hatched. */
  hatched(width, height, accent) {
    const hatch = canvas(width, height);
    const context = hatch.getContext("2d");
    context.globalAlpha = 0.55;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.globalAlpha = 0.8;
    context.strokeStyle = accent;
    context.lineWidth = 3;
    context.beginPath();
    for (let x = -height; x < width; x += 16) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.globalAlpha = 1;
    context.globalCompositeOperation = "destination-in";
    context.drawImage(this.mask, 0, 0, width, height);
    return hatch;
  }

  /** A line around the mask: the mask moved all around, without the mask. */
  outline(width, height, accent) {
    const line = canvas(width, height);
    const context = line.getContext("2d");
    for (let i = 0; i < 12; i++) {
      context.drawImage(this.mask, 3 * Math.cos(i * Math.PI / 6), 3 * Math.sin(i * Math.PI / 6), width, height);
    }
    context.globalCompositeOperation = "source-in";
    context.fillStyle = accent;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(this.mask, 0, 0, width, height);
    return line;
  }
}
