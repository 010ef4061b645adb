// As of: one moment, and what was true at it. One answer holds an entity's whole history, so a hand asks nothing.

const AS_OF_WORKS = { start: "Opening the log", history: "Reading the entity's events", entities: "Looking for entities", compare: "Comparing two moments", population: "Counting over all entities", members: "Counting at this moment", what_if: "Working out what would be", event: "Reading the event", around: "Looking around the event", export: "Writing the rows" };
Object.assign(WORKS, AS_OF_WORKS);

class AsOf extends Page {
  constructor(model, root) {
    super(model, root, "As of", Moment);
    this.hues = new Map();
    this.shut = new Set();
    this.raw = false;
    this.at = { index: -1, position: null, micros: null, exact: null };
    this.frame();
    this.progress = new Progress(this.parts.work, () => this.stopWork());
    this.asker = new Asker(model, (running, told) => this.progress.follow(running, told));
    this.keyboard();
    this.begin();
  }

  frame() {
    const { parts } = this;
    const part = (name, tag) => this.part(name, tag);
    for (const name of ["moment", "sentence", "fields", "history", "actions", "waves", "legend"]) part(name);
    parts.main = h("main", { class: "wb-asof" });
    fill(this.root, part("header", "header"), part("filters"), part("form"), part("notice"), part("work"), parts.main, part("side", "aside"));
    parts.work.hidden = true;
    parts.side.hidden = true;
    this.scrubber = new Scrubber(this, {
      drag: (to) => ((this.moving = true), this.follow(to)),
      drop: (to) => ((this.moving = false), this.follow(to), this.settle()),
      compare: (index) => this.compareWith(index),
    });
    fill(parts.waves, this.scrubber.node);
    this.followWidth("main", () => (this.usesWidth() ? this.refresh() : this.drawMode()));
    this.followAddress();
    this.paint();
  }

  usesWidth() {
    return ["compare", "population"].includes(this.choices.mode);
  }

  stop() {
    this.pause();
    this.stops.forEach((act) => act());
    this.asker.stop();
    this.progress.end();
    this.views?.forEach((view) => view.finalize());
  }

  paint() {
    this.paintGround();
    drawChoice(this);
  }

  begin() {
    this.asker.plan([
      this.ask("start", (start) => {
        this.start = start;
        this.hues = new Map(start.types.map((type) => [type.name, type.hue]));
        this.notice = null;
        const { choices } = this;
        if (start.position !== null && start.position >= 0) this.choices = choices.with({ basis: start.position, projection: choices.one("projection") ?? start.projection });
        this.noticeStart(choices.one("hash"));
        this.choices = this.choices.with({ hash: start.hash.slice(0, 12) });
        drawNotice(this);
        if (!start.events) return this.drawEmpty();
        this.remember(false);
        return this.refresh();
      }),
    ]);
  }

  // What has changed since the link was made: the projection, or the log.
  noticeStart(hash) {
    const { start } = this;
    if (hash && !start.hash.startsWith(hash)) {
      this.notice = { kind: "info", title: `${start.projection} has changed since this link was made.`, detail: `The link says ${hash}, the declaration now is ${start.hash.slice(0, 12)}: the state may read otherwise.`, buttons: [["Keep", () => this.dismiss()]] };
    } else if (start.head !== null && start.position < start.head) {
      this.notice = { kind: "info", title: `This link was made at position ${count(start.position)}.`, detail: `You see what the log held then. ${plural(start.head - start.position, "event")} came since.`, buttons: [["Show all", () => this.lookAgain(), true], ["Keep", () => this.dismiss()]] };
    }
  }

  dismiss() {
    this.notice = null;
    drawNotice(this);
  }

  lookAgain() {
    this.choices = this.choices.with({ basis: null });
    this.begin();
  }

