/** A picture that is to be repainted or extended: choosing it, its hole, its frame. */

import * as api from "./api.js";
import {$, h} from "./dom.js";
import {Frame, SIDES} from "./frame.js";
import {TOKEN} from "./geometry.js";
import {Painter} from "./painter.js";
import {Picture, readMask, thumb, writeMask} from "./pictures.js";

/** What is added to the right at first, as a share of the picture's width. */
const EXTEND = 0.5;

const LABELS = {left: "Left", right: "Right", up: "Above", down: "Below"};

export class Edit {
  /**
   * @param hole canvas on which a hole is painted
   * @param frameLayer element in which the frame is dragged
   * @param onChange called after anything changed here
   */
  constructor(hole, frameLayer, onChange) {
    this.onChange = onChange;
    this.task = "inpaint";
    this.picture = null;
    this.frame = new Frame(frameLayer, by => {
      this.by = by;
      this.showSides();
      onChange();
    });
    this.painter = new Painter(hole, "hole", {onChange: () => {
      this.showPainter();
      onChange();
    }});
  }

  /** Begins with a picture; null for none. */
  open(picture) {
    this.picture = picture;
    if (picture !== null) {
      this.by = {left: 0, right: Math.round(EXTEND * picture.width / TOKEN) * TOKEN, up: 0, down: 0};
      this.painter.open(picture, null);
    }
    this.show(this.task);
  }

  /** The name of the layer that the canvas shows for it. */
  get layer() {
    return this.picture === null ? "blank" : this.task === "inpaint" ? "hole" : "frame";
  }

  /** Width and height of what the canvas shows. */
  get shape() {
    const room = this.task === "outpaint" ? 2 * this.frame.room : 0;
    return {width: this.picture.width + room, height: this.picture.height + room};
  }

  /** Shows the tools for a task, inpaint or outpaint. */
  show(task) {
    this.task = task;
    const {picture} = this;
    const none = picture === null;
    $("source-more").open = none;
    $("source-drop").classList.toggle("small", !none);
    $("source-drop").firstElementChild.textContent = none ? "Drop a picture here" : "Drop or choose another picture";
    $("source-chosen").replaceChildren(...(none ? [] : [h("div.chosen-head", {},
      h("span.card-picture", {}, thumb(picture.view, 96)), h("strong", {}, picture.name),
      h("span.muted", {}, `${picture.width} x ${picture.height}`))]));
    $("source-tools").replaceChildren(...(none ? [] : task === "inpaint" ? this.holeTools() : this.frameTools()));
    if (!none && task === "outpaint") {
      this.frame.show(picture, this.by);
    }
    this.onChange();
  }

  /** Draws the hole again, in other colours. */
  repaint() {
    if (this.picture !== null) {
      this.painter.draw();
    }
  }

  /** Pictures to choose from. @param onTake called with one of them */
  offer(images, onTake) {
    $("source-more").hidden = images.length === 0;
    $("source-thumbs").replaceChildren(...images.map(image => h("li", {}, h("button.thumb", {
      type: "button", "aria-label": `Take ${image.prompt || "picture"}, seed ${image.seed}`, onclick: () => onTake(image),
    }, h("img", {src: image.url, alt: "", loading: "lazy"})))));
  }

  holeTools() {
    const tool = (value, label) => h("label", {}, h("input", {
      type: "radio", name: "hole-tool", value, checked: this.painter.tool === value, onchange: () => {
        this.painter.tool = value;
      },
    }), h("span", {}, label));
    return [
      h("div.tools", {role: "radiogroup", "aria-label": "Tool"}, tool("brush", "Brush"), tool("erase", "Eraser"),
        tool("box", "Box")),
      h("div.field", {}, h("label", {for: "hole-size"}, "Size of the brush"), h("input", {
        id: "hole-size", type: "range", min: "0.01", max: "0.5", step: "0.01", value: this.painter.size, oninput: event => {
          this.painter.size = Number(event.target.value);
        },
      })),
      h("div.row", {},
        h("button.quiet", {type: "button", id: "hole-undo", disabled: !this.painter.canUndo,
          onclick: () => this.painter.undo()}, "Undo"),
        h("button.quiet", {type: "button", id: "hole-redo", disabled: !this.painter.canRedo,
          onclick: () => this.painter.redo()}, "Redo"),
        h("button.quiet", {type: "button", onclick: () => this.painter.clear()}, "Clear")),
      h("p.error", {"data-pointer": "/mask", hidden: true}),
    ];
  }

  showPainter() {
    if ($("hole-undo")) {
      $("hole-undo").disabled = !this.painter.canUndo;
      $("hole-redo").disabled = !this.painter.canRedo;
      $("hole-size").value = this.painter.size;
    }
  }

  frameTools() {
    return [h("div.sides", {}, ...SIDES.map(side => h("div.field", {},
      h("label", {for: `side-${side}`}, LABELS[side]),
      h("input", {
        id: `side-${side}`, type: "number", min: 0, step: TOKEN, value: this.by[side], "data-field": `/${side}`,
        onchange: event => {
          this.by[side] = Math.max(0, Math.round(Number(event.target.value) || 0));
          this.frame.show(this.picture, this.by);
          this.showSides();
          this.onChange();
        },
      }),
      h("p.error", {"data-pointer": `/${side}`, hidden: true})))),
    h("p.help", {}, "Pixels to add on each side. Drag the edges of the frame, or write numbers.")];
  }

  showSides() {
    for (const side of SIDES) {
      $(`side-${side}`).value = this.by[side];
    }
  }

  /** What a request says of it. @throws Error with the field that is missing */
  async fields(parts) {
    if (this.picture === null) {
      throw Object.assign(new Error(), {errors: [{pointer: "/image", detail: "Choose the picture first."}]});
    }
    const image = this.picture.field("image", parts);
    if (this.task === "outpaint") {
      return {image, ...this.by};
    }
    if (this.painter.empty) {
      throw Object.assign(new Error(), {errors: [{pointer: "/mask", detail: "Paint over what shall be new first."}]});
    }
    parts.set("mask", await writeMask(this.painter.mask, this.picture));
    return {image, mask: "part:mask"};
  }

  /** Puts back what an earlier request says. */
  async restore(request) {
    const picture = await Picture.fetch(api.pictureUrl(request.image), request.image_prompt || "Picture", request.image);
    this.open(picture);
    if (request.mask) {
      this.painter.replace(await readMask(await api.file(api.pictureUrl(request.mask)), picture));
    }
    for (const side of SIDES) {
      this.by[side] = request[side] ?? 0;
    }
    this.show(request.task);
  }
}
