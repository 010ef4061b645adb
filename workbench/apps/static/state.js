// What is chosen on the timeline.

const FIELDS = ["event_type", "actor_kind", "actor_id", "stream_id", "source"];
const NAMES = [...FIELDS, ...FIELDS.map((field) => `not_${field}`), "since", "until", "text", "position", "event", "row", "zone", "theme"];
const ABSENT = "~";
const readValue = (text) => (text === ABSENT ? null : text.startsWith(ABSENT) ? text.slice(1) : text);
const writeValue = (value) => (value === null ? ABSENT : value.startsWith(ABSENT) ? ABSENT + value : value);

class Choices extends Query {
  static NAMES = NAMES;

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
}
