// Text to take along: shown, and copied by one click.

function textPanel(title, text, close) {
  const area = h("pre", { class: "wb-code", tabindex: "0" }, text);
  const copy = link("copy", async () => {
    const range = document.createRange();
    range.selectNodeContents(area);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
    await navigator.clipboard?.writeText(text).then(() => (copy.textContent = "copied"), () => (copy.textContent = "selected, copy it with your keys"));
  });
  return h("div", { class: "wb-panel" }, h("div", { class: "wb-line" }, h("h3", {}, title), h("span", { class: "wb-gap" }), copy, close), area);
}
