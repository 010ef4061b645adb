// Deltas: what the AI proposed, what the person made of it, and why. Every picture is counted in the engine.

Object.assign(WORKS, { start: "Opening the log", measure: "Measuring what is new", figures: "Counting decisions", split: "Counting decisions over time", compare: "Comparing versions", distances: "Counting by edit distance", survival: "Following what was taken", changes: "Ranking what is changed", rows: "Reading deltas", beside: "Looking for what is not in the list", facets: "Counting values", drops: "Counting without each filter", orphans: "Reading what is not in the list", delta: "Reading one delta", reason: "Adding the reason", event: "Reading the event", around: "Looking around the event", export: "Writing the rows", plan: "Counting what each rule drops", row: "Reading the row", write: "Writing the files" });

const DELTA_FILTERS = ["kind", "decision", "version", "model", "person", "reason", "field", "stream", "since", "until", "text", "low", "high", "removed", "inserted", "place", "after", "by"];
const DELTA_NAMES = [...DELTA_FILTERS, "within", "position", "one", "other", "moment", "order", "down", "first", "delta", "against", "view", "event", "export", "zone", "theme"];
const PICTURES = ["figures", "facets", "split", "rows", "distances", "changes", "survival", "compare", "beside"];
const SHOWS = { split: showSplit, distances: showDistances, changes: showChanges, survival: showSurvival, compare: showCompare };
const DELTA_KEYS = [[["j", "k"], "next, previous"], [["Enter"], "open"], [["Esc"], "back"], [["c"], "compare with the next moment"], [["v"], "view"], [["o"], "kept paths"], [["m"], "next moved phrase"], [["/"], "filter"], [["t"], "time zone"], [["?"], "all keys"]];
const readFacet = (text) => (text === "~" ? null : text.startsWith("~") ? text.slice(1) : text);
const writeFacet = (value) => (value === null ? "~" : value.startsWith("~") ? `~${value}` : value);

class DeltaChoices extends Query {
  static NAMES = DELTA_NAMES;

  isNarrowed() {
    return DELTA_FILTERS.some((name) => this.query[name]) || this.query.within !== undefined;
  }

  // The values chosen of one menu: an own parameter, or among the fields as name=value.
  chosen(menu) {
    if (!menu.field) return (this.query[menu.name] ?? []).map(readFacet);
    return (this.query.field ?? []).filter((each) => each.startsWith(`${menu.field}=`)).map((each) => readFacet(each.slice(menu.field.length + 1)));
  }

  withChosen(menu, values) {
    if (!menu.field) return { [menu.name]: values.map(writeFacet) };
    return { field: [...(this.query.field ?? []).filter((each) => !each.startsWith(`${menu.field}=`)), ...values.map((each) => `${menu.field}=${writeFacet(each)}`)] };
  }
}

class Deltas extends Page {
  constructor(model, root) {
    super(model, root, "Deltas", DeltaChoices);
    this.hues = new Map();
    this.shut = new Set();
    this.raw = false;
    this.told = {};
    this.views = new Map();
    this.at = null;
    this.frame();
    this.progress = new Progress(this.parts.work, () => this.stopWork());
    this.asker = new Asker(model, (running, told) => this.progress.follow(running, told));
    this.keyboard();
    this.begin();
  }

  frame() {
    const { parts } = this;
    const part = (name, tag) => this.part(name, tag);
    for (const name of ["figures", "split", "compare", "distances", "survival", "changes"]) part(name, "section");
    for (const name of ["list", "actions", "one"]) part(name);
    parts.main = h("main", { class: "wb-deltas" });
    fill(this.root, part("header", "header"), part("filters"), part("work"), part("notice"), parts.main, part("side", "aside"));
    parts.work.hidden = true;
    parts.side.hidden = true;
    const away = (event) => this.openMenu && !event.composedPath().some((each) => each.dataset?.menu) && this.toggleMenu(null);
    document.addEventListener("pointerdown", away);
    this.stops.push(() => document.removeEventListener("pointerdown", away));
    this.followWidth("main", () => this.refresh());
    this.followAddress();
    this.paint();
  }

