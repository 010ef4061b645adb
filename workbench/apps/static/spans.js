// A run of an agent as spans: what led to what at the left, when and for how long at the right; a table by itself.

const JUDGEMENTS = { matches: ["✓", "matches what was expected"], differs: ["✎", "differs from what was expected"], "never made": ["✕", "expected, never made"] };

function drawSpans(app) {
  const { parts, spans } = app;
  if (!spans) return fill(parts.spans);
  const folded = (app.foldedSpans ??= new Set());
  const inner = spans.spans.filter((_, index) => isParent(spans.spans, index)).map((span) => span.place);
  const all = inner.length > 0 && inner.every((place) => folded.has(place));
  const toggle = () => ((app.foldedSpans = new Set(all ? [] : inner)), drawSpans(app));
  const left = spans.left_out ? ` · ${plural(spans.left_out, "later event")} not among them` : "";
  const zone = spans.zone === "unknown" ? " · zone unknown" : "";
  const ticks = h("th", { scope: "col", class: "wb-spanaxis" }, [0, 0.5, 1].map((part) => h("span", {}, part ? durationText(part * (spans.end - spans.start)) : "0")));
  const body = h("tbody", {}, visibleSpans(spans.spans, folded).map((index) => drawSpan(app, spans, index, folded)));
  fill(
    parts.spans,
    h("div", { class: "wb-line" },
      h("h2", {}, "Run as spans"),
      h("span", { class: "wb-dim" }, `${plural(spans.spans.length, "span")}, ${plural(spans.calls, "call")} of tools, in ${durationText(spans.end - spans.start)}${zone}${left}`),
      h("span", { class: "wb-gap" }),
      h("span", { class: "wb-dim wb-spankeys" }, h("i", {}), "until said", h("i", { class: "work" }), "call to result"),
      inner.length ? link(all ? "unfold calls" : "fold calls", toggle) : null),
    h("div", { class: "wb-scroll" },
      h("table", { class: "wb-spantable", role: "treegrid", "aria-label": `Run ${spans.stream_id} as spans`, onkeydown: (event) => moveSpan(app, event) },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "span"), h("th", { scope: "col" }, "what"), ticks, h("th", { scope: "col", class: "number" }, "begins"), h("th", { scope: "col", class: "number" }, "took"))),
        body)));
  const first = body.querySelector("tr");
  if (first) first.tabIndex = 0;
  return markSpan(app);
}

const isParent = (spans, index) => spans[index + 1] !== undefined && spans[index + 1].depth > spans[index].depth;

// The lines that are not behind a folded one.
function visibleSpans(spans, folded) {
  const shown = [];
  let hidden = Infinity;
  spans.forEach((span, index) => {
    if (span.depth > hidden) return;
    hidden = folded.has(span.place) ? span.depth : Infinity;
    shown.push(index);
  });
  return shown;
}

function drawSpan(app, run, index, folded) {
  const span = run.spans[index];
  const whole = Math.max(1, run.end - run.start);
  const part = (from, to) => `${(100 * (to - from)) / whole}%`;
  const parent = isParent(run.spans, index);
  const shut = folded.has(span.place);
  const [mark, words] = JUDGEMENTS[span.judged] ?? [];
  const took = span.event_type === "ToolCalled" ? span.end - span.at : span.at - span.start;
  const fold = h("span", { class: "wb-spanfold", "aria-hidden": "true", onclick: (event) => parent && (event.stopPropagation(), foldSpan(app, span.place)) }, parent ? (shut ? "▸" : "▾") : "");
  return h(
    "tr",
    { tabindex: "-1", role: "row", "data-place": span.place, "aria-level": span.depth + 1, "aria-expanded": parent ? String(!shut) : null, "aria-selected": "false", onclick: () => app.open(span.place) },
    h("td", {}, h("span", { class: "wb-cell", style: { paddingLeft: `${14 * span.depth}px` } }, fold, span.actor_kind ? sign(span.actor_kind) : null, h("span", { title: span.title }, span.title))),
    h("td", {}, h("span", { class: "wb-cell" }, mark ? h("b", { class: `wb-judged ${span.judged.split(" ")[0]}` }, mark, " ", words) : null, h("span", { title: span.words }, span.words))),
    h("td", { class: "wb-spanbar" }, h("i", { class: "wait", style: { left: part(run.start, span.start), width: part(span.start, span.at) } }), h("i", { class: `work ${KINDS.includes(span.actor_kind) ? span.actor_kind : ""}`, style: { left: part(run.start, span.at), width: part(span.at, span.end) } })),
    h("td", { class: "number" }, span.start > run.start ? durationText(span.start - run.start) : "0"),
    h("td", { class: "number" }, took ? durationText(took) : ""),
  );
}

function foldSpan(app, place, shut = !app.foldedSpans.has(place)) {
  app.foldedSpans[shut ? "add" : "delete"](place);
  drawSpans(app);
  focusSpan(app, place);
}

function focusSpan(app, place) {
  const rows = [...app.parts.spans.querySelectorAll("tbody tr")];
  const row = rows.find((each) => each.dataset.place === place);
  if (!row) return;
  for (const each of rows) each.tabIndex = each === row ? 0 : -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// Up and down go through the lines, left and right fold and unfold, Enter opens the event.
function moveSpan(app, event) {
  const row = event.target.closest("tbody tr");
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const { place } = row.dataset;
  const go = (to) => to && focusSpan(app, to.dataset.place);
  const open = row.getAttribute("aria-expanded");
  const acts = {
    ArrowDown: () => go(row.nextElementSibling),
    ArrowUp: () => go(row.previousElementSibling),
    Home: () => go(row.parentNode.firstElementChild),
    End: () => go(row.parentNode.lastElementChild),
    ArrowRight: () => (open === "false" ? foldSpan(app, place, false) : open === "true" && go(row.nextElementSibling)),
    ArrowLeft: () => (open === "true" ? foldSpan(app, place, true) : go(findParent(row))),
    Enter: () => app.open(place),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  acts[event.key]();
}

function findParent(row) {
  const level = Number(row.getAttribute("aria-level"));
  let above = row.previousElementSibling;
  while (above && Number(above.getAttribute("aria-level")) >= level) above = above.previousElementSibling;
  return above;
}

// Marks the open event and brings it into sight inside its box; the page stays where it is.
function markSpan(app) {
  const open = app.choices.one("event");
  const box = app.parts.spans.querySelector(".wb-scroll");
  for (const row of app.parts.spans.querySelectorAll("tbody tr")) {
    const here = row.dataset.place === open;
    row.setAttribute("aria-selected", String(here));
    const above = row.offsetTop - box.scrollTop;
    if (here && (above < row.offsetHeight || above > box.clientHeight - row.offsetHeight)) box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }
}
