// The right column of the timeline: this window in figures, or one event in full.

function drawSide(app) {
  const { side } = app.parts;
  if (app.choices.one("event") !== undefined) return drawInspector(app, side);
  return drawWindow(app, side);
}

function drawWindow(app, side) {
  const { summary, timeline, choices, start } = app;
  if (!summary || !start) return fill(side);
  const zone = choices.zone === "relative" ? "" : choices.zone === "local" ? ` ${localShort()}` : " UTC";
  const time = (micros) => `${timeText(micros, choices.zone, start.last)}${micros === null ? "" : zone}`;
  const days = timeline ? (timeline.window[1] - timeline.window[0]) / 86400e6 : 0;
  return fill(
    side,
    h("div", { class: "wb-line" }, h("h2", { class: "wb-big" }, "This window"), h("span", { class: "wb-gap" }), h("span", { class: "wb-dim" }, "nothing selected")),
    h("dl", { class: "wb-facts" },
      pair("events", count(summary.events)),
      pair("streams", count(summary.streams)),
      pair("actors", count(summary.actors)),
      pair("types", [count(summary.event_types), h("span", { class: "wb-dim" }, summary.versions > summary.event_types ? ` written in ${plural(summary.versions, "schema version")}` : "")]),
      summary.events ? [pair("first occurred_at", time(summary.first)), pair("last occurred_at", time(summary.last))] : null,
      summary.events && days >= 1 ? pair("per day", `${count(Math.round(summary.events / days))} on average`) : null),
    summary.events ? drawWeek(summary.week) : null,
    summary.events && timeline?.busiest ? drawPlaces(app) : null,
    section("Keys", [h("kbd", {}, "?"), " shows all"], keyList(true)),
  );
}

function drawWeek(week) {
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const most = Math.max(1, ...week);
  const at = week.indexOf(Math.max(...week));
  const note = `busiest ${days[Math.floor(at / 24)]} ${pad(at % 24)}:00 UTC, ${count(week[at])}`;
  const cell = (events, index) => h("i", { style: { "--share": (events / most).toFixed(3) }, title: `${days[Math.floor(index / 24)]} ${pad(index % 24)}:00 UTC: ${count(events)}` });
  return section("When in the week", note,
    h("div", { class: "wb-week", role: "img", "aria-label": note }, days.map((day, row) => [h("span", {}, day), week.slice(24 * row, 24 * row + 24).map((events, hour) => cell(events, 24 * row + hour))])),
    h("div", { class: "wb-weekaxis wb-dim" }, ["00:00", "06:00", "12:00", "18:00"].map((words) => h("span", {}, words))));
}

function drawPlaces(app) {
  const { timeline, start, choices } = app;
  const bar = timeline.busiest;
  const day = 86400e6;
  const grain = /1 bar = ([^,]+)/.exec(timeline.caption)?.[1] ?? "bar";
  const zone = choices.zone === "utc" ? " UTC" : "";
  const places = [
    [`Busiest ${grain.replace(/^1 /, "").replace(/^h$/, "hour")}`, `${timeText(bar.start * 1e6, choices.zone, start.last, grain.includes("day") || grain.includes("week") || grain.includes("month") ? "day" : "minute")}${zone} · ${plural(bar.events, "event")}`, [bar.start * 1e6, bar.end * 1e6]],
    ["Last 24 hours", `up to ${timeText(start.last, choices.zone, start.last, "minute")}${zone}`, [start.last - day, start.last + 1]],
  ];
  return section("Places to look", "a click sets the window",
    h("dl", { class: "wb-facts links" }, places.map(([words, what, window_]) => [h("dt", {}, link(words, () => app.setWindow(window_))), h("dd", {}, what)])));
}
