/** Jobs that are not done: waiting, being computed, failed. One of them is shown on the canvas. */

import * as api from "./api.js";
import {$, h, icon, say} from "./dom.js";

const PHASES = {
  load: "Loading the model", text: "Reading the words", encode: "Looking at the subject", invert: "Inverting the picture",
  denoise: "Drawing", decode: "Finishing",
};

export class Jobs {
  /**
   * @param onShown called with the followed job and its progress, or null where there is none
   * @param onDone called with a job that is done
   * @param onLost called with true when the server does not answer, with false when it does again
   * @param onReuse called with a failed job whose settings are wanted again
   */
  constructor({onShown, onDone, onLost, onReuse}) {
    this.onShown = onShown;
    this.onDone = onDone;
    this.onLost = onLost;
    this.onReuse = onReuse;
    this.entries = new Map();
    this.shown = null;
  }

  /** Takes up what is under way on the server. @return the job that is computed, or else waits longest; null for none */
  async load() {
    const pages = [await api.jobs("queued"), await api.jobs("running")];
    const under = pages.flatMap(page => page.jobs); // the newest first; what is computed is the oldest
    [...under].reverse().forEach(job => this.follow(job));
    const first = under.find(job => job.state === "running") ?? under.at(-1) ?? null;
    if (first !== null) {
      this.show(first.id);
    }
    return first;
  }

  /** Follows a job to its end. */
  follow(job) {
    if (this.entries.has(job.id)) {
      return;
    }
    const bar = h("progress", {max: 100, value: 0, "aria-label": "Progress"});
    const words = h("span.words");
    const element = h("li.job", {}, h("p.job-prompt", {}, title(job)), bar, h("div.row", {}, words,
      h("button.quiet.icon", {type: "button", "aria-label": `Cancel ${title(job)}`, title: "Cancel",
        onclick: () => this.cancel(job.id)}, icon("close"))));
    const entry = {job, progress: job.progress ?? null, element, bar, words, cancelling: false};
    this.entries.set(job.id, entry);
    $("queue").append(element);
    entry.stop = api.watch(job.id, {
      onJob: now => this.changed(entry, now),
      onProgress: progress => {
        entry.progress = progress;
        this.draw(entry);
      },
      onLost: this.onLost,
    });
    this.draw(entry);
  }

  /** Shows this job's progress on the canvas. */
  show(id) {
    this.shown = id;
    const entry = this.entries.get(id);
    if (entry) {
      this.draw(entry);
    }
  }

  async cancel(id) {
    const entry = this.entries.get(id);
    entry.cancelling = true;
    this.draw(entry);
    try {
      await api.cancel(id);
    } catch (problem) {
      if (problem.status !== 409) { // it had ended just before
        entry.cancelling = false;
        entry.words.textContent = problem.message;
      }
    }
  }

  changed(entry, job) {
    if (job === null) {
      this.drop(entry);
      return;
    }
    entry.job = job;
    entry.progress = job.progress ?? entry.progress;
    if (job.state === "done") {
      this.drop(entry);
      this.onDone(job, this.shown === job.id);
      this.next(job.id);
    } else if (job.state === "cancelled") {
      this.drop(entry);
      say("Cancelled.");
      this.next(job.id);
    } else if (job.state === "failed") {
      this.failed(entry);
      this.next(job.id);
    } else {
      this.draw(entry);
    }
  }

  /** After the shown job has ended the next one is shown. */
  next(id) {
    if (this.shown !== id) {
      return;
    }
    const waiting = [...this.entries.values()].find(entry => !api.ended(entry.job));
    this.shown = waiting?.job.id ?? null;
    if (waiting) {
      this.draw(waiting);
    } else {
      this.onShown(null);
    }
  }

  drop(entry) {
    this.entries.delete(entry.job.id);
    entry.element.remove();
  }

  failed(entry) {
    const {job, element} = entry;
    const sentence = job.error?.detail ?? "The picture could not be made.";
    say(sentence);
    element.classList.add("failed");
    element.replaceChildren(h("p.job-prompt", {}, title(job)), h("p.error", {}, sentence), h("div.row", {},
      h("button.quiet", {type: "button", onclick: () => this.onReuse(job)}, "Use its settings"),
      h("button.quiet", {type: "button", onclick: () => this.drop(entry)}, "Dismiss")));
  }

  draw(entry) {
    const {job, progress} = entry;
    const words = entry.cancelling ? "Stopping ..." : describe(job, progress);
    entry.words.textContent = words;
    entry.bar.value = progress?.percent ?? 0;
    if (this.shown === job.id) {
      this.onShown(job, progress, words);
    }
  }
}

/** What a job is called on the page. */
export function title(job) {
  return job.request.prompt || {inpaint: "Repaint", outpaint: "Extend"}[job.task] || "No words";
}

function describe(job, progress) {
  if (job.state === "queued") {
    return job.position > 1 ? `Waiting, number ${job.position} in the queue` : "Waiting, next in the queue";
  }
  if (!progress) {
    return "Starting";
  }
  const of = progress.images > 1 ? `Picture ${progress.image} of ${progress.images}, ` : "";
  const step = progress.phase === "denoise" && progress.steps
    ? `step ${progress.step ?? 0} of ${progress.steps}`
    : (PHASES[progress.phase] ?? progress.phase).toLowerCase();
  const left = progress.seconds_left >= 1 ? `, ${time(progress.seconds_left)} left` : "";
  const words = of + step + left;
  return words[0].toUpperCase() + words.slice(1);
}

function time(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