  stop() {
    this.stops.forEach((act) => act());
    this.asker.stop();
    this.progress.end();
    this.views.forEach((view) => view.finalize());
  }

  hasApp(name) {
    return (this.model.get("apps") ?? []).some((each) => each.name === name);
  }

  paint() {
    this.paintGround();
    if (this.isOne()) drawDeltaBar(this);
    else drawDeltaFilters(this);
  }

  isOne() {
    return this.choices.one("delta") !== undefined;
  }

  begin() {
    this.asker.plan([
      this.ask("start", (start) => {
        this.start = start;
        this.hues = new Map(start.types.map((type) => [type.name, type.hue]));
        this.notice = this.added ?? null;
        this.added = null;
        if (start.position !== null && start.position >= 0) this.choices = this.choices.with({ position: start.position });
        if (start.head !== null && start.position < start.head) {
          this.notice = { kind: "info", title: `This link was made at position ${count(start.position)}.`, detail: `${start.holds_past ? "You see what the log knew then." : "Proposals shown since are left out; decisions and measures are today's."} ${plural(start.head - start.position, "event")} came since.`, buttons: [["Show all", () => this.lookAgain(), true], ["Keep", () => this.dismiss()]] };
        }
        drawNotice(this);
        if (!start.events || !start.kinds.length) return this.drawEmpty();
        this.remember(false);
        this.refresh();
        return this.choices.one("export") !== undefined && openExport(this);
      }),
    ]);
  }

  dismiss() {
    this.notice = null;
    drawNotice(this);
  }

  lookAgain() {
    this.choices = this.choices.with({ position: null });
    this.begin();
  }

  drawEmpty() {
    this.paint();
    const unmapped = Boolean(this.start.events);
    const words = unmapped
      ? [h("h2", {}, "No mapping says which events are proposals."), h("p", {}, "Write one as ", h("code", {}, "[deltas.NAME]"), " in ", h("code", {}, "workbench.toml"), ", or as a file in the log's folder ", h("code", {}, "deltas"), ": which events propose and which decide. Then serve the log again.")]
      : [h("h2", {}, "This log has no event yet."), h("p", {}, "Bring some in with ", h("code", {}, "workbench ingest FILE"), "; they appear here as they are committed.")];
    fill(this.parts.main, h("div", { class: "wb-empty" }, words, unmapped ? null : button("Look again", () => this.lookAgain(), { class: "wb-button main" })));
  }

  // A mapping alone makes no proposal: which events it looks for is what helps.
  drawUnproposed() {
    this.asker.drop();
    this.told = {};
    this.settle();
    const looked = Object.entries(this.start.proposed).map(([kind, types]) => h("p", {}, h("b", {}, kind), " looks for ", types.map((type, index) => [index ? ", " : "", h("code", {}, type)])));
    fill(this.parts.main, h("div", { class: "wb-empty" }, h("h2", {}, "No event of this log is a proposal yet."), looked, button("Look again", () => this.lookAgain(), { class: "wb-button main" })));
  }

  refresh() {
    this.busy();
    this.paint();
    if (this.isOne()) this.asker.plan([...this.deltaSteps(), ...this.eventSteps()]);
    else this.asker.plan([...this.overviewSteps(), ...this.eventSteps()]);
  }

  widths() {
    const wide = this.parts.main.clientWidth || 1392;
    const columns = wide >= 1100 ? 3 : wide >= 700 ? 2 : 1;
    const gap = 40;
    const third = Math.floor((wide - (columns - 1) * gap) / columns);
    const right = columns === 3 ? Math.min(440, third) : wide;
    return { split: columns === 3 ? wide - right - 2 * gap + gap : wide, compare: (columns === 3 ? right : wide) - 236, distances: columns === 3 ? Math.floor((wide - right - 2 * gap) / 2) : third, survival: columns === 3 ? Math.floor((wide - right - 2 * gap) / 2) : third, changes: columns === 3 ? right : columns === 2 ? wide : third };
  }

