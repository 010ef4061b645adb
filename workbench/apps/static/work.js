// What is being worked on: after 300 ms a spinner, after 2 s how far it is and a way to stop it; of files that are
// written both at once. It takes the place of the line under the picture's title, so that nothing moves.

const SPINS_AFTER = 300;
const STOPS_AFTER = 2000;
const WORKS = {
  start: "Opening the log", timeline: "Counting events", rows: "Reading rows", previous: "Reading what came before each row", facets: "Counting values", strip: "Counting over the whole log",
  summary: "Summing up the window", event: "Reading the event", around: "Looking around the event", drops: "Counting without each filter", export: "Writing the rows",
};

class Progress {
  constructor(node, stop) {
    this.node = node;
    this.stop = stop;
    this.bar = h("i", {});
    this.words = h("span", { class: "wb-far" });
    this.button = button("Cancel", stop, { class: "wb-button small" });
  }

  // Follows one question from its start to its end, which is null.
  follow(running, told) {
    if (running && told) {
      this.told = told;
      if (!this.node.hidden) this.show();
      return;
    }
    clearInterval(this.clock);
    this.told = null;
    this.began = performance.now();
    this.node.hidden = true;
    if (!running) return;
    this.writes = running.kind === "write";
    this.title = h("b", {}, WORKS[running.kind] ?? "Asking the log");
    if (this.writes) this.show();
    this.clock = setInterval(() => this.show(), 100);
  }

  // What is being worked on is told in another place from now on.
  moveTo(node) {
    this.node.hidden = true;
    this.node = node;
    node.hidden = true;
  }

  show() {
    const { title, writes } = this;
    const passed = performance.now() - this.began;
    if (passed < SPINS_AFTER && !writes) return;
    const late = passed >= STOPS_AFTER || writes;
    if (this.node.hidden || !this.node.contains(title) || (late && !this.button.isConnected)) {
      fill(this.node, h("span", { class: "wb-spinner", "aria-hidden": "true" }), title, h("span", { class: "wb-gap" }), late ? [this.words, this.button] : null, late ? h("span", { class: "wb-progress", role: "progressbar", "aria-label": title.textContent }, this.bar) : null);
      this.node.hidden = false;
    }
    if (late) this.tell(passed);
  }

  tell(passed) {
    const share = this.told?.share ?? null;
    const known = share !== null && share > 0.02;
    const left = known ? (this.told.seconds * (1 - share)) / share : 0;
    const part = this.told?.statement > 1 ? `statement ${this.told.statement}: ` : "";
    const counted = this.told?.known ? `${plural(this.told.rows, "row")} of ${count(this.told.done)} of ${plural(this.told.known, "proposal")} · ` : "";
    const rest = known && share < 1 ? `, about ${seconds(left)} more` : "";
    this.words.textContent = `${counted}${known ? `${part}${Math.floor(100 * share)} % · ` : ""}${seconds(passed / 1000)}${rest}`;
    this.bar.style.width = `${known ? 100 * share : 0}%`;
    if (known) this.bar.parentNode?.setAttribute("aria-valuenow", String(Math.floor(100 * share)));
  }

  stoppable() {
    return !this.node.hidden && this.button.isConnected;
  }

  end() {
    clearInterval(this.clock);
  }
}

const seconds = (number) => (number < 59.95 ? `${number.toFixed(1)} s` : durationText(number * 1e6));
