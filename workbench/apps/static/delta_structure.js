// A structured delta: by path, side by side in the JSON's own order, or as the patch; where each value stood before.

function drawStructure(app) {
  const { one, choices } = app;
  const view = choices.one("view") ?? "path";
  const { sums, row } = one;
  if (!sums) return [h("p", { class: "wb-dim wb-uncompared" }, row.is_expected ? "Nothing to compare with: no action was expected of this call." : "Nothing to compare with: it was not taken."), drawPlain(one), drawAgentSaw(app), one.held?.length ? null : drawSaw(app)];
  const part = (name, number, words) => (number ? [" · ", pathSign(name), ` ${count(number)} ${words}`] : null);
  const controls = h("div", { class: "wb-line wb-controls" }, switchOf("View", [["path", "by path"], ["side", "side by side"], ["patch", "patch"]], ["path", "side", "patch"].includes(view) ? view : "path", (next) => app.view(next)), h("span", { class: "wb-gap" }),
    h("span", { class: "wb-sums" }, h("b", {}, `${count(sums.kept)} of ${count(sums.proposed)}`), " proposed paths kept", sums.acceptance === null ? null : [", field acceptance ", h("b", {}, sums.acceptance.toFixed(2))], part("~", sums.changed, "changed"), part("-", sums.removed, "removed"), part("+", sums.added, "added"), one.keyed ? " · list items matched by key" : null));
  const body = view === "patch" ? h("pre", { class: "wb-code wb-patch", tabindex: "0" }, one.patch) : view === "side" ? drawSides(one) : [drawPaths(app), drawHint(app), drawSides(one)];
  return [controls, one.fallback ? h("p", { class: "wb-dim" }, `compared by ${one.fallback}: it is too large for more`) : null, body, drawAgentSaw(app), one.held?.length ? null : drawSaw(app)];
}

// A long path says where it ends; the whole of it is on the element.
const pathCode = (path) => h("code", { title: path }, path.length <= 36 ? path : `…/${path.split("/").slice(-2).join("/")}`);

const drawPlain = (one) => h("pre", { class: "wb-code", tabindex: "0" }, one.proposed_text ?? "");

function drawPaths(app) {
  const { one } = app;
  const stood = (place, has) => (!has ? null : place ? [link(count(place.position), () => app.open(String(place.position)), { class: "wb-link wb-place" }), " ", h("span", { class: "wb-dim" }, place.words)] : [h("b", {}, "?"), " in no event"]);
  const value = (text, kind) => (text === null ? null : h(kind === "del" ? "del" : "ins", { class: kind === "del" ? "wb-delete mono" : "wb-insert mono" }, heard(kind === "del" ? "proposed " : "expected "), text));
  const row = (each) => h("tr", { class: each.depth ? "inside" : "" }, h("td", {}, pathSign(each.sign)), h("td", {}, pathCode(each.path)), h("td", {}, value(each.proposed, "del")), h("td", {}, value(each.value, "ins")), h("td", {}, stood(each.proposed_stood, each.proposed !== null)), h("td", {}, stood(each.value_stood, each.value !== null)));
  const list = (each) => h("tr", { class: "group" }, h("td", {}), h("td", { colspan: 5 }, h("code", {}, each.path), h("span", { class: "wb-dim" }, ` list, ${each.keys ? `matched by ${each.keys}` : "matched by place"}`)));
  const kept = one.kept;
  const isOpen = app.keptOpen;
  const fold = kept.length ? h("tr", { class: "kept" }, h("td", {}, pathSign("=")), h("td", { colspan: 5 }, h("div", { class: "wb-oneline" }, link(`${isOpen ? "▾" : "▸"} ${plural(one.sums.kept, "path")} kept`, () => app.toggleKept(), { "aria-expanded": String(isOpen) }), isOpen ? null : h("code", { class: "wb-dim" }, " ", kept.slice(0, 8).map((each) => `${each.path} ${each.proposed}`).join(" · "))))) : null;
  return h("div", { class: "wb-scroll wb-wide" }, h("table", { class: "wb-paths" }, h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, "path"), h("th", { scope: "col" }, sign("ai"), "proposed"), h("th", { scope: "col" }, sign("human"), one.value_word), h("th", { scope: "col" }, "proposed stood in"), h("th", { scope: "col" }, `${one.value_word} stood in`))),
    h("tbody", {}, one.paths.map((each) => (each.list ? list(each) : row(each))), fold, isOpen ? kept.map((each) => h("tr", { class: "inside" }, h("td", {}, pathSign("=")), h("td", {}, pathCode(each.path)), h("td", { colspan: 2 }, h("code", {}, each.proposed)), h("td", {}, stood(each.proposed_stood, true)), h("td", {}))) : null)));
}

// A hint, never a verdict.
function drawHint(app) {
  const { hint } = app.one;
  if (!hint) return null;
  const { proposals } = hint;
  const who = proposals === 1 ? "The one proposal of this task says " : `${proposals === 2 ? "Both" : `All ${count(proposals)}`} proposals of this task agree on `;
  return h("div", { class: "wb-hintbox", role: "note" }, h("b", {}, "? Check the expected value. "), who, h("code", {}, hint.proposed), `, which ${plural(hint.shown, "event shows", "events show")}; `, h("code", {}, hint.expected), " no event shows. ", proposals > 1 ? link(proposals === 2 ? "Open both" : `Open all ${count(proposals)}`, () => app.openAlike(hint)) : null);
}

function drawSides(one) {
  if (!one.sides) return null;
  const part = ([kind, text]) => (kind === "del" ? h("del", { class: "wb-delete" }, text) : kind === "ins" ? h("ins", { class: "wb-insert" }, text) : kind === "more" ? h("span", { class: "wb-dim" }, text) : text);
  const line = (each) => h("div", { class: `wb-jsonline ${each.sign === "-" ? "gone" : each.sign === "+" ? "come" : ""}` }, h("span", { class: "wb-gutter", "aria-label": each.sign === "-" ? "removed" : each.sign === "+" ? "added" : null }, each.sign === "-" ? MINUS : each.sign), h("span", {}, each.parts.map(part)));
  const side = (kind, words, lines) => h("div", {}, h("div", { class: "wb-dim wb-sidehead" }, sign(kind), words), h("div", { class: "wb-json", tabindex: "0" }, lines.map(line)));
  return h("div", { class: "wb-sides wb-jsonsides" }, side("ai", one.sides.proposed_words, one.sides.proposed), side("human", one.sides.value_words, one.sides.value));
}

function drawAgentSaw(app) {
  const { one } = app;
  if (!one.held?.length) return null;
  return h("section", { class: "wb-block" }, h("div", { class: "wb-line" }, h("h2", {}, "What the agent saw"), h("span", { class: "wb-dim" }, `${plural(one.held_of, "event")} of the run before position ${count(one.row.position)}; ${count(one.held.length)} shown of those that hold a value of the call`)),
    h("div", { class: "wb-scroll wb-wide" }, h("table", { class: "wb-held" }, h("tbody", {}, one.held.map((each) => h("tr", { tabindex: "0", onclick: () => app.open(String(each.position)), onkeydown: (event) => event.key === "Enter" && (event.stopPropagation(), app.open(String(each.position))) }, h("td", { class: "number wb-dim" }, count(each.position)), h("td", {}, h("span", { class: "wb-cell" }, each.kind ? sign(each.kind) : null, h("span", {}, each.who))), h("td", {}, h("div", { class: "wb-oneline" }, each.code ? h("code", {}, each.text) : each.text))))))));
}
