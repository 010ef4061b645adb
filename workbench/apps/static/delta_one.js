// One delta: proposal against what was made of it, its measures, what the person saw, and the chain back from today.

function drawDeltaBar(app) {
  const { one, parts, choices } = app;
  const back = link("‹ Deltas", () => app.closeDelta());
  if (!one) return fill(parts.filters, h("div", { class: "wb-onebar" }, back));
  const { row } = one;
  const step = (sign_, to, words) => button([sign_, to === null ? "" : ` ${count(to)}`], () => app.stepDelta(words === "before" ? -1 : 1), { class: "wb-button", disabled: to === null, "aria-label": `Delta ${words}` });
  const dot = () => h("span", { class: "wb-dim" }, " · ");
  const facts = row.is_expected ? expectedFacts(app) : decidedFacts(app);
  const of = one.number === null ? "not in the list" : `${count(one.number)} of ${count(one.total)}`;
  return fill(parts.filters, h("div", { class: "wb-onebar" }, back, step("↑", one.before === null ? null : one.number - 1, "before"), step("↓", one.after === null ? null : one.number + 1, "after"), h("span", { class: "wb-dim" }, one.whole ? wholeWords(one) : of),
    h("span", { class: "wb-onefacts" }, facts.map((each, index) => [index ? dot() : null, h("span", { class: "wb-fact" }, each)])), h("span", { class: "wb-gap" }), one.whole ? null : h("span", { class: "wb-keyhint" }, "j k next · c compare · v view")));
}

const streamCode = (row) => h("code", { title: row.stream }, row.stream.length > 14 ? `${row.stream.slice(0, 8)}…` : row.stream);
const versionWords = (row) => [row.model ?? row.proposer, row.version === null ? null : /[a-z]/i.test(row.version) ? row.version : `version ${row.version}`].filter((each) => each !== null).join(", ") || "an AI";

function decidedFacts(app) {
  const { row } = app.one;
  const whose = (words) => h("span", { class: "wb-dim" }, words);
  return [
    [decisionWord(row.decision), row.structure ? [" ", row.what ?? row.kind] : null, whose("  proposed by "), sign("ai"), versionWords(row)],
    row.person === null ? [whose("decided by "), "nobody"] : [whose("decided by "), sign("human"), row.person],
    [whose("document "), streamCode(row)],
    ...Object.entries(row.fields).filter(([, value]) => value !== null).slice(0, 2).map(([name, value]) => whose(`${name} ${value}`)),
    [whose("shown "), timeText(row.shown, app.choices.zone, app.start.last, "second"), zoneTail(app)],
  ];
}

// Where no person decides a call is held against what was expected of the run.
function expectedFacts(app) {
  const { row, expected } = app.one;
  const against = row.decided in { accepted: 1, edited: 1 } ? [h("span", { class: "wb-dim" }, "against expected action "), expected === null || expected === undefined ? null : h("code", {}, expected)] : "no action was expected of it";
  return [
    [decisionWord(row.decision), " ", row.what ?? row.kind, h("span", { class: "wb-dim" }, " by "), sign("ai"), versionWords(row)],
    against,
    [h("span", { class: "wb-dim" }, "run "), streamCode(row)],
    [timeText(row.shown, app.choices.zone, app.start.last, "second"), zoneTail(app)],
  ];
}

function wholeWords({ whole, row }) {
  return `${plural(whole.differ, `${row.kind} differs`, `${row.kind}s differ`)} · ${plural(whole.match, "matches", "match")} · ${count(whole.never)} never made, of ${count(whole.total)} expected`;
}

const switchOf = (label, values, chosen, act) => h("span", { class: "wb-switch", role: "group", "aria-label": label }, values.map(([value, words, off]) => h("button", { type: "button", "aria-pressed": String(value === chosen), disabled: Boolean(off), title: off ?? null, onclick: () => act(value) }, words)));

function drawOne(app) {
  const { one, parts } = app;
  if (!one) return null;
  drawDeltaBar(app);
  const left = one.row.structure ? drawStructure(app) : drawProse(app);
  fill(parts.one, h("div", { class: "wb-two wb-onebody" }, h("div", { class: "wb-left" }, left), h("aside", { class: "wb-why", "aria-label": "Why it reads this way" }, drawWhy(app))));
  if (one.retained) showRetained(app);
  return null;
}

