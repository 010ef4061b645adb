// All entities: how many have each value of a field, at a moment and over time, and who they are.

const UNITS_OF = { hour: 3600e6, day: 86400e6, week: 7 * 86400e6 };

function populationSteps(app) {
  const wide = app.parts.main.clientWidth;
  return [
    app.ask("population", (told) => {
      app.population = told;
      app.population.byValue = new Map(told.values.map((each) => [each.value, each]));
      const asOf = app.choices.one("as_of");
      app.at = { index: -1, position: null, micros: asOf ? fromIso(asOf) : told.last, exact: null };
      app.byPosition = false;
      app.members = null;
      app.drawMode();
      app.ready();
    }, { width: Math.round(wide > 1132 ? wide * 0.656 : wide) }),
    memberStep(app),
  ];
}

function memberStep(app, options) {
  const step = app.ask("members", (told) => {
    app.members = told;
    app.at = { ...app.at, micros: told.at, position: told.position };
    if (options?.move) {
      app.choices = app.choices.with({ as_of: toIso(told.at) });
      app.remember(false, true);
    }
    for (const name of ["counts", "members"]) app.parts[name]?.classList.remove("busy");
    drawAtMoment(app);
    drawMoment(app);
    app.moveCursors?.();
    drawChoice(app);
  }, { beside: app.beside ?? "", first: app.firstMember ?? 0, ...options });
  // The moment it asks about is the one that stands when its turn comes.
  return { ...step, late: () => ({ ...app.choices.query }) };
}

// Asks for the counts at where the cursor now is; what is shown dims and stays.
function askMoment(app, options) {
  for (const name of ["counts", "members"]) app.parts[name]?.classList.add("busy");
  app.asker.instead([memberStep(app, options)]);
}

function populationWords(app) {
  const { members, choices } = app;
  if (!members) return null;
  const chosen = choices.one("value");
  const number = chosen === undefined ? members.there : members.counts.find((each) => each.value === chosen)?.entities ?? 0;
  return chosen === undefined ? [h("b", {}, count(members.there)), ` of ${plural(members.total, "entity", "entities")} exist then · ${share(members.there, members.total)}`] : [h("b", {}, count(number)), ` ${number === 1 ? "entity" : "entities"} of ${count(members.there)} that exist then · ${share(number, members.there)}`];
}

function drawPopulationChoice(app) {
  const { population, choices, start } = app;
  const fields_ = start.projections.find((each) => each.title === start.projection)?.fields ?? [];
  const field = population?.field ?? choices.one("field");
  if (!fields_.length) return null;
  const select = h("select", { class: "wb-button wb-select", "aria-label": "Field", onchange: (event) => ((app.firstMember = 0), app.choose({ field: event.target.value, value: null })) }, fields_.map((name) => h("option", { value: name, selected: name === field }, name)));
  const value = choices.one("value");
  return [
    h("label", { class: "wb-pick" }, h("span", { class: "wb-dim" }, "field "), select),
    value === undefined ? null : [h("span", { class: "wb-chip square" }, h("span", {}, h("span", { class: "wb-dim" }, `${field} `), valueOf(app, value)), h("button", { type: "button", "aria-label": `Remove ${field} ${valueOf(app, value)}`, onclick: () => pickValue(app, value) }, "✕")), link("clear", () => pickValue(app, value))],
  ];
}

const fieldOf = (app) => app.population?.fields.find(({ name }) => name === app.population.field) ?? { name: "", rule: "last", kind: "json", people: false };
const valueOf = (app, text) => (app.start ? valueWords(fieldOf(app), text, false, app.choices.zone, app.start.last) : text);

function pickValue(app, value) {
  app.firstMember = 0;
  app.choices = app.choices.with({ value: app.choices.one("value") === value ? null : value });
  app.remember(true);
  drawChoice(app);
  askMoment(app);
}

