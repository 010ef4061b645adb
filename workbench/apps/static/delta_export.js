// Export for training: what each rule drops, the distances that are kept, any row as it will be written, the files.

const EXPORT_FORMATS = [["sft", "SFT", "the person's text"], ["dpo", "DPO", "person's text over AI's"], ["kto", "KTO", "yes and no"], ["openai", "OpenAI preference", "the DPO pairs"]];
const SPLIT_WORDS = [["none", "one file"], ["log", "as in log"], ["time", "time"], ["person", "person"]];

const planOf = (app) => {
  try {
    return JSON.parse(app.choices.one("export") ?? "{}") ?? {};
  } catch {
    return {};
  }
};

function openExport(app) {
  app.exporting = { told: null, rule: null, written: null };
  if (app.choices.one("export") === undefined) app.choices = app.choices.with({ export: "{}" });
  app.remember(false, true);
  app.veil ??= h("div", { class: "wb-veil" });
  app.root.append(app.veil);
  for (const part of ["header", "filters", "main", "notice"]) app.parts[part].inert = true;
  drawExport(app);
  askPlan(app);
}

function closeExport(app) {
  app.exporting = null;
  app.choices = app.choices.with({ export: null });
  app.remember(false, true);
  app.veil.remove();
  for (const part of ["header", "filters", "main", "notice"]) app.parts[part].inert = false;
  app.parts.actions.querySelector(".wb-button.main")?.focus();
}

// A choice updates the counts in place; the old ones dim meanwhile.
function changePlan(app, changes) {
  app.choices = app.choices.with({ export: JSON.stringify({ ...planOf(app), ...changes }) });
  app.remember(false, true);
  app.exporting.done = null;
  askPlan(app);
}

function askPlan(app) {
  app.veil.querySelector(".wb-dialogbody")?.classList.add("busy");
  const step = app.ask("plan", (told) => {
    if (!app.exporting) return;
    Object.assign(app.exporting, { told, error: null, written: told.written });
    drawExport(app);
  }, { rule: app.exporting.rule });
  app.asker.instead([{ ...step, done: (reply, files) => (reply.error ? failExport(app, reply.error) : step.done(reply, files)) }]);
}

function failExport(app, { sentence }) {
  if (!app.exporting) return;
  app.exporting.error = sentence;
  drawExport(app);
}

function askWritten(app, after) {
  app.asker.also(app.ask("row", ({ written }) => {
    if (!app.exporting || !written) return;
    app.exporting.before = [...(app.exporting.before ?? []), app.exporting.written?.position ?? -1];
    app.exporting.written = written;
    drawExport(app);
  }, { after }));
}

function writeExport(app) {
  app.exporting.writing = true;
  drawExport(app);
  const step = app.ask("write", ({ manifest }, [file]) => {
    app.save(new Blob([file], { type: "application/zip" }), `${app.start.log}-${app.exporting?.told.plan.format}.zip`);
    if (app.exporting) Object.assign(app.exporting, { writing: false, done: manifest });
    drawExport(app);
  });
  app.asker.also({ ...step, done: (reply, files) => (reply.error ? ((app.exporting.writing = false), failExport(app, reply.error)) : step.done(reply, files)) });
}

function drawExport(app) {
  const { exporting, veil } = app;
  if (!exporting) return null;
  const { told } = exporting;
  const focus = veil.getRootNode().activeElement?.dataset?.focus;
  const title = h("div", { class: "wb-dialoghead" }, h("h1", { id: "wb-export-title" }, "Export for training"), told ? h("span", { class: "wb-dim" }, `${plural(told.proposals, "proposal")} from ${app.start.log}, position ${count(told.basis.position)}`) : null, h("span", { class: "wb-gap" }), button("✕ Esc", () => closeExport(app), { class: "wb-button bare", "aria-label": "Close" }));
  const failed = exporting.error ? h("div", { class: "wb-notice failed", role: "alert" }, h("span", { class: "wb-mark" }, "✕"), h("div", { class: "wb-words" }, h("b", {}, exporting.error))) : null;
  const body = told ? h("div", { class: "wb-dialogbody" }, drawExportChoices(app), drawExportRules(app), drawExportRow(app)) : h("div", { class: "wb-dialogbody" }, h("p", { class: "wb-dim" }, exporting.error ? "" : "Counting what each rule drops …"));
  fill(veil, h("div", { class: "wb-dialog", role: "dialog", "aria-modal": "true", "aria-labelledby": "wb-export-title", onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); closeExport(app); } } }, title, failed, body, told ? drawExportFoot(app) : null));
  (focus ? veil.querySelector(`[data-focus="${focus}"]`) : veil.querySelector("input[type=radio]:checked, button"))?.focus({ preventScroll: true });
  return null;
}

