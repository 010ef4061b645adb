// Export for training: what each rule drops, the distances that are kept, any row as it will be written, the files.

const EXPORT_FORMATS = [["sft", "SFT", () => "the person’s text"], ["dpo", "DPO", () => "person’s text over AI’s"], ["kto", "KTO", ({ own, no }) => `${count(own)} yes · ${count(no)} no`], ["openai", "OpenAI preference", () => "the DPO pairs"]];
const SPLIT_WORDS = [["none", "one file"], ["log", "as in log"], ["time", "time"], ["person", "person"]];
const SAMPLES = 3;
const MORE_SAMPLES = 20;
// Milliseconds after the last key until what was typed is counted with.
const TYPED_AFTER = 400;
const BEHIND = ["header", "filters", "main", "notice", "side", "work"];

const planOf = (app) => {
  try {
    return JSON.parse(app.choices.one("export") ?? "{}") ?? {};
  } catch {
    return {};
  }
};
// What is chosen now, which what was told last may not know of yet.
const plannedNow = (app) => ({ ...app.exporting.told.plan, ...planOf(app) });
const isWorking = ({ counting, writing }) => Boolean(counting || writing);

function openExport(app) {
  const part = (name, tag = "div") => h(tag, { class: `wb-${name}` });
  const parts = { head: part("dialoghead"), notice: part("dialognotice"), choices: part("exportchoices"), rules: part("exportrules"), row: part("exportrow"), foot: part("dialogfoot"), work: part("work"), prompt: h("textarea", { class: "wb-lines", rows: 3, "aria-label": "Prompt template" }) };
  parts.body = h("div", { class: "wb-dialogbody" }, parts.choices, parts.rules, parts.row);
  let typed = null;
  parts.prompt.addEventListener("input", () => (clearTimeout(typed), (typed = setTimeout(() => app.exporting && changePlan(app, { prompt: parts.prompt.value }), TYPED_AFTER))));
  app.exporting = { told: null, rule: null, samples: SAMPLES, row: 0, parts };
  if (app.choices.one("export") === undefined) app.choices = app.choices.with({ export: "{}" });
  app.remember(false, true);
  const dialog = h("div", { class: "wb-dialog", role: "dialog", tabindex: "-1", "aria-modal": "true", "aria-labelledby": "wb-export-title" }, parts.head, parts.notice, parts.body, parts.foot);
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (app.progress.stoppable()) stopExport(app);
    else closeExport(app);
  });
  app.veil = h("div", { class: "wb-veil" }, dialog);
  app.root.append(app.veil);
  for (const each of BEHIND) app.parts[each].inert = true;
  app.progress.moveTo(parts.work);
  drawExport(app);
  dialog.focus({ preventScroll: true });
  askPlan(app);
}

function closeExport(app) {
  app.asker.forget(["plan", "row", "write"]);
  app.exporting = null;
  app.choices = app.choices.with({ export: null });
  app.remember(false, true);
  app.veil.remove();
  app.progress.moveTo(app.parts.work);
  for (const each of BEHIND) app.parts[each].inert = false;
  app.parts.actions.querySelector(".wb-button.main")?.focus();
}

// A choice updates the counts in place; the old ones dim meanwhile.
function changePlan(app, changes) {
  app.choices = app.choices.with({ export: JSON.stringify({ ...planOf(app), ...changes }) });
  app.remember(false, true);
  app.exporting.row = 0;
  askPlan(app);
}

// What a link says of a plan may be none; without one, the usual one is counted.
function startOver(app) {
  app.choices = app.choices.with({ export: "{}" });
  changePlan(app, {});
}

function askPlan(app) {
  const { exporting } = app;
  Object.assign(exporting, { counting: true, stopped: false, error: null, done: null });
  app.asker.forget(["plan", "row"]);
  app.asker.next(askExport(app, "plan", (told) => Object.assign(exporting, { told, counting: false, written: told.written })));
  drawExport(app);
}

function askRow(app, row) {
  const { exporting } = app;
  app.asker.forget(["row"]);
  app.asker.next(askExport(app, "row", ({ written }) => written && Object.assign(exporting, { row, written }), { row }));
}

