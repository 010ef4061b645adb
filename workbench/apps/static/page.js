// What every page of ours is: choices in the address, questions to Python, one theme, one way to save a file.

// Pixels that a width may differ and be the same, and milliseconds until another one is drawn for.
const SAME_WIDTH = 8;
const RESIZED_AFTER = 150;
const GROUNDS = { light: "#FFFFFF", dark: "#12151B" };

class Page {
  constructor(model, root, title, Kind) {
    this.model = model;
    this.root = root;
    this.title = title;
    this.Kind = Kind;
    this.path = title.toLowerCase().replaceAll(" ", "_");
    this.stops = [];
    this.parts = {};
    this.choices = model.get("in_address") ? this.fromAddress() : new Kind(model.get("query") ?? {});
  }

  fromAddress() {
    const query = {};
    for (const [name, value] of new URLSearchParams(window.location.search)) (query[name] ??= []).push(value);
    return new this.Kind(query);
  }

  // A part of the page is known, and styled, by its name.
  part(name, tag = "div") {
    this.parts[name] = h(tag, { class: `wb-${name}` });
    return this.parts[name];
  }

  // Acts once a part has another width for a moment; its first one is none.
  followWidth(name, act) {
    let wide = 0;
    const sizes = new ResizeObserver(() => {
      const now = this.parts[name].clientWidth;
      if (!this.start || Math.abs(now - wide) < SAME_WIDTH) return;
      clearTimeout(this.resizing);
      if (wide) this.resizing = setTimeout(act, RESIZED_AFTER);
      wide = now;
    });
    sizes.observe(this.root);
    this.stops.push(() => sizes.disconnect());
  }

  paintGround() {
    this.root.dataset.theme = this.theme();
    if (this.model.get("in_address")) document.documentElement.style.setProperty("background", GROUNDS[this.theme()]);
    drawHeader(this);
  }

  // The system may turn dark, the page may be left, and the person may step back.
  followAddress() {
    const listen = (target, name, act) => {
      target.addEventListener(name, act);
      this.stops.push(() => target.removeEventListener(name, act));
    };
    listen(window.matchMedia("(prefers-color-scheme: dark)"), "change", () => this.choices.one("theme") || (this.paint(), this.start && this.refresh()));
    listen(window, "pagehide", (event) => event.persisted || this.asker.drop());
    if (this.model.get("in_address")) listen(window, "popstate", () => this.chooseAll(this.fromAddress(), { keep: true }));
  }

  // Alone on its page an app hears every key; in a notebook only those pressed inside it.
  hear(press) {
    const listener = this.model.get("in_address") ? document : this.root;
    listener.addEventListener("keydown", press);
    this.stops.push(() => listener.removeEventListener("keydown", press));
  }

  theme() {
    return this.choices.one("theme") ?? (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  }

  ask(kind, done, options, choices = this.choices) {
    return {
      kind,
      options,
      choices: { ...choices.query, theme: [this.theme()] },
      done: (reply, buffers) => (reply.error ? this.fail(kind, reply.error) : done(reply.body, buffers)),
    };
  }

  // Every choice stands in the address; a window or a filter is a step back there, a row or an event is not.
  remember(push, replace) {
    this.model.set("query", this.choices.query);
    this.model.save_changes();
    if (!this.model.get("in_address")) return;
    const address = `${window.location.pathname}?${this.choices.address()}`;
    if (address === `${window.location.pathname}${window.location.search}`) return;
    window.history[push && !replace ? "pushState" : "replaceState"](window.history.state, "", address);
  }

  fullLink() {
    const address = this.choices.address();
    return this.model.get("in_address") ? `${window.location.origin}${window.location.pathname}?${address}` : `/${this.path}/?${address}`;
  }

  // The inspector of an event lies over the right of the page.
  open(place) {
    if (this.choices.one("event") === place) return this.close();
    this.choices = this.choices.with({ event: place });
    this.eventError = null;
    this.remember(false, true);
    drawSide(this);
    return this.asker.instead(this.eventSteps());
  }

  close() {
    this.choices = this.choices.with({ event: null });
    Object.assign(this, { event: null, around: null, eventError: null });
    this.remember(false, true);
    drawSide(this);
  }

  eventSteps() {
    if (this.choices.one("event") === undefined) return [];
    const load = this.ask("event", (event) => {
      Object.assign(this, { event, around: null, eventError: null });
      drawSide(this);
    });
    return [load, this.ask("around", (around) => ((this.around = around), drawSide(this)))];
  }

  save(blob, name) {
    const address = URL.createObjectURL(blob);
    const anchor = h("a", { href: address, download: name, hidden: true });
    this.root.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}
