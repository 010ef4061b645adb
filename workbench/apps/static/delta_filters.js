// The filter row of Deltas: what is chosen as chips, what may be chosen as menus; a field the log has not got says so.

const MANY = 12;

function drawDeltaFilters(app) {
  const { parts, facets, figures, start } = app;
  if (!start?.kinds?.length) return fill(parts.filters);
  const narrowed = app.choices.isNarrowed();
  return fill(parts.filters,
    drawWindowChip(app), drawWithinChip(app),
    (facets?.menus ?? []).map((menu) => drawMenu(app, menu)),
    drawTextChip(app), drawOtherChips(app),
    narrowed ? link("clear", () => app.clear()) : null,
    h("span", { class: "wb-gap" }),
    figures ? h("span", { class: "wb-count", role: "status" }, h("b", {}, count(figures.shown)), ` ${figures.shown === 1 ? "proposal" : "proposals"} shown · ${share(figures.shown, figures.all)} of ${count(figures.all)}`) : null);
}

const chipOf = (name, words, remove, open, expanded) => h("span", { class: "wb-chip square" },
  open ? h("button", { type: "button", class: "wb-chipwords", onclick: open, "aria-haspopup": "dialog", "aria-expanded": String(Boolean(expanded)) }, h("span", { class: "wb-dim" }, name), " ", words) : h("span", {}, h("span", { class: "wb-dim" }, name), " ", words),
  h("button", { type: "button", "aria-label": `Remove ${name} ${words}`, onclick: remove }, "✕"));

const menuButton = (name, words, open, expanded) => h("button", { type: "button", class: "wb-button wb-menu", "aria-haspopup": "dialog", "aria-expanded": String(expanded), onclick: open }, h("span", { class: "wb-dim" }, name), " ", words, " ", h("span", { "aria-hidden": "true" }, "▾"));

// A menu hangs under its button; one at a time is open.
function withMenu(app, name, control, draw) {
  const isOpen = app.openMenu === name;
  const pop = isOpen ? h("div", { class: "wb-pop", role: "dialog", "aria-label": name, onkeydown: (event) => event.key === "Escape" && (event.stopPropagation(), app.toggleMenu(null)) }, draw()) : null;
  return h("span", { class: "wb-hang", "data-menu": name }, control(isOpen), pop);
}

function drawMenu(app, menu) {
  const { name, words } = menu;
  const chosen = app.choices.chosen(menu);
  // What is chosen stays in its menu also where no proposal is left that has it.
  const values = [...menu.values, ...chosen.filter((each) => !menu.values.some(({ value }) => value === each)).map((value) => ({ value, deltas: 0 }))];
  if (!values.length) return h("span", { class: "wb-button wb-menu none" }, h("span", { class: "wb-dim" }, words), " none recorded");
  if (values.length === 1 && !chosen.length && values[0].value === null) return h("span", { class: "wb-button wb-menu none" }, h("span", { class: "wb-dim" }, words), " none recorded");
  const open = () => app.toggleMenu(name);
  return withMenu(app, name, (isOpen) => (chosen.length ? chipOf(words, joinWords(chosen), () => app.chooseValues(menu, []), open, isOpen) : menuButton(words, menu.total === 1 ? valueOfFacet(values[0].value) : `all ${count(menu.total)}`, open, isOpen)), () => drawMenuList(app, { ...menu, values }, chosen));
}

const valueOfFacet = (value) => (value === null ? "none recorded" : value);

function drawMenuList(app, menu, chosen) {
  const list = h("ul", {});
  const draw = (text) => fill(list, menu.values.filter(({ value }) => !text || valueOfFacet(value).toLowerCase().includes(text.toLowerCase())).map(({ value, deltas }) => {
    const isChosen = chosen.includes(value);
    const toggle = () => app.chooseValues(menu, isChosen ? chosen.filter((each) => each !== value) : [...chosen, value]);
    return h("li", {}, h("label", {}, h("input", { type: "checkbox", checked: isChosen, onchange: toggle }), menu.name === "decision" ? decisionSign(value) : menu.name === "person" ? sign("human") : null, h("span", { class: value === null ? "wb-name absent" : "wb-name", title: valueOfFacet(value) }, valueOfFacet(value)), h("span", { class: "wb-number" }, count(deltas))));
  }));
  draw("");
  const more = menu.total - menu.values.length;
  return [
    menu.values.length > MANY ? h("input", { type: "search", class: "wb-popfind", placeholder: `Find among ${count(menu.values.length)}`, "aria-label": `Find ${menu.words}`, oninput: (event) => draw(event.target.value) }) : null,
    list,
    more > 0 ? h("p", { class: "wb-dim" }, `${count(more)} more, with fewer proposals each`) : null,
    h("p", { class: "wb-dim" }, "proposals under the other filters")];
}

