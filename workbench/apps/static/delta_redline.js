// A redline: words kept, deleted, inserted and moved, each with a mark that is more than its colour.

const MOVE_KINDS = { move_from: "from", move_to: "to" };
const HEARD = { delete: "deleted", insert: "inserted" };
const heard = (words) => h("span", { class: "wb-heard" }, words);

// Operations are [kind, text, move]; `kinds` leaves out what does not stand on this side.
function drawRedline(operations, { kinds = null, brief: isBrief = false } = {}) {
  const shown = kinds ? operations.filter(([kind]) => kinds.includes(kind)) : operations;
  return h("span", { class: "wb-redline" }, shown.map(([kind, text, move]) => drawOperation(kind, text, move, isBrief)));
}

const PROPOSED_SIDE = ["keep", "delete", "move_from"];
const VALUE_SIDE = ["keep", "insert", "move_to"];

// What stands around the words of a change is drawn outside its ground, so that no ground hangs over a space or a line's end.
function drawOperation(kind, text, move, isBrief) {
  if (kind === "keep") return h("span", {}, text);
  if (!text.trim()) return h(kind === "delete" || kind === "move_from" ? "del" : "ins", { class: `wb-${kind} space`, title: "white space" }, heard(`${HEARD[kind] ?? "moved"} white space `), text.replaceAll("\n", "↵\n"));
  const [, before, words, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text);
  const tag = kind === "delete" || kind === "move_from" ? "del" : "ins";
  if (kind in HEARD) return [before, h(tag, { class: `wb-${kind}` }, heard(`${HEARD[kind]} `), words, heard(` end ${HEARD[kind]} `)), after];
  const end = h(tag, { class: `wb-${kind}`, "data-move": move, tabindex: isBrief ? null : "0" }, heard(`moved ${move} ${MOVE_KINDS[kind]} here `), words, h("sup", {}, move));
  if (!isBrief) {
    end.addEventListener("mouseenter", () => lightMove(end, true, false));
    end.addEventListener("mouseleave", () => lightMove(end, false, false));
    end.addEventListener("focus", () => lightMove(end, true, true));
    end.addEventListener("blur", () => lightMove(end, false, false));
  }
  return [before, end, after];
}

// One end of a moved phrase marks the other, and, focused, brings it into view.
function lightMove(end, lit, follow) {
  const around = end.closest(".wb-left") ?? end.closest(".wb-redline");
  for (const other of around.querySelectorAll(`[data-move="${end.dataset.move}"]`)) {
    other.classList.toggle("lit", lit);
    if (follow && other !== end && other.closest(".wb-redline") === end.closest(".wb-redline")) other.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
}

function drawLegend(operations) {
  const has = (kind) => operations.some(([each]) => each === kind);
  const mark = (kind, tag, words, number) => h(tag, { class: `wb-${kind}` }, words, number ? h("sup", {}, "1") : null);
  const marks = [["delete", "del", `${MINUS} deleted`], ["insert", "ins", "+ inserted"], ["move_from", "del", "moved from", true], ["move_to", "ins", "moved to", true]].filter(([kind]) => has(kind));
  return h("div", { class: "wb-marks", "aria-hidden": "true" }, marks.length ? marks.map((each) => mark(...each)) : h("span", { class: "wb-dim" }, "nothing was changed"));
}
