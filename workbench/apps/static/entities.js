// Which projection, which entity: the filter row, and what to choose from where none is chosen.

const MODES = [["entity", "Entity"], ["compare", "Compare"], ["population", "Population"], ["what_if", "What if"]];

function drawChoice(app) {
  const { parts, choices, start } = app;
  if (!start?.events) return fill(parts.filters);
  const chosen = start.projections.find((each) => each.title === start.projection);
  const select = h("select", { class: "wb-button wb-select", "aria-label": "Projection", onchange: (event) => app.choose({ projection: event.target.value, hash: null, field: null, value: null }) },
    start.projections.map((each) => h("option", { value: each.title, selected: each.title === start.projection }, projectionWords(each))));
  const find = (parts.find ??= h("input", { type: "search", class: "wb-find", placeholder: "find an entity", "aria-label": "Find an entity", role: "combobox", "aria-expanded": "false", autocomplete: "off",
    oninput: () => app.suggest(), onfocus: () => app.suggest(),
    onkeydown: (event) => {
      if (event.key === "Enter") app.pick(event.target.value.trim());
      if (event.key === "Escape") event.target.blur(), app.unsuggest();
      if (event.key === "ArrowDown") parts.form.querySelector("button")?.focus(), event.preventDefault();
    } }));
  const population = choices.mode === "population";
  keepTyping(find, () => fill(
    parts.filters,
    h("span", { class: "wb-switch wb-modes", role: "group", "aria-label": "Mode" }, MODES.map(([value, words]) => h("button", { type: "button", "aria-pressed": String(choices.mode === value), onclick: () => app.setMode(value) }, words))),
    h("label", { class: "wb-pick" }, h("span", { class: "wb-dim" }, "projection "), select),
    chosen?.order === "occurred" ? h("span", { class: "wb-dim" }, "by time") : null,
    population ? drawPopulationChoice(app) : [
      choices.one("entity") !== undefined ? h("span", { class: "wb-chip square" }, h("span", {}, h("span", { class: "wb-dim" }, "entity "), choices.one("entity")), h("button", { type: "button", "aria-label": `Remove entity ${choices.one("entity")}`, onclick: () => app.choose({ entity: null, position: null, as_of: null, event: null, before: null, after: null, point: null, without: null }) }, "✕")) : null,
      h("label", { class: "wb-findbox" }, find, h("kbd", {}, "/")),
    ],
    h("span", { class: "wb-gap" }),
    h("span", { class: "wb-count", role: "status" }, app.countWords()),
  ));
}

const projectionWords = (each) => (each.open ? each.name : `${each.name} v${each.version}`) + (each.order === "position" ? "" : " · by time");

function drawSuggestions(app, rows, title) {
  const zone = app.choices.zone === "utc" ? " (UTC)" : "";
  const time = (micros) => timeText(micros, app.choices.zone, app.start.last, "minute");
  return [
    h("div", { class: "wb-line" }, h("h2", {}, title)),
    h("table", { class: "wb-entities" },
      h("thead", {}, h("tr", {}, [["entity", ""], ["events", "number"], [`first event${zone}`, ""], [`last event${zone}`, ""]].map(([words, kind]) => h("th", { class: kind, scope: "col" }, words)))),
      h("tbody", {}, rows.map((row) => h("tr", { onclick: () => app.pick(row.entity) }, h("td", {}, h("button", { type: "button", class: "wb-link" }, row.entity)), h("td", { class: "number" }, count(row.events)), h("td", { class: "wb-dim" }, time(row.first)), h("td", { class: "wb-dim" }, time(row.last)))))),
  ];
}

// The log does not know the entity: what stands nearest to it.
function drawUnknown(app) {
  const { history } = app;
  const known = app.choices.one("known_at");
  const zone = app.choices.zone === "local" ? localShort() : "UTC";
  const words = known ? `The log knew no event of ${app.choices.one("entity")} by ${timeText(fromIso(known), app.choices.zone === "local" ? "local" : "utc", 0)} ${zone}.` : `No event touches ${app.choices.one("entity")}.`;
  return h("div", { class: "wb-nomatch" },
    h("h2", {}, words),
    known ? h("p", {}, link("known now", () => app.choose({ known_at: null }))) : null,
    history.nearest.length ? h("p", {}, h("span", { class: "wb-dim" }, "The nearest ids: "), history.nearest.map((id, index) => [index ? ", " : null, link(id, () => app.pick(id))])) : null);
}