function drawExportChoices(app) {
  const { plan, formats, wrong, proposals } = app.exporting.told;
  const format = ([name, words, note]) => h("label", { class: `wb-format ${plan.format === name ? "here" : ""}` }, h("input", { type: "radio", name: "format", checked: plan.format === name, "data-focus": `format-${name}`, onchange: () => changePlan(app, { format: name, messages: name === "openai" ? true : plan.messages }) }), h("span", {}, h("b", {}, words), h("span", { class: "wb-dim" }, note)), h("span", { class: "wb-number" }, count(formats[name] ?? 0)));
  const prompt = h("textarea", { class: "wb-lines", rows: 3, "aria-label": "Prompt template", "data-focus": "prompt", onchange: (event) => changePlan(app, { prompt: event.target.value }) });
  prompt.value = plan.prompt;
  const checks = wrong.length ? wrong.map((each) => h("div", { class: "wb-wrongrow" }, "✕ ", each)) : [h("div", {}, decisionSign("accepted"), " keys as the trainer allows")];
  return h("div", { class: "wb-exportchoices" }, h("h2", {}, "Format"), EXPORT_FORMATS.map(format),
    h("div", { class: "wb-exportpart" }, h("div", { class: "wb-dim" }, "Rows as"), switchOf("Rows as", [[true, "messages"], [false, "plain text", plan.format === "openai" ? "OpenAI's format has messages only." : null]], plan.messages, (messages) => changePlan(app, { messages }))),
    h("div", { class: "wb-exportpart" }, h("div", { class: "wb-dim" }, "File"), switchOf("File", [["jsonl", "JSONL"], ["parquet", "Parquet"]], plan.file, (file) => changePlan(app, { file }))),
    h("div", { class: "wb-exportpart" }, h("div", { class: "wb-dim" }, "Split"), switchOf("Split", SPLIT_WORDS, plan.split, (split) => changePlan(app, { split }))),
    h("div", { class: "wb-exportpart" }, h("div", { class: "wb-dim" }, "Prompt"), prompt),
    h("div", { class: "wb-exportpart" }, h("div", { class: "wb-dim" }, "Checks"), checks, proposals ? null : h("div", {}, "! no proposal is chosen")));
}

function drawExportRules(app) {
  const { told } = app.exporting;
  const { rules, proposals, plan } = told;
  const wide = (number) => `${proposals ? (100 * number) / proposals : 0}%`;
  const pick = (rule) => ((app.exporting.rule = rule), askPlan(app));
  const row = (each, index) => h("tr", { tabindex: "0", "data-focus": `rule-${each.rule}`, "aria-selected": String(each.rule === told.rule), onclick: () => pick(each.rule), onkeydown: (event) => event.key === "Enter" && pick(each.rule) }, h("td", { class: "wb-dim number" }, index || ""), h("td", {}, each.title), h("td", {}, h("span", { class: "wb-rulebar" }, h("i", { style: { width: wide(each.left) } }), h("i", { class: "gone", style: { width: wide(each.dropped) } }))), h("td", { class: `number ${each.dropped ? "wb-bad" : "wb-dim"}` }, each.dropped ? `${MINUS}${count(each.dropped)}` : "0"), h("td", { class: "number" }, count(each.left)));
  const left = rules.at(-1)?.left ?? 0;
  const chosen = rules.find((each) => each.rule === told.rule);
  const samples = told.samples.map((each) => h("div", { class: "wb-sample" }, h("div", { class: "wb-dim" }, `position ${count(each.position)}`), h("div", {}, drawBriefDelta(each))));
  return h("div", { class: "wb-exportrules" }, h("div", { class: "wb-line" }, h("h2", {}, "What each rule drops"), h("span", { class: "wb-dim" }, "in this order; a row is counted at the first rule that drops it")),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, "rule"), h("th", {}), h("th", { class: "number", scope: "col" }, "dropped"), h("th", { class: "number", scope: "col" }, "left"))), h("tbody", {}, rules.map(row), h("tr", { class: "wb-total" }, h("td", {}), h("td", {}, h("b", {}, "Rows written")), h("td", { class: "wb-dim" }, `${percent(left, proposals)} of ${count(proposals)}`), h("td", { class: "number wb-bad" }, `${MINUS}${count(proposals - left)}`), h("td", { class: "number" }, h("b", {}, count(left)))))),
    plan.format === "sft" ? null : drawExportDistances(app),
    h("div", { class: "wb-line" }, h("h2", {}, chosen ? `Dropped by “${chosen.title}”` : "Dropped"), h("span", { class: "wb-dim" }, chosen ? `${samples.length} of ${count(chosen.dropped)}` : "")), samples.length ? samples : h("p", { class: "wb-dim" }, "This rule drops nothing."));
}