function writeExport(app) {
  const { exporting } = app;
  const name = `${app.start.log}-${plannedNow(app).format}.zip`;
  Object.assign(exporting, { writing: true, done: null });
  drawExport(app);
  app.asker.next(askExport(app, "write", ({ manifest }, [file]) => {
    app.save(new Blob([file], { type: "application/zip" }), name);
    Object.assign(exporting, { writing: false, done: { manifest, name, bytes: file.byteLength } });
  }));
}

// What is asked in the dialog is answered in it, and so is what fails.
function askExport(app, kind, take, options) {
  const { exporting } = app;
  const step = app.ask(kind, null, { rule: exporting.rule, samples: exporting.samples, row: exporting.row, ...options });
  const done = (reply, files) => {
    if (app.exporting !== exporting) return;
    if (reply.error) Object.assign(exporting, { error: reply.error.sentence, counting: false, writing: false });
    else take(reply.body, files);
    drawExport(app);
  };
  return { ...step, done };
}

function stopExport(app) {
  const { exporting } = app;
  app.asker.drop();
  Object.assign(exporting, { stopped: Boolean(exporting.counting), counting: false, writing: false });
  drawExport(app);
}

function drawExport(app) {
  const { exporting } = app;
  if (!exporting) return;
  const { parts, told } = exporting;
  const focus = app.veil.getRootNode().activeElement?.dataset?.focus;
  keepTyping(parts.prompt, () => {
    fill(parts.head, h("h1", { id: "wb-export-title" }, "Export for training"), told ? h("span", { class: "wb-dim" }, `${plural(told.proposals, "proposal")} from ${app.start.log}, position ${count(told.basis.position)}`) : null, h("span", { class: "wb-gap" }), button("✕ Esc", () => closeExport(app), { class: "wb-button bare", "aria-label": "Close" }));
    fill(parts.notice, drawExportNotice(app));
    parts.body.classList.toggle("busy", Boolean(exporting.counting && told));
    parts.body.hidden = !told && !exporting.counting;
    fill(parts.choices, told ? drawExportChoices(app) : null);
    fill(parts.rules, told ? drawExportRules(app) : exporting.counting ? h("p", { class: "wb-dim" }, "Counting what each rule drops …") : null);
    fill(parts.row, told ? drawExportRow(app) : null);
    fill(parts.foot, drawExportFoot(app));
  });
  if (focus) app.veil.querySelector(`[data-focus="${focus}"]`)?.focus({ preventScroll: true });
}

function drawExportNotice(app) {
  const { error, stopped, told } = app.exporting;
  const notice = (kind, mark, words, again, other) => h("div", { class: `wb-notice ${kind}`, role: kind === "failed" ? "alert" : "status" }, h("span", { class: "wb-mark", "aria-hidden": "true" }, mark), h("div", { class: "wb-words" }, words), h("span", { class: "wb-gap" }), button(again, () => askPlan(app)), other);
  if (error) return notice("failed", "✕", h("b", {}, error), "Try again", told ? null : button("Start over", () => startOver(app), { class: "wb-button main" }));
  if (stopped) return notice("info", "ℹ", [h("b", {}, "Stopped. "), told ? "The counts are those of the choice before." : "Nothing was counted."], "Count again");
  return null;
}