function stepPopulation(app, way) {
  const { population, choices } = app;
  if (!population) return false;
  const step = STEPS_OF.population.includes(choices.step) && choices.one("step") ? choices.step : "day";
  const { first, last } = population;
  if (way === "first" || way === "last") return moveMoment(app, way === "first" ? first : last);
  if (step === "event") {
    askMoment(app, { move: way === "forward" ? "forward" : "back" });
    return way === "forward" ? app.at.micros < last : app.at.micros > first;
  }
  const unit = UNITS_OF[step];
  const at = app.at.micros;
  const next = step === "hour" ? (way === "forward" ? Math.floor(at / unit + 1) : Math.ceil(at / unit - 1)) * unit : midnight(way === "forward" ? at + unit - 86400e6 : at - unit + 86400e6, choices.zone, way === "forward" ? 1 : -1);
  if (next > last + unit || next < first - unit) return false;
  return moveMoment(app, Math.max(first, next));
}

function moveMoment(app, micros) {
  app.at = { ...app.at, micros, position: null };
  app.choices = app.choices.with({ as_of: toIso(micros), position: null });
  app.remember(false, true);
  app.moveCursors?.();
  drawMoment(app);
  askMoment(app);
  return true;
}

function drawPopulation(app) {
  const { parts, population } = app;
  const ended = population.values.some((each) => each.ended);
  parts.counts ??= h("div", { class: "wb-counts" });
  parts.members ??= h("div", { class: "wb-members" });
  const boxes = { all: h("div", { class: "wb-chartbox" }), open: h("div", { class: "wb-chartbox" }) };
  const moves = population.illegal ? h("span", { class: "wb-dim" }, ` · ! ${plural(population.illegal, "transition")} outside the machine`) : null;
  drawMoment(app);
  fill(parts.main,
    parts.moment,
    h("div", { class: "wb-two wb-population" },
      h("div", { class: "wb-left" },
        ended ? [h("div", { class: "wb-line" }, h("h2", {}, "All entities"), h("span", { class: "wb-dim" }, `by ${population.field}, cumulative, of ${plural(population.total, "entity", "entities")} · grey: ended`, moves)), boxes.all] : null,
        h("div", { class: "wb-line" }, h("h2", {}, ended ? "Open entities" : `By ${population.field}`), h("span", { class: "wb-dim" }, ended ? `not ${joinOr(population.values.filter((each) => each.ended).map((each) => valueOf(app, each.value)))} · one point every ${population.point}` : `one point every ${population.point}`, ended ? null : moves)),
        boxes.open),
      h("div", { class: "wb-right" }, parts.counts)),
    parts.members, parts.actions);
  drawAtMoment(app);
  drawBands(app, boxes);
}

const joinOr = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);

