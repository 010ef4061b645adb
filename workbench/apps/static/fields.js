// One entity at a moment: where one is and how one moves, the state with the reason for each value, what happened.

const STEPS_OF = { entity: ["event", "change", "instant", "day"], population: ["event", "hour", "day", "week"] };

// A time or a position, typed or shown; the one that the hand moves has the accent's border.
function bigInput(app, name, label, words, value, moves) {
  const field = (app.parts[`${name}_input`] ??= h("input", { type: "text", class: "wb-big-input", spellcheck: "false", autocomplete: "off",
    onkeydown: (event) => {
      if (event.key === "Enter") app.commit(name, event.target.value);
      if (event.key === "Escape") (event.target.value = event.target.dataset.value), event.target.blur();
    } }));
  field.setAttribute("aria-label", label);
  field.dataset.value = value;
  if (field.getRootNode().activeElement !== field) field.value = value;
  field.placeholder = words;
  return h("label", { class: `wb-field ${name} ${moves ? "moves" : ""}` }, h("span", {}, label), field);
}

const inputTime = (app, micros) => (micros === null || micros === undefined ? "" : timeText(micros, app.choices.zone === "local" ? "local" : "utc", 0).replace(/\.000$/, "").replace(/:00$/, ""));

function drawMoment(app) {
  const { parts, choices } = app;
  const zone = choices.zone === "local" ? localShort() : "UTC";
  const input = (...given) => bigInput(app, ...given);
  const known = choices.one("known_at");
  const micros = app.micros();
  const at = app.at;
  fill(
    parts.moment,
    h("div", { class: "wb-inputs" },
      input("as_of", `As of (${zone})`, "a time", inputTime(app, micros), !app.byPosition),
      input("position", "Position", "a position", at.position === null || at.position === undefined ? "" : count(at.position), app.byPosition),
      h("span", { class: "wb-known" },
        input("known_at", `Known at (${zone})`, `now · position ${count(app.start.position)}`, known ? inputTime(app, fromIso(known)) : "", false),
        known ? link("now", () => app.choose({ known_at: null }), { "aria-label": "Known at: now", class: "wb-link wb-clearinput" }) : null)),
    h("div", { class: "wb-play" }, drawPlay(app), choices.mode === "entity" ? h("span", { class: "wb-which", role: "status" }, at.index < 0 ? "Before the first" : [h("b", {}, `Event ${count(at.index + 1)}`), ` of ${count(app.history?.size ?? 0)}`]) : null),
  );
}

function drawPlay(app) {
  const { choices } = app;
  const icon = (path, label, act, main) => h("button", { type: "button", class: `wb-button wb-icon ${main ? "main" : ""}`, "aria-label": label, title: label, onclick: act }, s("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" }, s("path", { d: path, fill: "currentColor" })));
  const playing = app.playing !== undefined;
  const group_ = (name, values, words, chosen, label) => h("span", { class: "wb-switch", role: "group", "aria-label": label }, values.map((value) => h("button", { type: "button", "aria-pressed": String(chosen === value), onclick: () => app.set({ [name]: value === values[0] && name !== "step" ? null : value }) }, words(value))));
  const usual = choices.mode === "population" ? "day" : "event";
  const step = STEPS_OF[choices.mode]?.includes(choices.one("step")) ? choices.one("step") : usual;
  return [
    icon("M2 2h2v10h-2zM12 2v10l-7-5z", "First", () => app.go("first")),
    icon("M10 2v10l-7-5z", "Back", () => app.go("back")),
    icon(playing ? "M3 2h3v10h-3zM8 2h3v10h-3z" : "M3 1.5v11l9-5.5z", playing ? "Pause" : "Play", () => app.play(), true),
    icon("M4 2v10l7-5z", "Forward", () => app.go("forward")),
    icon("M10 2h2v10h-2zM2 2v10l7-5z", "Last", () => app.go("last")),
    group_("step", STEPS_OF[choices.mode] ?? STEPS_OF.entity, (value) => value, step, "Step by"),
    group_("speed", [1, 4, 16], (value) => `${value} / s`, choices.speed, "Steps a second"),
  ];
}

// One sentence: what this event did, and whether it is one of several at its instant.
function drawSentence(app) {
  const { history, at, parts } = app;
  if (!history?.size) return fill(parts.sentence);
  const zone = app.choices.zone;
  if (at.index < 0) {
    return fill(parts.sentence, h("span", {}, `${history.entity} has no events before ${timeText(history.occurred[0], zone, app.start.last)}${zone === "utc" ? " UTC" : ""}. `), link("go there", () => app.goTo({ index: 0 })));
  }
  if (at.exact) return fill(parts.sentence, h("span", { class: "wb-late" }, "↶ "), `${plural(history.size - at.index - 1, "event")} happened later. `, h("span", { class: "wb-dim" }, `Some of them stand before others in the order by ${history.order === "position" ? "position" : "time"}; fields marked ↶ read otherwise there.`));
  const index = at.index;
  const number = history.changes[index].length;
  const [first, last] = history.tieOf(index);
  const tie = last > first ? `${ordinal(index - first + 1)} of ${count(last - first + 1)} events at this instant: order is by position.` : "";
  const effect = history.effects[index] ? ` ${history.effects[index]};` : "";
  return fill(parts.sentence,
    h("b", {}, history.type[index], history.word[index] ? ` ${history.word[index]}` : ""), " by ", drawActor(history.actor[index], history.kind[index]),
    h("b", {}, `${effect} changed ${number} of ${plural(history.fields.length, "field")}. `), h("span", { class: "wb-dim" }, tie));
}