function drawExportChoices(app) {
  const { formats, kinds, wrong, proposals, splits, names } = app.exporting.told;
  const { prompt } = app.exporting.parts;
  const plan = plannedNow(app);
  const format = ([name, words, note]) => h("label", { class: `wb-format ${plan.format === name ? "here" : ""}` }, h("input", { type: "radio", name: "format", checked: plan.format === name, "data-focus": `format-${name}`, onchange: () => changePlan(app, { format: name, messages: name === "openai" ? true : plan.messages }) }), h("span", {}, h("b", {}, words), h("span", { class: "wb-dim" }, note(kinds))), h("span", { class: "wb-number" }, count(formats[name] ?? 0)));
  if (prompt.getRootNode().activeElement !== prompt) prompt.value = plan.prompt;
  const split = SPLIT_WORDS.map(([name, words]) => [name, words, splits[name]]);
  const cannot = SPLIT_WORDS.filter(([name]) => splits[name]).map(([name, words]) => h("div", { class: "wb-dim wb-why-not" }, `${words}: ${splits[name]}`));
  const onlyMessages = plan.format === "openai" ? "OpenAI’s format has messages only." : null;
  const held = (words) => h("div", {}, decisionSign("accepted"), ` ${words}`);
  const checks = wrong.length ? wrong.map((each) => h("div", { class: "wb-wrongrow" }, "✕ ", each)) : [held("keys as the trainer allows"), held("no row with an empty text")];
  const part = (words, ...about) => h("div", { class: "wb-exportpart" }, h("div", { class: "wb-dim" }, words), about);
  return [h("h2", {}, "Format"), EXPORT_FORMATS.map(format),
    part("Rows as", switchOf("Rows as", [[true, "messages"], [false, "plain text", onlyMessages]], plan.messages, (messages) => changePlan(app, { messages }))),
    part("File", switchOf("File", [["jsonl", "JSONL"], ["parquet", "Parquet"]], plan.file, (file) => changePlan(app, { file }))),
    part("Split", switchOf("Split", split, plan.split, (next) => changePlan(app, { split: next })), cannot),
    part("Prompt", prompt, h("div", { class: "wb-dim wb-promptnames" }, "may hold ", names.map((name) => [h("code", {}, `{${name}}`), " "]))),
    part("Checks", proposals ? checks : "! no proposal is chosen")];
}

function drawExportRules(app) {
  const { told, samples: shown } = app.exporting;
  const { rules, proposals, plan, kinds } = told;
  const wide = (number) => `${proposals ? (100 * number) / proposals : 0}%`;
  const ask = (changes) => (Object.assign(app.exporting, changes), askPlan(app));
  const pick = (rule) => ask({ rule, samples: SAMPLES });
  const row = (each, index) => h("tr", { tabindex: "0", "data-focus": `rule-${each.rule}`, "aria-selected": String(each.rule === told.rule), onclick: () => pick(each.rule), onkeydown: (event) => event.key === "Enter" && pick(each.rule) }, h("td", { class: "wb-dim number" }, index || ""), h("td", {}, each.title), h("td", {}, h("span", { class: "wb-rulebar" }, h("i", { style: { width: wide(each.left) } }), h("i", { class: "gone", style: { width: wide(each.dropped) } }))), h("td", { class: `number ${each.dropped ? "wb-bad" : "wb-dim"}` }, each.dropped ? `${MINUS}${count(each.dropped)}` : "0"), h("td", { class: "number" }, count(each.left)));
  const left = rules.at(-1)?.left ?? 0;
  const total = (words, about, dropped, rows) => h("tr", { class: "wb-total" }, h("td", {}), h("td", {}, h("b", {}, words)), h("td", { class: "wb-dim" }, about), h("td", { class: "number wb-bad" }, dropped ? `${MINUS}${count(dropped)}` : ""), h("td", { class: "number" }, h("b", {}, count(rows))));
  const share = (rows) => `${percent(rows, proposals)} of ${count(proposals)}`;
  const totals = plan.format === "kto" ? [total("Rows with no", share(left), proposals - left, left), total("Rows with yes", share(kinds.own), 0, kinds.own)] : [total("Rows written", share(left), proposals - left, left)];
  const chosen = rules.find((each) => each.rule === told.rule);
  const more = chosen ? Math.min(MORE_SAMPLES, chosen.dropped - told.samples.length) : 0;
  const samples = told.samples.map((each) => h("div", { class: "wb-sample" }, link(`position ${count(each.position)}`, () => (closeExport(app), app.openDelta(each.position)), { class: "wb-link wb-place" }), h("div", {}, drawBriefDelta(each))));
  return [h("div", { class: "wb-line" }, h("h2", {}, "What each rule drops"), h("span", { class: "wb-dim" }, plan.format === "kto" ? "of the rows with no, in this order; a row is counted at the first rule that drops it" : "in this order; a row is counted at the first rule that drops it")),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, "rule"), h("th", {}), h("th", { class: "number", scope: "col" }, "dropped"), h("th", { class: "number", scope: "col" }, "left"))), h("tbody", {}, rules.map(row), totals)),
    plan.format === "sft" ? null : drawExportDistances(app),
    h("div", { class: "wb-line" }, h("h2", {}, chosen ? `Dropped by “${chosen.title}”` : "Dropped"), h("span", { class: "wb-dim" }, chosen ? `${samples.length} of ${count(chosen.dropped)}` : "")), samples.length ? samples : h("p", { class: "wb-dim" }, "This rule drops nothing."),
    more > 0 ? link(`${count(more)} more`, () => ask({ samples: shown + MORE_SAMPLES }), { "data-focus": "more" }) : null];
}

