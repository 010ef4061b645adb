// Two moments beside one another, as known then and as known now; the picture of both times is the control.

function compareSteps(app) {
  return [app.ask("compare", (told) => {
    app.history = new History(told);
    app.compared = told;
    app.at = { index: app.history.size - 1, position: null, micros: told.after, exact: null };
    app.drawMode();
    app.ready();
  }, { width: Math.min(640, Math.max(320, Math.round(app.parts.main.clientWidth > 1132 ? (app.parts.main.clientWidth - 32) * 0.38 : app.parts.main.clientWidth))) })];
}

function compareWords(app) {
  const { between } = app.compared;
  const late = between.filter((each) => each.late_by !== null).length;
  return [h("b", {}, count(between.length)), ` ${between.length === 1 ? "event" : "events"} between of ${count(app.compared.total)}`, late ? [" · ", h("b", { class: "wb-late" }, `↶ ${count(late)} late`)] : null];
}

function swapMoments(app) {
  const { before, after } = app.compared;
  app.choose({ before: toIso(after), after: toIso(before) });
}

function toggleKnown(app) {
  app.choose({ known_at: app.choices.one("known_at") ? null : toIso(app.compared.after) });
}

function drawCompare(app) {
  const { parts, choices, compared } = app;
  const zone = choices.zone === "local" ? localShort() : "UTC";
  const known = compared.known_at;
  const inputs = h("div", { class: "wb-inputs" },
    bigInput(app, "before", `Before: as of (${zone})`, "the first event", inputTime(app, compared.before), false),
    button("⇄", () => swapMoments(app), { class: "wb-button wb-swap", "aria-label": "Swap before and after", title: "Swap" }),
    bigInput(app, "after", `After: as of (${zone})`, "the last event", inputTime(app, compared.after), false),
    bigInput(app, "known_at", `Known at (${zone})`, `now · position ${count(app.start.position)}`, known === null ? "" : inputTime(app, known), known !== null),
    h("span", { class: "wb-switch wb-thennow", role: "group", "aria-label": "Known" },
      h("button", { type: "button", "aria-pressed": String(known !== null), onclick: () => app.choose({ known_at: toIso(compared.after) }) }, "then"),
      h("button", { type: "button", "aria-pressed": String(known === null), onclick: () => app.choose({ known_at: null }) }, "now")),
    known === null ? null : h("span", { class: "wb-dim wb-bottom" }, compared.known_position < 0 ? "before the first position" : `position ${count(compared.known_position)}`));
  const picture = h("div", { class: "wb-chartbox" });
  fill(parts.main,
    h("div", { class: "wb-two" },
      h("div", { class: "wb-left" }, inputs, drawHeadline(app), drawDiff(app)),
      h("div", { class: "wb-right" }, h("div", { class: "wb-line" }, h("h2", {}, "Two time axes"), h("span", { class: "wb-dim" }, `recorded at (${zone}), up · shaded: what the log then knew`)), picture)),
    drawBetween(app), parts.actions);
  drawTwoTimes(app, picture);
}

function drawHeadline(app) {
  const { differences, between, known_at, after } = app.compared;
  const late = differences.filter((each) => each.late).length;
  const number = differences.length;
  const words = !number ? "No field changed between the two moments."
    : known_at === null ? `${plural(number, "field")} changed, of ${count(app.history.fields.length)}.`
      : late ? `${count(late)} of the ${plural(number, "changed field")} ${late === 1 ? "reads" : "read"} differently now.`
        : `${plural(number, "field")} changed; ${number === 1 ? "it reads" : "they read"} the same now.`;
  const unknown = between.filter((each) => !each.known);
  const shown = unknown.length ? unknown : between.filter((each) => each.late_by !== null);
  return [h("h2", { class: "wb-headline" }, words), h("p", { class: "wb-lateline" }, shown.length ? lateWords(app, shown, between, unknown.length > 0) : h("span", { class: "wb-dim" }, known_at === null ? "As the log knows it now." : `All ${plural(between.length, "event")} between were known at ${inputTime(app, known_at)}.`))];
}

