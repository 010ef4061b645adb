// A reason added later: an event of its own is appended to the log, and none is changed.

function drawReasons(app) {
  const { one } = app;
  const judged = one.reasons.filter((each) => each.quote !== null || each.met !== null);
  const said = one.reasons.filter((each) => !judged.includes(each));
  const unmet = judged.filter((each) => each.met === false).length;
  const summary = judged.length ? h("div", {}, count(judged.length), unmet ? [unmet === judged.length ? ", all " : `, ${count(unmet)} `, h("b", { class: "wb-decision rejected" }, "✕ not met")] : ", all met") : null;
  const none = one.reasons.length ? null : h("span", { class: "wb-dim" }, "none recorded  ");
  return pair(one.reasons.length > 1 ? "reasons" : "reason", [summary, said.map((each) => h("div", { class: "wb-reasontext" }, each.text)), none, drawAddReason(app)]);
}

function drawJudged(app) {
  const judged = app.one.reasons.filter((each) => each.quote !== null || each.met !== null);
  if (!judged.length) return null;
  const line = (each) => h("li", {}, each.met ? h("span", { class: "wb-decision accepted" }, "✓ ") : null, each.text, each.met ? null : h("span", { class: "wb-heard" }, " not met"), each.quote ? h("div", { class: "wb-dim" }, `“${each.quote}”`) : null);
  return h("ol", { class: "wb-reasonlist" }, judged.map(line));
}

function drawAddReason(app) {
  const opener = link("Add reason ▾", () => toggle(), { "aria-expanded": "false", "aria-haspopup": "dialog" });
  const place = h("div", { class: "wb-addreason", hidden: true });
  const toggle = () => {
    place.hidden = !place.hidden;
    opener.setAttribute("aria-expanded", String(!place.hidden));
    if (place.hidden) return opener.focus();
    fill(place, reasonForm(app, toggle));
    return place.querySelector("textarea").focus();
  };
  return [opener, place];
}

function reasonForm(app, toggle) {
  const text = h("textarea", { rows: 2, maxlength: 2000, "aria-label": "Reason", placeholder: "why it was decided so", value: app.reasonText ?? "" });
  const person = h("input", { type: "text", maxlength: 200, "aria-label": "Who says so", placeholder: "nobody named", value: app.reasonPerson ?? "" });
  const fault = h("p", { class: "wb-refusal", role: "alert" });
  const offered = app.one.offered.filter((each) => !app.one.reasons.some((known) => known.text === each));
  const send = (event) => {
    event.preventDefault();
    if (!text.value.trim()) return text.focus();
    app.reasonPerson = person.value.trim();
    fill(fault);
    form.classList.add("busy");
    const step = app.ask("reason", (told) => app.showAdded(told), { text: text.value, person: app.reasonPerson });
    return app.asker.also({ ...step, done: (reply, files) => (reply.error ? (form.classList.remove("busy"), fill(fault, reply.error.sentence)) : step.done(reply, files)) });
  };
  const press = (event) => {
    if (event.key === "Escape") return event.stopPropagation(), toggle();
    return event.key === "Enter" && event.target === text && !event.shiftKey ? send(event) : null;
  };
  const form = h("form", { class: "wb-reasonform", "aria-label": "Add a reason", onsubmit: send, onkeydown: press },
    text,
    offered.length ? h("div", { class: "wb-offered" }, h("span", { class: "wb-dim" }, "given before: "), offered.map((each) => link(each, () => ((text.value = each), text.focus())))) : null,
    h("label", { class: "wb-line" }, h("span", { class: "wb-dim" }, "by"), person),
    h("p", { class: "wb-dim" }, "Appends an event to the log; none is changed."),
    fault,
    h("div", { class: "wb-line" }, h("button", { type: "submit", class: "wb-button main small" }, "Add reason"), button("Cancel", toggle, { class: "wb-button small" })));
  return form;
}
