// The scrubber and the waves, one picture on one axis of order: above it time, below it a band for each value.

const TOP = 136;
const AXIS_ROW = 30;
const ROW = 30;
const RAIL = 26;
const LANES_AT = 88;
const LANE = 13;
const MOST_SLOTS = 100;
const NARROW = 6.4;

class Scrubber {
  constructor(app, act) {
    this.app = app;
    this.act = act;
    this.low = 0;
    this.node = h("div", { class: "wb-scrub", tabindex: "0", role: "slider", "aria-label": "Event of the entity", "aria-orientation": "horizontal" });
    this.hold();
  }

  // What is shown: a history, the event under the cursor, the fields in their rows, a time on the rail.
  show(history, index, rows, micros, how = {}) {
    Object.assign(this, { history, index, rows, micros, how });
    this.place();
    this.draw();
    const { node } = this;
    node.setAttribute("aria-valuemin", "0");
    node.setAttribute("aria-valuemax", String(history.size));
    node.setAttribute("aria-valuenow", String(index + 1));
    node.setAttribute("aria-valuetext", index < 0 ? "before the first event" : `event ${index + 1} of ${history.size}, ${timeText(history.occurred[index], "utc", 0)} UTC`);
  }

  // More than a hundred slots: the order rail shows those around the cursor.
  place() {
    const { history } = this;
    this.slots = Math.max(1, Math.min(MOST_SLOTS, history.size));
    if (this.how.from !== undefined) {
      this.low = this.how.from;
      this.slots = Math.max(1, history.size - this.low);
    } else if (!this.dragging && (this.index < this.low + 5 || this.index >= this.low + this.slots - 5)) this.low = this.index - (this.slots >> 1);
    this.low = Math.max(0, Math.min(history.size - this.slots, this.low));
    this.wide = Math.max(240, this.node.clientWidth || 516);
    this.step = this.wide / this.slots;
    const [first, last] = this.span();
    const pad_ = Math.max(1, (last - first) * 0.01);
    this.from = first - pad_;
    this.to = last + pad_;
  }

  span() {
    if (this.how.from === undefined) return [this.history.first, this.history.last];
    const times = this.history.occurred.slice(this.how.from);
    return [Math.min(...times), Math.max(...times)];
  }

  timeX(micros) {
    return Math.max(0, Math.min(this.wide, ((micros - this.from) / (this.to - this.from)) * this.wide));
  }

  slotX(index) {
    return (index - this.low + 0.5) * this.step;
  }

