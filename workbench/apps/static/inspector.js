// One event in full. A page has drawSide, which draws it again.

const BRIEF = 4000;

const pair = (name, value, attributes) => [h("dt", {}, name), h("dd", attributes ?? {}, value)];
const section = (title, note, ...children) => h("section", { class: "wb-section" }, h("div", { class: "wb-line" }, h("h3", {}, title), h("span", { class: "wb-gap" }), note && h("span", { class: "wb-dim" }, note)), children);

function drawInspector(app, side) {
  const { event, choices, start } = app;
  if (!event || event.place !== choices.one("event")) return fill(side, app.eventError ? drawEventError(app) : h("div", { class: "wb-dim" }, ""));
  const e = event.envelope;
  const zone = choices.zone === "relative" ? "" : choices.zone === "local" ? ` ${localShort()}` : " UTC";
  const time = (micros) => `${timeText(micros, choices.zone, start.last)}${zone}`;
  const around = (half) => app.setWindow([e.occurred_at - half, e.occurred_at + half + 1]);
  const near = h("select", { class: "wb-button", "aria-label": "Around this event", onchange: (change) => change.target.value && around(Number(change.target.value)) },
    h("option", { value: "" }, "Around this event"), [["± 1 min", 60e6], ["± 10 min", 600e6], ["± 1 h", 3600e6], ["± 1 day", 86400e6]].map(([words, half]) => h("option", { value: half }, words)));
  return fill(
    side,
    h("div", { class: "wb-line wb-title" }, swatch(app.hues.get(e.event_type)), h("h2", { class: "wb-big", title: e.event_type }, e.event_type), e.position !== null ? h("span", { class: "wb-dim" }, `position ${count(e.position)}`) : null, h("span", { class: "wb-gap" }),
      button("‹", () => app.step(-1), { class: "wb-button icon bare", "aria-label": "Event before" }), button("›", () => app.step(1), { class: "wb-button icon bare", "aria-label": "Event after" }), button("✕", () => app.close(), { class: "wb-button icon bare", "aria-label": "Close" })),
    h("div", { class: "wb-buttons" }, near, button("This stream", () => app.showStream(e.stream_id)), button("Link", () => app.togglePanel("link"))),
    h("dl", { class: "wb-facts mono" },
      pair("event_id", e.event_id), pair("stream_id", e.stream_id),
      e.stream_version === null ? null : pair("stream_version", [String(e.stream_version), app.around ? h("span", { class: "wb-dim sans" }, ` of 0 – ${count(app.around.stream_count - 1)}`) : null]),
      pair("event_type", e.event_type),
      pair("schema_version", [String(e.schema_version), event.stored_version !== e.schema_version ? h("span", { class: "wb-dim sans" }, ` as written ${event.stored_version}`) : null]),
      pair("occurred_at", hasNoZone(event) ? [timeText(e.occurred_at, choices.zone, start.last), h("span", { class: "wb-dim sans" }, " zone unknown")] : time(e.occurred_at)), e.recorded_at === null ? null : pair("recorded_at", time(e.recorded_at)),
      pair("actor", e.actor_id === null && e.actor_kind === null ? h("span", { class: "absent sans" }, NONE) : [e.actor_kind ? sign(e.actor_kind) : null, e.actor_id ?? NONE, h("span", { class: "wb-dim sans" }, e.actor_kind ? ` ${e.actor_kind === "ai" ? "AI" : e.actor_kind}` : "")]),
      pair("source", e.source),
      event.origin.file !== undefined ? pair("source file", event.origin.file) : null,
      event.origin.offset !== undefined ? pair("byte offset", [count(event.origin.offset), event.origin.line !== undefined ? h("span", { class: "wb-dim sans" }, ` line ${count(event.origin.line)}`) : null]) : null,
      e.correlation_id !== null ? pair("correlation_id", e.correlation_id) : null,
      e.erased_at_position !== null ? pair("erased", `at position ${count(e.erased_at_position)}`) : null),
    drawPayload(app, event),
    app.around ? [drawInstant(app), drawCauses(app), drawStreamStrip(app)] : null,
  );
}

// A source may have written its times without a zone: then the log has them as if they were UTC.
const hasNoZone = (event) => event.metadata.some((line) => line.depth === 1 && line.name === "zone" && line.text === '"unknown"');

function drawEventError(app) {
  const [title, detail] = splitSentence(app.eventError);
  return h("div", { class: "wb-notice failed" }, h("span", { class: "wb-mark" }, "✕"), h("div", { class: "wb-words" }, h("b", {}, title), detail && h("div", {}, detail)), button("Close", () => app.close()));
}

function drawPayload(app, event) {
  const raw = app.raw;
  const choice = (value, words) => h("button", { type: "button", "aria-pressed": String(raw === value), onclick: () => { app.raw = value; drawSide(app); } }, words);
  const changed = event.raw_data !== event.stored_data;
  const head = h("div", { class: "wb-line" }, h("h3", {}, "Payload"), changed && h("span", { class: "wb-dim" }, `lifted from schema ${event.stored_version} to ${event.envelope.schema_version}`), h("span", { class: "wb-gap" }), h("span", { class: "wb-switch small", role: "group", "aria-label": "Payload as" }, choice(false, "Tree"), choice(true, "Raw")));
  if (event.raw_data === null) return h("section", { class: "wb-section" }, head, h("p", { class: "wb-dim" }, event.envelope.erased_at_position !== null ? "▇ Erased; what remains is above." : "This event has no payload."));
  if (raw) {
    return h("section", { class: "wb-section" }, head,
      changed ? h("h4", {}, `as written, schema ${event.stored_version}`) : null, h("pre", { class: "wb-code" }, event.stored_data ?? NONE),
      changed ? [h("h4", {}, `lifted, schema ${event.envelope.schema_version}`), h("pre", { class: "wb-code" }, event.raw_data)] : null,
      event.raw_metadata !== null ? [h("h4", {}, "metadata"), h("pre", { class: "wb-code" }, event.raw_metadata)] : null);
  }
  return h("section", { class: "wb-section" }, head, drawTree(app, "data", event.data), event.raw_metadata !== null && event.metadata.length ? drawTree(app, "metadata", event.metadata) : null);
}