function drawWindowChip(app) {
  const { choices, start } = app;
  const [since_, until] = [choices.one("since"), choices.one("until")].map((text) => text && fromIso(text));
  const day = (micros) => timeText(micros, choices.zone === "relative" ? "utc" : choices.zone, start.last, micros % 86400e6 ? "minute" : "day");
  const words = since_ && until ? `${day(since_)} – ${day(until)}` : since_ ? `from ${day(since_)}` : `until ${day(until)}`;
  const open = () => app.toggleMenu("shown");
  return withMenu(app, "shown", (isOpen) => (since_ || until ? chipOf("shown", words, () => app.filter({ since: null, until: null }), open, isOpen) : menuButton("log", "whole", open, isOpen)), () => {
    const field = (name, micros) => h("label", { class: "wb-popfield" }, h("span", {}, name), h("input", { type: "text", class: "wb-goto wide", "aria-label": `Shown ${name}`, value: micros ? timeText(micros, "utc", 0, "minute") : "", placeholder: "2026-01-31 08:00" }));
    const [from, to] = [field("from", since_), field("until", until)];
    const apply = () => {
      const read = (label) => label.querySelector("input").value.trim();
      const times = [from, to].map((label) => (read(label) ? readDay(read(label)) : null));
      const wrong = [from, to].find((label, index) => Number.isNaN(times[index]));
      if (wrong) return wrong.querySelector("input").setAttribute("aria-invalid", "true");
      return app.filter({ since: times[0] === null ? null : toIso(times[0]), until: times[1] === null ? null : toIso(times[1]) });
    };
    for (const label of [from, to]) label.addEventListener("keydown", (event) => event.key === "Enter" && apply());
    return [from, to, h("div", { class: "wb-line" }, button("Apply", apply, { class: "wb-button small" }), h("span", { class: "wb-dim" }, `when the proposal was shown, ${dayZone(app)}`))];
  });
}

function readDay(text) {
  const found = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?Z?$/.exec(text);
  return found ? fromIso(`${found[1]}T${found[2] ?? "00:00"}${(found[2] ?? "00:00").length === 5 ? ":00" : ""}Z`) : NaN;
}

// After how many seconds a changed text still counts as edited: the mapping says it, the person may say otherwise.
function drawWithinChip(app) {
  const { start, choices } = app;
  if (!start.follows_text) return null;
  const within = choices.one("within") === undefined ? start.edited_within : Number(choices.one("within")) || null;
  const open = () => app.toggleMenu("within");
  const set = (value) => app.filter({ within: value === (start.edited_within ?? 0) ? null : value });
  return withMenu(app, "within", (isOpen) => (within ? chipOf("edited", `changed within ${count(within)} s`, () => set(0), open, isOpen) : menuButton("edited", "as the log says", open, isOpen)), () => [
    h("ul", {}, [[0, "as the log says"], [30, "changed within 30 s"], [120, "changed within 120 s"], [300, "changed within 300 s"], [600, "changed within 600 s"]].map(([value, words]) => h("li", {}, h("label", {}, h("input", { type: "radio", name: "within", checked: (within ?? 0) === value, onchange: () => set(value) }), h("span", { class: "wb-name" }, words))))),
    h("p", { class: "wb-dim" }, "accepted, then changed in its document so soon: edited")]);
}

function drawTextChip(app) {
  const text = app.choices.one("text");
  const open = () => app.toggleMenu("text");
  return withMenu(app, "text", (isOpen) => (text ? chipOf("text", `“${text}”`, () => app.filter({ text: null }), open, isOpen) : menuButton("text", "any", open, isOpen)), () => {
    const find = h("input", { type: "search", class: "wb-popfind", "aria-label": "Find text in proposals and values", placeholder: "text in proposal or value", value: text ?? "", onkeydown: (event) => event.key === "Enter" && app.filter({ text: event.target.value || null }) });
    return [find, h("p", { class: "wb-dim" }, "Enter filters")];
  });
}

// What a mark of a picture chose.
function drawOtherChips(app) {
  const { choices } = app;
  const chips = [];
  const [low, high] = [choices.one("low"), choices.one("high")];
  if (low !== undefined || high !== undefined) chips.push(["distance", `${Number(low ?? 0).toFixed(2)} – ${Number(high ?? 1).toFixed(2)}`, { low: null, high: null }]);
  if (choices.one("removed") !== undefined || choices.one("inserted") !== undefined) chips.push(["edit", editWords(choices.one("removed") ?? "", choices.one("inserted") ?? ""), { removed: null, inserted: null }]);
  if (choices.one("place") !== undefined) chips.push(["changed in", `tenth ${Number(choices.one("place")) + 1}`, { place: null }]);
  if (choices.one("after") !== undefined || choices.one("by") !== undefined) chips.push(["first change", choices.one("by") === undefined ? `none within ${choices.one("after")} s` : `within ${choices.one("by")} s`, { after: null, by: null }]);
  if (choices.one("stream") !== undefined) chips.push(["document", choices.one("stream"), { stream: null }]);
  return chips.map(([name, words, changes]) => chipOf(name, words, () => app.filter(changes)));
}

const editWords = (removed, inserted) => (removed && inserted ? `“${removed}” → “${inserted}”` : removed ? `“${removed}” removed` : `“${inserted}” added`);

const DECISION_SIGNS = { accepted: "✓", edited: "✎", rejected: "✕", pending: "…", superseded: "→" };
// Drawn, as no common face has an hourglass.
const hourglass = () => s("svg", { viewBox: "0 0 10 12", width: 9, height: 11, fill: "none", stroke: "currentColor", "stroke-width": 1.2, "stroke-linejoin": "round" }, s("path", { d: "M1 .7h8M1 11.3h8M2 .7v2.2L8 9v2.3M8 .7v2.2L2 9v2.3" }));
const signOf = (name) => (name === "expired" ? hourglass() : DECISION_SIGNS[name] ?? "");
const decisionSign = (name) => h("span", { class: `wb-decision ${name}`, "aria-hidden": "true" }, signOf(name));
const decisionWord = (name) => h("span", { class: `wb-decision ${name}` }, h("span", { "aria-hidden": "true" }, signOf(name)), " ", name);