  overviewSteps(kinds = PICTURES) {
    const widths = this.widths();
    const measure = kinds === PICTURES ? [this.ask("measure", () => null)] : [];
    return [...measure, ...kinds.map((kind) => this.ask(kind, (body) => this.take(kind, body), { width: widths[kind] }))];
  }

  take(kind, body) {
    this.told[kind] = body;
    if (["figures", "rows", "beside", "facets"].includes(kind)) this[kind] = body;
    if (!this.isOne() && !this.parts.figures.isConnected) this.layOut();
    this.calm(kind);
    if (kind === "figures") {
      drawFigures(this);
      drawDeltaFilters(this);
      this.drops = null;
      if (!body.all) return this.drawUnproposed();
      if (!body.shown) this.asker.also(this.ask("drops", ({ drops }) => ((this.drops = drops), drawList(this))));
    }
    if (SHOWS[kind]) SHOWS[kind](this);
    if (kind === "facets") drawDeltaFilters(this);
    if (kind === "rows") this.at = this.rows.rows.some((row) => row.position === this.at) ? this.at : null;
    if (kind === "rows" || kind === "beside" || kind === "figures") drawList(this);
    if (kind === "rows") this.goOn();
    if (kind === "figures") this.settle();
    drawDeltaActions(this);
  }

  // A step past the end of a page of the list goes on with the next page.
  goOn() {
    if (!this.markNext) return;
    const row = this.markNext > 0 ? this.rows.rows[0] : this.rows.rows.at(-1);
    this.markNext = 0;
    if (row) this.mark(row.position, true);
  }

  layOut() {
    const { parts } = this;
    fill(parts.main, parts.figures, h("div", { class: "wb-pair" }, parts.split, parts.compare), h("div", { class: "wb-triple" }, parts.distances, parts.survival, parts.changes), parts.list, parts.actions);
  }

  busy(kinds = null) {
    const names = kinds ?? (this.isOne() ? ["one"] : PICTURES);
    for (const name of names) (this.parts[name === "rows" ? "list" : name] ?? h("i")).classList.add("busy");
  }

  calm(kind) {
    (this.parts[kind === "rows" ? "list" : kind] ?? h("i")).classList.remove("busy");
  }

  settle() {
    if (this.notice?.kind === "failed") this.dismiss();
    this.patience = undefined;
  }

  deltaSteps() {
    const wide = this.parts.main.clientWidth || 1392;
    return [this.ask("measure", () => null), this.ask("delta", (one) => {
      this.one = one;
      this.at = one.row.position;
      if (!this.parts.one.isConnected) fill(this.parts.main, this.parts.one);
      if (this.seen !== one.row.position) scrollerOf(this.root).scrollTop = 0;
      this.seen = one.row.position;
      this.calm("one");
      this.settle();
      drawOne(this);
    }, { width: Math.max(300, wide >= 1100 ? Math.min(660, wide - 700) : wide - 340) })];
  }

  openDelta(position) {
    this.came = scrollerOf(this.root).scrollTop;
    this.at = position;
    this.choose({ delta: position, event: null });
  }

  closeDelta() {
    this.one = null;
    this.panel = null;
    this.choose({ delta: null, event: null, against: null });
  }

  stepDelta(by) {
    const next = by < 0 ? this.one?.before : this.one?.after;
    if (next === null || next === undefined) return;
    this.at = next;
    this.choose({ delta: next, event: null }, { quiet: true, only: ["delta"] });
  }

