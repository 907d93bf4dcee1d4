/** Pictures in the browser: reading, masks, cut-outs. */

import * as api from "./api.js";
import {alphaBox} from "./geometry.js";

/** Longest side at which pictures are shown and masks are painted; what is sent has the picture's own size. */
const WORKING_SIDE = 1024;

/** A canvas of this size, with its context made for reading back. */
export function canvas(width, height) {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  made.getContext("2d", {willReadFrequently: true}).imageSmoothingQuality = "high";
  return made;
}

/** A copy that shares nothing. */
export function copy(from) {
  const made = canvas(from.width, from.height);
  made.getContext("2d").drawImage(from, 0, 0);
  return made;
}

/** A picture in its own size, and a working copy of at most 1024 pixels a side. */
export class Picture {
  /**
   * @param name what it is called on the page
   * @param blob the file, sent with a request
   * @param reference what stands for it in a request when the server has it already, else null
   */
  constructor(bitmap, name, blob, reference) {
    this.width = bitmap.width;
    this.height = bitmap.height;
    this.name = name;
    this.blob = blob;
    this.reference = reference;
    const scale = Math.min(1, WORKING_SIDE / Math.max(this.width, this.height));
    this.view = canvas(Math.max(1, Math.round(this.width * scale)), Math.max(1, Math.round(this.height * scale)));
    this.view.getContext("2d").drawImage(bitmap, 0, 0, this.view.width, this.view.height);
    this.transparent = hasAlpha(this.view);
  }

  /** @throws Error with a sentence when the file is no picture that the browser can read */
  static async read(blob, name, reference = null) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch (e) {
      throw new Error(`${name} is not a picture that can be read; use PNG, JPEG or WebP.`);
    }
    return new Picture(bitmap, name, blob, reference);
  }

  static async fetch(url, name, reference = null) {
    return Picture.read(await api.file(url), name, reference);
  }

  /** What a request says for this picture; its file joins the parts where the server does not have it. */
  field(partName, parts) {
    if (this.reference !== null) {
      return this.reference;
    }
    parts.set(partName, this.blob);
    return `part:${partName}`;
  }
}

function hasAlpha(view) {
  const pixels = view.getContext("2d").getImageData(0, 0, view.width, view.height).data;
  for (let i = 3; i < pixels.length; i += 4) {
    if (pixels[i] < 255) {
      return true;
    }
  }
  return false;
}

/** The mask that a picture's transparency is. */
export function alphaMask(picture) {
  return copy(picture.view);
}

/** A mask as the server writes it, white on black, brought to the size of the picture's working copy. */
export async function readMask(blob, picture) {
  const mask = canvas(picture.view.width, picture.view.height);
  const context = mask.getContext("2d");
  context.drawImage(await createImageBitmap(blob), 0, 0, mask.width, mask.height);
  const image = context.getImageData(0, 0, mask.width, mask.height);
  for (let i = 0; i < image.data.length; i += 4) {
    image.data[i + 3] = image.data[i];
  }
  context.putImageData(image, 0, 0);
  return mask;
}

/** A mask as the server reads it: white on black, of the picture's own size. */
export async function writeMask(mask, picture) {
  const white = copy(mask);
  const whiten = white.getContext("2d");
  whiten.globalCompositeOperation = "source-in";
  whiten.fillStyle = "#fff";
  whiten.fillRect(0, 0, white.width, white.height);
  const whole = new OffscreenCanvas(picture.width, picture.height);
  const context = whole.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, whole.width, whole.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(white, 0, 0, whole.width, whole.height);
  return whole.convertToBlob({type: "image/png"});
}

/** The subject alone, cropped to its box. */
export function cutOut(view, mask, box) {
  const made = canvas(box.width, box.height);
  const context = made.getContext("2d");
  context.drawImage(view, -box.x, -box.y);
  context.globalCompositeOperation = "destination-in";
  context.drawImage(mask, -box.x, -box.y);
  return made;
}

/** A small square canvas that shows a picture whole, without the empty space around it. */
export function thumb(view, side = 128) {
  const box = alphaBox(view) ?? {x: 0, y: 0, width: view.width, height: view.height};
  const made = canvas(side, side);
  const scale = Math.min(side / box.width, side / box.height);
  const width = box.width * scale;
  const height = box.height * scale;
  made.getContext("2d").drawImage(view, box.x, box.y, box.width, box.height, (side - width) / 2, (side - height) / 2, width,
    height);
  return made;
}
