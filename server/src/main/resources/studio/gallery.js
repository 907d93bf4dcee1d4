/** Pictures that were made: the grid, and the dialog that shows one of them. */

import * as api from "./api.js";
import {$, h, icon, onRadio, toast} from "./dom.js";

const EMPTY = {
  all: "Nothing yet. Pictures that you make are kept here.",
  starred: "No stars yet. Starred pictures are kept for good, others go when the server tidies up.",
};

export class Gallery {
  /**
   * @param onReuse called with an image whose settings are wanted
   * @param onEdit called with a task, inpaint or outpaint, and the image that it is wanted for
   */
  constructor({onReuse, onEdit}) {
    this.onReuse = onReuse;
    this.onEdit = onEdit;
    this.images = [];
    this.next = null;
    this.starred = false;
    onRadio("filter", value => {
      this.starred = value === "starred";
      this.load();
    });
    $("older").addEventListener("click", () => this.more());
    $("viewer").addEventListener("click", event => {
      if (event.target === $("viewer")) {
        $("viewer").close();
      }
    });
  }

  /** Begins anew with the newest pictures. */
  async load() {
    const page = await api.images(this.starred, null);
    this.images = page.images;
    this.next = page.next ?? null;
    this.draw();
  }

  async more() {
    const page = await api.images(this.starred, this.next);
    this.images.push(...page.images);
    this.next = page.next ?? null;
    this.draw();
  }

  draw() {
    $("pictures").replaceChildren(...this.images.map(image => this.card(image)));
    $("gallery-empty").textContent = EMPTY[this.starred ? "starred" : "all"];
    $("gallery-empty").hidden = this.images.length > 0;
    $("older").hidden = this.next === null;
  }

  card(image) {
    return h("li.card", {"data-image": image.id},
      h("button.picture", {type: "button", "aria-label": `Show ${words(image)}`, onclick: () => this.view(image)},
        h("img", {src: image.url, alt: "", loading: "lazy", width: image.width, height: image.height})),
      this.starButton(image, "button.star.icon"));
  }

  starButton(image, name) {
    const button = h(name, {type: "button", "aria-pressed": String(image.starred), "aria-label": `Star ${words(image)}`,
      title: "Star", onclick: () => this.star(image)}, icon("star"));
    button.dataset.star = image.id;
    return button;
  }

  async star(image) {
    const on = !image.starred;
    try {
      await api.star(image.id, on);
    } catch (problem) {
      toast(problem.message);
      return;
    }
    image.starred = on;
    for (const button of document.querySelectorAll(`[data-star="${image.id}"]`)) {
      button.setAttribute("aria-pressed", String(on));
    }
    const listed = this.images.find(other => other.id === image.id);
    if (listed) {
      listed.starred = on;
    }
  }

  /** What can be done with a picture, as buttons. @param then called after one that leaves the picture */
  actions(image, then) {
    const act = (name, label, f) => h("button.quiet", {type: "button", onclick: () => {
      then();
      f();
    }}, icon(name), label);
    return [
      this.starButton(image, "button.quiet.icon.star"),
      h("a.button.quiet", {href: image.url, download: `likeness-${image.seed}.png`}, icon("download"), "Download"),
      act("reuse", "Use these settings", () => this.onReuse(image)),
      h("button.quiet", {type: "button", onclick: () => {
        then();
        this.onEdit("inpaint", image);
      }}, "Repaint"),
      h("button.quiet", {type: "button", onclick: () => {
        then();
        this.onEdit("outpaint", image);
      }}, "Extend"),
    ];
  }

  view(image) {
    const dialog = $("viewer");
    const close = () => dialog.close();
    dialog.replaceChildren(h("div.viewer-body", {},
      h("header", {}, h("h2", {id: "viewer-title"}, image.prompt || "Picture"),
        h("button.quiet.icon", {type: "button", "aria-label": "Close", onclick: close}, icon("close"))),
      h("img", {src: image.url, alt: words(image), width: image.width, height: image.height}),
      h("p.facts", {}, `${image.width} x ${image.height}, seed ${image.seed}, ${new Date(image.created).toLocaleString()}`),
      h("div.row", {}, ...this.actions(image, close),
        h("button.quiet.danger", {type: "button", onclick: async () => {
          try {
            await api.deleteImage(image.id);
            close();
            toast("The picture is deleted.");
            await this.load();
          } catch (problem) {
            toast(problem.message);
          }
        }}, icon("bin"), "Delete"))));
    dialog.showModal();
  }
}

/** A picture in words. */
export function words(image) {
  return `${image.prompt || "picture"}, seed ${image.seed}`;
}
