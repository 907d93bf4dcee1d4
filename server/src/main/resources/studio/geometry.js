/**
 * Where a subject comes to stand, as the server computes it: references are fitted to the canvas, subjects move by whole
 * tokens. What the canvas shows while a subject is dragged is therefore where it lands.
 */

/** Pixels of a token along a side. */
export const TOKEN = 16;

/** Scales that the server takes. */
export const MIN_SCALE = 0.05;
export const MAX_SCALE = 8;

/** Share of a token's pixels that must be the subject's for the token to be. */
const COVERED = 0.25;

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Where a picture of this length begins on the canvas: in the middle, or with its subject as near to there as it can. */
function offset(length, canvas, middle) {
  return length <= canvas
    ? Math.trunc((canvas - length) / 2)
    : Math.min(0, Math.max(canvas - length, Math.trunc(canvas / 2) - middle));
}

/** The smallest box around what is not transparent: {x, y, width, height}, or null when all of it is. */
export function alphaBox(canvas) {
  const {width, height} = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let left = width;
  let top = height;
  let right = -1;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[4 * (y * width + x) + 3] > 0) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
  }
  return right < 0 ? null : {x: left, y: top, width: right - left + 1, height: bottom - top + 1};
}

/**
 * A reference on the canvas, before its subject is moved.
 *
 * @param mask canvas of the picture's size, opaque where the subject is
 * @param box what alphaBox says of the mask
 * @param size of the canvas, {width, height} in pixels
 * @return {left, top, width, height} of the picture in pixels of the canvas, and tokens, null when the subject covers none:
 *     {rows, columns, covered, row, column}, where row and column are the middle of the subject's box in tokens
 */
export function fit(mask, box, size, scale) {
  const factor = Math.min(size.width / mask.width, size.height / mask.height) * scale;
  const width = Math.max(1, Math.round(mask.width * factor));
  const height = Math.max(1, Math.round(mask.height * factor));
  const left = offset(width, size.width, Math.round((box.x + box.width / 2) * factor));
  const top = offset(height, size.height, Math.round((box.y + box.height / 2) * factor));
  return {left, top, width, height, tokens: tokens(mask, {left, top, width, height}, size)};
}

function tokens(mask, at, size) {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.drawImage(mask, at.left, at.top, at.width, at.height);
  const pixels = context.getImageData(0, 0, size.width, size.height).data;
  const rows = size.height / TOKEN;
  const columns = size.width / TOKEN;
  const share = new Float64Array(rows * columns);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      share[Math.floor(y / TOKEN) * columns + Math.floor(x / TOKEN)] += pixels[4 * (y * size.width + x) + 3];
    }
  }
  const covered = [...share].map(sum => sum / 255 / (TOKEN * TOKEN) >= COVERED);
  const numbers = covered.flatMap((is, i) => is ? [i] : []);
  if (numbers.length === 0) {
    return null;
  }
  const inRows = numbers.map(i => Math.floor(i / columns));
  const inColumns = numbers.map(i => i % columns);
  return {
    rows, columns, covered,
    row: (Math.min(...inRows) + Math.max(...inRows) + 1) / 2,
    column: (Math.min(...inColumns) + Math.max(...inColumns) + 1) / 2,
  };
}

/**
 * The subject's middle as near to a point as whole tokens allow.
 *
 * @param x, y the point in fractions of the canvas
 * @return {x, y, rows, columns}: the middle in fractions of the canvas, never outside, and the tokens that it moved by
 */
export function snap(tokens, x, y) {
  // Half a token of play keeps the middle on the canvas, where the server wants it.
  const rows = clamp(Math.round(y * tokens.rows - tokens.row), Math.ceil(-tokens.row), Math.floor(tokens.rows - tokens.row));
  const columns = clamp(Math.round(x * tokens.columns - tokens.column), Math.ceil(-tokens.column),
    Math.floor(tokens.columns - tokens.column));
  return {x: (tokens.column + columns) / tokens.columns, y: (tokens.row + rows) / tokens.rows, rows, columns};
}

/** A length in whole tokens, at least one. */
export function wholeTokens(pixels) {
  return Math.max(1, Math.round(pixels / TOKEN)) * TOKEN;
}