  drawEmpty() {
    this.paint();
    fill(this.parts.main, h("div", { class: "wb-empty" }, h("h2", {}, "This log has no event yet."), h("p", {}, "Bring some in with ", h("code", {}, "workbench ingest FILE"), "; they appear here as they are committed."), button("Look again", () => this.lookAgain(), { class: "wb-button main" })));
  }

  refresh() {
    const { choices } = this;
    this.pause();
    this.busy();
    const steps = { entity: () => this.entitySteps(), compare: () => compareSteps(this), population: () => populationSteps(this), what_if: () => whatIfSteps(this) };
    const needs = choices.mode !== "population" && choices.one("entity") === undefined;
    this.asker.plan([...(needs ? this.suggestSteps() : steps[choices.mode]()), ...this.eventSteps()]);
    this.paint();
  }

  suggestSteps() {
    return [this.ask("entities", ({ entities }) => {
      this.history = null;
      this.ready();
      fill(this.parts.main, h("div", { class: "wb-choose" }, drawSuggestions(this, entities, "Choose an entity"), h("p", { class: "wb-dim" }, "Those with the most events. Find any other by the beginning of its id.")), this.parts.actions);
      this.paint();
      drawMomentActions(this);
    }, { text: "" })];
  }

  entitySteps() {
    return [this.ask("history", (told) => {
      this.history = new History(told);
      this.locate();
      this.drawMode();
      this.ready();
    })];
  }

  // Where the choices point in the history.
  locate() {
    const { history, choices } = this;
    const [position, asOf] = [choices.number("position"), choices.one("as_of")];
    this.byPosition = position !== undefined;
    if (position !== undefined) return this.place({ index: history.indexAtPosition(position), position });
    if (asOf !== undefined) return this.place({ micros: fromIso(asOf) });
    return this.place({ index: history.size - 1 });
  }

  // Moves the cursor; where a time is no place in the order the state at it is asked for.
  place(to) {
    const { history } = this;
    if (to.index !== undefined) {
      const index = Math.max(-1, Math.min(history.size - 1, to.index));
      this.at = { index, position: index < 0 ? to.position ?? null : to.position ?? history.position[index], micros: index < 0 ? null : history.occurred[index], exact: null };
      return;
    }
    const [index, clean] = history.indexAtTime(to.micros);
    this.at = { index, position: index < 0 ? null : clean ? history.position[index] : history.position.reduce((most, each, number) => (history.occurred[number] <= to.micros ? Math.max(most, each) : most), 0), micros: to.micros, exact: null, time: true };
    if (!clean) this.askExact(to.micros);
  }

  askExact(micros) {
    const choices = this.choices.with({ as_of: toIso(micros), position: null });
    this.parts.fields.classList.add("busy");
    this.asker.instead([this.ask("history", (told) => {
      const cut = new History(told);
      const last = cut.size - 1;
      const exact = new Map(cut.fields.map(({ name }) => {
        const setter = cut.setterAt(name, last);
        return [name, { text: cut.textAt(name, last), setter: setter < 0 ? -1 : this.history.position.indexOf(cut.position[setter]) }];
      }));
      this.at = { ...this.at, exact };
      this.parts.fields.classList.remove("busy");
      this.drawEntity();
    }, { cut: true }, choices)]);
  }

  drawMode() {
    const { choices } = this;
    this.paint();
    if (choices.mode !== "population" && !this.history) return;
    if (choices.mode === "entity" && !this.history.size) {
      fill(this.parts.main, drawUnknown(this), this.parts.actions);
      drawMomentActions(this);
      return;
    }
    if (choices.mode === "entity") this.drawEntityPage();
    else if (choices.mode === "compare" && this.compared) drawCompare(this);
    else if (choices.mode === "population" && this.population) drawPopulation(this);
    else if (choices.mode === "what_if" && this.preview) drawWhatIf(this);
    drawMomentActions(this);
  }

