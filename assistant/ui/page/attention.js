// The title and the icon of the tab say how much has come that nobody has seen.

import { hear, tell } from "./embed.js";

const SIZE = 64;

export class Attention {
  #count = 0;
  #isFolded = false;
  #title = "";
  #icon = document.head.appendChild(document.createElement("link"));
  #look;

  /** Take the conversation, and what returns {initial, accent, ink} of the icon. */
  constructor(conversation, look) {
    this.#look = look;
    this.#icon.rel = "icon";
    conversation.addEventListener("added", ({ detail }) => detail.hasCome && this.#came());
    conversation.addEventListener("finished", () => this.#came());
    document.addEventListener("visibilitychange", () => this.#seen());
    hear("shown", ({ isShown }) => {
      this.#isFolded = !isShown;
      this.#seen();
    });
    // Gradio sets a title of its own once it is there.
    new MutationObserver(() => this.#show()).observe(document.head, { childList: true, subtree: true, characterData: true });
  }

  set title(title) {
    this.#title = title;
    this.#draw();
    this.#show();
  }

  get #isUnseen() {
    return document.hidden || this.#isFolded;
  }

  #came() {
    if (!this.#isUnseen) return;
    this.#count += 1;
    this.#changed();
  }

  #seen() {
    if (this.#isUnseen || !this.#count) return;
    this.#count = 0;
    this.#changed();
  }

  #changed() {
    tell({ frontdesk: "unread", count: this.#count });
    this.#draw();
    this.#show();
  }

  #show() {
    const wanted = this.#count ? `(${this.#count}) ${this.#title}` : this.#title;
    if (document.title !== wanted) document.title = wanted;
  }

  #draw() {
    const canvas = document.createElement("canvas");
    canvas.width = SIZE;
    canvas.height = SIZE;
    const pen = canvas.getContext("2d");
    const { initial, accent, ink } = this.#look();
    pen.fillStyle = accent;
    pen.beginPath();
    pen.roundRect(0, 0, SIZE, SIZE, SIZE / 4);
    pen.fill();
    pen.fillStyle = ink;
    pen.font = `600 ${SIZE * 0.6}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(initial, SIZE / 2, SIZE * 0.54);
    if (this.#count) drawBadge(pen);
    this.#icon.href = canvas.toDataURL();
  }
}

function drawBadge(pen) {
  pen.fillStyle = "#d92d20";
  pen.beginPath();
  pen.arc(SIZE * 0.78, SIZE * 0.22, SIZE * 0.2, 0, 2 * Math.PI);
  pen.fill();
}