const ordinal = (number) => ["", "First", "Second", "Third", "Fourth", "Fifth"][number] ?? `${count(number)}th`;

// The fields that have a row: those that something has set. While a hand moves none goes away.
function rowsOf(app) {
  const { history, at } = app;
  const shown = history.fields.map(({ name }) => name).filter((name) => app.showUnset || history.isSet(name, at.index) || (app.moving && app.rows?.includes(name)));
  app.rows = shown;
  return shown;
}

function drawFields(app) {
  const { history, at, parts, choices } = app;
  const rows = app.rows;
  const unset = history.fields.map(({ name }) => name).filter((name) => !history.isSet(name, at.index));
  const zone = choices.zone === "utc" ? " (UTC)" : choices.zone === "local" ? ` (${localShort()})` : "";
  const heads = ["field", "value", "set by", "position", "actor", `when${zone}`];
  fill(
    parts.fields,
    h("table", { class: "wb-state", "data-state": at.exact ? null : history.stateAt(at.index) },
      h("colgroup", {}, ["name", "value", "setter", "place", "actor", "when"].map((name) => h("col", { class: `wb-col-${name}`, style: history.widths[name] ? { width: `${history.widths[name]}px` } : {} }))),
      h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", {}, rows.map((name) => drawField(app, name)))),
    rows.length ? null : h("p", { class: "wb-dim wb-none" }, history.size ? "Nothing is set at this moment." : ""),
    h("div", { class: "wb-unset" }, unset.length ? [h("span", {}, `${plural(unset.length, "field")} not set yet: ${nameSome(unset)}`), " ", link(app.showUnset ? "hide" : "show", () => app.toggleUnset())] : h("span", {}, `All ${plural(history.fields.length, "field")} are set.`)),
  );
}

const nameSome = (names) => (names.length <= 6 ? names.join(", ") : `${names.slice(0, 6).join(", ")} and ${names.length - 6} more`);

function drawField(app, name) {
  const { history, at, choices } = app;
  const field = history.byName.get(name);
  const exact = at.exact?.get(name);
  const index = at.index;
  const text = exact ? exact.text : history.textAt(name, index);
  const setter = exact ? exact.setter : history.setterAt(name, index);
  const changed = !at.exact && index >= 0 && history.changes[index].includes(name);
  const wasSet = exact ? setter >= 0 : history.isSet(name, index);
  const differs = exact && exact.text !== history.textAt(name, history.indexAtPosition(at.position));
  const kind = setter >= 0 ? history.kind[setter] : null;
  const was = changed ? valueWords(field, history.textAt(name, index - 1), history.isSet(name, index - 1), choices.zone, app.start.last) : null;
  const chosen = choices.one("field") === name;
  return h(
    "tr",
    { class: `${changed ? "changed" : ""} ${differs ? "late" : ""}`, "data-field": name },
    h("td", {}, h("button", { type: "button", class: "wb-name-button", "aria-pressed": String(chosen), title: chosen ? "Shift ← → goes to its changes" : "Choose: Shift ← → goes to its changes", onclick: () => app.set({ field: chosen ? null : name }) }, changed ? h("b", {}, "Δ ") : differs ? h("span", { class: "wb-late" }, "↶ ") : null, name)),
    h("td", { title: earlierValues(history, name, index) }, drawValue(app, field, text, wasSet, kind), was === null ? null : h("span", { class: "wb-dim" }, ` was ${was}`)),
    setter < 0
      ? [h("td", { class: "wb-dim" }, "nothing yet"), h("td", {}), h("td", {}), h("td", {})]
      : [
          h("td", {}, h("button", { type: "button", class: "wb-setter", title: `${history.type[setter]}: open the event`, onclick: () => app.open(String(history.position[setter])) }, swatch(app.hues.get(history.type[setter])), h("span", {}, typeWords(history.type[setter], history.word[setter])))),
          h("td", { class: "wb-dim" }, count(history.position[setter])),
          h("td", {}, drawActor(history.actor[setter], history.kind[setter])),
          h("td", { class: "wb-dim" }, timeText(history.occurred[setter], choices.zone, app.start.last, "minute")),
        ],
  );
}

// The values before, the latest first, each with the position that set it.
function earlierValues(history, name, index) {
  const bands = (history.bands[name] ?? []).filter(([start]) => start >= 0 && start <= index).slice(0, -1).slice(-5).reverse();
  if (!bands.length) return null;
  return `before: ${bands.map(([start, text]) => `${text === null ? NONE : text.slice(0, 60)} (position ${count(history.position[start])})`).join(", ")}`;
}
