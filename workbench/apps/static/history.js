// The events around the cursor, each with what it changed; and the quiet line of actions.

const HISTORY_ROWS = 6;

function drawHistory(app) {
  const { history, at, parts, choices } = app;
  if (!history?.size) return fill(parts.history);
  const shown = Math.min(HISTORY_ROWS, history.size);
  const first = Math.max(0, Math.min(history.size - shown, at.index - 3));
  const order = history.order === "position" ? "in position order" : "in the order of time, then position";
  const zone = choices.zone === "utc" ? " (UTC)" : choices.zone === "local" ? ` (${localShort()})` : "";
  const row = (index) => {
    const gap = index ? history.occurred[index] - history.occurred[index - 1] : null;
    return h(
      "tr",
      { class: `${index === at.index ? "here" : ""} ${index > at.index ? "later" : ""}`, tabindex: "0", "aria-current": index === at.index ? "true" : null, onclick: () => app.goTo({ index }), onkeydown: (event) => event.key === "Enter" && app.goTo({ index }) },
      h("td", {}, count(index + 1)),
      h("td", {}, link(count(history.position[index]), (event) => (event.stopPropagation(), app.open(String(history.position[index]))), { class: "wb-link wb-quiet", title: "Open the event" })),
      h("td", { class: "time" }, timeText(history.occurred[index], choices.zone, app.start.last), isLate(app, index) ? h("span", { class: "wb-late", title: `recorded ${timeText(history.recorded[index], choices.zone, app.start.last)}` }, ` ↶ ${durationText(history.recorded[index] - history.occurred[index])} late`) : null),
      h("td", { class: "wb-dim" }, gap === null ? "first" : gap === 0 ? "tie" : gapText(gap)),
      h("td", {}, h("span", { class: "wb-cell", title: history.type[index] }, swatch(app.hues.get(history.type[index])), h("span", {}, typeWords(history.type[index], history.word[index])))),
      h("td", {}, drawActor(history.actor[index], history.kind[index])),
      h("td", { class: "wb-changes" }, drawChanged(app, history, index)),
    );
  };
  return fill(
    parts.history,
    h("div", { class: "wb-line" }, h("h2", {}, "History"), h("span", { class: "wb-dim" }, `events ${count(first + 1)}–${count(first + shown)} of ${count(history.size)}, ${order}`)),
    h("div", { class: "wb-scroll wb-wide" },
      h("table", { class: "wb-events" },
        h("thead", {}, h("tr", {}, ["event", "position", `occurred at${zone}`, "since prev.", "event type", "actor", "changed"].map((words) => h("th", { scope: "col" }, words)))),
        h("tbody", {}, Array.from({ length: shown }, (_, number) => row(first + number))))),
  );
}

const isLate = ({ history, start }, index) => history.recorded[index] !== null && history.recorded[index] - history.occurred[index] > start.late_after;

const MOMENT_KEYS = {
  entity: [[["←", "→"], "step"], [["Shift", "← →"], "next change of the chosen field"], [["Space"], "play"], [["G"], "go to a time or position"], [["C"], "compare"], [["?"], "keys"]],
  compare: [[["X"], "swap"], [["K"], "known then or now"], [["Enter"], "open an event"], [["?"], "keys"]],
  population: [[["←", "→"], "step"], [["Space"], "play"], [["Enter"], "open an entity at this moment"], [["?"], "keys"]],
  what_if: [[["R"], "roll back to the event under the cursor"], [["Del"], "set an event aside"], [["Esc"], "discard the preview"], [["?"], "keys"]],
};
const ALL_KEYS = [[["←", "→"], "step"], [["Shift", "← →"], "next change of the chosen field"], [["Home"], "first"], [["End"], "last"], [["Space"], "play, pause"], [["G"], "go to a time or position"], [["C"], "compare"], [["X"], "swap"], [["K"], "known then or now"], [["R"], "roll back to here"], [["Del"], "set aside"], [["Esc"], "close; discard"], [["/"], "find an entity"], [["T"], "time zone"], [["?"], "all keys"]];

const keyWords = (keys) => h("span", { class: "wb-keywords" }, keys.map(([names, what], number) => [number ? " · " : null, names.join(" "), " ", what]));

function drawMomentActions(app) {
  const { parts, choices } = app;
  const form = (name, words) => link(words, () => app.download(name), { "aria-label": `Rows as ${words}` });
  const has = app.answer() !== null;
  fill(
    parts.actions,
    h("div", { class: "wb-line wb-acts" },
      has ? h("span", { class: "wb-forms" }, h("span", { class: "wb-dim" }, "Rows ("), form("csv", "CSV"), " · ", form("json", "JSON"), " · ", form("parquet", "Parquet"), h("span", { class: "wb-dim" }, ")")) : null,
      has ? link("SQL", () => app.togglePanel("sql")) : null,
      link("Link", () => app.togglePanel("link")),
      choices.mode === "entity" && has ? link("State", () => app.togglePanel("state")) : null,
      has ? link("Picture", () => app.savePicture()) : null,
      h("span", { class: "wb-gap" }),
      has ? h("span", { class: "wb-dim" }, keyWords(MOMENT_KEYS[choices.mode])) : null),
    app.panel ? drawMomentPanel(app) : null,
  );
}

function drawMomentPanel(app) {
  const close = link("close", () => app.togglePanel(app.panel));
  if (app.panel === "keys") return h("div", { class: "wb-panel" }, h("div", { class: "wb-line" }, h("h3", {}, "Keys"), h("span", { class: "wb-gap" }), close), h("div", { class: "wb-keylist" }, ALL_KEYS.map(([keys, what]) => h("span", {}, keys.map((key) => h("kbd", {}, key)), what))));
  if (app.panel === "link") return textPanel("This view, with its basis", app.fullLink(), close);
  if (app.panel === "state") return textPanel(`The state after event ${count(app.at.index + 1)}, canonical (RFC 8785)`, app.history.stateAt(app.at.index), close);
  if (app.panel === "moves") return drawMoves(app, close);
  const { call, sql, parameters } = app.answer().question;
  const bound = Object.entries(parameters).map(([name, value]) => `-- :${name} = ${value.replaceAll("\n", " ")}`).join("\n");
  return textPanel("The question in Python, and the events it folds in Trino's SQL", `${call}\n\n${sql}${bound ? `\n\n${bound}` : ""}`, close);
}

// The transitions outside the machines: the transition, what the machine allows, the event.
function drawMoves(app, close) {
  const { history } = app;
  const row = ([index, name, from, to]) => {
    const allowed = history.byName.get(name).moves?.[from] ?? [];
    return h("tr", {}, h("td", {}, link(count(history.position[index]), () => app.goTo({ index }))), h("td", {}, name), h("td", {}, h("b", {}, `${from ?? NONE} → ${to}`)), h("td", { class: "wb-dim" }, allowed.length ? `from ${from}: ${allowed.join(", ")}` : `${from} is an end`), h("td", {}, h("span", { class: "wb-cell" }, swatch(app.hues.get(history.type[index])), h("span", {}, typeWords(history.type[index], history.word[index])))));
  };
  return h("div", { class: "wb-panel" }, h("div", { class: "wb-line" }, h("h3", {}, `${plural(history.illegal.length, "transition")} outside the machine`), h("span", { class: "wb-gap" }), close),
    h("table", {}, h("thead", {}, h("tr", {}, ["position", "field", "transition", "the machine allows", "event type"].map((words) => h("th", { scope: "col" }, words)))), h("tbody", {}, history.illegal.map(row))));
}
