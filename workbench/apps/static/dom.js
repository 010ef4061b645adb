// Elements from values. Text only ever becomes a text node; nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) key.startsWith("--") ? node.style.setProperty(key, each) : (node.style[key] = each);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

function add(node, children) {
  for (const child of children.flat(4)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

const h = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

function fill(node, ...children) {
  node.replaceChildren();
  add(node, children);
  return node;
}

// Draws around a field that someone may be typing in: the field stays the same one, with its text and its caret.
function keepTyping(field, draw) {
  const typing = field.getRootNode().activeElement === field;
  const caret = [field.selectionStart, field.selectionEnd];
  draw();
  if (!typing) return;
  field.focus({ preventScroll: true });
  field.setSelectionRange(...caret);
}

const link = (words, act, attributes) => h("button", { type: "button", class: "wb-link", onclick: act, ...attributes }, words);
const button = (words, act, attributes) => h("button", { type: "button", class: "wb-button", onclick: act, ...attributes }, words);

const HOLLOW = "hollow";
const KINDS = ["human", "ai", "system"];

function swatch(hue) {
  return h("span", { class: `wb-swatch ${hue ? "" : HOLLOW}`, style: hue ? { background: hue } : {}, "aria-hidden": "true" });
}

function sign(kind) {
  // A circle, a diamond, a square, drawn by the style sheet: fonts disagree about the size of such signs.
  return h("span", { class: `wb-sign ${KINDS.includes(kind) ? kind : ""}`, "aria-hidden": "true" });
}
