// The detail: the picture that Python made, drawn by Vega without eval, and a hand over it.

function drawDetailHead(app) {
  const { timeline, choices, parts } = app;
  if (!timeline) return fill(parts.head);
  const [from, to] = timeline.window;
  const zone = choices.zone === "utc" ? "UTC" : choices.zone === "local" ? localShort() : zoneWord("relative");
  return fill(
    parts.head,
    h("div", { class: "wb-line" },
      h("h2", { class: "wb-window" }, `${windowText(from, to, choices.zone, app.start.last)} ${zone}`),
      h("span", { class: "wb-gap" }),
      button("−", () => app.zoom(2), { class: "wb-button icon", "aria-label": "Zoom out", disabled: !app.chosenWindow() }),
      button("+", () => app.zoom(0.5), { class: "wb-button icon", "aria-label": "Zoom in" })),
    h("div", { class: "wb-line wb-dim" }, timeline.events ? [h("span", {}, `${timeline.caption} · on occurred_at`), h("span", { class: "wb-gap" }), h("span", {}, plural(timeline.event_types, "event type"))] : "Nothing to count"),
  );
}

async function drawLanes(app) {
  const { timeline, parts } = app;
  if (!timeline || !timeline.events) return;
  const chart = h("div", { class: "wb-chart" });
  const result = await vegaEmbed(chart, timeline.spec, { actions: false, ast: true, renderer: "canvas", tooltip: false, loader: { http: { mode: "same-origin" } } });
  if (app.timeline !== timeline) return result.finalize();
  app.view?.finalize();
  app.view = result;
  const { left, top, width, height } = timeline.geometry;
  const plot = h("div", { class: "wb-plot", tabindex: "0", role: "img", "aria-label": `${count(timeline.events)} events over time, by type`, style: { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` } });
  const drag = h("div", { class: "wb-drag", hidden: true });
  const read = h("div", { class: "wb-read", hidden: true });
  const here = h("div", { class: "wb-here", hidden: true }, h("span", {}));
  plot.append(drag, here);
  app.here = here;
  fill(parts.lanes, chart, plot, read);
  handleHand(app, plot, drag, read);
  markEvent(app);
  return null;
}

function barsOf(timeline) {
  if (timeline.bars) return timeline.bars;
  const text = Object.values(timeline.spec.datasets).find((each) => typeof each === "string") ?? "";
  timeline.bars = new Map(text.trim().split("\n").slice(1).map((line) => line.split(",").map(Number)).map((bar) => [`${bar[0]}/${bar[1]}`, { start: bar[1], end: bar.length === 4 ? bar[2] : bar[1] + 1, events: bar.at(-1) }]));
  return timeline.bars;
}

function handleHand(app, plot, drag, read) {
  const { timeline } = app;
  const [from, to] = timeline.window;
  const { width, height, left, top, origin, unit, lanes } = timeline.geometry;
  const time = (pixels) => from + (Math.max(0, Math.min(width, pixels)) / width) * (to - from);
  const names = Object.values(timeline.spec.datasets).find((each) => Array.isArray(each) && each[0]?.name) ?? [];
  const starts = [...barsOf(timeline).values()].map((bar) => bar.end - bar.start);
  const bar = starts.length ? Math.min(...starts) : 1;
  const tell = (event) => {
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const lane = Math.max(0, Math.min(lanes - 1, Math.floor(y / (height / lanes))));
    const at = Math.floor((time(x) / 1e6 - origin) / unit);
    const found = barsOf(timeline).get(`${lane}/${at - (((at % bar) + bar) % bar)}`) ?? barsOf(timeline).get(`${lane}/${at}`);
    const moment = found ? (origin + found.start * unit) * 1e6 : time(x);
    const zone = app.choices.zone === "relative" ? "" : app.choices.zone === "local" ? ` ${localShort()}` : " UTC";
    read.textContent = `${timeText(moment, app.choices.zone, app.start.last, "second")}${zone} · ${names[lane]?.name ?? ""} ${count(found?.events ?? 0)}`;
    read.hidden = false;
    const half = read.offsetWidth / 2;
    read.style.left = `${Math.max(0, Math.min(left + width - 2 * half + 60, left + x - half))}px`;
    read.style.top = `${top + (lane + 1) * (height / lanes) + 4}px`;
  };
  plot.addEventListener("pointermove", (event) => event.buttons || tell(event));
  plot.addEventListener("pointerleave", () => (read.hidden = true));
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    plot.focus({ preventScroll: true });
    read.hidden = true;
    const began = event.clientX - plot.getBoundingClientRect().left;
    let chosen = null;
    const move = (moved) => {
      const x = Math.max(0, Math.min(width, moved.clientX - plot.getBoundingClientRect().left));
      if (Math.abs(x - began) < 3) return;
      chosen = [time(Math.min(x, began)), time(Math.max(x, began))];
      drag.hidden = false;
      Object.assign(drag.style, { left: `${Math.min(x, began)}px`, width: `${Math.abs(x - began)}px` });
    };
    const up = () => {
      plot.removeEventListener("pointermove", move);
      drag.hidden = true;
      if (chosen) app.setByHand(chosen, (to - from) / width);
    };
    plot.setPointerCapture(event.pointerId);
    plot.addEventListener("pointermove", move);
    plot.addEventListener("pointerup", up, { once: true });
    plot.addEventListener("pointercancel", up, { once: true });
  });
  app.watchWheel(plot, (event) => time(event.clientX - plot.getBoundingClientRect().left));
}

// The open event: a dotted line through the lanes, its exact time on an accent label.
function markEvent(app) {
  const { here, timeline } = app;
  const moment = app.event?.envelope.occurred_at;
  if (!here || !timeline) return;
  const [from, to] = timeline.window;
  here.hidden = moment === undefined || moment < from || moment >= to;
  if (here.hidden) return;
  here.style.left = `${((moment - from) / (to - from)) * timeline.geometry.width}px`;
  here.firstChild.textContent = app.choices.zone !== "relative" && to - from < 3 * 86400e6 ? timeText(moment, app.choices.zone, 0).slice(11) : timeText(moment, app.choices.zone, app.start.last);
  // The label stays over the plot, wherever its line is.
  const half = here.firstChild.offsetWidth / 2;
  const at = here.offsetLeft;
  here.firstChild.style.transform = `translateX(${-half + Math.max(0, half - at) - Math.max(0, at + half - timeline.geometry.width)}px)`;
}
