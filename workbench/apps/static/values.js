// A field's value, which comes as JSON text, in words. It is text all the way: no value is ever markup.

const LONGEST_WORDS = 160;
const group = (digits) => digits.replace(/^(-?)(\d+)/, (_, minus, whole) => `${minus ? MINUS : ""}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}`);
const isEmpty = (text) => text === null || text === undefined || text === "null" || text === "[]";

// A missing value is a word: not set before anything set it, none or nobody after.
function valueWords(field, text, wasSet, zone, reference) {
  if (isEmpty(text)) return wasSet ? (field.people ? "nobody" : NONE) : "not set";
  if (/^-?\d+(\.\d+)?$/.test(text)) return group(text);
  const value = JSON.parse(text);
  if (typeof value === "string") {
    if (field.kind === "time" && !Number.isNaN(fromIso(value))) return `${timeText(fromIso(value), zone, reference)}${zone === "utc" ? " UTC" : ""}`;
    if (["decimal", "integer"].includes(field.kind)) return group(value);
    return value === "" ? "“”" : brief_(value);
  }
  if (Array.isArray(value)) {
    const words = value.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
    if (field.people && words.length > 1) return `${words.length} people`;
    const joined = words.join(", ");
    return joined.length <= 48 ? joined : plural(words.length, field.people ? "person" : "item", field.people ? "people" : "items");
  }
  return typeof value === "boolean" ? String(value) : brief_(text);
}

// In a band there is room for how many items a set or a list has.
function waveWords(app, field, text) {
  const items = ["set", "list"].includes(field.rule) && !isEmpty(text) ? JSON.parse(text) : null;
  return Array.isArray(items) ? count(items.length) : valueWords(field, text, true, app.choices.zone, app.start.last);
}

const brief_ = (text) => (text.length <= LONGEST_WORDS ? text : `${text.slice(0, LONGEST_WORDS)}…`);

// A value with the sign of the actor it names, and in full where its words are shorter than it is.
function drawValue(app, field, text, wasSet, kind) {
  const words = valueWords(field, text, wasSet, app.choices.zone, app.start.last);
  const person = field.people && !isEmpty(text) && text.startsWith('"');
  return h("span", { class: isEmpty(text) ? "wb-dim wb-novalue" : "wb-val", title: isEmpty(text) ? null : text.length > 2000 ? `${text.slice(0, 2000)}…` : text }, person ? sign(kind) : null, words);
}

const typeWords = (name, word) => [name, word ? h("span", { class: "wb-dim wb-word" }, ` ${word}`) : null];

function drawActor(actor, kind) {
  return h("span", { class: "wb-cell", title: kind ?? "" }, kind ? sign(kind) : null, h("span", { class: actor === null ? "absent" : "" }, actor ?? NONE));
}

// What an event changed: old → new; of a set what came and what went; moves outside the machine last.
function drawChanged(app, history, index) {
  const parts = [];
  if (history.effects[index]) parts.push([h("b", {}, history.effects[index])]);
  for (const name of history.changes[index]) parts.push(changeOf(app, history, name, index));
  for (const [name, error] of Object.entries(history.errors[index] ?? {})) parts.push([h("span", { class: "wb-fault" }, "✕ ", name, " stays as it is: ", error)]);
  const moves = history.illegal.filter(([at]) => at === index).map(([, name, from, to]) => h("b", {}, ` ! ${from ?? NONE} → ${to} is outside the ${name} machine`));
  if (!parts.length && !moves.length) return h("span", { class: "wb-dim" }, "nothing");
  return [parts.map((part, number) => [number ? " · " : null, part]), moves];
}

function changeOf(app, history, name, index, from = true) {
  const field = history.byName.get(name);
  const [before, after] = [history.textAt(name, index - 1), history.textAt(name, index)];
  const label = h("span", { class: "wb-dim" }, name);
  if (field.rule === "set") {
    const [had, has] = [before, after].map((text) => (isEmpty(text) ? [] : JSON.parse(text)).map((each) => (typeof each === "string" ? each : JSON.stringify(each))));
    const [came, went] = [has.filter((each) => !had.includes(each)), had.filter((each) => !has.includes(each))];
    return [label, " ", came.length ? `+ ${came.join(", ")}` : null, came.length && went.length ? " " : null, went.length ? `− ${went.join(", ")}` : null];
  }
  const words = (text, at) => valueWords(field, text, history.isSet(name, at), app.choices.zone, app.start.last);
  const old = words(before, index - 1);
  if (!from) return [label, h("span", { class: "wb-dim" }, ": "), words(after, index)];
  return [label, " ", old === "not set" ? null : h("span", { class: "wb-dim" }, `${old} → `), words(after, index)];
}
