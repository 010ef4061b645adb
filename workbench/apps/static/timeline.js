// The page: choices lead to questions, answers to pictures. Nothing moves that the person did not move.

const DIMMED = ["lanes", "rows", "facets", "side"];

class Timeline extends Page {
  constructor(model, root) {
    super(model, root, "Timeline", Choices);
    this.hues = new Map();
    this.openFacets = new Set();
    this.shut = new Set();
    this.windows = [];
    this.raw = false;
    this.frame();
    this.progress = new Progress(this.parts.work, () => this.stopWork());
    this.asker = new Asker(model, (running, told) => this.progress.follow(running, told));
    this.keyboard();
    this.begin();
  }

  frame() {
    const { parts } = this;
    const part = (name, tag) => this.part(name, tag);
    parts.main = h("main", { class: "wb-main" }, part("facets", "aside"), h("div", { class: "wb-detail" }, part("head"), part("work"), part("lanes"), part("spans"), part("rows"), part("actions")), part("side", "aside"));
    fill(this.root, part("header", "header"), part("filters"), part("form"), part("notice"), part("strip"), parts.main);
    parts.work.hidden = true;
    this.followWidth("lanes", () => (drawStrip(this), this.refresh()));
    this.followAddress();
    this.paint();
  }

  stop() {
    this.stops.forEach((act) => act());
    this.asker.stop();
    this.progress.end();
    this.view?.finalize();
  }

  paint() {
    this.paintGround();
    drawFilters(this);
  }

  begin() {
    this.parts.main.hidden = true;
    this.parts.notice.after(this.parts.work);
    this.asker.plan([
      this.ask("start", (start) => {
        this.start = start;
        this.hues = new Map(start.types.map((type) => [type.name, type.hue]));
        if (start.position !== null && start.position >= 0) this.choices = this.choices.with({ position: start.position });
        this.notice = null;
        fill(this.parts.strip);
        this.parts.head.after(this.parts.work);
        this.older = start.position !== null && start.head !== null && start.position < start.head;
        if (!start.events) return this.drawEmpty();
        this.parts.main.hidden = false;
        this.remember(false);
        this.paint();
        return this.refresh();
      }),
    ]);
  }

  drawEmpty() {
    this.paint();
    drawNotice(this);
    fill(this.parts.filters);
    this.empty = h("div", { class: "wb-empty" }, h("h2", {}, "This log has no event yet."), h("p", {}, "Bring some in with ", h("code", {}, "workbench ingest FILE"), "; they appear here as they are committed. ", h("code", {}, "workbench demo"), " makes a log to look at."), button("Look again", () => this.lookAgain(), { class: "wb-button main" }));
    fill(this.parts.strip, this.empty);
  }

  lookAgain() {
    this.choices = this.choices.with({ position: null });
    this.begin();
  }

  // The picture first, then its rows, then what stands around them.
  refresh() {
    this.busy();
    const steps = [
      this.ask("timeline", (timeline) => this.showTimeline(timeline), { width: this.parts.lanes.clientWidth || 760 }),
      ...this.spanSteps(),
      this.rowStep(),
      this.ask("facets", (facets) => {
        this.facets = facets;
        drawFacets(this);
        this.ready("facets");
      }),
      this.ask("strip", (strip) => ((this.strip = strip), drawStrip(this))),
      ...this.eventSteps(),
      this.previousStep(),
      this.summaryStep(),
    ];
    this.asker.plan(steps);
  }

  // One stream may be a run of an agent: then it is told as spans too.
  spanSteps() {
    const streams = this.choices.values("stream_id", false);
    if (streams.length !== 1 || this.spans?.stream_id !== streams[0]) {
      this.spans = null;
      drawSpans(this);
    }
    return streams.length !== 1 ? [] : [this.ask("spans", ({ run }) => ((this.spans = run), drawSpans(this)))];
  }

  summaryStep() {
    return this.ask("summary", (summary) => {
      this.summary = summary;
      drawSide(this);
      this.ready("side");
    });
  }

  rowStep(options) {
    return this.ask("rows", (rows) => {
      this.rows = rows;
      this.previous = null;
      // A page reached from another is named by its own first row, so that its link leads to the same page.
      if (options?.move && rows.rows.length) {
        this.choices = this.choices.with({ row: rows.rows[0].place });
        this.remember(false, true);
      }
      drawRows(this);
      this.ready("rows");
    }, options);
  }

  previousStep() {
    const step = this.ask("previous", ({ rows }) => {
      this.previous = new Map(rows.map((row) => [row.place, row.previous_at]));
      fillPrevious(this);
    });
    // The page it belongs to is known once the rows are there.
    return { ...step, late: () => ({ ...this.choices.query }) };
  }