  // The proposals that a hint counts, and no others.
  openAlike({ kind, fields, text }) {
    const { zone, theme, position } = this.choices.query;
    const named = Object.entries(fields).map(([name, value]) => `${name}=${writeFacet(value)}`);
    this.one = null;
    this.panel = null;
    this.chooseAll(new DeltaChoices({ ...(zone && { zone }), ...(theme && { theme }), ...(position && { position }), kind: [kind], decision: ["edited"], field: named, text: [text] }));
  }

  // Whoever looked at the log's head looks at it still, with the reason in it; an earlier position stays as it is.
  showAdded({ position, new: isNew }) {
    const wasHead = this.start.position === this.start.head;
    if (wasHead) this.choices = this.choices.with({ position: null });
    this.added = { kind: "info", title: isNew ? `The reason stands at position ${count(position)}.` : `This reason stands at position ${count(position)} already.`, detail: wasHead ? "An event was added to the log, and none was changed." : `This page shows the log as of position ${count(this.start.position)}.`, buttons: [...(wasHead ? [] : [["Show all", () => this.lookAgain(), true]]), ["Close", () => this.dismiss()]] };
    if (wasHead) return this.begin();
    this.notice = this.added;
    return drawNotice(this);
  }

  view(next) {
    this.choices = this.choices.with({ view: next });
    this.remember(false, true);
    drawOne(this);
  }

  nextView() {
    const views = this.one?.row.structure ? ["path", "side", "patch"] : ["inline", "side", "both"];
    const now = this.choices.one("view") ?? (this.one?.row.structure ? "path" : "both");
    this.view(views[(views.indexOf(now) + 1) % views.length]);
  }

  nextMoment() {
    const possible = (this.one?.moments ?? []).filter((each) => !each.censored && each.value);
    if (possible.length < 2) return;
    const next = possible[(possible.findIndex((each) => each.name === this.one.against) + 1) % possible.length];
    this.choose({ against: next.name === "today" ? null : next.name }, { only: ["delta"], quiet: true });
  }

  nextMove() {
    const ends = [...this.parts.one.querySelectorAll(".wb-text [data-move]")];
    if (!ends.length) return;
    const at = ends.indexOf(this.root.getRootNode().activeElement);
    ends[(at + 1) % ends.length].focus();
  }

  toggleKept() {
    this.keptOpen = !this.keptOpen;
    drawOne(this);
  }

  // The row that the keys stand on.
  mark(position, focus) {
    this.at = position;
    for (const row of this.parts.list.querySelectorAll("tbody tr[data-position]")) {
      const here = Number(row.dataset.position) === position;
      row.setAttribute("aria-selected", String(here));
      if (here && focus) {
        row.focus({ preventScroll: true });
        row.scrollIntoView({ block: "nearest" });
      }
    }
  }

  step(by) {
    if (this.isOne()) return this.choices.one("event") === undefined ? this.stepDelta(by) : null;
    const rows = this.rows?.rows ?? [];
    const index = rows.findIndex((row) => row.position === this.at);
    const next = index < 0 ? (by > 0 ? 0 : rows.length - 1) : index + by;
    if (rows[next]) return this.mark(rows[next].position, true);
    const { before, total, size } = this.rows ?? { before: 0, total: 0, size: 1 };
    const first = before + by * size;
    if (first + size <= 0 || first >= total) return null;
    this.markNext = by;
    return this.choose({ first: Math.max(0, first) || null }, { only: ["rows"], quiet: true });
  }

  toggleMenu(name) {
    const was = this.openMenu;
    this.openMenu = this.openMenu === name ? null : name;
    drawDeltaFilters(this);
    const hang = this.parts.filters.querySelector(`[data-menu="${this.openMenu ?? was}"]`);
    (this.openMenu ? hang?.querySelector(".wb-pop input") : hang?.querySelector("button"))?.focus();
  }

  chooseValues(menu, values) {
    this.filter(this.choices.withChosen(menu, values), true);
  }

