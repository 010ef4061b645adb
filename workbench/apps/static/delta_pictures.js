// The overview: six figures, and the pictures, each with a hand over it that leads to the deltas behind a mark.

// Days and hours are those of the log's clock, whatever zone times are told in.
const dayZone = (app) => (app.start?.zone === "unknown" ? "zone unknown" : "UTC");

const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");
const secondsWords = (seconds_) => (seconds_ === null || seconds_ === undefined ? "–" : durationText(seconds_ * 1e6));

function drawFigures(app) {
  const { figures, parts } = app;
  if (!figures) return fill(parts.figures);
  const words = { accepted: "accepted as is" };
  const box = (name, big, note, act, label) => h(act ? "button" : "div", { class: "wb-figure", ...(act ? { type: "button", onclick: act, "aria-label": label } : {}) }, h("span", { class: "wb-figurename" }, name), h("strong", {}, big), h("span", { class: "wb-figurenote" }, note));
  const decisions = figures.decisions.map((each) => {
    const interval = figures.shown ? ` · ${(100 * each.low).toFixed(1)}–${(100 * each.high).toFixed(1)}` : "";
    return box([decisionSign(each.name), words[each.name] ?? each.name], percent(each.count, figures.shown), `${count(each.count)} of ${count(figures.shown)} shown${interval}`, each.count && figures.decisions.length > 1 ? () => app.chooseValues({ name: "decision" }, [each.name]) : null, `${each.name}: show these ${count(each.count)}`);
  });
  const { retained, latency } = figures;
  fill(parts.figures,
    h("div", { class: "wb-figures" }, decisions,
      retained ? box("characters retained at the end", percent(retained.kept, retained.taken), `${count(retained.kept)} of ${count(retained.taken)} taken`) : box("characters retained at the end", "–", "no document is followed"),
      box("decision latency, median", secondsWords(latency.taken_median ?? latency.rejected_median), [latency.taken ? `taken ${count(latency.taken)}` : "none taken", latency.rejected ? ` · rejected ${secondsWords(latency.rejected_median)}, ${count(latency.rejected)}` : ""])),
    h("div", { class: "wb-sharebar", role: "img", "aria-label": figures.decisions.map((each) => `${each.name} ${percent(each.count, figures.shown)}`).join(", "), title: "95 % intervals by Wilson" }, figures.decisions.filter((each) => each.count).map((each) => h("i", { class: each.name, style: { flexGrow: each.count } }))));
}

const head = (title, note, ...more) => h("div", { class: "wb-line wb-pichead" }, h("h2", {}, title), h("span", { class: "wb-dim" }, note), more);

// One picture: Vega draws it once, what lies over it are buttons, so that a hand, a key and a reader all reach the marks.
async function drawPicture(app, name, told, { over, label }) {
  const chart = h("div", { class: "wb-chart", role: "img", "aria-label": label });
  const box = h("div", { class: "wb-chartbox" }, chart, over ?? null);
  const result = await vegaEmbed(chart, told.spec, { actions: false, ast: true, renderer: "canvas", tooltip: false, loader: { http: { mode: "same-origin" } } });
  if (app.told[name] !== told) {
    result.finalize();
    return null;
  }
  app.views.get(name)?.finalize();
  app.views.set(name, result);
  return box;
}

const none = (words) => h("p", { class: "wb-dim wb-nothing" }, words);
const hotspot = (act, label, place) => h("button", { type: "button", class: "wb-hot", "aria-label": label, title: label, onclick: act, style: Object.fromEntries(Object.entries(place).map(([key, value]) => [key, `${value}px`])) });

// What is under the hand, in words, where the picture's heading has its note.
async function showSplit(app) {
  const { told, parts } = app;
  const { split } = told;
  const node = parts.split;
  if (!split.rows.length) return fill(node, head("Decisions over time", ""), none("Nothing was shown."));
  const words = (column, row) => `${row.words}, ${split.from[column.number]}: ${plural(column.shown, "proposal")} shown, ${Object.entries(column.counts).filter(([, each]) => each).map(([decision, each]) => `${decision} ${percent(each, column.shown)}`).join(", ")}`;
  const over = split.rows.map((row, place) => row.columns.map((column) => hotspot(() => app.filter({ version: [writeFacet(row.version)], since: toIso(split.times[column.number]), until: toIso(split.times[column.number + 1]) }), words(column, row), { left: split.places[column.number][0] - 1, width: split.places[column.number][1] - split.places[column.number][0] + 2, top: split.geometry.top + split.geometry.pitch * place, height: split.geometry.high + 24 })));
  const box = await drawPicture(app, "split", split, { over, label: `Decisions by ${split.grain} and version` });
  if (!box) return null;
  return fill(node, head(`Decisions by ${split.grain} and ${split.rows.length > 1 || split.versioned ? "version" : "all versions"}`, `share of proposals shown that ${split.grain} (${dayZone(app)}); pale below 20${split.more ? ` · ${plural(split.more, "more version")}: choose among them above` : ""}`), box);
}

