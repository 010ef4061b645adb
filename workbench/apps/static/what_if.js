// What would be otherwise, beside what is; and the events that would undo it, for whoever decides to append them.

const CHANGES_ = [["without", "without events"], ["back", "rolled back"], ["added", "with added events"], ["other", "other version"]];
const MOST_OPTIONS = 400;
const ZOOM = 7;

function whatIfSteps(app) {
  return [app.ask("what_if", (told) => {
    app.history = new History(told);
    app.imagined = new History(told.imagined);
    app.preview = told;
    const point = app.choices.number("point");
    const index = point === undefined ? app.history.size - 1 : Math.max(0, app.history.position.findIndex((each) => each >= point));
    app.at = { index, position: app.history.position[index], micros: app.history.occurred[index], exact: null };
    app.drawMode();
    app.ready();
  })];
}

const asideOf = (app) => new Set(app.choices.one("change") === "without" ? (app.choices.query.without ?? []).map(Number) : (app.choices.one("change") ?? "back") === "back" ? app.history.position.slice(app.at.index) : []);

function whatIfWords(app) {
  const { preview, history } = app;
  const aside = asideOf(app).size;
  const differ = preview.contrasts.filter((each) => each.differs).length;
  return [aside ? [h("b", {}, count(aside)), ` ${aside === 1 ? "event" : "events"} set aside of ${count(history.size)} · `] : null, h("b", {}, count(differ)), ` ${differ === 1 ? "field differs" : "fields differ"} of ${count(preview.contrasts.length)}`];
}

function drawWhatIf(app) {
  const { parts, preview } = app;
  const rows = preview.contrasts.filter((each) => each.differs).map((each) => each.field).filter((name) => app.history.byName.has(name));
  fill(parts.main,
    h("div", { class: "wb-preview", role: "status" }, h("b", {}, "Preview. Nothing is written."), h("span", {}, `The log stays at position ${count(app.start.position)}; the true state stays what it is. No button on this page appends.`), h("span", { class: "wb-gap" }), link("Discard preview", () => app.setMode("entity"))),
    h("div", { class: "wb-two" },
      h("div", { class: "wb-left wb-aligned" }, h("div", { class: "wb-top" }, drawChange(app), drawOutcome(app)), drawContrasts(app), drawAffected(app)),
      h("div", { class: "wb-right" }, parts.waves, parts.legend, drawProposed(app))),
    parts.actions);
  showWaves(app, rows);
}

function showWaves(app, rows) {
  const { history, at, parts, choices } = app;
  const aside = asideOf(app);
  const change = choices.one("change") ?? "back";
  const first = aside.size ? history.position.findIndex((each) => aside.has(each)) : history.size - 1;
  const from = Math.max(0, Math.min(first - ZOOM, history.size - 12));
  app.scrubber.show(history, history.size - 1, rows, null, { from, aside, point: change === "back" ? at.index : undefined, twice: (scrub, drawn, name, y) => drawIf(app, scrub, drawn, name, y, first) });
  const words = { back: "rolled back", without: "without them", added: "with them", other: "by the other version" }[change];
  fill(parts.legend, h("span", {}, `grey: as it is · dashed: ${words} · events ${count(from + 1)}–${count(history.size)} of ${count(history.size)}`), h("span", { class: "wb-gap" }), aside.size ? h("span", {}, "hatched: set aside") : null);
}

// The values as they would be, from the first event on that is set aside.
function drawIf(app, scrub, parts, name, y, first) {
  const { imagined, history } = app;
  const field = imagined.byName.get(name) ?? history.byName.get(name);
  const bands = imagined.bands[name] ?? [];
  const slot = (start) => {
    if (start < 0) return 0;
    const at = history.position.indexOf(imagined.position[start]);
    return at < 0 ? history.size - 1 : at;
  };
  bands.forEach(([start, text], number) => {
    const until = bands[number + 1] ? slot(bands[number + 1][0]) : history.size;
    const [left, right] = [Math.max(slot(start), first, scrub.low), until];
    if (right <= left) return;
    const words = isEmpty(text) ? valueWords(field, text, start >= 0, app.choices.zone, app.start.last) : waveWords(app, field, text);
    scrub.band(parts, left, right, y, 15, "if", words, words);
  });
}