  drawEntityPage() {
    const { parts } = this;
    fill(parts.main, h("div", { class: "wb-two" }, h("div", { class: "wb-left" }, h("div", { class: "wb-top" }, parts.moment, parts.sentence), parts.fields), h("div", { class: "wb-right" }, parts.waves, parts.legend)), parts.history, parts.actions);
    this.drawEntity();
  }

  drawEntity() {
    const { at, history, parts } = this;
    rowsOf(this);
    drawMoment(this);
    drawSentence(this);
    drawFields(this);
    this.scrubber.show(history, at.index, this.rows, this.micros());
    const moves = history.illegal.length;
    fill(parts.legend, h("span", {}, "value after each event · dashed: not yet"), h("span", { class: "wb-gap" }), moves ? link(`! ${plural(moves, "transition")} outside the machine`, () => this.togglePanel("moves"), { class: "wb-link wb-quiet" }) : null);
    drawHistory(this);
  }

  micros() {
    return this.at.micros;
  }

  // The hand leads: only what it shows is drawn, nothing is asked.
  follow(to) {
    if (this.choices.mode !== "entity") return;
    this.byPosition = to.index !== undefined;
    if (to.micros !== undefined && this.history.in_time) {
      const unit = [86400e6, 3600e6, 60e6, 1e6, 1e3].find((each) => each <= (this.scrubber.to - this.scrubber.from) / this.scrubber.wide) ?? 1;
      this.place({ micros: Math.max(this.history.occurred[0], Math.round(to.micros / unit) * unit) });
    } else if (to.micros !== undefined) {
      const happened = this.history.occurred.map((each, index) => [each, index]).filter(([each]) => each <= to.micros).sort(([one], [other]) => one - other);
      this.place({ index: happened.at(-1)?.[1] ?? 0 });
    } else this.place(to);
    this.drawEntity();
  }

  // The place where the hand let go stands in the address.
  settle() {
    const { at } = this;
    const changes = at.time ? { as_of: toIso(at.micros), position: null } : { position: at.position, as_of: null };
    this.choices = this.choices.with(changes);
    this.remember(false, true);
    this.drawEntity();
    drawMomentActions(this);
  }

  goTo(to) {
    if (this.choices.mode !== "entity") return this.choose({ mode: null, position: this.history.position[to.index], as_of: null });
    this.byPosition = to.index !== undefined;
    this.place(to);
    return this.settle();
  }

  // Choices that change only how one looks or moves.
  set(changes) {
    this.choices = this.choices.with(changes);
    this.remember(false, true);
    if (this.playing !== undefined) this.beat();
    this.drawMoves();
  }

  // How one moves has changed, not what is shown: pictures that Vega drew stay.
  drawMoves() {
    if (this.choices.mode === "population") drawMoment(this);
    else this.drawMode();
  }

  // A time or a position that was typed.
  commit(name, text) {
    const value = text.trim();
    if (name === "position") {
      const position = Number(value.replaceAll(",", ""));
      if (!/^[\d,]+$/.test(value)) return this.refuse(`“${value}” is no position.`, `Positions are whole numbers from 0 to ${count(this.start.position)}.`);
      if (position > this.start.position) return this.refuse(`Position ${count(position)} is past the head.`, `The log reaches to position ${count(this.start.position)}.`, ["Go to the head", () => this.commit("position", String(this.start.position))]);
      this.dismiss();
      if (this.choices.mode !== "entity") return this.choose({ position, as_of: null });
      this.byPosition = true;
      this.place({ index: this.history.indexAtPosition(position), position });
      return this.settle();
    }
    const micros = readTime(value, this.choices.zone);
    if (name === "known_at" && !value) return this.choose({ known_at: null });
    if (Number.isNaN(micros)) return this.refuse(`“${value}” is no time.`, "Write it as 2026-01-31 08:00:00.");
    this.dismiss();
    if (["known_at", "before", "after"].includes(name) || this.choices.mode !== "entity") return this.choose({ [name]: toIso(micros), ...(name === "as_of" ? { position: null } : {}) });
    this.byPosition = false;
    this.place({ micros });
    return this.settle();
  }