async function showCompare(app) {
  const { told, parts, choices } = app;
  const { compare } = told;
  const people = compare.people ? `bootstrap over ${plural(compare.people, "person", "people")}` : "";
  const many = compare.versions.length > 2;
  const pick = (name, chosen, other) => h("select", { class: "wb-button wb-select small", "aria-label": name === "one" ? "Version" : "Against version", onchange: (event) => app.choose({ [name]: writeFacet(event.target.value) }, { only: ["compare"] }) }, compare.versions.filter((each) => each !== other).map((each) => h("option", { value: each ?? "", selected: each === chosen }, valueOfFacet(each))));
  const control = compare.mode === "versions" && many ? h("div", { class: "wb-line wb-versus" }, pick("one", compare.one, compare.other), h("span", { class: "wb-dim" }, "against"), pick("other", compare.other, compare.one)) : null;
  const moment = compare.mode === "moment" ? h("label", { class: "wb-line wb-versus" }, h("span", { class: "wb-dim" }, "one version: before and after"), h("input", { type: "text", class: "wb-goto wide", "aria-label": "Moment between before and after", value: timeText(compare.moment, "utc", 0, "minute"), onkeydown: (event) => { if (event.key !== "Enter") return; const micros = readDay(event.target.value.trim()); if (Number.isNaN(micros)) event.target.setAttribute("aria-invalid", "true"); else app.choose({ moment: toIso(micros) }, { only: ["compare"] }); } }), h("span", { class: "wb-dim" }, dayZone(app))) : null;
  if (!compare.measures.length) return fill(parts.compare, head("Versions compared", ""), control, moment, none(compare.why ?? "There is nothing to compare."));
  const box = await drawPicture(app, "compare", compare, { label: compare.measures.map((each) => `${each.measure} ${(100 * each.difference).toFixed(1)} points`).join(", ") });
  if (!box) return null;
  const names = { accepted: "accepted as is" };
  const cell = (of, whole) => h("td", { class: "number", title: `${count(of)} of ${count(whole)}` }, percent(of, whole));
  const table = h("table", { class: "wb-versions" },
    h("thead", {}, h("tr", {}, h("th", {}), h("th", { class: "number" }, compare.words[1]), h("th", { class: "number" }, compare.words[0]))),
    h("tbody", {}, compare.measures.map((each) => h("tr", {}, h("td", {}, decisionSign(each.measure), names[each.measure] ?? each.measure), cell(each.other, each.other_of), cell(each.one, each.one_of)))));
  return fill(parts.compare, head(compare.mode === "moment" ? "Before and after" : "Versions compared", people), control, moment,
    h("div", { class: "wb-comparebox" }, table, h("div", {}, h("div", { class: "wb-dim wb-comparehead" }, `${compare.words[0]} ${MINUS} ${compare.words[1]}, points, 95 %`), box)));
}

