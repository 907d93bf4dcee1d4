/** The record that Likeness writes into its PNG files. */

const KEYWORD = "likeness";
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * The record of a PNG file.
 *
 * @throws Error with a sentence when the file is no PNG or carries no record
 */
export async function record(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  if (bytes.length < 8 || SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    throw new Error(`${file.name} is not a PNG file; settings come from PNG files that Likeness made.`);
  }
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = latin1(bytes.subarray(at + 4, at + 8));
    if (type === "iTXt" && at + 8 + length <= bytes.length) {
      const text = await international(bytes.subarray(at + 8, at + 8 + length));
      if (text !== null) {
        return parse(text, file.name);
      }
    }
    at += 12 + length;
  }
  throw new Error(`${file.name} carries no settings; only pictures that Likeness made and no other program saved again do.`);
}

function parse(text, name) {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Error(`The settings in ${name} are damaged; it was changed by another program.`);
  }
}

const latin1 = bytes => String.fromCharCode(...bytes);

/** The text of an iTXt chunk with our keyword: keyword, 0, compressed, method, language, 0, translation, 0, text. */
async function international(data) {
  const end = data.indexOf(0);
  if (end < 0 || latin1(data.subarray(0, end)) !== KEYWORD) {
    return null;
  }
  const compressed = data[end + 1] === 1;
  const language = data.indexOf(0, end + 3);
  const translation = data.indexOf(0, language + 1);
  const text = data.subarray(translation + 1);
  if (!compressed) {
    return new TextDecoder().decode(text);
  }
  const plain = new Blob([text]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(plain).text();
}