function lateWords(app, late, between, unknown) {
  const { history, choices } = app;
  const times = (name) => late.map((each) => history[name][history.position.indexOf(each.position)]);
  const zone = choices.zone === "utc" ? " UTC" : "";
  const range = (micros) => {
    const [from, to] = [Math.min(...micros), Math.max(...micros)].map((each) => timeText(each, choices.zone, app.start.last, "minute"));
    return from === to ? from : from.slice(0, 10) === to.slice(0, 10) && choices.zone !== "relative" ? `${from}–${to.slice(11)}` : `${from} – ${to}`;
  };
  return [h("span", { class: "wb-late" }, `↶ ${count(late.length)} of the ${plural(between.length, "event")} came late: `), h("span", { class: "wb-dim" }, `happened ${range(times("occurred"))}, recorded ${range(times("recorded"))}${zone}${unknown ? ", so not known then." : "."}`)];
}

function drawDiff(app) {
  const { compared, history } = app;
  const known = compared.known_at !== null;
  const heads = ["field", "before", ...(known ? ["after, as known then", "after, as known now"] : ["after"]), `set by${known ? ", as known now" : ""}`];
  const wasSet = (name, text) => text !== null && (!isEmpty(text) || history.isSet(name, history.size - 1) && text === "[]");
  const row = (each) => {
    const field = history.byName.get(each.field);
    const set = each.set_by === null ? -1 : history.position.indexOf(each.set_by);
    const actor = set < 0 ? null : history.kind[set];
    const had = wasSet(each.field, each.before);
    const show = (text, kind) => h("span", { class: kind }, kind === "wb-wrong" ? "↶ " : null, drawValue(app, field, text, had || text !== each.before, actor));
    return h("tr", { "data-field": each.field },
      h("td", {}, h("b", {}, "Δ "), each.field),
      h("td", {}, drawValue(app, field, each.before, had, actor)),
      known ? h("td", {}, show(each.then, each.then === each.before ? "" : "wb-inserted")) : null,
      h("td", {}, show(each.now, known && each.late ? "wb-wrong" : each.now === each.before ? "" : "wb-inserted")),
      h("td", {}, set < 0 ? h("span", { class: "wb-dim" }, "nothing") : h("button", { type: "button", class: "wb-setter", onclick: () => app.open(String(each.set_by)) }, swatch(app.hues.get(history.type[set])), h("span", {}, typeWords(history.type[set], history.word[set])))));
  };
  const { same_again: again, untouched } = compared;
  const rest = [again.length ? `${plural(again.length, "field")} set again to the same value: ${nameSome(again)}` : null, untouched.length ? `${count(untouched.length)} untouched` : null].filter(Boolean).join(" · ");
  return h("div", { class: "wb-diffbox" },
    h("table", { class: "wb-diff" }, h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))), h("tbody", {}, compared.differences.map(row))),
    h("div", { class: "wb-unset" }, rest, " ", untouched.length ? link(app.showUntouched ? "hide" : "show", () => ((app.showUntouched = !app.showUntouched), app.drawMode())) : null, app.showUntouched ? h("div", {}, untouched.join(", ")) : null));
}

function drawBetween(app) {
  const { compared, history, choices } = app;
  const zone = choices.zone === "utc" ? " (UTC)" : choices.zone === "local" ? ` (${localShort()})` : "";
  const time = (micros, precision) => timeText(micros, choices.zone, app.start.last, precision);
  const row = (each) => {
    const index = history.position.indexOf(each.position);
    const open = () => app.open(String(each.position));
    return h("tr", { class: each.known ? "" : "later", tabindex: "0", onclick: open, onkeydown: (event) => event.key === "Enter" && open() },
      h("td", { class: "wb-dim" }, count(each.position)),
      h("td", { class: "time" }, time(history.occurred[index], "second")),
      h("td", {}, each.late_by === null ? h("span", { class: "wb-dim" }, "on time") : h("span", { class: "wb-late" }, `↶ ${time(history.recorded[index], "minute")} · ${durationText(each.late_by)}`)),
      h("td", {}, h("span", { class: "wb-cell" }, swatch(app.hues.get(history.type[index])), h("span", {}, typeWords(history.type[index], history.word[index])))),
      h("td", {}, drawActor(history.actor[index], history.kind[index])),
      h("td", { class: "wb-changes" }, history.changes[index].length ? history.changes[index].map((name, number) => [number ? " · " : null, changeOf(app, history, name, index, false)]) : h("span", { class: "wb-dim" }, "nothing")));
  };
  const note = compared.known_at === null ? "" : ` · grey: not known at ${inputTime(app, compared.known_at)}${choices.zone === "local" ? "" : " UTC"}`;
  return h("div", { class: "wb-history" },
    h("div", { class: "wb-line" }, h("h2", {}, "Events between"), h("span", { class: "wb-dim" }, `${count(compared.between.length)} of ${count(compared.total)}, by when they happened${note}`)),
    compared.between.length ? h("div", { class: "wb-scroll wb-tall" }, h("table", { class: "wb-events" }, h("thead", {}, h("tr", {}, ["position", `occurred at${zone}`, `recorded at${zone} · late by`, "event type", "actor", "set"].map((words) => h("th", { scope: "col" }, words)))), h("tbody", {}, compared.between.map(row)))) : h("p", { class: "wb-dim" }, "No event happened between the two moments."));
}