async function drawBands(app, boxes) {
  const { population } = app;
  app.views?.forEach((view) => view.finalize());
  app.views = [];
  const moves = [];
  app.moveCursors = () => moves.forEach((act) => act());
  for (const [name, picture] of Object.entries(population.pictures)) {
    const chart = h("div", { class: "wb-chart" });
    const { left, top, width, height } = picture.geometry;
    const [pale, cursor, dot, names] = ["wb-pale", "wb-cut", "wb-handle-dot", "wb-names"].map((kind) => h("div", { class: kind }));
    const plot = h("div", { class: "wb-plot wb-when", tabindex: "0", role: "slider", "aria-label": `Moment of ${name === "all" ? "all" : "the open"} entities`, style: { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height + 8}px` } }, pale, cursor, name === "open" ? dot : null, names);
    fill(boxes[name], chart, plot);
    moves.push(() => placeCursor(app, name, picture.geometry, { plot, pale, cursor, dot, names }));
    dragMoment(app, plot, width);
    const result = await vegaEmbed(chart, picture.spec, { actions: false, ast: true, renderer: "canvas", tooltip: false, loader: { http: { mode: "same-origin" } } });
    if (app.population !== population) return result.finalize();
    app.views.push(result);
  }
  app.moveCursors();
  return null;
}

const extentOf = ({ first, last, step }) => [first, last + step];

function placeCursor(app, name, { width, height, most }, { plot, pale, cursor, dot, names }) {
  const { population, members, at } = app;
  const [from, to] = extentOf(population);
  const x = Math.max(0, Math.min(width, ((at.micros - from) / (to - from)) * width));
  pale.style.left = `${x}px`;
  pale.style.height = `${height}px`;
  cursor.style.left = `${x}px`;
  cursor.style.height = `${height}px`;
  Object.assign(dot.style, { left: `${x}px`, top: `${height}px` });
  plot.setAttribute("aria-valuetext", `${timeText(at.micros, "utc", 0, "minute")} UTC`);
  plot.setAttribute("aria-valuenow", String(Math.round((100 * x) / width)));
  const counts = name === "open" ? members?.counts.filter((each) => !each.ended) : population.values.map((each, index) => ({ ...each, entities: population.ends[index] }));
  fill(names, counts ? nameBands(app, name, counts, { x, width, height, most }) : null);
}

// A band high enough for its name has it: left of the cursor, and at the right end of the whole.
function nameBands(app, name, counts, { x, width, height, most }) {
  let below = 0;
  const placed = [];
  const open = counts.filter((each) => !each.ended);
  const groups = name === "all" ? [...counts.filter((each) => each.ended).reverse(), { value: null, words: "open", entities: open.reduce((sum, each) => sum + each.entities, 0) }] : counts;
  let lowest = Infinity;
  for (const each of groups) {
    const middle = (1 - (below + each.entities / 2) / most) * height;
    below += each.entities;
    const high = (each.entities / most) * height;
    const words = each.words ?? valueOf(app, each.value);
    if (name === "all" ? each.entities > 0 : high > 16 && x > 90) {
      const y = name === "all" ? Math.min(middle, lowest - 14) : middle;
      lowest = y;
      const dark = name !== "all" && isDark(app.population.byValue.get(each.value)?.colour ?? "#fff");
      placed.push(h("span", { class: `wb-bandname ${dark ? "on-dark" : ""}`, style: name === "all" ? { left: `${width + 6}px`, top: `${y - 9}px` } : { right: `${width - x + 12}px`, top: `${y - 9}px` } }, words));
    }
  }
  return placed;
}

const isDark = (colour) => [1, 3, 5].reduce((sum, at, index) => sum + parseInt(colour.slice(at, at + 2), 16) * [0.3, 0.59, 0.11][index], 0) < 140;

function dragMoment(app, plot, width) {
  const moment = (event) => {
    const [from, to] = extentOf(app.population);
    const share_ = Math.max(0, Math.min(1, (event.clientX - plot.getBoundingClientRect().left) / width));
    const unit = [86400e6, 3600e6, 900e6, 60e6, 1e6].find((each) => each <= (to - from) / width) ?? 1;
    return Math.round((from + share_ * (to - from)) / unit) * unit;
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    plot.focus({ preventScroll: true });
    app.pause();
    const move = (moved) => moveMoment(app, moment(moved));
    move(event);
    plot.setPointerCapture(event.pointerId);
    plot.addEventListener("pointermove", move);
    const up = () => plot.removeEventListener("pointermove", move);
    plot.addEventListener("pointerup", up, { once: true });
    plot.addEventListener("pointercancel", up, { once: true });
  });
}

function drawAtMoment(app) {
  const { members, parts } = app;
  if (!members || !parts.counts) return;
  drawCounts(app);
  drawMembers(app);
}

function drawCounts(app) {
  const { members, parts, population, choices } = app;
  const most = Math.max(1, ...members.counts.map((each) => each.entities));
  const delta = (now, then) => (now === then ? "±0" : `${now > then ? "+" : MINUS}${count(Math.abs(now - then))}`);
  const chosen = choices.one("value");
  const row = (each) => h("tr", { "aria-selected": String(each.value === chosen), onclick: () => pickValue(app, each.value) },
    h("td", {}, h("i", { class: "wb-shade", style: { background: population.byValue.get(each.value)?.colour } }), h("button", { type: "button", class: "wb-name-button" }, valueOf(app, each.value))),
    h("td", { class: "wb-barcell" }, each.entities ? h("i", { style: { width: `${Math.max(1, (100 * each.entities) / most)}%`, background: population.byValue.get(each.value)?.colour } }) : null),
    h("td", { class: "number" }, each.value === chosen ? h("b", {}, count(each.entities)) : count(each.entities)),
    h("td", { class: "number wb-dim" }, members.there ? shareWords(each.entities, members.there) : ""),
    h("td", { class: "number wb-dim" }, delta(each.entities, each.week_before)));
  const open = members.counts.filter((each) => !each.ended);
  const ended = members.counts.filter((each) => each.ended);
  const sum = (name) => open.reduce((total, each) => total + each[name], 0);
  const subtotal = ended.length ? h("tr", { class: "wb-sum" }, h("td", {}, h("b", {}, "open")), h("td", {}), h("td", { class: "number" }, h("b", {}, count(sum("entities")))), h("td", { class: "number wb-dim" }, shareWords(sum("entities"), members.there)), h("td", { class: "number wb-dim" }, delta(sum("entities"), sum("week_before")))) : null;
  const missing = members.total - members.there;
  fill(parts.counts,
    h("div", { class: "wb-line" }, h("h2", {}, "At this moment"), h("span", { class: "wb-dim" }, `of ${plural(members.there, "entity", "entities")}`)),
    h("div", { class: "wb-scroll wb-tall" }, h("table", { class: "wb-at" },
      h("thead", {}, h("tr", {}, [[population.field, ""], ["", ""], ["count", "number"], ["share", "number"], ["Δ 7 d", "number"]].map(([words, kind]) => h("th", { class: kind, scope: "col" }, words)))),
      h("tbody", {}, open.map(row), subtotal, ended.map(row), missing ? h("tr", { class: "wb-sum" }, h("td", { class: "wb-dim", colspan: 2 }, "not there yet"), h("td", { class: "number wb-dim" }, count(missing)), h("td", {}), h("td", {})) : null))),
    members.beside ? drawBeside(app) : null);
}

const shareWords = (part, whole) => (!whole ? "" : part && part / whole < 0.001 ? "< 0.1 %" : `${((100 * part) / whole).toFixed(1)} %`);

// Another field of the same entities as one bar: the ramp of values, its counts below.
function drawBeside(app) {
  const { beside } = app.members;
  const { population } = app;
  const field = population.fields.find(({ name }) => name === beside.field);
  const ramp = population.values.filter((each) => !each.ended).map((each) => each.colour);
  const shown = beside.shares.slice(0, 6);
  const rest = beside.shares.slice(6).reduce((sum, each) => sum + each.entities, 0);
  const parts = [...shown.map((each, index) => ({ ...each, words: valueWords(field, each.value, false, app.choices.zone, app.start.last), colour: each.value === "null" ? "var(--grey)" : ramp[(index + 1) % Math.max(1, ramp.length)] })), ...(rest ? [{ entities: rest, words: "other", colour: "var(--all)" }] : [])];
  const select = h("select", { class: "wb-button wb-select small", "aria-label": "Another field", onchange: (event) => ((app.beside = event.target.value), askMoment(app)) }, population.fields.filter(({ name }) => name !== population.field).map(({ name }) => h("option", { value: name, selected: name === beside.field }, name)));
  const ended = population.values.some((each) => each.ended);
  return h("div", { class: "wb-beside" },
    h("div", { class: "wb-line" }, select, h("span", { class: "wb-dim" }, `of the ${plural(beside.of, ended ? "open entity" : "entity", ended ? "open entities" : "entities")}`)),
    beside.of ? h("div", { class: "wb-stack", role: "img", "aria-label": parts.map((each) => `${each.words} ${each.entities}`).join(", ") }, parts.map((each) => h("i", { style: { flexGrow: each.entities, background: each.colour } }))) : null,
    h("div", { class: "wb-stackwords" }, parts.map((each) => h("span", {}, h("i", { class: "wb-shade", style: { background: each.colour } }), each.words, " ", h("span", { class: "wb-dim" }, count(each.entities))))));
}

const days = (micros) => (micros / 86400e6).toFixed(1);

function drawMembers(app) {
  const { members, parts, population, choices } = app;
  const chosen = choices.one("value");
  const zone = choices.zone === "utc" ? " (UTC)" : "";
  const time = (micros) => timeText(micros, choices.zone, app.start.last, "minute");
  const words = chosen === undefined ? "there" : valueOf(app, chosen);
  const title = `${words.slice(0, 1).toUpperCase()}${words.slice(1)} at this moment`;
  const most = Math.max(1, ...members.members.map((each) => each.for));
  const { first } = members;
  const page = (by) => {
    app.firstMember = Math.max(0, first + by);
    askMoment(app);
  };
  const numeric = (field) => ["sum", "count"].includes(field.rule) || field.kind === "integer" || field.kind === "decimal";
  const row = (each) => {
    const open = () => app.choose({ mode: null, entity: each.entity, as_of: toIso(members.at), position: null, value: null, field: null });
    return h("tr", { tabindex: "0", onclick: open, onkeydown: (event) => event.key === "Enter" && open() },
      h("td", {}, h("button", { type: "button", class: "wb-link", tabindex: "-1" }, each.entity)),
      h("td", { class: "wb-dim" }, time(each.since)),
      h("td", { class: "wb-days" }, h("span", {}, days(each.for)), h("i", { style: { width: `${Math.max(1, (110 * each.for) / most)}px`, background: population.byValue.get(chosen)?.colour ?? "var(--all)" } })),
      members.columns.map((field) => h("td", { class: numeric(field) ? "number" : "" }, drawValue(app, field, each.values[field.name], false, each.kind))),
      h("td", { class: "number" }, count(each.events)),
      h("td", {}, drawActor(each.actor, each.kind)),
      h("td", {}, h("span", { class: "wb-cell" }, swatch(app.hues.get(each.type)), h("span", {}, typeWords(each.type, each.word), h("span", { class: "wb-dim" }, `  ${time(each.occurred)}`)))));
  };
  fill(parts.members,
    h("div", { class: "wb-line wb-history" }, h("h2", {}, title),
      h("span", { class: "wb-dim" }, members.count ? `${count(first + 1)}–${count(first + members.members.length)} of ${count(members.count)}, longest first · median ${days(members.median)} days, p90 ${days(members.p90)} days ${chosen === undefined ? "since the last change" : "in this state"}` : "none"),
      h("span", { class: "wb-gap" }),
      button("‹", () => page(-8), { class: "wb-button icon bare", "aria-label": "Page before", disabled: first <= 0 }), button("›", () => page(8), { class: "wb-button icon bare", "aria-label": "Page after", disabled: first + members.members.length >= members.count })),
    members.members.length ? h("div", { class: "wb-scroll wb-wide" }, h("table", { class: "wb-events" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "entity"), h("th", { scope: "col" }, `${chosen === undefined ? "" : `${words} `}since${zone}`), h("th", { scope: "col" }, "days ↓"), members.columns.map((field) => h("th", { scope: "col", class: numeric(field) ? "number" : "" }, field.name)), h("th", { scope: "col", class: "number" }, "events"), h("th", { scope: "col" }, "actor"), h("th", { scope: "col" }, "last event"))),
      h("tbody", {}, members.members.map(row)))) : null);
}