function drawProse(app) {
  const { one, choices } = app;
  const view = choices.one("view") ?? "both";
  const moments = one.moments.map((each) => [each.name, each.censored ? `${each.words} · censored` : each.words, each.censored ? "The document ended before." : each.value ? null : "There is no value."]);
  const controls = h("div", { class: "wb-line wb-controls" }, h("span", { class: "wb-dim" }, "Proposal against"), moments.length ? switchOf("Proposal against", moments, one.against, (against) => app.choose({ against: against === "today" ? null : against }, { only: ["delta"] })) : h("span", { class: "wb-dim" }, "nothing: no value was taken"), h("span", { class: "wb-gap" }), switchOf("View", [["inline", "inline"], ["side", "side by side"], ["both", "both"]], view, (next) => app.view(next)));
  const inline = view !== "side" ? [h("div", { class: "wb-text", lang: "und" }, drawRedline(one.redline)), drawLegend(one.redline)] : null;
  const side = (name, kind, about, kinds) => h("div", { class: "wb-sidetext" }, h("div", { class: "wb-dim wb-sidehead" }, sign(kind), about), h("div", { class: "wb-text small" }, drawRedline(one.redline, { kinds })));
  const positions = (where) => (where.position === null ? "" : ` · position ${count(where.position)}`);
  const sides = view !== "inline" ? h("div", { class: "wb-sides" }, side("proposed", "ai", `Proposed${positions(one.proposed)} · ${plural(one.proposed.characters, "character")}`, PROPOSED_SIDE), one.value ? side("value", "human", `${one.value.words}${positions(one.value)} · ${plural(one.value.characters, "character")}`, VALUE_SIDE) : h("div", { class: "wb-sidetext wb-dim" }, "No value: it was not taken.")) : null;
  return [controls, inline, sides, drawMeasures(one), drawRetained(one), drawSaw(app)];
}

function drawMeasures(one) {
  if (!one.measures.length) return null;
  // Which moves are meant stands in the mark they have in the text.
  const about = (of) => {
    const [, words, numbers] = /^(.* marked )([\d–]+)$/.exec(of) ?? [null, of, null];
    return [words, numbers ? h("ins", { class: "wb-move_to tiny" }, numbers) : null];
  };
  const cell = ([name, value, of]) => h("div", { class: "wb-measure" }, h("span", {}, name), h("b", {}, value), h("span", { class: "wb-dim" }, about(of)));
  return h("section", { class: "wb-block" }, h("div", { class: "wb-line" }, h("h2", {}, "Measures"), h("span", { class: "wb-dim" }, one.caption)), h("div", { class: "wb-measures" }, one.measures.map((column) => h("div", {}, column.map(cell)))));
}

function drawRetained(one) {
  if (!one.retained) return null;
  const { taken, notes, checks } = one.retained;
  one.retainedBox = h("div", { class: "wb-chartbox" });
  return h("div", { class: "wb-retained" }, h("div", {}, "characters retained", h("div", { class: "wb-dim" }, `of ${count(taken)} accepted`)), h("div", {}, one.retainedBox, h("div", { class: "wb-dim wb-retainednotes" }, notes.join(" · "))),
    h("div", { class: "wb-checks" }, checks.map(([at, words]) => h("div", {}, h("span", { class: "wb-dim" }, at, " "), h("b", {}, words)))));
}

async function showRetained(app) {
  const { one } = app;
  app.told.retained = one.retained;
  const box = await drawPicture(app, "retained", one.retained, { label: one.retained.checks.map(([at, words]) => `${at} ${words}`).join(", ") });
  if (box && app.one === one) fill(one.retainedBox, box);
}

function drawSaw(app) {
  const { one } = app;
  if (!one.saw && one.alternatives.length < 2 && one.rationale === null) return null;
  const { saw } = one;
  const note = saw ? `the document as of position ${count(saw.position)}, just before the decision; ${plural(saw.characters, "character")}${saw.before.length + saw.after.length < saw.characters ? `, ${saw.from ? "the last" : "the first"} ${count(saw.before.length + saw.after.length)} shown` : ""}` : "";
  if (saw?.state) return h("section", { class: "wb-block" }, h("div", { class: "wb-line" }, h("h2", {}, "What they saw"), h("span", { class: "wb-dim" }, `the state of ${one.row.stream} as of position ${count(saw.position)}, just before the decision`)), one.rationale !== null ? h("p", { class: "wb-rationale" }, h("span", { class: "wb-dim" }, "rationale the AI gave: "), one.rationale) : null, drawAlternatives(app), h("pre", { class: "wb-code", tabindex: "0" }, saw.state));
  const document_ = saw ? h("div", { class: "wb-document" }, saw.from ? "…" : null, saw.before, h("span", { class: "wb-caret-mark", title: "the cursor", role: "img", "aria-label": "cursor" }), saw.after) : null;
  return h("section", { class: "wb-block" }, h("div", { class: "wb-line" }, h("h2", {}, "What they saw"), h("span", { class: "wb-dim" }, note)), h("div", { class: `wb-saw ${saw ? "" : "alone"}` }, document_, drawAlternatives(app)), one.rationale !== null ? h("p", { class: "wb-rationale" }, h("span", { class: "wb-dim" }, "rationale the AI gave: "), one.rationale) : null);
}

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function probabilityWords(number) {
  if (number === null || number === undefined) return "–";
  if (number === 0 || (Math.abs(number) >= 0.001 && Math.abs(number) < 1000)) return number.toPrecision(2);
  const [mantissa, exponent] = number.toExponential(1).split("e");
  return `${mantissa} × 10${[...String(Number(exponent))].map((each) => SUPERSCRIPT[each]).join("")}`;
}

