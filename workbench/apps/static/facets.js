// How often each value occurs under all the other filters; `only` and `not` beside each.

const FEW = { event_type: 12, actor_kind: 4, actor_id: 9, source: 5 };

function drawFacets(app) {
  const facets = (app.facets?.facets ?? []).filter((facet) => isTelling(app, facet));
  fill(app.parts.facets, facets.map((facet) => drawFacet(app, facet)));
}

// A field with one value tells nothing, unless it is filtered; the types are always there.
function isTelling(app, { field, distinct, values }) {
  const filtered = app.choices.values(field, false).length + app.choices.values(field, true).length > 0;
  if (field === "source" || field === "actor_kind") return filtered || distinct > 1 || (field === "actor_kind" && values[0]?.value);
  return filtered || distinct > 0;
}

function drawFacet(app, facet) {
  const chosen = app.choices.values(facet.field, false);
  const refused = app.choices.values(facet.field, true);
  const narrowed = chosen.length + refused.length > 0;
  const open = app.openFacets.has(facet.field);
  const few = FEW[facet.field] ?? 8;
  const kept = (value) => (chosen.length ? chosen.includes(value) : true) && !refused.includes(value);
  const missing = [...chosen, ...refused].filter((value) => !facet.values.some((each) => each.value === value));
  const all = [...facet.values, ...missing.map((value) => ({ value, events: 0 }))];
  const values = open ? all : all.slice(0, all.length <= few + 1 ? few + 1 : few);
  const tallest = Math.max(1, ...facet.values.map((each) => each.events));
  const whole = facet.field === "event_type" ? ` of ${count(app.start.types.length)}` : "";
  return h(
    "section",
    { class: "wb-facet" },
    h("div", { class: "wb-line" }, h("h3", {}, facet.title), h("span", { class: "wb-gap" }), h("span", { class: "wb-dim" }, `${count(facet.distinct)}${whole}`)),
    h("ul", {}, values.map((each) => drawValue(app, facet, each, { narrowed, kept: kept(each.value), tallest }))),
    all.length > values.length || open
      ? link(open ? "fewer" : `${count(facet.distinct + missing.length - values.length)} more`, () => {
          app.openFacets[open ? "delete" : "add"](facet.field);
          drawFacets(app);
        })
      : null,
    open && facet.distinct > facet.values.length ? h("p", { class: "wb-dim" }, `The ${facet.values.length} most frequent are listed; + filter takes any value.`) : null,
  );
}

function drawValue(app, facet, each, { narrowed, kept, tallest }) {
  const name = each.value === null ? NONE : facet.field === "actor_kind" && each.value === "ai" ? "AI" : each.value;
  const mark = facet.field === "event_type" ? swatch(app.hues.get(each.value)) : facet.field === "actor_kind" ? sign(each.value) : facet.field === "actor_id" ? sign(each.kind) : null;
  // The bar stands under the name, wherever that begins.
  const lead = (narrowed ? 21 : 0) + (mark ? 17 : 0);
  const toggle = () => app.toggleValue(facet.field, each.value, kept);
  return h(
    "li",
    { class: `${kept ? "" : "left-out"}` },
    narrowed ? h("input", { type: "checkbox", checked: kept, onchange: toggle, "aria-label": `${facet.field} ${name}` }) : null,
    mark,
    h("span", { class: `wb-name ${each.value === null ? "absent" : ""}`, title: name }, name),
    h("span", { class: "wb-number" }, count(each.events)),
    h("span", { class: "wb-choice" },
      link("only", () => app.chooseAll(app.choices.only(facet.field, each.value)), { "aria-label": `only ${name}` }),
      link("not", () => app.chooseAll(app.choices.not(facet.field, each.value)), { "aria-label": `not ${name}` })),
    h("i", { class: "wb-bar", style: { left: `${lead}px`, width: `calc((100% - ${lead}px) * ${(each.events / tallest).toFixed(4)})` } }),
  );
}
