/** The frame around a picture that is to be extended: four edges that are dragged, or moved with arrow keys. */

import {h} from "./dom.js";
import {TOKEN} from "./geometry.js";
import {copy} from "./pictures.js";

/** Room on each side at first, as a share of the picture's longer side. */
const ROOM = 0.5;

const EDGES = {
  left: {label: "Left edge", across: true, outward: -1},
  right: {label: "Right edge", across: true, outward: 1},
  up: {label: "Upper edge", across: false, outward: -1},
  down: {label: "Lower edge", across: false, outward: 1},
};

export const SIDES = Object.keys(EDGES);

export class Frame {
  /** @param onChange called after an edge was moved, with {left, right, up, down} in pixels of the picture */
  constructor(element, onChange) {
    this.element = element;
    this.onChange = onChange;
    this.box = h("div.frame-box");
    this.edges = Object.fromEntries(SIDES.map(side => [side, h(`div.edge.${side}`, {
      tabindex: "0", role: "slider", "aria-label": EDGES[side].label, "aria-valuemin": "0",
      "aria-orientation": EDGES[side].across ? "horizontal" : "vertical",
      onpointerdown: event => this.drag(event, side),
      onkeydown: event => this.key(event, side),
    }, h("span"))]));
    this.box.append(...Object.values(this.edges));
  }

  /** @param by {left, right, up, down} in pixels of the picture */
  show(picture, by) {
    if (this.picture !== picture) {
      this.picture = picture;
      this.drawn = copy(picture.view);
      this.drawn.setAttribute("aria-hidden", "true");
      this.element.replaceChildren(this.drawn, this.box);
    }
    this.by = {...by};
    this.room = TOKEN * Math.ceil(Math.max(ROOM * Math.max(picture.width, picture.height), ...Object.values(by)) / TOKEN);
    this.lay();
  }

  lay() {
    const {width, height} = this.picture;
    const whole = {width: width + 2 * this.room, height: height + 2 * this.room};
    this.element.style.setProperty("aspect-ratio", `${whole.width} / ${whole.height}`);
    const put = (element, left, top, wide, high) => {
      element.style.left = `${100 * left / whole.width}%`;
      element.style.top = `${100 * top / whole.height}%`;
      element.style.width = `${100 * wide / whole.width}%`;
      element.style.height = `${100 * high / whole.height}%`;
    };
    const {left, right, up, down} = this.by;
    put(this.drawn, this.room, this.room, width, height);
    put(this.box, this.room - left, this.room - up, width + left + right, height + up + down);
    for (const side of SIDES) {
      this.edges[side].setAttribute("aria-valuenow", this.by[side]);
      this.edges[side].setAttribute("aria-valuemax", this.room);
      this.edges[side].setAttribute("aria-valuetext", `${this.by[side]} pixels added`);
    }
  }

  set(side, pixels) {
    this.by[side] = Math.min(this.room, Math.max(0, Math.round(pixels / TOKEN) * TOKEN));
    this.lay();
    this.onChange({...this.by});
  }

  drag(event, side) {
    if (event.button !== 0) {
      return;
    }
    const edge = this.edges[side];
    edge.focus({preventScroll: true});
    edge.setPointerCapture(event.pointerId);
    const {across, outward} = EDGES[side];
    const pixels = (this.picture.width + 2 * this.room) / this.element.getBoundingClientRect().width;
    const from = this.by[side];
    const start = across ? event.clientX : event.clientY;
    const move = moved => this.set(side, from + outward * pixels * ((across ? moved.clientX : moved.clientY) - start));
    const end = () => {
      edge.removeEventListener("pointermove", move);
      edge.removeEventListener("pointerup", end);
      edge.removeEventListener("pointercancel", end);
    };
    edge.addEventListener("pointermove", move);
    edge.addEventListener("pointerup", end);
    edge.addEventListener("pointercancel", end);
    event.preventDefault();
  }

  key(event, side) {
    const {across, outward} = EDGES[side];
    const steps = {ArrowRight: across ? outward : 1, ArrowLeft: across ? -outward : -1, ArrowUp: across ? 1 : -outward,
      ArrowDown: across ? -1 : outward, PageUp: 4, PageDown: -4};
    if (event.key in steps) {
      this.set(side, this.by[side] + steps[event.key] * TOKEN);
    } else if (event.key === "Home" || event.key === "End") {
      this.set(side, event.key === "Home" ? 0 : this.room);
    } else {
      return;
    }
    event.preventDefault();
  }
}