  // A filter begins the list anew; the menu it was chosen in stays open.
  filter(changes, keepMenu) {
    if (!keepMenu) this.openMenu = null;
    this.choose({ ...changes, first: null });
  }

  toggleOrphans() {
    this.orphansOpen = !this.orphansOpen;
    drawList(this);
    if (this.orphansOpen && !this.orphans) this.asker.also(this.ask("orphans", (body) => ((this.orphans = body), drawList(this))));
  }

  choose(changes, how = {}) {
    this.chooseAll(this.choices.with(changes), how);
  }

  chooseAll(choices, how = {}) {
    const before = this.choices;
    if (this.exporting && choices.one("export") === undefined) closeExport(this);
    this.choices = choices;
    this.remember(!how.keep, how.quiet);
    if (!this.start || before.one("position") !== choices.one("position")) return this.begin();
    const was = before.one("delta") !== undefined;
    if (was !== this.isOne()) {
      drawSide(this);
      if (!this.isOne() && this.told.figures && JSON.stringify(this.drawn) === JSON.stringify(this.narrowing())) return this.showOverview();
      fill(this.parts.main, this.isOne() ? this.parts.one : null);
      if (this.isOne()) this.parts.one.replaceChildren();
      else this.layOut();
      return this.refresh();
    }
    if (how.only) {
      this.busy(how.only.map((each) => (each === "delta" ? "one" : each)));
      this.asker.instead(how.only.includes("delta") ? this.deltaSteps() : this.overviewSteps(how.only));
      return this.paint();
    }
    const same = ["zone", "event"].some((name) => before.one(name) !== choices.one(name)) && before.one("theme") === choices.one("theme");
    if (how.quiet && same) return this.redraw();
    this.orphans = null;
    return this.refresh();
  }

  // What the overview was asked with; the way back to it asks nothing again.
  narrowing() {
    const { query } = this.choices;
    return Object.fromEntries([...DELTA_FILTERS, "within", "position", "one", "other", "moment", "order", "down", "first", "theme"].map((name) => [name, query[name]]));
  }

  showOverview() {
    this.layOut();
    this.paint();
    drawList(this);
    drawDeltaActions(this);
    if (this.came !== undefined) scrollerOf(this.root).scrollTop = this.came;
    if (this.at !== null) this.mark(this.at, true);
  }

  redraw() {
    this.paint();
    if (this.isOne()) drawOne(this);
    else if (this.told.figures) drawList(this);
    drawSide(this);
  }

  stopWork() {
    if (this.exporting) return stopExport(this);
    this.asker.drop();
    for (const part of Object.values(this.parts)) part.classList?.remove("busy");
    this.notice = { kind: "info", title: "Stopped.", detail: "What is shown is the answer before. Nothing of the log has changed.", buttons: [["Ask again", () => ((this.notice = null), this.refresh()), true]] };
    return drawNotice(this);
  }

  fail(asked, { sentence, kind }) {
    if (asked === "event" || asked === "around") {
      this.eventError = sentence;
      this.event = null;
      return drawSide(this);
    }
    const [title, detail] = splitSentence(sentence);
    const again = () => ((this.notice = null), drawNotice(this), this.start ? this.refresh() : this.begin());
    const refused = kind === "refused";
    this.notice = { kind: "failed", sign: "✕", title: refused ? `Refused: ${title}` : title, detail, buttons: [refused ? ["Clear the choices", () => this.clear()] : ["Try now", again]] };
    drawNotice(this);
    // One picture that fails says so in its place, and leaves the others to come.
    if (kind === "failed" && PICTURES.includes(asked) && asked !== "figures") return this.missPicture(asked);
    this.asker.drop();
    for (const part of Object.values(this.parts)) part.classList?.remove("busy");
    if (kind !== "unreachable") return null;
    this.patience = Math.min(64, 2 * (this.patience ?? 4));
    const wait = h("span", { class: "wb-dim" });
    this.parts.notice.querySelector("button").before(wait);
    return this.asker.later(this.patience, (left) => (wait.textContent = `again in ${left} s`), again);
  }

