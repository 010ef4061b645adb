// What is chosen in As of, and the history of one entity: every value at every event, without asking again.

class Moment extends Query {
  static NAMES = ["mode", "projection", "hash", "entity", "as_of", "position", "known_at", "before", "after", "field", "value", "change", "point", "without", "added", "other", "event", "step", "speed", "basis", "zone", "theme"];

  get mode() {
    return this.one("mode") ?? "entity";
  }

  get step() {
    return this.one("step") ?? "event";
  }

  get speed() {
    return Number(this.one("speed") ?? 1);
  }
}

class History {
  constructor(told) {
    Object.assign(this, told);
    this.size = told.position.length;
    // Not Math.min(...): so many arguments as a long history has events no engine takes.
    this.first = told.occurred.reduce((least, each) => Math.min(least, each), Infinity);
    this.last = told.occurred.reduce((most, each) => Math.max(most, each), -Infinity);
    // The columns are as wide as the whole history needs, so that none moves while it is scrubbed.
    const longest = (texts, least, most, room) => Math.max(least, Math.min(most, Math.ceil(texts.reduce((size, text) => Math.max(size, text?.length ?? 4), 0) * 6.5) + room));
    this.widths = { setter: longest(told.type.map((type, index) => (told.word[index] ? `${type} ${told.word[index]}` : type)), 130, 292, 36), actor: longest(told.actor, 64, 120, 24) };
    this.byName = new Map(told.fields.map((field) => [field.name, field]));
    this.changes = Array.from({ length: this.size }, () => []);
    for (const { name } of told.fields) for (const [start] of told.bands[name]) if (start >= 0) this.changes[start].push(name);
    this.moves = new Map(told.illegal.map(([index, field, from, to]) => [`${index}/${field}`, [from, to]]));
  }

  // The number of the band that holds after an event; the first one holds before all events.
  bandAt(name, index) {
    const bands = this.bands[name];
    let [low, high] = [0, bands.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (bands[middle][0] <= index) low = middle;
      else high = middle - 1;
    }
    return bands.length && bands[low][0] <= index ? low : -1;
  }

  textAt(name, index) {
    const band = this.bandAt(name, index);
    return band < 0 ? null : this.bands[name][band][1];
  }

  setterAt(name, index) {
    const band = this.bandAt(name, index);
    return band < 0 ? -1 : this.bands[name][band][2];
  }

  // Whether any event up to here has set the field.
  isSet(name, index) {
    const bands = this.bands[name];
    return bands.length > 0 && (bands.find(([start]) => start >= 0)?.[0] ?? Infinity) <= index;
  }

  // The state's canonical text (RFC 8785): the same bytes as Python writes.
  stateAt(index) {
    const members = this.fields.map(({ name }) => [name, this.textAt(name, index)]).filter(([, text]) => text !== null);
    members.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
    return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
  }

  indexAtPosition(position) {
    const exact = this.position.indexOf(position);
    if (exact >= 0) return exact;
    let found = -1;
    for (let index = 0; index < this.size; index += 1) if (this.position[index] <= position) found = index;
    return found;
  }

  // The last of the events that had happened, by number, and whether those are the first ones in the state's order.
  indexAtTime(micros) {
    const happened = this.occurred.filter((each) => each <= micros).length;
    return [happened - 1, this.occurred.slice(0, happened).every((each) => each <= micros)];
  }

  // The first and the last of the events of one instant that stand beside one another in the order.
  tieOf(index) {
    let [first, last] = [index, index];
    while (first > 0 && this.occurred[first - 1] === this.occurred[index]) first -= 1;
    while (last < this.size - 1 && this.occurred[last + 1] === this.occurred[index]) last += 1;
    return [first, last];
  }
}

// A time as a person writes it: in the zone of the page where none is written.
function readTime(text, zone) {
  const trimmed = text.trim().replace(" UTC", "").replace(" ", "T");
  if (!/^\d{4}-\d\d-\d\d/.test(trimmed)) return NaN;
  const dated = trimmed.includes("T") ? trimmed : `${trimmed}T00:00`;
  if (/(Z|[+-]\d\d:?\d\d)$/.test(dated)) return fromIso(dated);
  const found = /^(.*?)(?:\.(\d{1,6}))?$/.exec(dated);
  const whole = Date.parse(zone === "local" ? found[1] : `${found[1]}Z`);
  return whole * 1000 + Number((found[2] ?? "0").padEnd(6, "0"));
}

// The midnight after a time, or the one before it.
function midnight(micros, zone, direction) {
  const date = new Date(Math.floor(micros / 1000));
  const call = zone === "local" ? "" : "UTC";
  date[`set${call}Hours`](0, 0, 0, 0);
  if (direction > 0) date[`set${call}Date`](date[`get${call}Date`]() + 1);
  else if (date * 1000 >= micros) date[`set${call}Date`](date[`get${call}Date`]() - 1);
  return date * 1000;
}

// +1.733 s, +1 h 17 min: how long after the event before.
function gapText(micros) {
  const size = Math.abs(micros);
  const words = size < 60e6 ? `${(size / 1e6).toFixed(3)} s` : durationText(size);
  return `${micros < 0 ? MINUS : "+"}${words}`;
}