// Two handles over the distances: arrows move one by 0.01, with Shift by 0.05; or a hand drags it.
function drawExportDistances(app) {
  const { distances } = app.exporting.told;
  const bins = distances.length;
  const most = Math.max(1, ...distances);
  const [low, high] = plannedNow(app).distance;
  const total = distances.reduce((sum, each) => sum + each, 0);
  const isKept = (index) => (index + 0.5) / bins >= low && (index + 0.5) / bins <= high;
  const bars = distances.map((each, index) => h("i", { class: isKept(index) ? "" : "gone", style: { height: `${(100 * each) / most}%` }, title: `${(index / bins).toFixed(2)}–${((index + 1) / bins).toFixed(2)}: ${count(each)}` }));
  const set = (which, value) => {
    const held = Math.round(100 * Math.max(0, Math.min(1, value))) / 100;
    changePlan(app, { distance: which ? [low, Math.max(low, held)] : [Math.min(high, held), high] });
  };
  // A handle's words stand inside, where the other's leave them room.
  const isClose = high - low < 0.3;
  const sides = [low > 0.8 || (isClose && low > 0.15) ? "before" : "behind", high < 0.2 || (isClose && high < 0.85) ? "behind" : "before"];
  const handle = (which, value, words) => {
    const node = h("div", { class: `wb-limit ${sides[which]}`, tabindex: "0", role: "slider", "data-focus": `limit-${which}`, "aria-label": `Distance ${words}`, "aria-valuemin": "0", "aria-valuemax": "1", "aria-valuenow": value.toFixed(2), style: { left: `${100 * value}%` },
      onkeydown: (event) => {
        const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
        if (!by) return;
        event.preventDefault();
        set(which, value + by * (event.shiftKey ? 0.05 : 0.01));
      } }, h("span", {}, `${words} ${value.toFixed(2)}`));
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.focus();
      const box = node.parentElement.getBoundingClientRect();
      let at = value;
      node.setPointerCapture(event.pointerId);
      const move = (moved) => {
        at = Math.max(0, Math.min(1, (moved.clientX - box.left) / box.width));
        node.style.left = `${100 * at}%`;
        node.lastChild.textContent = `${words} ${at.toFixed(2)}`;
      };
      node.addEventListener("pointermove", move);
      node.addEventListener("pointerup", () => set(which, at), { once: true });
    });
    return node;
  };
  return h("div", { class: "wb-exportdistance" }, h("div", { class: "wb-line" }, h("h2", {}, "Distance"), h("span", { class: "wb-dim" }, `${plural(total, "pair")} before the thresholds; grey is dropped; drag either end`)),
    h("div", { class: "wb-limits" }, h("div", { class: "wb-limitbars", role: "img", "aria-label": `Pairs by distance, most in one of ${bins}: ${count(most)}` }, bars), handle(0, low, "from"), handle(1, high, "to")), h("div", { class: "wb-limitaxis wb-dim" }, ["0.00", "0.25", "0.50", "0.75", "1.00"].map((each) => h("span", {}, each))));
}

