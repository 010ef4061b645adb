// The filter row of the timeline: what is chosen, as chips, and a form for more.

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
