// Numbers, times and durations as words. Every time comes as whole microseconds since 1970.

const NONE = "none";
const MINUS = "−";
const count = (number) => (number ?? 0).toLocaleString("en-US");
const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many ?? `${one}s`}`;

function share(part, whole) {
  if (!whole || !part) return "0 %";
  const percent = (100 * part) / whole;
  if (percent === 100) return "100 %";
  return percent >= 10 ? `${percent.toFixed(1)} %` : percent >= 0.01 || part === 0 ? `${percent.toFixed(2)} %` : "below 0.01 %";
}

const pad = (number, width = 2) => String(number).padStart(width, "0");

function fields(micros, zone) {
  const date = new Date(Math.floor(micros / 1000));
  const get = zone === "local" ? (name) => date[`get${name}`]() : (name) => date[`getUTC${name}`]();
  return {
    day: `${pad(get("FullYear"), 4)}-${pad(get("Month") + 1)}-${pad(get("Date"))}`,
    minute: `${pad(get("Hours"))}:${pad(get("Minutes"))}`,
    second: pad(get("Seconds")),
    milli: pad(get("Milliseconds"), 3),
    micro: ((micros % 1000) + 1000) % 1000,
  };
}

// precision: "day", "minute", "second" or "full" (milliseconds, and microseconds where there are any).
function timeText(micros, zone, reference, precision = "full") {
  if (micros === null || micros === undefined) return NONE;
  if (zone === "relative") return relativeText(micros - reference, precision);
  const parts = fields(micros, zone);
  if (precision === "day") return parts.day;
  if (precision === "minute") return `${parts.day} ${parts.minute}`;
  if (precision === "second") return `${parts.day} ${parts.minute}:${parts.second}`;
  return `${parts.day} ${parts.minute}:${parts.second}.${parts.milli}${parts.micro ? pad(parts.micro, 3) : ""}`;
}

function relativeText(distance, precision) {
  const before = distance < 0 ? MINUS : distance > 0 ? "+" : "";
  const micros = Math.abs(distance);
  const days = Math.floor(micros / 86400e6);
  const rest = fields(micros % 86400e6, "utc");
  const clock = precision === "full" ? `${rest.minute}:${rest.second}.${rest.milli}${rest.micro ? pad(rest.micro, 3) : ""}` : rest.minute;
  return precision === "day" ? `${days ? before : ""}${days} d` : `${before}${days} d ${clock}`;
}

const zoneWord = (zone) => ({ utc: "UTC", local: localZone(), relative: "relative to the last event" })[zone];

function localZone() {
  const minutes = -new Date().getTimezoneOffset();
  const hours = `${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
  return `${Intl.DateTimeFormat().resolvedOptions().timeZone} (UTC${minutes < 0 ? MINUS : "+"}${hours} now)`;
}

const localShort = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// The two largest units: 34 h 5 min, 5 min 43 s, 40.8 s.
function durationText(micros) {
  const seconds = Math.abs(micros) / 1e6;
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Math.round(seconds * 1e3)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pair = (large, name, small, other) => {
    const most = Math.floor(whole / large);
    const least = Math.floor((whole % large) / small);
    return least ? `${count(most)} ${name} ${least} ${other}` : `${count(most)} ${name}`;
  };
  if (whole < 3600) return pair(60, "min", 1, "s");
  if (whole < 48 * 3600) return pair(3600, "h", 60, "min");
  return pair(86400, "d", 3600, "h");
}

function since(micros) {
  if (micros === undefined) return "first";
  if (micros === 0) return "tie";
  return micros < 0 ? `${MINUS}${durationText(micros)}` : durationText(micros);
}

const toIso = (micros) => {
  const parts = fields(micros, "utc");
  const part = parts.micro ? `.${parts.milli}${pad(parts.micro, 3)}` : parts.milli !== "000" ? `.${parts.milli}` : "";
  return `${parts.day}T${parts.minute}:${parts.second}${part}Z`;
};

// The page reads back only what it or the log wrote: ISO in UTC, six digits at most.
function fromIso(text) {
  const found = /^(.*?)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)$/.exec(text);
  if (!found) return NaN;
  return Date.parse(`${found[1]}${found[3]}`) * 1000 + Number((found[2] ?? "0").padEnd(6, "0"));
}