async function showDistances(app) {
  const { told, parts } = app;
  const { distances } = told;
  const title = `${count(distances.changed)} changed of ${count(distances.taken)} taken; ${count(distances.unchanged)} unchanged`;
  if (!distances.changed) return fill(parts.distances, head("Edit distance", title), none(distances.taken ? "None of what was taken was changed." : "Nothing was taken."));
  const { left, top, width, height } = distances.geometry;
  const bins = distances.counts.length;
  const name = (index) => `distance ${(index / bins).toFixed(2)} to ${((index + 1) / bins).toFixed(2)}: ${count(distances.counts[index])}`;
  const over = h("div", { class: "wb-plot wb-drags", role: "group", "aria-label": "Choose distances", style: { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` } },
    distances.counts.map((each, index) => hotspot((event) => event.detail === 0 && app.filter({ low: (index / bins).toFixed(2), high: ((index + 1) / bins).toFixed(2) }), name(index), { left: (index * width) / bins, width: width / bins, top: 0, height })));
  const drag = h("div", { class: "wb-drag", hidden: true });
  over.append(drag);
  dragBins(over, drag, width, bins, (first, last) => app.filter({ low: (first / bins).toFixed(2), high: ((last + 1) / bins).toFixed(2) }));
  const box = await drawPicture(app, "distances", distances, { over, label: title });
  return box && fill(parts.distances, head("Edit distance", title), box);
}

function dragBins(plot, drag, width, bins, done) {
  const bin = (event) => Math.max(0, Math.min(bins - 1, Math.floor(((event.clientX - plot.getBoundingClientRect().left) / width) * bins)));
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const began = bin(event);
    let at = began;
    const show = () => Object.assign(drag.style, { left: `${(Math.min(began, at) * width) / bins}px`, width: `${((Math.abs(at - began) + 1) * width) / bins}px` });
    const move = (moved) => ((at = bin(moved)), show());
    const end = () => {
      plot.removeEventListener("pointermove", move);
      drag.hidden = true;
    };
    drag.hidden = false;
    show();
    plot.setPointerCapture(event.pointerId);
    plot.addEventListener("pointermove", move);
    plot.addEventListener("pointerup", () => (end(), done(Math.min(began, at), Math.max(began, at))), { once: true });
    plot.addEventListener("pointercancel", end, { once: true });
  });
}

async function showSurvival(app) {
  const { told, parts } = app;
  const { survival } = told;
  if (!survival.curves.length) return fill(parts.survival, head("Survival", "share still untouched after being taken"), none(survival.why ?? "Nothing was taken."));
  const { left, top, width, height, horizon } = survival.geometry;
  const checks = [30, 120, 300, 600];
  const over = checks.map((at, index) => {
    const from = index ? checks[index - 1] : 0;
    return hotspot(() => app.filter({ after: null, by: at }), `First changed within ${at} s: show these`, { left: left + (width * from) / horizon, width: (width * (at - from)) / horizon, top, height });
  });
  const box = await drawPicture(app, "survival", survival, { over, label: survival.curves.map((each) => `${each.words}: ${(100 * each.last).toFixed(1)} % untouched at the end`).join(", ") });
  return box && fill(parts.survival, head("Survival", "share still untouched after being taken"), box);
}

async function showChanges(app) {
  const { told, parts } = app;
  const { changes } = told;
  const title = "% of words, by place in the proposal";
  if (!changes.taken || !changes.shares.length) return fill(parts.changes, head("What gets changed most", title), none(changes.why ?? "Nothing was taken."));
  const { width, height } = changes.geometry;
  const parts_ = changes.shares.length;
  const over = changes.shares.map((each, index) => hotspot(() => app.filter({ place: index }), `tenth ${index + 1} of the proposal: ${(100 * each).toFixed(1)} % of words changed`, { left: (index * width) / parts_, width: width / parts_, top: 0, height }));
  const box = await drawPicture(app, "changes", changes, { over, label: title });
  if (!box) return null;
  const most = Math.max(1, ...changes.edits.map((each) => each.deltas));
  const marked = ({ removed, inserted }) => [removed ? h("del", { class: "wb-delete" }, visible(removed)) : null, removed && inserted ? " → " : null, inserted ? h("ins", { class: "wb-insert" }, visible(inserted)) : null, removed && !inserted ? " removed" : null, !removed && inserted ? " added" : null];
  const row = (each) => h("button", { type: "button", class: "wb-edit", onclick: () => app.filter({ removed: each.removed, inserted: each.inserted }) }, h("span", { class: "wb-editwords" }, marked(each)), h("span", { class: "wb-editbar" }, h("i", { style: { width: `${Math.max(2, (100 * each.deltas) / most)}%` } })), h("span", { class: "wb-editcount" }, count(each.deltas), h("span", { class: "wb-dim" }, ` of ${count(changes.taken)}`)));
  return fill(parts.changes, head("What gets changed most", title), box, h("div", { class: "wb-edits" }, changes.edits.length ? changes.edits.map(row) : none("No substitution occurs twice.")));
}

const visible = (text) => text.replaceAll("\n", "↵") || " ";