function drawExportRow(app) {
  const { told, written, done } = app.exporting;
  const rows = Object.values(told.rows).reduce((sum, each) => sum + each, 0);
  const left = told.rules.at(-1)?.left ?? 0;
  const { plan } = told;
  const narrowed = DELTA_FILTERS.filter((name) => app.choices.query[name]).map((name) => `${name} ${app.choices.query[name].map((each) => (each === "~" ? "none recorded" : each)).join(" or ")}`);
  const facts = [["format", `${plan.format}, ${plan.messages ? "messages" : "plain text"}, ${plan.file}`], ["log", `${app.start.log}, position ${count(told.basis.position)}`], ["filters", narrowed.join(", ") || "none"], ["registry", told.basis.registry_hash.slice(0, 12)], ["mappings", told.basis.mappings_hash.slice(0, 12)], ["thresholds", plan.format === "sft" ? "none" : `distance ${plan.distance.map((each) => each.toFixed(2)).join(" to ")}`], ["split", SPLIT_WORDS.find(([name]) => name === plan.split)[1]], ["rows", plan.format === "kto" ? `${count(told.proposals)} in, ${count(rows)} out` : `${count(told.proposals)} in, ${count(told.proposals - left)} dropped, ${count(left)} out`]];
  const files = done ? done.manifest.files.map((each) => [each.name, `${plural(each.rows, "row")} · ${plural(each.bytes, "byte")} · sha256 ${each.sha256.slice(0, 12)}…`]) : Object.entries(told.rows).map(([part, number]) => [`${app.start.log}-${plan.format}-${part}.${plan.file}`, plural(number, "row")]);
  const number = written?.number ?? 0;
  const step = (sign, to, words, off) => button(sign, () => askRow(app, to), { class: "wb-button icon", "aria-label": words, disabled: off, "data-focus": `row-${words}` });
  return [h("div", { class: "wb-line" }, h("h2", {}, written ? `Row ${count(number + 1)} of ${count(rows)}` : "No row"), written ? h("span", { class: "wb-dim" }, `position ${count(written.position)}`) : null, h("span", { class: "wb-gap" }), step("↑", number - 1, "Row before", !written || number === 0), step("↓", number + 1, "Row after", !written || number + 1 >= rows)),
    written ? null : h("p", { class: "wb-dim" }, "No proposal is left to write."),
    written?.redline ? h("div", { class: "wb-text small" }, drawRedline(written.redline)) : null, written ? h("pre", { class: "wb-code", tabindex: "0" }, written.json) : null,
    h("div", { class: "wb-line" }, h("h2", {}, "Manifest"), h("span", { class: "wb-dim" }, "written beside the files")), h("dl", { class: "wb-facts mono" }, facts.map(([name, words]) => pair(name, words))),
    h("div", { class: "wb-line" }, h("h2", {}, done ? "Written" : "Files"), done ? h("span", { class: "wb-dim" }, `in ${done.name}`) : null), h("dl", { class: "wb-exportfiles" }, files.map(([name, words]) => [h("dt", {}, h("code", {}, name)), h("dd", { class: "wb-dim" }, words)]), h("dt", {}, h("code", {}, "manifest.json")), h("dd", { class: "wb-dim" }, done ? `sha256 ${done.manifest.sha256.slice(0, 12)}…` : "1 object"))];
}

function drawExportFoot(app) {
  const { exporting } = app;
  const { told, done, parts } = exporting;
  const total = told ? Object.values(told.rows).reduce((sum, each) => sum + each, 0) : 0;
  const copy = told && link("Copy", () => navigator.clipboard?.writeText(told.command).then(() => (copy.textContent = "Copied")), { "data-focus": "copy" });
  const said = done ? h("span", { class: "wb-said", role: "status" }, decisionSign("accepted"), ` Written: ${done.name}, ${plural(done.bytes, "byte")}, holds the files and their manifest.`) : told && [h("code", { class: "wb-command" }, told.command), copy];
  return [isWorking(exporting) ? null : said, parts.work, h("span", { class: "wb-gap" }), button("Close", () => closeExport(app), { "data-focus": "close" }), told ? button(`Write ${plural(total, "row")}`, () => writeExport(app), { class: "wb-button main", disabled: !total || isWorking(exporting) || Boolean(exporting.stopped || exporting.error), "data-focus": "write" }) : null];
}