function windowText(since_, until, zone, reference) {
  const precision = until - since_ >= 86400e6 * 60 ? "day" : until - since_ >= 60e6 * 10 ? "minute" : "full";
  const [from, to] = [timeText(since_, zone, reference, precision), timeText(until, zone, reference, precision)];
  return `${from} – ${to}`;
}

function joinWords(values) {
  const words = values.map((value) => (value === null ? NONE : value));
  if (words.length <= 2) return words.join(" and ");
  return `${words.slice(0, 2).join(", ")} and ${words.length - 2} more`;
}

// Ticks of a time axis without Vega: [microseconds, label], about one in every `room` pixels.
function timeTicks(from, to, zone, reference, most) {
  const span = to - from;
  if (zone === "relative") return relativeTicks(from, to, reference, most);
  const steps = [["Seconds", 1, 1e6], ["Seconds", 10, 10e6], ["Minutes", 1, 60e6], ["Minutes", 2, 120e6], ["Minutes", 5, 300e6], ["Minutes", 15, 900e6], ["Hours", 1, 3600e6], ["Hours", 3, 10800e6], ["Hours", 6, 21600e6], ["Date", 1, 86400e6], ["Date", 2, 2 * 86400e6],
    ["Date", 7, 7 * 86400e6], ["Month", 1, 30 * 86400e6], ["Month", 3, 91 * 86400e6], ["FullYear", 1, 365 * 86400e6], ["FullYear", 5, 5 * 365 * 86400e6],
    ["FullYear", 25, 25 * 365 * 86400e6], ["FullYear", 100, 36500 * 86400e6]];
  const [unit, step] = steps.find(([, , length]) => span / length <= most) ?? steps.at(-1);
  const call = zone === "local" ? "" : "UTC";
  const date = new Date(Math.floor(from / 1000));
  const order = ["Milliseconds", "Seconds", "Minutes", "Hours", "Date", "Month"];
  for (const name of order.slice(0, order.indexOf(unit) < 0 ? 6 : order.indexOf(unit))) date[`set${call}${name}`](name === "Date" ? 1 : 0);
  const get = (name) => date[`get${call}${name}`]();
  date[`set${call}${unit}`](unit === "Date" ? get(unit) : Math.floor(get(unit) / step) * step);
  const ticks = [];
  while (date * 1000 <= to && ticks.length < 200) {
    if (date * 1000 >= from) ticks.push([date * 1000, tickLabel(date, unit, zone, ticks.length === 0)]);
    date[`set${call}${unit}`](get(unit) + step);
  }
  return ticks;
}

function tickLabel(date, unit, zone, first) {
  const words = (options) => date.toLocaleString("en-GB", { ...options, hourCycle: "h23", timeZone: zone === "local" ? undefined : "UTC" });
  const january = (zone === "local" ? date.getMonth() : date.getUTCMonth()) === 0;
  if (unit === "FullYear") return words({ year: "numeric" });
  if (unit === "Month") return words(first || january ? { month: "short", year: "numeric" } : { month: "short" });
  if (unit === "Date") return words(first ? { day: "numeric", month: "short", year: "numeric" } : { day: "numeric", month: "short" });
  if (unit === "Seconds") return words({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return words(first ? { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit" });
}

function relativeTicks(from, to, reference, most) {
  const steps = [[60e6, "min"], [3600e6, "h"], [21600e6, "h", 6], [86400e6, "d"], [7 * 86400e6, "d", 7], [30 * 86400e6, "d", 30], [90 * 86400e6, "d", 90], [365 * 86400e6, "y"], [3650 * 86400e6, "y", 10]];
  const [step, unit, factor = 1] = steps.find(([length]) => (to - from) / length <= most) ?? steps.at(-1);
  const ticks = [];
  for (let place = Math.ceil((from - reference) / step); reference + place * step <= to; place += 1) {
    ticks.push([reference + place * step, `${place < 0 ? MINUS : ""}${Math.abs(place * factor)} ${unit}`]);
  }
  return ticks;
}