  refuse(title, detail, act) {
    this.notice = { kind: "failed", sign: "✕", title, detail, buttons: [...(act ? [[act[0], act[1], true]] : []), ["Close", () => this.dismiss()]] };
    drawNotice(this);
  }

  go(way) {
    const { choices, history } = this;
    if (choices.mode === "population") return stepPopulation(this, way);
    if (choices.mode !== "entity" || !history?.size) return false;
    const last = history.size - 1;
    if (way === "first" || way === "last") return this.moveTo({ index: way === "first" ? 0 : last });
    const direction = way === "forward" ? 1 : -1;
    return this.moveTo(this.nextPlace(choices.step, direction));
  }

  moveTo(to) {
    if (!to) return false;
    this.goTo(to);
    return true;
  }

  nextPlace(step, direction, field) {
    const { history, at } = this;
    const last = history.size - 1;
    let index = at.index + direction;
    if (step === "change") while (index >= 0 && index <= last && !(field ? history.changes[index].includes(field) : history.changes[index].length)) index += direction;
    if (step === "instant" && at.index >= 0) {
      const [first, end] = history.tieOf(at.index);
      index = direction > 0 ? end + 1 : first - 1;
      if (index >= 0 && index <= last) index = history.tieOf(index)[1];
    }
    if (step === "day") {
      const from = at.micros ?? history.occurred[0];
      const until = midnight(history.last, this.choices.zone, 1);
      const micros = midnight(from, this.choices.zone, direction);
      return micros > until || micros < midnight(history.first, this.choices.zone, -1) ? null : { micros };
    }
    if (index > last || index < (step === "event" ? -1 : 0)) return null;
    return { index };
  }

  play() {
    if (this.playing !== undefined) {
      this.pause();
      return this.drawMoves();
    }
    if (this.choices.mode === "entity" && this.at.index >= (this.history?.size ?? 0) - 1) this.go("first");
    this.playing = 0;
    this.beat();
    return this.drawMoves();
  }

  beat() {
    clearInterval(this.playing);
    this.playing = setInterval(() => {
      if (this.go("forward")) return;
      this.pause();
      this.drawMoves();
    }, 1000 / this.choices.speed);
  }

  pause() {
    clearInterval(this.playing);
    this.playing = undefined;
  }

  toggleUnset() {
    this.showUnset = !this.showUnset;
    this.drawEntity();
  }

  countWords() {
    const { history, start, choices } = this;
    if (choices.mode === "population") return populationWords(this);
    if (choices.one("entity") === undefined || !history) return start.entities === null ? null : [h("b", {}, count(start.entities)), start.entities === 1 ? " entity" : " entities", ` in ${plural(start.events, "event")}`];
    if (choices.mode === "compare" && this.compared) return compareWords(this);
    if (choices.mode === "what_if" && this.preview) return whatIfWords(this);
    return [h("b", {}, count(history.size)), ` ${history.size === 1 ? "event" : "events"} of ${count(start.events)} · ${share(history.size, start.events)}`, start.entities === null ? null : ` · 1 of ${start.entities === 1 ? "1 entity" : `${count(start.entities)} entities`}`];
  }

  answer() {
    return { entity: this.history?.size ? this.history : null, compare: this.compared, population: this.population, what_if: this.preview }[this.choices.mode] ?? null;
  }

  setMode(mode) {
    if (mode === this.choices.mode) return;
    this.views?.forEach((view) => view.finalize());
    this.views = [];
    this.choose({ mode: mode === "entity" ? null : mode });
  }

  compareWith(index) {
    const { history, at } = this;
    const [first, last] = [history.occurred[Math.max(0, at.index)], history.occurred[index]].sort((one, other) => one - other);
    this.choose({ mode: "compare", before: toIso(first), after: toIso(last) });
  }