  missPicture(asked) {
    this.calm(asked);
    const node = this.parts[asked === "rows" ? "list" : asked];
    if (!node) return;
    const words = (WORKS[asked] ?? "").toLowerCase();
    fill(node, h("p", { class: "wb-nothing wb-missing" }, h("span", { class: "wb-bad", "aria-hidden": "true" }, "✕ "), `No answer to ${words}. `, link("Try again", () => (this.dismiss(), this.busy([asked]), this.asker.instead(this.overviewSteps([asked]))))));
  }

  clear() {
    const kept = Object.fromEntries(["zone", "theme", ...(this.start ? ["position"] : [])].filter((name) => this.choices.query[name]).map((name) => [name, this.choices.query[name]]));
    this.notice = null;
    this.openMenu = null;
    drawNotice(this);
    this.chooseAll(new DeltaChoices(kept));
  }

  showStream(id) {
    this.close();
    this.filter({ delta: null, stream: id });
  }

  setWindow([from, to]) {
    window.location.assign(`../timeline/?${new URLSearchParams({ since: toIso(from), until: toIso(to) })}`);
  }

  togglePanel(name) {
    this.panel = this.panel === name ? null : name;
    if (this.isOne()) drawOne(this);
    else drawDeltaActions(this);
    this.root.querySelector(".wb-panel.said")?.scrollIntoView({ block: "nearest" });
  }

  download(form) {
    const kinds = { csv: "text/csv", json: "application/x-ndjson", parquet: "application/vnd.apache.parquet" };
    this.asker.also(this.ask("export", (body, buffers) => this.save(new Blob([buffers[0]], { type: kinds[form] }), `${this.start.log}-deltas.${form}`), { form }));
  }

  // The pictures as one image, as they stand.
  async savePicture() {
    const names = this.isOne() ? ["retained"] : ["split", "compare", "distances", "survival", "changes"];
    const scale = 2;
    const shots = await Promise.all(names.filter((name) => this.views.has(name) && this.parts.main.contains(this.views.get(name).view.container())).map(async (name) => ({ canvas: await this.views.get(name).view.toCanvas(scale), box: this.views.get(name).view.container().getBoundingClientRect() })));
    if (!shots.length) return;
    const [left, top] = [Math.min(...shots.map(({ box }) => box.left)), Math.min(...shots.map(({ box }) => box.top))];
    const sheet = h("canvas", { width: scale * (Math.max(...shots.map(({ box }) => box.right)) - left), height: scale * (Math.max(...shots.map(({ box }) => box.bottom)) - top) });
    const context = sheet.getContext("2d");
    context.fillStyle = getComputedStyle(this.root).getPropertyValue("--ground").trim();
    context.fillRect(0, 0, sheet.width, sheet.height);
    for (const { canvas, box } of shots) context.drawImage(canvas, scale * (box.left - left), scale * (box.top - top));
    sheet.toBlob((blob) => this.save(blob, `${this.start.log}-deltas.png`));
  }

  keyboard() {
    const acts = {
      j: () => this.step(1), k: () => this.step(-1), ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1),
      Enter: () => !this.isOne() && this.at !== null && this.openDelta(this.at),
      c: () => this.isOne() && this.nextMoment(), v: () => this.isOne() && this.nextView(), o: () => this.isOne() && this.one?.row.structure && this.toggleKept(), m: () => this.isOne() && this.nextMove(),
      "/": () => (this.isOne() ? null : this.toggleMenu("text")), "?": () => this.togglePanel("keys"),
      t: () => this.choose({ zone: { utc: "local", local: "relative", relative: null }[this.choices.zone] }, { quiet: true }),
      Escape: () => (this.progress.stoppable() ? this.stopWork() : this.openMenu ? this.toggleMenu(null) : this.choices.one("event") !== undefined ? this.close() : this.panel ? this.togglePanel(this.panel) : this.isOne() && this.closeDelta()),
    };
    const press = (event) => {
      const target = event.composedPath()[0];
      if (this.exporting) return;
      if (!this.start?.events || event.ctrlKey || event.metaKey || event.altKey || target.matches?.("input, select, textarea")) return;
      if (event.key === "Enter" && target.matches?.("button, a")) return;
      if (event.key.startsWith("Arrow") && !target.closest?.(".wb-list")) return;
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    };
    this.hear(press);
  }
}

