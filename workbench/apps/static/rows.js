// The events themselves, fifty at a time, in the order of the log; and the quiet line of actions.

function drawRows(app) {
  const { parts, choices } = app;
  if (!app.rows || !app.timeline?.events) return fill(parts.rows);
  const { rows, before } = app.rows;
  const total = app.timeline.events;
  const zone = choices.zone === "utc" ? "UTC" : choices.zone === "local" ? localShort() : zoneWord("relative");
  const goto = (parts.goto ??= h("input", { type: "text", inputmode: "numeric", class: "wb-goto", "aria-label": "Go to position",
    onkeydown: (event) => {
      if (event.key !== "Enter") return;
      const text = event.target.value.replaceAll(",", "").trim();
      event.target.value = "";
      app.choose({ row: text || null }, { only: "rows" });
    } }));
  const placed = app.start.order.includes("position");
  const order = placed ? "in position order" : "in the order of time, source and id";
  goto.placeholder = rows.length && placed ? String(rows[0].position) : "0";
  const shown = columnsOf(rows, placed);
  const heads = [["position", "number"], [`occurred_at, ${zone}`, ""], ["event_type", ""], ["stream_id", ""], ["ver", "number"], ["actor_id", ""], ["since prev.", "number"]].filter((_, index) => shown[index]);
  const body = h("tbody", {}, rows.map((row) => drawRow(app, row, shown)));
  keepTyping(goto, () => fill(
    parts.rows,
    h("div", { class: "wb-line" },
      h("h2", {}, "Rows"),
      h("span", { class: "wb-dim" }, rows.length ? `${count(before + 1)} – ${count(before + rows.length)} of ${count(total)}, ${order}` : `0 of ${count(total)} from here on`),
      h("span", { class: "wb-gap" }),
      placed ? h("label", { class: "wb-dim" }, "go to position ", goto) : null,
      button("‹", () => app.page(-1), { class: "wb-button icon bare", "aria-label": "Page before", disabled: before <= 0 }),
      button("›", () => app.page(1), { class: "wb-button icon bare", "aria-label": "Page after", disabled: before + rows.length >= total })),
    h("div", { class: "wb-scroll" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map(([words, kind]) => h("th", { class: kind, scope: "col" }, words)))), body)),
  ));
  app.showSelected();
  return null;
}

function sincePrevious(app, row) {
  const previous = app.previous?.get(row.place);
  return app.previous ? since(previous === undefined ? undefined : row.occurred_at - previous) : "";
}

// Comes a moment after its rows: only the last cells change.
function fillPrevious(app) {
  const cells = app.parts.rows.querySelectorAll("tbody tr td:last-child");
  app.rows.rows.forEach((row, index) => cells[index] && (cells[index].textContent = sincePrevious(app, row)));
}

// A mapped log may have no positions and no versions: then there is no column for them.
const columnsOf = (rows, placed) => [placed, true, true, true, rows.some((row) => row.stream_version !== null), true, true];

function drawRow(app, row, shown) {
  const known = sincePrevious(app, row);
  const open = () => app.open(row.place);
  return h(
    "tr",
    { tabindex: "0", "data-place": row.place, "aria-selected": String(app.choices.one("event") === row.place), onclick: open, onkeydown: (event) => event.key === "Enter" && open() },
    [
      h("td", { class: "number" }, count(row.position)),
      h("td", { class: "time" }, timeText(row.occurred_at, app.choices.zone, app.start.last)),
      h("td", {}, h("span", { class: "wb-cell" }, swatch(app.hues.get(row.event_type)), h("span", { title: row.event_type }, row.event_type))),
      h("td", {}, h("span", { class: "wb-cell", title: row.stream_id }, h("span", {}, row.stream_id))),
      h("td", { class: "number" }, count(row.stream_version)),
      h("td", {}, h("span", { class: "wb-cell" }, row.actor_kind ? sign(row.actor_kind) : null, h("span", { class: row.actor_id === null ? "absent" : "" }, row.actor_id ?? NONE))),
      h("td", { class: "number" }, known),
    ].filter((_, index) => shown[index]),
  );
}

function drawActions(app) {
  const { timeline, parts } = app;
  if (!timeline) return fill(parts.actions);
  const form = (name, words) => link(words, () => app.download(name), { "aria-label": `Rows as ${words}` });
  return fill(
    parts.actions,
    h("div", { class: "wb-line wb-acts" },
      !timeline.events ? null : h("span", { class: "wb-forms" }, h("span", { class: "wb-dim" }, "Rows ("), form("csv", "CSV"), " · ", form("json", "JSON"), " · ", form("parquet", "Parquet"), h("span", { class: "wb-dim" }, ")")),
      link("SQL", () => app.togglePanel("sql")),
      link("Link", () => app.togglePanel("link")),
      timeline.events ? link("Picture", () => app.savePicture()) : null,
      h("span", { class: "wb-gap" }),
      h("span", { class: "wb-dim" }, `answered by ${app.start.engine} in ${count(timeline.milliseconds)} ms · ${app.start.quarantined ? `${count(app.start.quarantined)} quarantined left out` : "nothing left out"}`)),
    app.panel ? drawPanel(app) : null,
  );
}

function drawPanel(app) {
  const close = link("close", () => app.togglePanel(app.panel));
  if (app.panel === "keys") return h("div", { class: "wb-panel" }, h("div", { class: "wb-line" }, h("h3", {}, "Keys"), h("span", { class: "wb-gap" }), close), keyList());
  if (app.panel === "link") return textPanel("This view, with its basis", app.fullLink(), close);
  const { sql, parameters } = app.timeline;
  const bound = Object.entries(parameters).map(([name, value]) => `-- :${name} = ${value.replaceAll("\n", " ")}`).join("\n");
  return textPanel("The counts above, in Trino's SQL", `${sql}${bound ? `\n\n${bound}` : ""}`, close);
}

const KEYS = [[["←", "→"], "pan by a tenth"], [["+", "−"], "zoom"], [["0"], "whole log"], [["["], "event before"], [["]"], "event after"], [["{", "}"], "within its stream"], [["Enter"], "open a row"], [["Esc"], "close; undo the window"], [["/"], "find"], [["t"], "time zone"], [["?"], "all keys"]];

function keyList(few) {
  const shown = few ? KEYS.filter(([keys]) => ["←", "+", "0", "/"].includes(keys[0])) : KEYS;
  const words = { "pan by a tenth": few ? "pan" : "pan by a tenth" };
  return h("div", { class: "wb-keylist" }, shown.map(([keys, what]) => h("span", {}, keys.map((key) => h("kbd", {}, key)), words[what] ?? what)));
}
