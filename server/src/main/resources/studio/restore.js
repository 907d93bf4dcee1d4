/** Settings of earlier pictures: from a job's request, or from the record in a PNG file. */

import * as api from "./api.js";
import * as png from "./png.js";
import {Picture, readMask} from "./pictures.js";
import {Subject} from "./subject.js";

/** Parameters that name files of the machine on which a picture was made; a request has pictures there. */
const FILES = new Set(["reference", "mask", "layout", "image", "scene", "region", "library"]);

/** How a record names a file that was sent with a job. */
const JOB = /^\.\.\/jobs\/([0-9a-f-]{36})\//;

/** The request that made a picture of this server. */
export async function requestOf(image) {
  try {
    const job = await api.job(image.job);
    return alone(job.request, image.seed);
  } catch (problem) {
    if (problem.status !== 404) {
      throw problem;
    }
    const {parameters} = await api.imageDetails(image.id); // its job was tidied away
    return fromParameters(image.task, parameters ?? {});
  }
}

/**
 * The request that a PNG file records.
 *
 * @return {request, missing}: missing tells whether subjects were files that are not here
 * @throws Error with a sentence when the file records none
 */
export async function requestIn(file) {
  const {task, parameters = {}} = await png.record(file);
  const files = Object.entries(parameters).filter(([name]) => FILES.has(name));
  const [id] = files.flatMap(([, value]) => JOB.exec(value)?.slice(1) ?? []);
  if (id !== undefined) {
    try {
      return {request: alone((await api.job(id)).request, parameters.seed), missing: false};
    } catch (problem) {
      if (problem.status !== 404) {
        throw problem;
      }
      // Another server made it, or it was tidied away.
    }
  }
  return {request: fromParameters(task, parameters), missing: files.length > 0};
}

/** Whether a file is a PNG that records how it was made. */
export async function isRecorded(file) {
  try {
    await png.record(file);
    return true;
  } catch (e) {
    return false;
  }
}

/** One picture of a request that may have made several. */
function alone(request, seed) {
  const {num_images, ...others} = request;
  return {...others, seed};
}

/** A record names parameters as the command line's flags do. */
function fromParameters(task, parameters) {
  const entries = Object.entries(parameters).filter(([name]) => !FILES.has(name));
  return {task, ...Object.fromEntries(entries.map(([name, value]) => [name.replaceAll("-", "_"), value]))};
}

/**
 * A subject as a request describes it.
 *
 * @param entry of the request's subjects
 * @param name on the page, where the request has no words for it
 * @param library the subjects that are kept
 * @param size of the canvas
 */
export async function subject(entry, name, library, size) {
  const kept = entry.reference.startsWith("@") ? entry.reference.slice(1) : null;
  const [picture, mask] = await (kept === null ? sent(entry, name) : ofLibrary(kept, library));
  const restored = new Subject(picture, mask, kept);
  restored.caption = entry.prompt ?? "";
  restored.scene = entry.scene ?? false;
  restored.scale = entry.scale ?? 1;
  restored.touched = true;
  restored.lay(size);
  const tokens = restored.fit?.tokens;
  if (tokens) { // without a place it stays where it is in its picture
    restored.moveTo(entry.x ?? tokens.column / tokens.columns, entry.y ?? tokens.row / tokens.rows);
  }
  return restored;
}

async function ofLibrary(name, library) {
  const kept = library.find(subject => subject.name === name);
  if (!kept) {
    throw new Error(`@${name} is not in the library any more.`);
  }
  const picture = await Picture.fetch(kept.reference, name);
  return [picture, await readMask(await api.file(kept.mask), picture)];
}

async function sent(entry, name) {
  const picture = await Picture.fetch(api.pictureUrl(entry.reference), entry.prompt || name, entry.reference);
  if (entry.mask) {
    return [picture, await readMask(await api.file(api.pictureUrl(entry.mask)), picture)];
  }
  if (entry.segment) {
    const request = {image: entry.reference, segment: entry.segment, prompt: entry.prompt};
    return [picture, await readMask(await api.segment(request, new Map()), picture)];
  }
  return [picture, null];
}