  draw() {
    const { rows, wide } = this;
    const high = TOP + AXIS_ROW + ROW * rows.length * (this.how.twice ? 1.4 : 1);
    this.svg = s("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, "aria-hidden": "true" }, this.drawTime(), this.drawThreads(), this.drawSlots(), this.drawAxis(), rows.map((name, row) => this.drawWave(name, row)), this.drawFrame(high));
    fill(this.node, this.svg);
  }

  drawTime() {
    const ticks = timeTicks(this.from, this.to, this.app.choices.zone, this.app.start.last, Math.floor(this.wide / 64)).map(([micros, words]) => [micros, words.replace(/^(\d+ \w+) \d{4}$/, "$1")]);
    const marks = ticks.map(([micros, words]) => [s("line", { class: "wb-hair", x1: this.timeX(micros), x2: this.timeX(micros), y1: RAIL, y2: RAIL + 5 }), this.timeX(micros) > this.wide - 24 ? null : s("text", { class: "wb-small", x: Math.max(16, this.timeX(micros)), y: 12, "text-anchor": this.timeX(micros) < 40 ? "start" : "middle", ...(this.timeX(micros) < 40 ? { x: 0 } : {}) }, words)]);
    return [s("line", { class: "wb-hair", x1: 0, x2: this.wide, y1: RAIL, y2: RAIL }), marks];
  }

  each(act) {
    return Array.from({ length: Math.min(this.slots, this.history.size - this.low) }, (_, number) => act(this.low + number));
  }

  drawThreads() {
    const end = LANES_AT - 8;
    const middle = (RAIL + end) / 2;
    const path = (index) => `M${this.timeX(this.history.occurred[index]).toFixed(1)} ${RAIL + 2}C${this.timeX(this.history.occurred[index]).toFixed(1)} ${middle} ${this.slotX(index).toFixed(1)} ${middle} ${this.slotX(index).toFixed(1)} ${end}`;
    if (this.how.twice) return this.each((index) => s("path", { class: this.how.aside.has(this.history.position[index]) ? "wb-thread aside" : "wb-thread", d: path(index) }));
    const threads = this.each((index) => (index === this.index ? null : s("path", { class: index > this.index ? "wb-thread later" : "wb-thread", d: path(index) })));
    return [threads, this.index >= this.low && this.index < this.low + this.slots ? s("path", { class: "wb-thread here", d: path(this.index) }) : null];
  }

  laneY(lane) {
    const most = this.history.lanes.length;
    return LANES_AT + lane * (most > 3 ? 10 : LANE);
  }

  drawSlots() {
    const { history } = this;
    const wide = Math.max(2, Math.min(this.how.twice ? 17 : 9, this.step - 2));
    const signs = { human: "●", ai: "◆", system: "■" };
    const names = history.lanes.map((lane, number) => s("text", { class: "wb-small wb-lane", x: -7, y: this.laneY(number) + 9, "text-anchor": "end" }, signs[lane] ?? (lane.length > 2 ? lane.slice(0, 2) : lane), s("title", {}, lane)));
    const aside = this.how.aside;
    const slot = (index) => {
      const hue = this.app.hues.get(history.type[index]);
      const high = history.lanes.length > 3 ? 7 : 9;
      return s("rect", { class: `wb-slot ${index > this.index && !this.how.twice ? "later" : ""} ${hue ? "" : HOLLOW}`, x: (this.slotX(index) - wide / 2).toFixed(2), y: this.laneY(history.lane[index]), width: wide, height: high, rx: 1.5, style: hue ? { fill: hue } : {} }, s("title", {}, `${history.type[index]}${history.word[index] ? ` ${history.word[index]}` : ""}, position ${count(history.position[index])}`));
    };
    const left = aside?.size ? this.each((index) => (aside.has(history.position[index]) ? s("rect", { class: "wb-aside", x: this.slotX(index) - this.step / 2, y: LANES_AT - 6, width: this.step, height: 3 * LANE + 8 }) : null)) : null;
    return [this.hatch(), left, names, this.each(slot)];
  }

  hatch() {
    if (!this.how.aside) return null;
    return s("defs", {}, s("pattern", { id: "wb-hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("line", { class: "wb-hatching", x1: 0, x2: 0, y1: 0, y2: 6 })));
  }

  drawAxis() {
    const y = TOP + 20;
    const every = [1, 2, 5, 10, 20, 25, 50].find((size) => this.slots / size <= this.wide / 44) ?? 50;
    const shown = this.each((index) => index).filter((index) => index === 0 || index === this.history.size - 1 || index % every === 0);
    const near = (index) => Math.abs(this.slotX(index) - this.slotX(this.index)) < 24 || (index !== this.history.size - 1 && this.slotX(this.history.size - 1) - this.slotX(index) < 24 && this.history.size - 1 < this.low + this.slots);
    const words = shown.map((index) => (near(index) && !this.how.twice ? null : s("text", { class: "wb-small", x: this.slotX(index), y, "text-anchor": index === this.low ? "start" : index === this.low + this.slots - 1 ? "end" : "middle", ...(index === this.low ? { x: 0 } : index === this.low + this.slots - 1 ? { x: this.wide } : {}) }, count(index + 1))));
    return [words, s("line", { class: "wb-hair", x1: 0, x2: this.wide, y1: TOP + AXIS_ROW - 0.5, y2: TOP + AXIS_ROW - 0.5 })];
  }

  drawWave(name, row) {
    const pitch = ROW * (this.how.twice ? 1.4 : 1);
    const y = TOP + AXIS_ROW + pitch * row;
    const parts = [s("line", { class: "wb-hair", x1: 0, x2: this.wide, y1: y + pitch - 0.5, y2: y + pitch - 0.5 })];
    this.drawBands(parts, this.history, name, y + (this.how.twice ? 4 : 7), 16);
    if (this.how.twice) this.how.twice(this, parts, name, y + 22);
    return parts;
  }

  drawBands(parts, history, name, y, high) {
    const bands = history.bands[name] ?? [];
    const field = history.byName.get(name);
    const at = this.how.twice ? history.size - 1 : this.index;
    const end = Math.min(history.size, this.low + this.slots);
    bands.forEach(([start, text], number) => {
      const until = bands[number + 1]?.[0] ?? history.size;
      const [first, last] = [Math.max(start, this.low, 0), Math.min(until, end)];
      const isMove = history.moves.has(`${start}/${name}`);
      if (last <= first) return;
      const words = start < 0 ? "" : waveWords(this.app, field, text);
      const blank = isEmpty(text) || start < 0;
      const split = Math.min(last, at + 1);
      if (first < split && !blank) this.band(parts, first, split, y, high, start <= at && at < until && !this.how.twice ? "here" : "past", isMove ? "" : words, words);
      if (split < last && !blank) this.band(parts, Math.max(first, at + 1), last, y, high, "later", first > at && !isMove ? words : "", words);
      if (isMove && start >= this.low) this.mark(parts, start, y, high, words, last - first, start > at);
    });
  }

  band(parts, first, last, y, high, kind, words, title) {
    const x = (first - this.low) * this.step + 0.5;
    const wide = (last - first) * this.step - 1;
    parts.push(s("rect", { class: `wb-band ${kind}`, x: x.toFixed(2), y: kind === "later" ? y + 0.5 : y, width: Math.max(1, wide).toFixed(2), height: kind === "later" ? high - 1 : high, rx: 1.5 }, s("title", {}, title)));
    if (words && wide > words.length * NARROW + 8) parts.push(s("text", { class: `wb-small wb-inband ${kind}`, x: x + 4, y: y + 12 }, words));
  }

  // A transition outside the field's state machine: a sign, not a colour.
  mark(parts, index, y, high, words, length, later) {
    const x = (index - this.low) * this.step + 3;
    parts.push(s("text", { class: `wb-small wb-move ${later ? "later" : ""}`, x, y: y + 12.5 }, "!"));
    if (length * this.step > words.length * NARROW + 18) parts.push(s("text", { class: `wb-small wb-inband ${later ? "later" : "past"}`, x: x + 10, y: y + 12 }, words));
  }

  drawFrame(high) {
    const dot = this.micros === null ? null : s("circle", { class: "wb-dot", cx: this.timeX(this.micros), cy: RAIL, r: 6 });
    if (this.how.twice) {
      const x = this.how.point === undefined ? null : (this.how.point - this.low) * this.step;
      return x === null ? null : [s("line", { class: "wb-cursor", x1: x, x2: x, y1: LANES_AT - 8, y2: high }), s("circle", { class: "wb-dot", cx: x, cy: LANES_AT - 8, r: 5 })];
    }
    if (this.index < this.low || this.index >= this.low + this.slots) return dot;
    const wide = Math.max(11, this.step + 2);
    const words = count(this.index + 1);
    const pill = words.length * 8 + 12;
    const x = this.slotX(this.index);
    const left = Math.max(0, Math.min(this.wide - pill, x - pill / 2));
    return [
      s("rect", { class: "wb-frame", x: Math.max(1, Math.min(this.wide - wide - 1, x - wide / 2)), y: LANES_AT - 7, width: wide, height: high - LANES_AT + 6, rx: 3 }),
      s("rect", { class: "wb-pill", x: left, y: TOP + 5, width: pill, height: 20, rx: 4 }),
      s("text", { class: "wb-pillwords", x: left + pill / 2, y: TOP + 19.5, "text-anchor": "middle" }, words),
      dot,
    ];
  }

  // A hand: over the rail it drags time, below it the order.
  hold() {
    const { node } = this;
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.history?.size) return;
      event.preventDefault();
      node.focus({ preventScroll: true });
      const box = node.getBoundingClientRect();
      const byTime = event.clientY - box.top < RAIL + 16;
      const began = this.at(event);
      if (event.shiftKey && this.act.compare) return this.act.compare(began);
      this.dragging = true;
      const move = (moved) => {
        this.next = moved;
        this.waiting ??= requestAnimationFrame(() => {
          this.waiting = undefined;
          this.act.drag(byTime ? { micros: this.timeAt(this.next) } : { index: this.at(this.next) });
        });
      };
      const up = () => {
        node.removeEventListener("pointermove", move);
        cancelAnimationFrame(this.waiting);
        this.waiting = undefined;
        this.dragging = false;
        this.act.drop(byTime ? { micros: this.timeAt(this.next) } : { index: this.at(this.next) });
      };
      this.next = event;
      move(event);
      node.setPointerCapture(event.pointerId);
      node.addEventListener("pointermove", move);
      node.addEventListener("pointerup", up, { once: true });
      node.addEventListener("pointercancel", up, { once: true });
      return null;
    });
  }

  at(event) {
    const x = event.clientX - this.node.getBoundingClientRect().left;
    return Math.max(0, Math.min(this.history.size - 1, this.low + Math.floor(x / this.step)));
  }

  timeAt(event) {
    const x = event.clientX - this.node.getBoundingClientRect().left;
    return this.from + (Math.max(0, Math.min(this.wide, x)) / this.wide) * (this.to - this.from);
  }
}

// A picture of the drawing as it stands, in its own colours.
async function drawingToPng(svg, ground) {
  const copy = svg.cloneNode(true);
  const [from, to] = [svg, copy].map((node) => [...node.querySelectorAll("*")]);
  from.forEach((node, index) => {
    const styles = getComputedStyle(node);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font", "font-size", "font-weight", "font-family"]) to[index].style.setProperty(name, styles.getPropertyValue(name));
  });
  const [wide, high] = [svg.width.baseVal.value + 48, svg.height.baseVal.value + 16];
  copy.setAttribute("viewBox", `-24 -8 ${wide} ${high}`);
  copy.setAttribute("width", wide);
  copy.setAttribute("height", high);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = h("canvas", { width: wide * 2, height: high * 2 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, wide * 2, high * 2);
  pen.drawImage(image, 0, 0, wide * 2, high * 2);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