// Two handles over the distances: arrows move one by 0.01, with Shift by 0.05; or a hand drags it.
function drawExportDistances(app) {
  const { distances, plan } = app.exporting.told;
  const bins = distances.length;
  const most = Math.max(1, ...distances);
  const [low, high] = plan.distance;
  const total = distances.reduce((sum, each) => sum + each, 0);
  const bars = distances.map((each, index) => h("i", { class: (index + 0.5) / bins < low || (index + 0.5) / bins > high ? "gone" : "", style: { height: `${(100 * each) / most}%` }, title: `${(index / bins).toFixed(2)}–${((index + 1) / bins).toFixed(2)}: ${count(each)}` }));
  const set = (which, value) => {
    const held = Math.round(100 * Math.max(0, Math.min(1, value))) / 100;
    changePlan(app, { distance: which ? [low, Math.max(low, held)] : [Math.min(high, held), high] });
  };
  const handle = (which, value, words) => {
    const node = h("div", { class: `wb-limit ${which ? "to" : "from"}`, tabindex: "0", role: "slider", "data-focus": `limit-${which}`, "aria-label": `Distance ${words}`, "aria-valuemin": "0", "aria-valuemax": "1", "aria-valuenow": value.toFixed(2), style: { left: `${100 * value}%` },
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
      };
      node.addEventListener("pointermove", move);
      node.addEventListener("pointerup", () => set(which, at), { once: true });
    });
    return node;
  };
  return h("div", { class: "wb-exportdistance" }, h("div", { class: "wb-line" }, h("h2", {}, "Distance"), h("span", { class: "wb-dim" }, `${plural(total, "pair")} after rule 4; grey is dropped; drag either end`)),
    h("div", { class: "wb-limits" }, h("div", { class: "wb-limitbars" }, bars), handle(0, low, "from"), handle(1, high, "to")), h("div", { class: "wb-limitaxis wb-dim" }, ["0.00", "0.25", "0.50", "0.75", "1.00"].map((each) => h("span", {}, each))));
}

function drawExportRow(app) {
  const { told, written, done, before } = app.exporting;
  const left = told.rules.at(-1)?.left ?? 0;
  const facts = [["format", `${told.plan.format}, ${told.plan.messages ? "messages" : "plain text"}, ${told.plan.file}`], ["log", `${app.start.log}, position ${count(told.basis.position)}`], ["registry", told.basis.registry_hash.slice(0, 12)], ["mappings", told.basis.mappings_hash.slice(0, 12)], ["thresholds", told.plan.format === "sft" ? "none" : `distance ${told.plan.distance.map((each) => each.toFixed(2)).join(" to ")}`], ["split", told.plan.split], ["rows", `${count(told.proposals)} in, ${count(told.proposals - left)} dropped, ${count(left)} out`]];
  const files = done ? done.files.map((each) => [each.name, `${plural(each.rows, "row")} · sha256 ${each.sha256.slice(0, 12)}…`]) : Object.entries(told.rows).map(([part, rows]) => [`${app.start.log}-${told.plan.format}-${part}.${told.plan.file}`, plural(rows, "row")]);
  return h("div", { class: "wb-exportrow" }, h("div", { class: "wb-line" }, h("h2", {}, written ? `Row of position ${count(written.position)}` : "No row"), h("span", { class: "wb-gap" }), button("↑", () => { const to = before?.at(-1); app.exporting.before = (before ?? []).slice(0, -1); if (to !== undefined) app.asker.also(app.ask("row", (body) => ((app.exporting.written = body.written), drawExport(app)), { after: to - 1 })); }, { class: "wb-button icon", "aria-label": "Row before", disabled: !before?.length }), button("↓", () => askWritten(app, written.position), { class: "wb-button icon", "aria-label": "Row after", disabled: !written })),
    written?.redline ? h("div", { class: "wb-text small" }, drawRedline(written.redline)) : null, written ? h("pre", { class: "wb-code", tabindex: "0" }, written.json) : null,
    h("div", { class: "wb-line" }, h("h2", {}, "Manifest"), h("span", { class: "wb-dim" }, "written beside the files")), h("dl", { class: "wb-facts mono" }, facts.map(([name, words]) => pair(name, words))),
    h("div", { class: "wb-line" }, h("h2", {}, done ? "Written" : "Files")), h("dl", { class: "wb-exportfiles" }, files.map(([name, words]) => [h("dt", {}, h("code", {}, name)), h("dd", { class: "wb-dim" }, words)]), h("dt", {}, h("code", {}, "manifest.json")), h("dd", { class: "wb-dim" }, "1 object")));
}

function drawExportFoot(app) {
  const { told, writing, done } = app.exporting;
  const total = Object.values(told.rows).reduce((sum, each) => sum + each, 0);
  const copy = link("Copy", () => navigator.clipboard?.writeText(told.command).then(() => (copy.textContent = "Copied")));
  return h("div", { class: "wb-dialogfoot" }, h("code", { class: "wb-command" }, told.command), copy, h("span", { class: "wb-gap" }), writing ? h("span", { class: "wb-spinner" }) : done ? h("span", { class: "wb-dim" }, "Written: the archive holds the files and their manifest.") : null, button(writing ? "Cancel" : "Close", () => (writing ? ((app.exporting.writing = false), app.asker.drop(), drawExport(app)) : closeExport(app))), button(`Write ${plural(total, "row")}`, () => writeExport(app), { class: "wb-button main", disabled: !total || Boolean(writing) || Boolean(app.exporting.error), "data-focus": "write" }));
}
