// What is chosen, as the parameters of a link, and the questions it leads to: one at a time, the latest choice first.

const FIELDS = ["event_type", "actor_kind", "actor_id", "stream_id", "source"];
const NAMES = [...FIELDS, ...FIELDS.map((field) => `not_${field}`), "since", "until", "text", "position", "event", "row", "zone", "theme"];
const ABSENT = "~";
const readValue = (text) => (text === ABSENT ? null : text.startsWith(ABSENT) ? text.slice(1) : text);
const writeValue = (value) => (value === null ? ABSENT : value.startsWith(ABSENT) ? ABSENT + value : value);

class Choices {
  constructor(query) {
    this.query = Object.fromEntries(Object.entries(query).filter(([name, values]) => NAMES.includes(name) && values?.length));
  }

  with(changes) {
    const query = { ...this.query };
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value.length === 0) delete query[name];
      else query[name] = Array.isArray(value) ? value : [String(value)];
    }
    return new Choices(query);
  }

  one(name) {
    return this.query[name]?.at(-1);
  }

  number(name) {
    return this.one(name) === undefined ? undefined : Number(this.one(name));
  }

  values(field, negated) {
    return (this.query[negated ? `not_${field}` : field] ?? []).map(readValue);
  }

  setValues(field, negated, values) {
    return this.with({ [negated ? `not_${field}` : field]: values.map(writeValue) });
  }

  only(field, value) {
    return this.with({ [`not_${field}`]: null, row: null }).setValues(field, false, [value]);
  }

  not(field, value) {
    const kept = this.values(field, false).filter((each) => each !== value);
    const chosen = this.values(field, false).length > 0;
    if (chosen) return this.setValues(field, false, kept).with({ row: null });
    return this.setValues(field, true, [...new Set([...this.values(field, true), value])]).with({ row: null });
  }

  // The names of what narrows the answer, as the chips and the views name them.
  narrowing() {
    const fields = FIELDS.filter((field) => this.query[field] || this.query[`not_${field}`]);
    return [...fields, ...(this.query.since || this.query.until ? ["window"] : []), ...(this.query.text ? ["text"] : [])];
  }

  isNarrowed() {
    return this.narrowing().length > 0;
  }

  cleared() {
    return new Choices(Object.fromEntries(["position", "event", "zone", "theme"].filter((name) => this.query[name]).map((name) => [name, this.query[name]])));
  }

  get zone() {
    return this.one("zone") ?? "utc";
  }

  address() {
    const kept = new URLSearchParams(window.location.search);
    for (const name of NAMES) kept.delete(name);
    for (const name of NAMES) for (const value of this.query[name] ?? []) kept.append(name, value);
    return kept.toString();
  }
}

class Asker {
  constructor(model) {
    this.model = model;
    this.last = 0;
    this.waiting = new Map();
    this.queue = [];
    this.busy = false;
    this.listen = (message, buffers) => this.receive(message, buffers);
    model.on("msg:custom", this.listen);
  }

  stop() {
    this.model.off("msg:custom", this.listen);
  }

  // Leaves out what has not been sent of an earlier plan; what is under way comes back and is dropped.
  plan(steps) {
    this.queue = steps;
    this.version = (this.version ?? 0) + 1;
    this.pump();
  }

  next(step) {
    this.queue.unshift(step);
    this.pump();
  }

  also(step) {
    this.queue.push(step);
    this.pump();
  }

  pump() {
    if (this.busy || !this.queue.length) return;
    const version = this.version;
    // What takes long and can wait is asked for when the hand rests: an answer under way cannot be called back.
    if (this.queue[0].rest && !this.queue[0].rested) {
      this.queue[0].rested = true;
      setTimeout(() => version === this.version && this.pump(), this.queue[0].rest);
      return;
    }
    const step = this.queue.shift();
    this.busy = true;
    this.last += 1;
    this.waiting.set(this.last, (reply, buffers) => {
      this.busy = false;
      if (version === this.version) step.done(reply, buffers);
      this.pump();
    });
    this.model.send({ id: this.last, kind: step.kind, choices: step.late ? { ...step.choices, ...step.late() } : step.choices, options: step.options ?? {} });
  }

  receive(message, buffers) {
    const done = this.waiting.get(message?.id);
    if (!done) return;
    this.waiting.delete(message.id);
    done(message, buffers);
  }
}
