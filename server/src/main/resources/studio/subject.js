/** A subject on the canvas: its picture, its mask and its place. */

import {MAX_SCALE, MIN_SCALE, TOKEN, alphaBox, fit, snap} from "./geometry.js";
import {alphaMask, cutOut, writeMask} from "./pictures.js";

/** Where a single subject stands at first: a little below the middle, on the ground. */
const GROUND = 0.6;

/** Longest side of a subject's box at first, as a share of the canvas: alone, and with others. */
const ALONE = 0.62;
const TOGETHER = 0.46;

let numbers = 0;

export class Subject {
  /**
   * @param mask of the picture's working copy; null where its transparency is the mask
   * @param kept name in the library under which the server has picture and mask; null for others
   */
  constructor(picture, mask = null, kept = null) {
    this.key = `subject-${++numbers}`;
    this.picture = picture;
    this.kept = kept;
    this.caption = "";
    this.scene = false;
    this.x = 0.5;
    this.y = GROUND;
    this.scale = 1;
    this.touched = false;
    this.masked = mask !== null;
    this.takeMask(mask ?? alphaMask(picture));
  }

  get name() {
    return this.picture.name;
  }

  /** Another mask than the one it began with. */
  setMask(mask) {
    this.kept = null;
    this.masked = true;
    this.takeMask(mask);
  }

  takeMask(mask) {
    this.mask = mask;
    this.box = alphaBox(mask);
    this.cut = this.box === null ? null : cutOut(this.picture.view, mask, this.box);
  }

  /** Computes anew where it stands; after each change of mask, scale or canvas. @param size {width, height} of the canvas */
  lay(size) {
    this.size = size;
    this.fit = this.box === null ? null : fit(this.mask, this.box, size, this.scale);
    this.moveTo(this.x, this.y);
  }

  /** @param x, y in fractions of the canvas; the middle goes as near as whole tokens allow */
  moveTo(x, y) {
    const tokens = this.fit?.tokens;
    if (tokens) {
      this.at = snap(tokens, x, y);
      this.x = this.at.x;
      this.y = this.at.y;
    }
  }

  /** Moves by whole tokens. */
  step(columns, rows) {
    this.moveTo(this.x + columns * TOKEN / this.size.width, this.y + rows * TOKEN / this.size.height);
    this.touched = true;
  }

  /** The box around what is seen of it, in fractions of the canvas; null when it is too small to be seen. */
  get shown() {
    if (!this.at) {
      return null;
    }
    const {left, top, width} = this.fit;
    const zoom = width / this.mask.width;
    return {
      x: (left + this.at.columns * TOKEN + this.box.x * zoom) / this.size.width,
      y: (top + this.at.rows * TOKEN + this.box.y * zoom) / this.size.height,
      width: this.box.width * zoom / this.size.width,
      height: this.box.height * zoom / this.size.height,
    };
  }

  setScale(scale) {
    this.scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, Math.round(scale * 100) / 100));
    this.touched = true;
    this.lay(this.size);
  }

  /** What a request says of it. */
  async entry(number, parts) {
    const entry = {reference: this.kept === null ? this.picture.field(`reference-${number}`, parts) : `@${this.kept}`};
    if (this.scene) {
      return {...entry, scene: true};
    }
    if (this.masked && this.kept === null) {
      parts.set(`mask-${number}`, await writeMask(this.mask, this.picture));
      entry.mask = `part:mask-${number}`;
    }
    if (this.caption !== "") {
      entry.prompt = this.caption;
    }
    return {...entry, x: round(this.x), y: round(this.y), scale: this.scale};
  }
}

const round = fraction => Math.round(fraction * 1e4) / 1e4;

/** Puts subjects that nobody has moved yet beside each other, in sizes that leave room. */
export function arrange(subjects, size) {
  const standing = subjects.filter(subject => !subject.scene);
  standing.forEach((subject, i) => {
    if (!subject.touched && subject.box !== null) {
      const room = standing.length === 1 ? ALONE : Math.min(TOGETHER, 1 / standing.length);
      subject.scale = 1;
      subject.x = (i + 0.5) / standing.length;
      subject.y = GROUND;
      const factor = Math.min(size.width / subject.mask.width, size.height / subject.mask.height);
      const natural = factor * Math.max(subject.box.width / size.width, subject.box.height / size.height);
      subject.scale = Math.min(1, Math.round(100 * room / natural) / 100);
    }
    subject.lay(size);
  });
}