function drawTree(app, name, lines) {
  const key = (path) => `${name}/${path}`;
  const shut = app.shut;
  const toggle = (path) => { shut[shut.has(key(path)) ? "delete" : "add"](key(path)); drawSide(app); };
  const rows = [];
  let hiddenBelow = Infinity;
  if (!shut.has(key(""))) {
    lines.forEach((line, index) => {
      if (line.depth > hiddenBelow) return;
      hiddenBelow = Infinity;
      const nested = (line.kind === "object" || line.kind === "array") && !line.gone;
      if (nested && shut.has(key(index))) hiddenBelow = line.depth;
      rows.push(h("div", { class: `wb-leaf ${line.gone ? "gone" : ""}`, style: { paddingLeft: `${12 * line.depth}px` } },
        h("span", { class: "wb-member" }, nested ? h("button", { type: "button", class: "wb-fold", "aria-expanded": String(!shut.has(key(index))), "aria-label": line.name, onclick: () => toggle(index) }, shut.has(key(index)) ? "▸" : "▾") : null, line.name),
        h("span", { class: "wb-value" }, nested ? h("span", { class: "wb-dim" }, line.text) : longText(line.text), line.written !== null && line.written !== undefined ? h("span", { class: "wb-written" }, line.gone ? "only as written " : "as written ", h("code", {}, line.written)) : null)));
    });
  }
  return h("div", { class: "wb-tree" }, h("div", { class: "wb-leaf root" }, h("button", { type: "button", class: "wb-fold", "aria-expanded": String(!shut.has(key(""))), "aria-label": name, onclick: () => toggle("") }, shut.has(key("")) ? "▸" : "▾"), h("span", { class: "wb-dim" }, name)), rows);
}

function longText(text) {
  if (text.length <= BRIEF) return text;
  const rest = h("span", {}, text.slice(0, BRIEF), " ", link(`… ${count(text.length - BRIEF)} more characters`, () => rest.replaceChildren(document.createTextNode(text))));
  return rest;
}

const brief = (app, row, note, current) => h("button", { type: "button", class: `wb-brief ${current ? "here" : ""}`, onclick: () => app.open(row.place) }, h("span", { class: "number", title: row.event_id }, row.position === null ? row.event_id : count(row.position)), swatch(app.hues.get(row.event_type)), h("span", { class: "wb-name" }, row.event_type), h("span", { class: "wb-dim" }, note ?? ""));

function drawInstant(app) {
  const { instant, instant_count } = app.around;
  const here = app.event.place;
  const order = app.start.order.includes("position") ? "position" : "source and id";
  if (instant_count <= 1) return section("Same instant", "this event alone");
  const shown = instant_count > instant.length ? `, ${instant.length} of them here` : "";
  return section("Same instant", `${count(instant_count)} events, ordered by ${order}${shown}`, instant.map((row, index) => brief(app, row, row.place === here ? "this event" : index === 0 ? `first by ${order}` : "", row.place === here)));
}

function drawCauses(app) {
  const { causes, effects } = app.around;
  const named = app.event.envelope.causation_id;
  const note = causes.length || effects.length ? `${plural(causes.length, "cause")}, ${plural(effects.length, "effect")}` : named === null ? "none is named" : "";
  return section("Cause and effects", note,
    named !== null && !causes.length ? h("p", { class: "wb-dim" }, "Caused by ", h("code", {}, named), `, which is not in the log${app.event.envelope.position === null ? "" : " up to this position"}.`) : null,
    causes.map((row) => brief(app, row, "cause")), effects.map((row) => brief(app, row, "effect")));
}

function drawStreamStrip(app) {
  const { stream, stream_count } = app.around;
  const { envelope } = app.event;
  const times = stream.map((row) => row.occurred_at);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const actors = new Set(stream.map((row) => row.actor_id).filter((actor) => actor !== null)).size;
  const wide = 340;
  const place = (micros) => 2 + ((micros - from) / Math.max(1, to - from)) * (wide - 4);
  const tick = (row) => s("line", { x1: place(row.occurred_at), x2: place(row.occurred_at), y1: 2, y2: 24, stroke: app.hues.get(row.event_type) ?? "currentColor", "stroke-width": 2 });
  const at = place(envelope.occurred_at);
  const zone = app.choices.zone;
  const note = `${plural(stream_count, "event")}${to > from ? ` in ${durationText(to - from)}` : ""}${actors ? `, by ${plural(actors, "actor")}` : ""}`;
  return section(`Stream ${envelope.stream_id}`, stream.length < stream_count ? `the first ${count(stream.length)} of ${plural(stream_count, "event")}` : note,
    h("div", { class: "wb-stream" }, s("svg", { viewBox: `0 0 ${wide} 34`, width: "100%", height: 34, preserveAspectRatio: "none", role: "img", "aria-label": note }, stream.map(tick), s("path", { class: "wb-caret", d: `M${at - 5} 33h10l-5 -6z` }))),
    h("div", { class: "wb-line wb-dim" }, h("span", {}, timeText(from, zone, app.start.last, "minute")), h("span", { class: "wb-gap" }), h("span", {}, `${timeText(to, zone, app.start.last, "minute")}${zone === "utc" ? " UTC" : ""}`)));
}