async function drawTwoTimes(app, box) {
  const { compared } = app;
  const chart = h("div", { class: "wb-chart" });
  const { left, top, width, height } = compared.geometry;
  const plot = h("div", { class: "wb-plot wb-times", role: "img", "aria-label": "When events happened, across, and when they were recorded, up", style: { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` } });
  fill(box, chart, plot);
  drawLines(app, plot);
  const result = await vegaEmbed(chart, compared.spec, { actions: false, ast: true, renderer: "canvas", tooltip: false, loader: { http: { mode: "same-origin" } } });
  app.views = [result];
}

// The moments as lines that are dragged; what lies left of the later one and below what is known is what the log knew.
function drawLines(app, plot) {
  const { compared, history } = app;
  const [from, to] = compared.window;
  const { width, height } = compared.geometry;
  const part = (micros) => Math.max(0, Math.min(1, (micros - from) / (to - from)));
  const place = { before: compared.before, after: compared.after, known_at: compared.known_at };
  const shade = h("div", { class: "wb-knew" });
  const late = compared.between.filter((each) => each.late_by !== null);
  const onTime = compared.between.length - late.length;
  const lines = ["before", "after", ...(place.known_at === null ? [] : ["known_at"])].map((name) => h("div", { class: `wb-rule ${name}`, "data-name": name, title: "Drag" }, h("span", {}, name.replace("_", " "))));
  const show = () => {
    Object.assign(shade.style, { width: `${part(place.after) * width}px`, top: `${place.known_at === null ? 0 : (1 - part(place.known_at)) * height}px` });
    for (const line of lines) {
      const at = part(place[line.dataset.name]);
      if (line.dataset.name === "known_at") line.style.top = `${(1 - at) * height}px`;
      else line.style.left = `${at * width}px`;
    }
  };
  show();
  fill(plot, shade, lines,
    late.length ? h("span", { class: "wb-note wb-late" }, `↶ ${count(late.length)} late, by up to ${durationText(Math.max(...late.map((each) => each.late_by)))}`) : null,
    onTime ? h("span", { class: "wb-note wb-ontime" }, `${count(onTime)} on time`) : null);
  for (const note of plot.querySelectorAll(".wb-note")) placeNote(note, app, part, width, height, note.classList.contains("wb-late") ? late : compared.between.filter((each) => each.late_by === null));
  for (const line of lines) {
    line.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const name = line.dataset.name;
      const box = plot.getBoundingClientRect();
      const unit = [86400e6, 3600e6, 900e6, 60e6, 1e6, 1e3].find((each) => each <= (to - from) / width) ?? 1;
      const move = (moved) => {
        const share_ = name === "known_at" ? 1 - (moved.clientY - box.top) / height : (moved.clientX - box.left) / width;
        place[name] = Math.round((from + Math.max(0, Math.min(1, share_)) * (to - from)) / unit) * unit;
        show();
      };
      const up = () => {
        line.removeEventListener("pointermove", move);
        app.choose({ before: toIso(place.before), after: toIso(place.after), ...(place.known_at === null ? {} : { known_at: toIso(place.known_at) }) });
      };
      line.setPointerCapture(event.pointerId);
      line.addEventListener("pointermove", move);
      line.addEventListener("pointerup", up, { once: true });
      line.addEventListener("pointercancel", up, { once: true });
    });
  }
}

function placeNote(note, app, part, width, height, events) {
  const { history } = app;
  const indices = events.map((each) => history.position.indexOf(each.position));
  const at = Math.min(...indices.map((index) => history.occurred[index]));
  const recorded = indices.map((index) => history.recorded[index])[0];
  const [x, y] = [part(at) * width, (1 - part(note.classList.contains("wb-late") ? recorded : at)) * height];
  const right = x > width / 2;
  Object.assign(note.style, { top: `${Math.max(0, Math.min(height - 18, y - 9))}px`, ...(right ? { right: `${width - x + 12}px` } : { left: `${x + 14}px` }) });
}