  eventSteps() {
    if (this.choices.one("event") === undefined) return [];
    const asked = this.choices.one("event");
    const kept = this.event?.place === asked;
    const load = this.ask("event", (event) => {
      this.event = event;
      // A link may spell a place otherwise than the log does.
      if (event.place !== asked && this.choices.one("event") === asked) {
        this.choices = this.choices.with({ event: event.place });
        this.remember(false, true);
      }
      this.around = null;
      this.eventError = null;
      drawSide(this);
      markEvent(this);
      this.ready("side");
    });
    const near = this.ask("around", (around) => {
      this.around = around;
      drawSide(this);
    });
    return kept && this.around ? [] : [load, near];
  }

  showTimeline(timeline) {
    this.timeline = timeline;
    this.patience = undefined;
    this.shown = this.choices;
    this.notice = null;
    if (this.older && !this.kept) this.noticeOlder();
    drawNotice(this);
    drawFilters(this);
    drawDetailHead(this);
    drawActions(this);
    if (timeline.events) drawLanes(this).then(() => this.ready("lanes"));
    else this.noMatch();
  }

  noticeOlder() {
    const { start } = this;
    this.notice = {
      kind: "info",
      title: `This link was made at position ${count(start.position)}.`,
      detail: `You see what the log knew then. ${plural(start.head - start.position, "event")} came since.`,
      buttons: [["Show all", () => this.lookAgain(), true], ["Keep", () => { this.kept = true; this.notice = null; drawNotice(this); }]],
    };
  }

  // Says at once that nothing matches, then what each filter, dropped alone, would bring back.
  noMatch() {
    this.ready("lanes");
    fill(this.parts.rows);
    this.ready("rows");
    const names = this.choices.narrowing();
    const many = ["", "", "", "three", "four", "five", "six", "seven"][names.length] ?? names.length;
    const title = names.length <= 1 ? "No event matches this filter." : names.length === 2 ? "No event matches both filters." : `No event matches all ${many} filters.`;
    const list = h("dl", {}, names.map((name) => [h("dt", {}, link(`Drop ${name}`, () => this.drop(name))), h("dd", {}, "…"), h("dd", {})]));
    fill(this.parts.lanes, h("div", { class: "wb-nomatch" }, h("h2", {}, title), list));
    this.asker.next(this.ask("drops", ({ drops }) => {
      fill(list, drops.map(({ name, events }) => [h("dt", {}, link(`Drop ${name}`, () => this.drop(name))), h("dd", {}, count(events)), h("dd", { class: "wb-dim" }, events === 1 ? "event" : "events")]));
    }));
  }

  drop(name) {
    if (name === "window") return this.choose({ since: null, until: null, row: null });
    if (name === "text") return this.choose({ text: null, row: null });
    return this.choose({ [name]: null, [`not_${name}`]: null, row: null });
  }

  // What is asked anew dims at once, where it stands.
  busy() {
    if (!this.start) return;
    // A plan that came to nothing leaves fresh what was so before it.
    this.before = this.fresh?.has("lanes") ? this.fresh : this.before ?? new Set();
    this.fresh = new Set();
    for (const name of DIMMED) this.parts[name].classList.add("busy");
  }

  ready(name) {
    this.fresh?.add(name);
    this.parts[name].classList.remove("busy");
  }

  // Takes back what is under way: its statement ends on the engine, and what was shown before stands again.
  stopWork() {
    const kind = this.asker.running?.kind;
    const wanted = this.choices;
    this.asker.drop();
    this.notice = { kind: "info", title: "Stopped.", ...this.stopped(kind, wanted) };
    return drawNotice(this);
  }

  stopped(kind, wanted) {
    if (!this.start) return { detail: "The log was not opened.", buttons: [["Open it", () => this.begin(), true]] };
    if (kind === "export") return { detail: "No row was written." };
    if (kind === "event" || kind === "around") {
      this.parts.side.classList.remove("busy");
      return { detail: "The event was not read to its end.", buttons: [["Close it", () => this.close(), true]] };
    }
    const again = [["Ask again", () => ((this.notice = null), drawNotice(this), this.chooseAll(wanted, { keep: true })), true]];
    if (kind !== "timeline") return { detail: "What is dimmed still shows the answer before.", buttons: again };
    if (!this.shown) return { detail: "Nothing of the log is shown yet.", buttons: again };
    this.choices = this.shown.with({ event: wanted.one("event") ?? null, zone: wanted.one("zone") ?? null, theme: wanted.one("theme") ?? null });
    this.remember(false, true);
    this.paint();
    this.brush?.(this.chosenWindow());
    for (const name of this.before) this.ready(name);
    return { detail: "Shown: the answer before.", buttons: again };
  }

