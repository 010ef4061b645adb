// The whole log, small: grey is everything, accent what the filters leave, on one scale; the brush chooses a window.

const STRIP = 46;

function stripPath(starts, ends, events, place, tallest) {
  let path = "";
  for (let index = 0; index < starts.length; index += 1) {
    if (!events[index]) continue;
    const left = place(starts[index] * 1e6);
    const wide = Math.max(1, place(ends[index] * 1e6) - left - (place(ends[index] * 1e6) - left > 3 ? 1 : 0));
    const high = Math.max(1, (STRIP * events[index]) / tallest);
    path += `M${left.toFixed(2)} ${STRIP}v${-high.toFixed(2)}h${wide.toFixed(2)}v${high.toFixed(2)}z`;
  }
  return path;
}

function drawStrip(app) {
  const { start, parts, choices } = app;
  if (!start || !start.bars.start.length) return fill(parts.strip);
  const { bars } = start;
  const [from, to] = app.extent();
  const wide = Math.max(200, parts.strip.clientWidth);
  const place = (micros) => ((micros - from) / (to - from)) * wide;
  const tallest = Math.max(...bars.events);
  const matching = new Map((app.strip?.start ?? []).map((key, index) => [key, app.strip.events[index]]));
  const narrowed = choices.narrowing().some((name) => name !== "window");
  const left = bars.start.map((key) => matching.get(key) ?? 0);
  const total = left.reduce((sum, each) => sum + each, 0);
  const reference = start.last;
  const span = `${timeText(start.first, choices.zone, reference, "day")} – ${timeText(start.last, choices.zone, reference, "day")}`;
  const svg = s("svg", { width: wide, height: STRIP, viewBox: `0 0 ${wide} ${STRIP}`, role: "img", "aria-label": `Events over time, ${span}` },
    s("path", { class: "wb-all", d: stripPath(bars.start, bars.end, bars.events, place, tallest) }),
    narrowed && app.strip ? s("path", { class: "wb-left", d: stripPath(bars.start, bars.end, left, place, tallest) }) : null);
  const box = h("div", { class: "wb-stripbox", tabindex: "0", "aria-label": "Whole log; drag to choose a window" }, svg);
  app.brush = makeBrush(app, box, from, to, wide);
  const ticks = timeTicks(from, to, choices.zone, reference, Math.floor(wide / 105));
  fill(
    parts.strip,
    h("div", { class: "wb-line" },
      h("h2", {}, "Whole log"),
      h("span", { class: "wb-dim" }, `${span}${choices.zone === "relative" ? " " + zoneWord("relative") : choices.zone === "local" ? " " + localShort() : " UTC"} · 1 bar = ${start.grain}, tallest ${count(tallest)}`),
      narrowed && app.strip ? h("span", { class: "wb-dim wb-keys" }, h("i", { class: "wb-key left" }), `${count(total)} match`, h("i", { class: "wb-key all" }), `${count(start.events)} all`) : null,
      h("span", { class: "wb-gap" }),
      app.chosenWindow() ? link("whole log", () => app.setWindow(null)) : null),
    box,
    h("div", { class: "wb-axis" }, ticks.map(([micros, words]) => h("span", { style: { left: `${place(micros)}px` } }, words))),
  );
  return null;
}

function makeBrush(app, box, from, to, wide) {
  const brush = h("div", { class: "wb-brush" }, h("i", { class: "wb-handle left" }), h("i", { class: "wb-handle right" }));
  const words = h("span", { class: "wb-length" });
  box.append(brush, words);
  const place = (micros) => ((micros - from) / (to - from)) * wide;
  const time = (pixels) => from + (Math.max(0, Math.min(wide, pixels)) / wide) * (to - from);
  const show = (window_) => {
    const [since_, until] = window_ ?? [from, to];
    const [a, b] = [place(Math.max(from, since_)), place(Math.min(to, until))];
    const width = Math.max(12, b - a);
    const left = Math.max(0, Math.min(wide - width, (a + b - width) / 2));
    Object.assign(brush.style, { left: `${left}px`, width: `${width}px` });
    brush.classList.toggle("whole", !window_);
    words.textContent = window_ ? durationText(until - since_) : "";
    const room = left > 90;
    Object.assign(words.style, room ? { right: `${wide - left + 6}px`, left: "auto" } : { left: `${left + width + 6}px`, right: "auto" });
  };
  show(app.chosenWindow());
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    box.focus({ preventScroll: true });
    const origin = event.clientX - box.getBoundingClientRect().left;
    const old = app.chosenWindow() ?? [from, to];
    const whole = !app.chosenWindow();
    const role = whole ? "new" : event.target.classList.contains("wb-handle") ? (event.target.classList.contains("left") ? "left" : "right") : event.target === brush ? "move" : "new";
    let current = null;
    const move = (moved) => {
      const pixels = moved.clientX - box.getBoundingClientRect().left;
      const distance = time(pixels) - time(origin);
      if (role === "new" && Math.abs(pixels - origin) < 3) return;
      if (role === "new") current = [time(Math.min(origin, pixels)), time(Math.max(origin, pixels))];
      if (role === "left") current = [Math.min(old[1] - 1000, old[0] + distance), old[1]];
      if (role === "right") current = [old[0], Math.max(old[0] + 1000, old[1] + distance)];
      if (role === "move") current = [old[0] + distance, old[1] + distance];
      show(current);
    };
    const up = () => {
      box.removeEventListener("pointermove", move);
      if (current) app.setByHand(current, (to - from) / wide);
    };
    box.setPointerCapture(event.pointerId);
    box.addEventListener("pointermove", move);
    box.addEventListener("pointerup", up, { once: true });
    box.addEventListener("pointercancel", up, { once: true });
  });
  app.watchWheel(box, (event) => time(event.clientX - box.getBoundingClientRect().left));
  return show;
}