function drawChange(app) {
  const { choices, history, start, at } = app;
  const change = choices.one("change") ?? "back";
  const zone = choices.zone === "local" ? localShort() : "UTC";
  const eventWords = (index) => `${count(history.position[index])}  ${history.type[index]}${history.word[index] ? ` ${history.word[index]}` : ""} · ${timeText(history.occurred[index], choices.zone, start.last)}`;
  const from = Math.max(0, Math.min(history.size - MOST_OPTIONS, at.index - MOST_OPTIONS / 2));
  const options = (chosen) => history.position.slice(from, from + MOST_OPTIONS).map((position, number) => h("option", { value: position, selected: position === chosen }, eventWords(from + number)));
  const pick = {
    back: () => h("label", { class: "wb-field point" }, h("span", {}, `Point (${zone}): just before`), h("select", { class: "wb-big-select", "aria-label": "Just before", onchange: (event) => app.choose({ point: event.target.value }) }, options(at.position))),
    without: () => h("div", { class: "wb-field" }, h("span", {}, "Events set aside"), h("span", { class: "wb-asides" },
      (choices.query.without ?? []).map((position) => h("span", { class: "wb-chip square" }, h("span", {}, count(Number(position)), " ", history.type[history.position.indexOf(Number(position))] ?? ""), h("button", { type: "button", "aria-label": `Keep ${position}`, onclick: () => app.setAside(Number(position)) }, "✕"))),
      h("select", { class: "wb-big-select", "aria-label": "Set an event aside", onchange: (event) => event.target.value && app.setAside(Number(event.target.value)) }, h("option", { value: "" }, "set an event aside …"), options(null)))),
    added: () => {
      const area = h("textarea", { class: "wb-lines", rows: 3, spellcheck: "false", "aria-label": "Events to add, as JSON Lines", placeholder: `{"event_type": "${history.type.at(-1)}", "data": {}}` });
      area.value = choices.one("added") ?? "";
      return h("div", { class: "wb-field" }, h("span", {}, "Events behind the last one, a JSON object a line"), h("div", { class: "wb-asides" }, area, button("Preview", () => app.choose({ added: area.value.trim() || null }), { class: "wb-button main" })));
    },
    other: () => h("label", { class: "wb-field" }, h("span", {}, "Projection"), h("select", { class: "wb-big-select", "aria-label": "Other projection", onchange: (event) => app.choose({ other: event.target.value }) }, start.projections.map((each) => h("option", { value: each.title, selected: each.title === (choices.one("other") ?? start.projection) }, projectionWords(each))))),
  }[change];
  return h("div", { class: "wb-inputs wb-change" },
    h("div", { class: "wb-field" }, h("span", {}, "What if"), h("span", { class: "wb-switch", role: "group", "aria-label": "What if" }, CHANGES_.map(([value, words]) => h("button", { type: "button", "aria-pressed": String(change === value), onclick: () => app.choose({ change: value === "back" ? null : value }) }, words)))),
    pick());
}

function drawOutcome(app) {
  const { preview, choices } = app;
  const differ = preview.contrasts.filter((each) => each.differs);
  const reached = differ.filter((each) => each.reached).length;
  const stay = differ.length - reached;
  const undoes = ["back", "without"].includes(choices.one("change") ?? "back");
  const words = !differ.length ? "Nothing would differ."
    : undoes && preview.proposed && !stay ? `Compensating events bring ${differ.length === 1 ? "the field" : `all ${count(differ.length)} fields`} that would differ back.`
    : undoes && preview.proposed ? `Of ${plural(differ.length, "field")} that would differ, compensating events bring ${count(reached)} back; ${count(stay)} ${stay === 1 ? "stays as it is" : "stay as they are"}.`
      : `${plural(differ.length, "field")} of ${count(preview.contrasts.length)} would differ${undoes ? "; no compensating event is declared" : ""}.`;
  return h("h2", { class: "wb-headline" }, words);
}

function drawContrasts(app) {
  const { preview, history, imagined, choices } = app;
  const change = choices.one("change") ?? "back";
  const words = { back: "rolled back", without: "without them", added: "with them", other: choices.one("other") ?? "the same version" }[change];
  const third = preview.proposed > 0;
  const differ = preview.contrasts.filter((each) => each.differs);
  const same = preview.contrasts.filter((each) => !each.differs);
  const of = (name) => history.byName.get(name) ?? imagined.byName.get(name);
  const kind = (told, name) => {
    const setter = told.byName.has(name) ? told.setterAt(name, told.size - 1) : -1;
    return setter < 0 ? null : told.kind[setter];
  };
  const set = (told, name) => told.byName.has(name) && told.isSet(name, told.size - 1);
  const row = (each) => h("tr", { "data-field": each.field },
    h("td", {}, each.differs ? h("b", {}, "Δ ") : null, each.field),
    h("td", {}, drawValue(app, of(each.field), each.true, set(history, each.field), kind(history, each.field))),
    h("td", {}, h("span", { class: each.differs ? "wb-if" : "" }, drawValue(app, of(each.field), each.imagined, set(imagined, each.field), kind(imagined, each.field)))),
    third ? h("td", {}, each.reached ? h("span", { class: "wb-yes", "aria-hidden": "true" }, "✓ ") : h("b", {}, "≠ "), drawValue(app, of(each.field), each.compensated, set(each.reached ? imagined : history, each.field), kind(each.reached ? imagined : history, each.field)), each.reached ? null : h("span", { class: "wb-dim" }, " not reached")) : null);
  const heads = ["field", "true state, now", words, ...(third ? [`after the ${plural(preview.proposed, "compensating event")}`] : [])];
  return h("div", { class: "wb-diffbox" },
    h("table", { class: "wb-diff" }, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, [...differ, ...(app.showSame ? same : [])].map(row))),
    same.length ? h("div", { class: "wb-unset" }, `${plural(same.length, "field")} the same in ${third ? "all three" : "both"}: ${same.slice(0, 4).map((each) => each.field).join(", ")}${same.length > 4 ? " …" : ""} `, link(app.showSame ? "hide" : "show", () => ((app.showSame = !app.showSame), app.drawMode()))) : null);
}