// What scrolls the page: the toolkits have boxes of their own around it, and shadow roots.
function scrollerOf(node) {
  for (let each = node; each; each = each.parentElement ?? each.getRootNode().host) if (each.scrollHeight > each.clientHeight + 4 && /auto|scroll/.test(getComputedStyle(each).overflowY)) return each;
  return document.scrollingElement;
}

// The zone a time is told in, behind it; a source that named none says so wherever a time stands.
const zoneTail = (app) => (app.start?.zone === "unknown" ? " zone unknown" : app.choices.zone === "utc" ? " UTC" : app.choices.zone === "local" ? ` ${localShort()}` : "");

function drawForms(app) {
  const form = (name, words) => link(words, () => app.download(name), { "aria-label": `Rows as ${words}` });
  return h("span", { class: "wb-forms" }, h("span", { class: "wb-dim" }, "Rows ("), form("csv", "CSV"), " · ", form("json", "JSON"), " · ", form("parquet", "Parquet"), h("span", { class: "wb-dim" }, ")"));
}

function drawDeltaActions(app) {
  const { told, parts, start } = app;
  app.drawn = app.narrowing();
  if (!told.figures) return fill(parts.actions);
  const spent = PICTURES.reduce((sum, name) => sum + (told[name]?.milliseconds ?? 0), 0);
  return fill(parts.actions,
    h("div", { class: "wb-line wb-acts" }, told.figures.shown ? drawForms(app) : null, link("SQL", () => app.togglePanel("sql")), link("Link", () => app.togglePanel("link")), told.figures.shown ? link("Picture", () => app.savePicture()) : null, h("span", { class: "wb-gap" }), h("span", { class: "wb-dim" }, `answered by ${start.engine} in ${count(spent)} ms`), start.can_export ? button("Export for training…", () => openExport(app), { class: "wb-button main" }) : null),
    drawPanel(app));
}

function drawPanel(app) {
  if (!app.panel) return null;
  const close = link("close", () => app.togglePanel(app.panel));
  const said = (panel) => (panel.classList.add("said"), panel);
  if (app.panel === "keys") return said(h("div", { class: "wb-panel" }, h("div", { class: "wb-line" }, h("h3", {}, "Keys"), h("span", { class: "wb-gap" }), close), h("div", { class: "wb-keylist" }, DELTA_KEYS.map(([keys, what]) => h("span", {}, keys.map((key) => h("kbd", {}, key)), what)))));
  if (app.panel === "link") return said(textPanel("This view, with its basis", app.fullLink(), close));
  const answers = app.isOne() ? [app.one] : PICTURES.map((name) => app.told[name]);
  const text = answers.filter((each) => each?.sql).map(({ sql, parameters, asks }) => `-- ${asks ?? "asked"}\n${sql}${Object.entries(parameters ?? {}).map(([name, value]) => `\n-- :${name} = ${value.replaceAll("\n", " ")}`).join("")}`).join("\n\n");
  return said(textPanel("What was asked, in Trino's SQL", text, close));
}

function drawSide(app) {
  const { side } = app.parts;
  side.hidden = app.choices.one("event") === undefined;
  if (side.hidden) return fill(side);
  return drawInspector(app, side);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-de", tabindex: "-1" });
  el.append(root);
  const app = new Deltas(model, root);
  return () => app.stop();
}

export default { render };