  fail(asked, { sentence, kind }) {
    const refused = kind === "refused";
    if (asked === "event" || asked === "around") {
      this.eventError = sentence;
      this.event = null;
      this.ready("side");
      return drawSide(this);
    }
    const [title, detail] = splitSentence(sentence);
    const stays = this.timeline && this.start ? `Shown: the answer before${this.start.position === null ? "" : `, at position ${count(this.start.position)}`}.` : null;
    const again = () => (this.start ? this.refresh() : this.begin());
    this.notice = {
      kind: "failed", sign: "✕", title: refused ? `Refused: ${title}` : title, detail: [detail, stays].filter(Boolean).join(" ") || null,
      buttons: refused ? [["Clear the choices", () => this.clear(true)]] : [["Try now", again]],
    };
    drawNotice(this);
    if (kind !== "unreachable") return null;
    // A server that restarts is back within a minute: every try waits twice as long as the one before, 64 s at most.
    this.patience = Math.min(64, 2 * (this.patience ?? 4));
    const wait = h("span", { class: "wb-dim" });
    this.parts.notice.querySelector("button").before(wait);
    return this.asker.later(this.patience, (left) => (wait.textContent = `again in ${left} s`), again);
  }

  choose(changes, how = {}) {
    this.chooseAll(this.choices.with(changes), how);
  }

  chooseAll(choices, how = {}) {
    const before = this.choices;
    this.choices = choices;
    this.remember(!how.keep, how.quiet || how.only);
    if (how.quiet) drawSide(this);
    this.paint();
    drawFilterForm(this);
    if (!this.start) return this.begin();
    if (how.only === "rows") {
      this.fresh.delete("rows");
      this.parts.rows.classList.add("busy");
      return this.asker.plan([this.rowStep(how.options), this.previousStep(), this.summary ? null : this.summaryStep()].filter(Boolean));
    }
    this.brush?.(this.chosenWindow());
    if (how.quiet && before) {
      drawStrip(this);
      drawRows(this);
    }
    return this.refresh();
  }

  clear(all) {
    this.windows = [];
    this.notice = null;
    drawNotice(this);
    this.chooseAll(all ? new Choices({}) : this.choices.cleared());
  }

  toggleValue(field, value, kept) {
    const chosen = this.choices.values(field, false);
    const refused = this.choices.values(field, true);
    if (chosen.length) return this.chooseAll(this.choices.setValues(field, false, kept ? chosen.filter((each) => each !== value) : [...chosen, value]).with({ row: null }));
    return this.chooseAll(this.choices.setValues(field, true, kept ? [...refused, value] : refused.filter((each) => each !== value)).with({ row: null }));
  }

  toggleFilterForm() {
    this.filterForm = !this.filterForm;
    drawFilters(this);
    drawFilterForm(this);
  }

  togglePanel(name) {
    this.panel = this.panel === name ? null : name;
    drawActions(this);
    this.parts.actions.querySelector(".wb-panel")?.scrollIntoView({ block: "nearest" });
  }

  extent() {
    const { bars } = this.start;
    return [bars.start[0] * 1e6, bars.end.at(-1) * 1e6];
  }

  chosenWindow() {
    const [from, to] = ["since", "until"].map((name) => this.choices.one(name));
    if (!this.start || (from === undefined && to === undefined)) return null;
    return [from === undefined ? this.start.first : fromIso(from), to === undefined ? this.start.last + 1 : fromIso(to)];
  }

  // What the hand chose is as exact as a pixel: its ends are rounded to the largest plain unit within one.
  setByHand([from, to], perPixel) {
    const unit = [86400e6, 3600e6, 900e6, 60e6, 1e6, 1e3].find((each) => each <= perPixel) ?? 1;
    const start = Math.round(from / unit) * unit;
    this.setWindow([start, Math.max(start + unit, Math.round(to / unit) * unit)]);
  }

  setWindow(window_, how) {
    this.windows.push(this.chosenWindow());
    this.choose({ since: window_ ? toIso(Math.round(window_[0])) : null, until: window_ ? toIso(Math.round(window_[1])) : null, row: null }, how);
  }

  zoom(factor, centre) {
    const [from, to] = this.pending ?? this.chosenWindow() ?? [this.start.first, this.start.last + 1];
    const middle = centre ?? (from + to) / 2;
    const next = [middle - (middle - from) * factor, middle + (to - middle) * factor];
    const whole = next[0] <= this.start.first && next[1] >= this.start.last;
    return this.soon(whole ? null : next[1] - next[0] < 1000 ? [from, to] : next);
  }