function drawAffected(app) {
  const { preview, history, choices } = app;
  const change = choices.one("change") ?? "back";
  if (!preview.affected.length) return null;
  const chosen = history.position.indexOf(preview.affected[0].position);
  const row = (each, number) => {
    const index = history.position.indexOf(each.position);
    const gap = history.occurred[index] - history.occurred[chosen];
    const cause = each.cause === null ? null : history.event_id.indexOf(each.cause);
    const why = cause !== null ? `caused by ${cause < 0 ? each.cause : count(history.position[cause])}` : change === "without" || number === 0 ? "the event chosen" : gap === 0 ? "tie, after it by position" : `${gapText(gap).replace(/^\+/, "")} later`;
    return h("tr", { tabindex: "0", onclick: () => app.open(String(each.position)), onkeydown: (event) => event.key === "Enter" && app.open(String(each.position)) },
      h("td", { class: "wb-dim" }, count(each.position)),
      h("td", {}, h("span", { class: "wb-cell" }, h("span", { class: "wb-minus" }, "−"), swatch(app.hues.get(history.type[index])), h("span", {}, typeWords(history.type[index], history.word[index])))),
      h("td", {}, drawActor(history.actor[index], history.kind[index])),
      h("td", { class: "wb-dim" }, why),
      h("td", {}, !each.needed ? h("span", { class: "wb-dim" }, "changed nothing") : each.compensation === null ? [h("b", {}, "none declared:"), " work done stays done"] : [h("span", { class: "wb-dim wb-order" }, count(each.place)), each.compensation]));
  };
  const more = preview.affected.length - (change === "without" ? (choices.query.without ?? []).length : 1);
  const note = `${change === "without" ? plural((choices.query.without ?? []).length, "event chosen", "events chosen") : "the one chosen"} and ${change === "without" ? `${count(more)} that came of ${more === 1 ? "it" : "them"}` : `its ${plural(more, "descendant")}`} in this entity · ${count(preview.elsewhere)} in other entities`;
  return h("div", { class: "wb-history" },
    h("div", { class: "wb-line" }, h("h2", {}, "Affected events"), h("span", { class: "wb-dim" }, note)),
    h("div", { class: "wb-scroll wb-tall" }, h("table", { class: "wb-events" }, h("thead", {}, h("tr", {}, ["position", "event type", "actor", "why affected", "compensating event, in order"].map((words) => h("th", { scope: "col" }, words)))), h("tbody", {}, preview.affected.map(row)))),
    preview.has_causes ? null : h("div", { class: "wb-unset" }, change === "without" ? "These events name no causes: what came of the ones set aside cannot be told." : "This log records no causation: descendants are the events that follow in the same entity."));
}

function drawProposed(app) {
  const { preview, choices } = app;
  if (!["back", "without"].includes(choices.one("change") ?? "back") || !preview.proposed) return null;
  const area = h("pre", { class: "wb-code", tabindex: "0" }, preview.lines);
  const copy = button("Copy as JSON Lines", async () => {
    const range = document.createRange();
    range.selectNodeContents(area);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
    await navigator.clipboard?.writeText(preview.lines).then(() => (copy.textContent = "Copied"), () => (copy.textContent = "Selected, copy it with your keys"));
  });
  return h("div", { class: "wb-proposed" },
    h("div", { class: "wb-line" }, h("h2", {}, "Compensating events, proposed"), h("span", { class: "wb-dim" }, `${count(preview.proposed)}, newest undone first`)),
    area,
    h("div", { class: "wb-line wb-buttons" }, copy, button("Download", () => app.save(new Blob([`${preview.lines}\n`], { type: "application/x-ndjson" }), `${app.start.log}-compensating.jsonl`)), h("span", { class: "wb-dim" }, `${preview.expected_version === null ? "" : `expected_version ${preview.expected_version} · `}append them yourself`)));
}
