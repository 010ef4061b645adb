// The header with the basis, and the one line of notice.

function drawHeader(app) {
  const { start, choices } = app;
  const zone = choices.zone;
  const tab = (each) =>
    each.name === app.title
      ? h("span", { class: "wb-tab here", "aria-current": "page" }, each.name)
      : h("a", { class: "wb-tab", href: each.address }, each.name);
  fill(
    app.parts.header,
    h("h1", {}, app.title),
    h("span", { class: "wb-log" }, start?.log ?? ""),
    start &&
      h(
        "span",
        { class: "wb-basis", title: "What every answer on this page rests on" },
        start.position === null
          ? ["mapped · snapshot ", h("b", {}, start.snapshot ?? "none yet")]
          : ["position ", h("b", {}, start.position < 0 ? "none yet" : count(start.position))],
        start.last !== null && [" · ", h("b", {}, `${timeText(start.last, zone === "local" ? "local" : "utc", 0, "minute")} ${start.zone === "unknown" ? "zone unknown" : zone === "local" ? localShort() : "UTC"}`)],
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
