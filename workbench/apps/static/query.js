// What is chosen, as the parameters of a link, and the questions it leads to: one at a time, the latest choice first.

// A page's own kind names its parameters in NAMES.
class Query {
  static NAMES = [];

  constructor(query) {
    this.query = Object.fromEntries(Object.entries(query).filter(([name, values]) => this.constructor.NAMES.includes(name) && values?.length));
  }

  with(changes) {
    const query = { ...this.query };
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value.length === 0) delete query[name];
      else query[name] = Array.isArray(value) ? value : [String(value)];
    }
    return new this.constructor(query);
  }

  one(name) {
    return this.query[name]?.at(-1);
  }

  number(name) {
    return this.one(name) === undefined ? undefined : Number(this.one(name));
  }

  get zone() {
    return this.one("zone") ?? "utc";
  }

  address() {
    const kept = new URLSearchParams(window.location.search);
    for (const name of this.constructor.NAMES) kept.delete(name);
    for (const name of this.constructor.NAMES) for (const value of this.query[name] ?? []) kept.append(name, value);
    return kept.toString();
  }
}

// Asks one question at a time. A newer plan makes what is under way give way: Python stops the statement and says so.
class Asker {
  constructor(model, follow) {
    this.model = model;
    this.follow = follow;
    // Several views of one widget hear each other's replies: no two count from the same number.
    this.last = Math.floor(Math.random() * 2 ** 40);
    this.queue = [];
    this.running = null;
    this.listen = (message, buffers) => this.receive(message, buffers);
    model.on("msg:custom", this.listen);
  }

  stop() {
    clearInterval(this.again);
    this.drop();
    this.model.off("msg:custom", this.listen);
  }

  plan(steps) {
    clearInterval(this.again);
    this.drop();
    this.queue = steps;
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

  // In place of any older question of the same kinds.
  instead(steps) {
    this.forget(steps.map((step) => step.kind));
    this.queue.push(...steps);
    this.pump();
  }

  // Forgets the questions of these kinds; the one under way is stopped.
  forget(kinds) {
    this.queue = this.queue.filter((step) => !kinds.includes(step.kind));
    if (kinds.includes(this.running?.kind)) this.giveWay();
  }

  // Forgets every question; the one under way is stopped.
  drop() {
    this.queue = [];
    if (this.running) this.giveWay();
  }

  // Asks once more when so many seconds have passed, unless something else was asked before; tells each second.
  later(count, tell, act) {
    clearInterval(this.again);
    let left = count;
    tell(left);
    this.again = setInterval(() => {
      left -= 1;
      tell(left);
      if (left > 0) return;
      clearInterval(this.again);
      act();
    }, 1000);
  }

  giveWay() {
    if (this.running.dropped) return;
    this.running.dropped = true;
    this.last += 1;
    this.model.send({ id: this.last, kind: "cancel", options: { request: this.running.id } });
    this.follow(null);
  }

  pump() {
    if (this.running || !this.queue.length) return;
    const step = this.queue.shift();
    this.last += 1;
    this.running = { ...step, id: this.last, dropped: false };
    this.follow(this.running);
    this.model.send({ id: this.last, kind: step.kind, choices: step.late ? { ...step.choices, ...step.late() } : step.choices, options: step.options ?? {} });
  }

  receive(message, buffers) {
    const { running } = this;
    if (!running || message?.id !== running.id) return;
    if (message.progress) {
      if (!running.dropped) this.follow(running, message.progress);
      return;
    }
    this.running = null;
    if (!running.dropped) this.follow(null);
    if (!running.dropped && message.error?.kind !== "stopped") running.done(message, buffers);
    this.pump();
  }
}
