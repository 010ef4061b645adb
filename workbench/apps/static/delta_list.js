// The list: one row a proposal with its one-line redline, in the order chosen; what is not in it; the rubber-stamp watch.

const COLUMNS = [["position", "position", "number"], ["shown", "shown", ""], ["decision", "decision", ""], [null, "proposal against value at the end", "wide"], ["person", "person", ""], ["version", "version", ""], ["latency", "latency", "number"], ["distance", "distance", "number"], ["retained", "retained", "number"]];

function drawList(app) {
  const { rows, parts, choices, figures } = app;
  if (!rows) return fill(parts.list);
  const zone = zoneTail(app) ? ` (${zoneTail(app).trim()})` : "";
  const order = choices.one("order") ?? "position";
  const down = choices.one("down") === "1";
  const sortBy = (name) => app.choose({ order: name === "position" ? null : name, down: order === name && !down ? "1" : null, first: null }, { only: ["rows"] });
  const heading = ([name, words, kind]) => {
    const text = name === "shown" ? `shown${zone}` : words;
    if (!name) return h("th", { class: kind, scope: "col" }, text);
    return h("th", { class: kind, scope: "col", "aria-sort": order === name ? (down ? "descending" : "ascending") : "none" }, h("button", { type: "button", class: "wb-sort", onclick: () => sortBy(name) }, text, order === name ? (down ? " ↑" : " ↓") : ""));
  };
  const { before, total } = rows;
  const page = (by) => app.choose({ first: Math.max(0, before + by) || null }, { only: ["rows"] });
  const size = rows.size;
  const shown = rows.rows.length ? `${count(before + 1)}–${count(before + rows.rows.length)} of ${count(total)}, by ${order} ${down ? "↑" : "↓"}` : `none of ${count(total)}`;
  return fill(parts.list,
    h("div", { class: "wb-line wb-listhead" }, h("h2", {}, "Deltas"), h("span", { class: "wb-dim" }, shown), drawBeside_(app), h("span", { class: "wb-gap" }), drawWatch(app),
      button("‹", () => page(-size), { class: "wb-button icon bare", "aria-label": "Page before", disabled: before <= 0 }), button("›", () => page(size), { class: "wb-button icon bare", "aria-label": "Page after", disabled: before + rows.rows.length >= total })),
    rows.rows.length ? h("div", { class: "wb-scroll wb-wide" }, h("table", { class: "wb-list" }, h("thead", {}, h("tr", {}, COLUMNS.map(heading))), h("tbody", {}, rows.rows.map((row) => drawDeltaRow(app, row))))) : figures && !figures.shown ? drawNoDelta(app) : null,
    app.orphansOpen ? drawOrphans(app) : null);
}

function drawDeltaRow(app, row) {
  const open = () => app.openDelta(row.position);
  const { choices } = app;
  return h("tr", { tabindex: "0", "data-position": row.position, class: row.decision, "aria-selected": String(app.at === row.position), onclick: open, onkeydown: (event) => event.key === "Enter" && (event.stopPropagation(), open()), onfocus: () => app.mark(row.position) },
    h("td", { class: "number" }, count(row.position)),
    h("td", { class: "time" }, timeText(row.shown, choices.zone, app.start.last, "second")),
    h("td", {}, decisionWord(row.decision)),
    h("td", { class: "wide" }, h("div", { class: "wb-oneline" }, drawBriefDelta(row))),
    h("td", {}, row.person === null ? h("span", { class: "absent" }, NONE) : h("span", { class: "wb-cell" }, sign("human"), h("span", {}, row.person))),
    h("td", {}, row.version ?? h("span", { class: "absent" }, NONE)),
    h("td", { class: "number" }, row.latency === null ? "–" : durationText(row.latency * 1e6)),
    h("td", { class: "number" }, row.distance === null ? "–" : row.distance.toFixed(2)),
    h("td", { class: "number" }, row.retained === null ? "–" : `${(100 * row.retained).toFixed(0)} %`));
}