function drawAlternatives(app) {
  const { one } = app;
  if (one.alternatives.length < 2) return null;
  const probable = one.alternatives.some((each) => each.confidence !== null);
  return h("table", { class: "wb-alternatives" }, h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, "alternatives, in the order shown"), probable ? h("th", { class: "number", scope: "col" }, "probability") : null, h("th", {}))),
    h("tbody", {}, one.alternatives.map((each, index) => h("tr", { class: each.taken ? "taken" : "" }, h("td", { class: "wb-dim" }, index + 1), h("td", {}, each.text), probable ? h("td", { class: "number" }, probabilityWords(each.confidence)) : null, h("td", { class: "wb-dim" }, each.taken ? decisionWord("accepted") : each.hovered ? "hovered" : "not taken")))));
}

const whyWords = (row) => (row.is_expected && !(row.decided in { accepted: 1, edited: 1 }) ? "How its run was judged" : row.structure ? "Why it was judged so" : "Why it reads this way");

// The right column: what was decided and why, then back from today's value to the request.
function drawWhy(app) {
  const { one, choices } = app;
  const { row } = one;
  const decided = row.decided === row.decision ? decisionWord(row.decision) : [decisionWord(row.decided), ", then ", decisionWord(row.decision)];
  const others = one.decisions.filter((each) => each.ordinal > 1);
  const zone = zoneTail(app);
  const clock = (micros) => (micros === null ? null : `${timeText(micros, choices.zone, app.start.last).slice(choices.zone === "relative" ? 0 : 11)}${zone}`);
  const signed = (seconds_) => (seconds_ === null ? null : `${seconds_ > 0 ? "+" : seconds_ < 0 ? MINUS : ""}${Math.abs(seconds_) < 600 ? `${Math.abs(seconds_).toFixed(1)} s` : durationText(Math.abs(seconds_) * 1e6)}`);
  const place = ({ first, last }) => (first === null ? null : h("button", { type: "button", class: "wb-link wb-place", title: "The event in full", onclick: () => app.open(String(first)) }, last !== null && last !== first ? `${count(first)}–${count(last)}` : count(first)));
  const marks = { value: h("span", { class: "wb-now" }), edited: sign("human"), reason: sign("human"), decision: decisionSign(row.decided), shown: sign("ai"), requested: sign("human"), event: null };
  const whose = (each) => (each.person !== undefined && each.person !== null ? ["by ", sign("human"), each.person] : null);
  const told = (each) => (each.what === "reason" ? [h("span", { class: "wb-reasontext" }, each.words), whose(each) ? h("div", {}, whose(each)) : null] : [whose(each), whose(each) && each.words ? ", " : null, each.words]);
  const line = (each) => h("li", { class: `wb-link-in-chain ${each.what}` }, h("span", { class: "wb-chainmark", "aria-hidden": "true" }, each.kind ? sign(each.kind) : marks[each.what]),
    h("div", {}, h("div", { class: "wb-line" }, h("b", {}, each.title), h("span", { class: "wb-gap" }), place(each)),
      each.redline ? h("div", { class: "wb-chaintext" }, drawRedline(each.redline)) : null,
      each.words || whose(each) ? h("div", {}, told(each)) : null,
      h("div", { class: "wb-dim" }, [clock(each.at), signed(each.seconds), each.note].filter((part) => part !== null && part !== undefined).join(" · "))));
  return [
    h("div", { class: "wb-line" }, h("h2", {}, whyWords(row)), h("span", { class: "wb-dim" }, `${one.at === null ? "today's value" : "the value then"} back to the request`)),
    h("dl", { class: "wb-facts wb-reasons" }, pair("decision", [decided, row.is_expected ? (row.decided in { accepted: 1, edited: 1 } ? " by the expected action" : ", no action was expected of it") : null]), drawReasons(app),
      pair("other decisions", others.length ? others.map((each) => h("div", {}, decisionWord(each.decision), each.person === null ? null : [" by ", sign("human"), each.person], " ", place({ first: each.position, last: null }))) : h("span", { class: "wb-dim" }, "none"))),
    drawJudged(app),
    h("ol", { class: "wb-chain" }, one.chain.map(line)),
    h("div", { class: "wb-line wb-acts" }, drawForms(app), link("SQL", () => app.togglePanel("sql")), link("Link", () => app.togglePanel("link")), app.hasApp("As of") ? h("a", { class: "wb-link", href: `../as_of/?${new URLSearchParams({ entity: row.stream, position: row.decision_position ?? row.position })}` }, "As of here") : null, app.hasApp("Timeline") && row.structure ? h("a", { class: "wb-link", href: `../timeline/?${new URLSearchParams({ stream_id: row.stream, event: row.position })}` }, "Run as spans") : null),
    drawPanel(app),
  ];
}