  suggest() {
    const { find, form } = this.parts;
    clearTimeout(this.suggesting);
    this.suggesting = setTimeout(() => {
      this.asker.instead([this.ask("entities", ({ entities }) => {
        if (find.getRootNode().activeElement !== find) return;
        find.setAttribute("aria-expanded", "true");
        fill(form, h("div", { class: "wb-suggestions" }, entities.length ? drawSuggestions(this, entities, find.value.trim() ? `Ids that begin with ${find.value.trim()}` : "Those with the most events") : h("p", { class: "wb-dim" }, "No id begins so.")));
      }, { text: find.value.trim() })]);
    }, 150);
  }

  unsuggest() {
    clearTimeout(this.suggesting);
    this.parts.find?.setAttribute("aria-expanded", "false");
    fill(this.parts.form);
  }

  pick(entity) {
    if (!entity) return;
    this.unsuggest();
    if (this.parts.find) this.parts.find.value = "";
    this.showUnset = false;
    this.choose({ entity, event: null, ...(this.choices.mode === "population" ? { mode: null } : { position: null, as_of: null, before: null, after: null, point: null, without: null }) });
  }

  choose(changes, how = {}) {
    this.chooseAll(this.choices.with(changes), how);
  }

  chooseAll(choices, how = {}) {
    const before = this.choices;
    this.choices = choices;
    this.remember(!how.keep, how.quiet);
    if (!this.start || before.one("projection") !== choices.one("projection") || before.one("basis") !== choices.one("basis")) return this.begin();
    if (how.quiet) {
      if (this.usesWidth()) return this.refresh();
      drawSide(this);
      return this.drawMode();
    }
    return this.refresh();
  }

  // What is asked anew dims at once, where it stands; a history that is there is scrubbed on meanwhile.
  busy() {
    this.parts.main.classList.add("busy");
  }

  ready() {
    this.notice = this.notice?.kind === "failed" ? null : this.notice;
    drawNotice(this);
    this.patience = undefined;
    this.parts.main.classList.remove("busy");
  }

  stopWork() {
    const again = () => this.refresh();
    this.asker.drop();
    this.parts.main.classList.remove("busy");
    this.notice = { kind: "info", title: "Stopped.", detail: "Nothing of the log has changed.", buttons: [["Ask again", again, true]] };
    drawNotice(this);
  }

  fail(asked, { sentence, kind }) {
    if (asked === "event" || asked === "around") {
      this.eventError = sentence;
      this.event = null;
      return drawSide(this);
    }
    const [title, detail] = splitSentence(sentence);
    const again = () => ((this.notice = null), this.start ? this.refresh() : this.begin());
    const refused = kind === "refused";
    this.notice = { kind: "failed", sign: "✕", title: refused ? `Refused: ${title}` : title, detail, buttons: [refused ? ["Clear the choices", () => this.clear()] : ["Try now", again]] };
    drawNotice(this);
    this.parts.main.classList.remove("busy");
    if (!this.answer()) fill(this.parts.main);
    if (kind !== "unreachable") return null;
    this.patience = Math.min(64, 2 * (this.patience ?? 4));
    const wait = h("span", { class: "wb-dim" });
    this.parts.notice.querySelector("button").before(wait);
    return this.asker.later(this.patience, (left) => (wait.textContent = `again in ${left} s`), again);
  }

  clear() {
    const kept = Object.fromEntries(["entity", "projection", "zone", "theme"].filter((name) => this.start && this.choices.query[name]).map((name) => [name, this.choices.query[name]]));
    this.notice = null;
    drawNotice(this);
    this.choices = new Moment(kept);
    this.begin();
  }

  step(by) {
    const at = this.history?.position.indexOf(Number(this.choices.one("event"))) ?? -1;
    const next = this.history?.position[at + by];
    if (next !== undefined) this.open(String(next));
  }