// One line: the redline, or the changed paths, or what was shown and not taken.
function drawBriefDelta(row) {
  if (row.paths) return row.paths.length ? row.paths.map((each) => h("span", { class: "wb-briefpath" }, pathSign(each.sign), h("code", {}, each.path), " ", each.proposed !== null ? h("del", { class: "wb-delete" }, each.proposed) : null, each.proposed !== null && each.value !== null ? " " : null, each.value !== null ? h("ins", { class: "wb-insert" }, each.value) : null)) : h("span", { class: "wb-dim" }, h("code", {}, row.text));
  if (row.redline) return drawRedline(row.redline, { brief: true });
  if (["accepted", "edited"].includes(row.decision)) return row.text;
  return h("span", { class: "wb-dim" }, row.alternatives > 1 ? `${count(row.alternatives)} alternatives, none taken: ` : null, row.text);
}

const PATH_SIGNS = { "=": ["=", "kept"], "~": ["✎", "edited"], "-": [MINUS, "removed"], "+": ["+", "added"] };
const pathSign = (name) => h("span", { class: `wb-pathsign ${PATH_SIGNS[name][1]}`, "aria-label": PATH_SIGNS[name][1] }, PATH_SIGNS[name][0]);

function drawBeside_(app) {
  const { beside } = app;
  if (!beside) return null;
  const words = beside.orphans.filter((each) => each.count).map((each) => `${count(each.count)} ${each.count === 1 ? each.one : each.many}`);
  return h("span", { class: "wb-dim" }, words.length ? [`· not among them: ${words.join(", ")} `, link(app.orphansOpen ? "close" : "list", () => app.toggleOrphans())] : "· every request, proposal and decision is among them");
}

function drawWatch(app) {
  const { beside } = app;
  if (!beside?.watch) return null;
  const { alarms, highest, threshold } = beside.watch;
  const limit = `${(100 * threshold).toFixed(0)} %`;
  const person = (each) => h("button", { type: "button", class: "wb-link wb-person", onclick: () => app.chooseValues({ name: "person" }, [each.person]) }, sign("human"), each.person ?? NONE);
  const figure = (each) => `, ${(100 * each.share).toFixed(1)} % of ${count(each.of)}`;
  if (alarms.length) return h("span", { class: "wb-watch alarm" }, h("b", {}, "! rubber-stamp watch: "), `${plural(alarms.length, "person", "people")} take over ${limit} unchanged: `, alarms.slice(0, 2).map((each, index) => [index ? "; " : "", person(each), figure(each)]), alarms.length > 2 ? ` and ${alarms.length - 2} more` : null);
  return h("span", { class: "wb-watch" }, decisionSign("accepted"), `rubber-stamp watch: nobody takes over ${limit} unchanged`, highest ? ["; highest ", person(highest), figure(highest)] : null);
}

function drawOrphans(app) {
  const { rows, total } = app.orphans ?? { rows: [], total: 0 };
  const zone = app.choices.zone;
  return h("div", { class: "wb-panel" }, h("div", { class: "wb-line" }, h("h3", {}, "Not in the list"), h("span", { class: "wb-dim" }, rows.length < total ? `the first ${count(rows.length)} of ${count(total)}` : plural(total, "event")), h("span", { class: "wb-gap" }), link("close", () => app.toggleOrphans())),
    h("div", { class: "wb-scroll" }, h("table", {}, h("thead", {}, h("tr", {}, [["position", "number"], ["occurred", ""], ["what", ""], ["document", ""]].map(([words, kind]) => h("th", { class: kind, scope: "col" }, words)))),
      h("tbody", {}, rows.map((row) => h("tr", { tabindex: "0", onclick: () => app.open(String(row.position)), onkeydown: (event) => event.key === "Enter" && app.open(String(row.position)) }, h("td", { class: "number" }, count(row.position)), h("td", { class: "time" }, timeText(row.occurred, zone, app.start.last, "second")), h("td", {}, row.what), h("td", {}, h("code", {}, row.stream))))))));
}

function drawNoDelta(app) {
  const { drops } = app;
  return h("div", { class: "wb-nomatch" }, h("h2", {}, "No proposal matches all filters."), drops ? h("dl", {}, drops.map((each) => [h("dt", {}, link(`Drop ${each.words}`, () => app.filter(each.changes))), h("dd", {}, count(each.deltas)), h("dd", { class: "wb-dim" }, each.deltas === 1 ? "proposal" : "proposals")])) : link("clear the filters", () => app.clear()));
}