  pan(part) {
    const [from, to] = this.pending ?? this.chosenWindow() ?? [this.start.first, this.start.last + 1];
    const by = (to - from) * part;
    this.soon([from + by, to + by]);
  }

  // The brush follows every step at once; the picture is asked for when the steps pause.
  soon(window_) {
    this.pending = window_;
    this.brush?.(window_);
    clearTimeout(this.moving);
    this.moving = setTimeout(() => {
      const chosen = this.pending;
      this.pending = undefined;
      this.setWindow(chosen);
    }, 120);
  }

  watchWheel(node, time) {
    node.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      if (event.ctrlKey) this.zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event));
      else this.pan((event.deltaY || event.deltaX) > 0 ? 0.1 : -0.1);
    }, { passive: false });
  }

  page(direction) {
    // Rows of another question are no place to page from.
    if (!this.fresh.has("rows")) return;
    const { rows } = this.rows;
    const row = rows.at(direction > 0 ? -1 : 0)?.place ?? this.choices.one("row");
    this.choose({ row }, { only: "rows", options: { move: direction > 0 ? "after" : "before" } });
  }

  open(place) {
    if (this.choices.one("event") === place) return this.close();
    this.choices = this.choices.with({ event: place });
    this.eventError = null;
    this.remember(false, true);
    this.parts.side.classList.add("busy");
    this.showSelected();
    this.asker.instead(this.eventSteps());
    return null;
  }

  close() {
    this.choices = this.choices.with({ event: null });
    this.event = null;
    this.around = null;
    this.eventError = null;
    this.remember(false, true);
    this.parts.side.classList.remove("busy");
    drawSide(this);
    markEvent(this);
    this.showSelected();
  }

  showSelected() {
    const open = this.choices.one("event");
    markSpan(this);
    for (const row of this.parts.rows.querySelectorAll("tbody tr")) {
      const here = row.dataset.place === open;
      row.setAttribute("aria-selected", String(here));
      if (here) row.scrollIntoView({ block: "nearest" });
    }
  }

  step(by) {
    const rows = this.rows?.rows ?? [];
    const at = rows.findIndex((row) => row.place === this.choices.one("event"));
    const next = at < 0 ? rows[0] : rows[at + by];
    if (next) this.open(next.place);
  }

  showStream(id) {
    this.chooseAll(this.choices.only("stream_id", id).with({ since: null, until: null }));
  }

  stepInStream(by) {
    const stream = this.around?.stream ?? [];
    const next = stream[stream.findIndex((row) => row.place === this.choices.one("event")) + by];
    if (next) this.open(next.place);
  }

  download(form) {
    this.asker.also(this.ask("export", (body, buffers) => {
      const kinds = { csv: "text/csv", json: "application/x-ndjson", parquet: "application/vnd.apache.parquet" };
      this.save(new Blob([buffers[0]], { type: kinds[form] }), `${this.start.log}-events.${form}`);
    }, { form }));
  }

  async savePicture() {
    const address = await this.view.view.toImageURL("png", 2);
    const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
    this.save(new Blob([bytes], { type: "image/png" }), `${this.start.log}-timeline.png`);
  }

  keyboard() {
    const acts = {
      ArrowLeft: () => this.pan(-0.1), ArrowRight: () => this.pan(0.1), "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      0: () => this.setWindow(null), "[": () => this.step(-1), "]": () => this.step(1), "{": () => this.stepInStream(-1), "}": () => this.stepInStream(1),
      "/": () => this.parts.find.focus(), "?": () => this.togglePanel("keys"),
      t: () => this.choose({ zone: { utc: "local", local: "relative", relative: null }[this.choices.zone] }, { quiet: true }),
      Escape: () => (this.progress.stoppable() ? this.stopWork() : this.choices.one("event") !== undefined ? this.close() : this.windows.length && this.undoWindow()),
    };
    const press = (event) => {
      const target = event.composedPath()[0];
      if (!this.start?.events || event.ctrlKey || event.metaKey || event.altKey || target.matches?.("input, select, textarea")) return;
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    };
    this.hear(press);
  }

  undoWindow() {
    const window_ = this.windows.pop();
    this.choose({ since: window_ ? toIso(Math.round(window_[0])) : null, until: window_ ? toIso(Math.round(window_[1])) : null, row: null });
  }
}

function render({ model, el }) {
  const root = h("div", { class: "wb", tabindex: "-1" });
  el.append(root);
  const app = new Timeline(model, root);
  return () => app.stop();
}

export default { render };
