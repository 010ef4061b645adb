// The header with the basis, the filter row with what is chosen, and the one line of notice.

const QUESTIONS = { window: "window", text: "text" };

function drawHeader(app) {
  const { start, choices } = app;
  const zone = choices.zone;
  const tab = (each) =>
    each.name === "Timeline"
      ? h("span", { class: "wb-tab here", "aria-current": "page" }, each.name)
      : h("a", { class: "wb-tab", href: each.address }, each.name);
  fill(
    app.parts.header,
    h("h1", {}, "Timeline"),
    h("span", { class: "wb-log" }, start?.log ?? ""),
    start &&
      h(
        "span",
        { class: "wb-basis", title: "What every answer on this page rests on" },
        start.position === null
          ? ["mapped · snapshot ", h("b", {}, start.snapshot ?? "none yet")]
          : ["position ", h("b", {}, start.position < 0 ? "none yet" : count(start.position))],
        start.last !== null && [" · ", h("b", {}, `${timeText(start.last, zone === "local" ? "local" : "utc", 0, "minute")} ${zone === "local" ? localShort() : "UTC"}`)],
        ` · ${start.engine} · ${count(start.quarantined)} quarantined`,
      ),
    h("span", { class: "wb-gap" }),
    app.model.get("apps")?.length ? h("nav", { "aria-label": "Apps" }, app.model.get("apps").map(tab)) : null,
    h(
      "span",
      { class: "wb-switch", role: "group", "aria-label": "Time zone" },
      [["utc", "UTC"], ["local", "Local"], ["relative", "Relative"]].map(([value, words]) =>
        h("button", { type: "button", "aria-pressed": String(zone === value), onclick: () => app.choose({ zone: value === "utc" ? null : value }, { quiet: true }) }, words),
      ),
    ),
    button("◐", () => app.choose({ theme: app.theme() === "dark" ? "light" : "dark" }, { quiet: true }), { class: "wb-button icon", "aria-label": "Light or dark", title: "Light or dark" }),
    button("?", () => app.togglePanel("keys"), { class: "wb-button icon", "aria-label": "All keys", title: "All keys" }),
  );
}

function chipWords(app) {
  const { choices } = app;
  const chips = [];
  for (const field of FIELDS) {
    for (const negated of [false, true]) {
      const values = choices.values(field, negated);
      if (values.length) chips.push([`${field} is ${negated ? "not " : ""}${joinWords(values)}`, { [negated ? `not_${field}` : field]: null }]);
    }
  }
  const [from, to] = [choices.one("since"), choices.one("until")].map((text) => text && fromIso(text));
  const written = (micros) => timeText(micros, choices.zone, app.start?.last ?? 0, "minute");
  const zone = choices.zone === "relative" ? "" : ` ${choices.zone === "local" ? localShort() : "UTC"}`;
  if (from && to) chips.push([`window ${windowText(from, to, choices.zone, app.start?.last ?? 0)}${zone}`, { since: null, until: null }]);
  else if (from) chips.push([`since ${written(from)}${zone}`, { since: null }]);
  else if (to) chips.push([`until ${written(to)}${zone}`, { until: null }]);
  return chips;
}

function drawFilters(app) {
  const { choices, parts } = app;
  const find = (parts.find ??= h("input", {
    type: "search", class: "wb-find", placeholder: "Find text in any event", "aria-label": "Find text in any event",
    onkeydown: (event) => {
      if (event.key === "Enter") app.choose({ text: event.target.value || null, row: null });
      if (event.key === "Escape") event.target.blur();
    },
  }));
  if (find.getRootNode().activeElement !== find) find.value = choices.one("text") ?? "";
  const chip = ([words, change]) =>
    h("span", { class: "wb-chip" }, h("span", {}, words), h("button", { type: "button", "aria-label": `Remove ${words}`, onclick: () => app.choose({ ...change, row: null }) }, "✕"));
  const matching = app.timeline?.events;
  const chips = chipWords(app);
  keepTyping(find, () => fill(
    parts.filters,
    h("label", { class: "wb-findbox" }, find, h("kbd", {}, "/")),
    choices.one("text") && chip([`text “${choices.one("text")}”`, { text: null }]),
    chips.map(chip),
    link("+ filter", () => app.toggleFilterForm(), { "aria-expanded": String(Boolean(app.filterForm)) }),
    choices.isNarrowed() ? link("clear", () => app.clear()) : app.start && h("span", { class: "wb-hint" }, "Drag over the strip or the lanes to choose a window"),
    h("span", { class: "wb-gap" }),
    matching !== undefined && app.start
      ? h("span", { class: "wb-count", role: "status" }, h("b", {}, count(matching)), ` of ${plural(app.start.events, "event")} · ${share(matching, app.start.events)}`)
      : null,
  ));
}

function drawFilterForm(app) {
  if (!app.filterForm) return fill(app.parts.form);
  const field = h("select", { "aria-label": "Field" }, [...FIELDS, "since", "until"].map((name) => h("option", { value: name }, name)));
  const sense = h("select", { "aria-label": "Sense" }, h("option", { value: "" }, "is"), h("option", { value: "not" }, "is not"));
  const value = h("input", { type: "text", "aria-label": "Value", placeholder: "value, exactly as it is written" });
  field.addEventListener("change", () => {
    const time = ["since", "until"].includes(field.value);
    sense.hidden = time;
    value.placeholder = time ? "2026-01-31T08:00:00Z" : "value, exactly as it is written";
  });
  const apply = () => {
    if (!value.value) return value.focus();
    app.filterForm = false;
    if (["since", "until"].includes(field.value)) return app.choose({ [field.value]: value.value, row: null });
    const values = [...new Set([...app.choices.values(field.value, Boolean(sense.value)), value.value])];
    return app.chooseAll(app.choices.setValues(field.value, Boolean(sense.value), values).with({ row: null }));
  };
  value.addEventListener("keydown", (event) => event.key === "Enter" && apply());
  fill(app.parts.form, field, sense, value, button("Add", apply), link("cancel", () => app.toggleFilterForm()));
  value.focus();
  return null;
}

// One line above the picture: a rule, a sign, a sentence, what to do, at most two buttons.
function drawNotice(app) {
  const { notice } = app;
  if (!notice) return fill(app.parts.notice);
  return fill(
    app.parts.notice,
    h(
      "div",
      { class: `wb-notice ${notice.kind}`, role: notice.kind === "failed" ? "alert" : "status" },
      notice.sign && h("span", { class: "wb-mark", "aria-hidden": "true" }, notice.sign),
      h("div", { class: "wb-words" }, h("b", {}, markFault(notice.title)), notice.detail && h("div", {}, notice.detail)),
      h("span", { class: "wb-gap" }),
      (notice.buttons ?? []).map(([words, act, main]) => button(words, act, main ? { class: "wb-button main" } : {})),
    ),
  );
}

// A refusal marks the words at fault, which it repeats as name=value.
function markFault(title) {
  const found = /^(Refused: .*?)(\w+=\S+?)(,? .*)$/s.exec(title);
  return found ? [found[1], h("span", { class: "wb-fault" }, found[2]), found[3]] : title;
}

function splitSentence(sentence) {
  const found = /^(.*?[.!?])\s+(.*)$/s.exec(sentence);
  return found ? [found[1], found[2]] : [sentence, null];
}