  showStream(id) {
    this.close();
    this.pick(id);
  }

  setWindow([from, to]) {
    window.location.assign(`../timeline/?${new URLSearchParams({ since: toIso(from), until: toIso(to) })}`);
  }

  togglePanel(name) {
    this.panel = this.panel === name ? null : name;
    drawMomentActions(this);
    this.parts.actions.querySelector(".wb-panel")?.scrollIntoView({ block: "nearest" });
  }

  download(form) {
    const kinds = { csv: "text/csv", json: "application/x-ndjson", parquet: "application/vnd.apache.parquet" };
    this.asker.also(this.ask("export", (body, buffers) => this.save(new Blob([buffers[0]], { type: kinds[form] }), `${this.start.log}-${this.choices.mode}.${form}`), { form }));
  }

  async savePicture() {
    const name = `${this.start.log}-${this.choices.mode}.png`;
    const ground = getComputedStyle(this.root).getPropertyValue("--ground").trim();
    if (!this.usesWidth()) return this.save(await drawingToPng(this.scrubber.svg, ground), name);
    const address = await this.views.at(-1).view.toImageURL("png", 2);
    const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
    return this.save(new Blob([bytes], { type: "image/png" }), name);
  }

  keyboard() {
    const shifted = (direction) => () => this.moveTo(this.nextPlace("change", direction, this.choices.one("field")));
    const acts = {
      ArrowLeft: () => this.go("back"), ArrowRight: () => this.go("forward"), Home: () => this.go("first"), End: () => this.go("last"), " ": () => this.play(),
      g: () => this.parts.as_of_input?.focus(), c: () => this.choices.mode === "entity" && this.compareWith(this.at.index >= this.history.size - 1 ? 0 : this.history.size - 1),
      x: () => this.choices.mode === "compare" && swapMoments(this), k: () => this.choices.mode === "compare" && toggleKnown(this),
      r: () => this.history?.size && this.choose({ mode: "what_if", change: null, point: this.history.position[Math.max(0, this.at.index)] }),
      Delete: () => this.history?.size && this.setAside(this.history.position[Math.max(0, this.at.index)]),
      Escape: () => (this.progress.stoppable() ? this.stopWork() : this.choices.one("event") !== undefined ? this.close() : this.choices.mode === "what_if" && this.setMode("entity")),
      "/": () => this.parts.find?.focus(), "?": () => this.togglePanel("keys"),
      t: () => this.choose({ zone: { utc: "local", local: "relative", relative: null }[this.choices.zone] }, { quiet: true }),
    };
    const moving = ["entity", "population"];
    const press = (event) => {
      const target = event.composedPath()[0];
      if (!this.start?.events || event.ctrlKey || event.metaKey || event.altKey || target.matches?.("input, select, textarea")) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key === " " && target.matches?.("button")) return;
      if (["ArrowLeft", "ArrowRight", "Home", "End", " "].includes(key) && !moving.includes(this.choices.mode)) return;
      if (!acts[key]) return;
      event.preventDefault();
      if (event.shiftKey && key.startsWith("Arrow")) shifted(key === "ArrowRight" ? 1 : -1)();
      else acts[key]();
    };
    this.hear(press);
  }

  setAside(position) {
    const aside = new Set((this.choices.query.without ?? []).map(Number));
    if (aside.has(position)) aside.delete(position);
    else aside.add(position);
    this.choose({ mode: "what_if", change: "without", without: [...aside].sort((one, other) => one - other).map(String) });
  }
}

function drawSide(app) {
  const { side } = app.parts;
  side.hidden = app.choices.one("event") === undefined;
  if (side.hidden) return fill(side);
  return drawInspector(app, side);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-as", tabindex: "-1" });
  el.append(root);
  const app = new AsOf(model, root);
  return () => app.stop();
}

export default { render };
