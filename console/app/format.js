// Times, amounts and names as people read them, in their own zone and language.

const DAY_MS = 86_400_000;
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exactTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** Today the time, this week the day, before that the date. @param {string} text */
export function when(text) {
  const at = new Date(text);
  const age = Date.now() - at.getTime();
  if (at.toDateString() === new Date().toDateString()) return time.format(at);
  return age < 6 * DAY_MS && age > 0 ? `${day.format(at)}, ${time.format(at)}` : date.format(at);
}

/** To the millisecond. @param {string} text */
export const exactly = (text) => exactTime.format(new Date(text));

/** Date, time and zone. @param {string} text */
export const inFull = (text) => whole.format(new Date(text));

/** How long something took. @param {string} from @param {string} to */
export function took(from, to) {
  const ms = Math.max(0, new Date(to).getTime() - new Date(from).getTime());
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long it is until then. @param {string} text */
export function until(text) {
  const ms = new Date(text).getTime() - Date.now();
  if (ms <= 0) return 'now';
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return count(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? count(hours, 'hour') : count(Math.round(hours / 24), 'day');
}

/** @param {number} amount @param {string} one @param {string} [many] */
export const count = (amount, one, many = `${one}s`) => `${number.format(amount)} ${amount === 1 ? one : many}`;

/** @param {unknown} value */
export function cell(value) {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'number') return number.format(value);
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return count(bytes, 'byte');
  const units = ['KB', 'MB', 'GB'];
  let amount = bytes / 1024;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${number.format(Math.round(amount * 10) / 10)} ${units[unit]}`;
}

/** `assess_data_quality` as words. @param {string} name */
export function words(name) {
  const text = name.replaceAll(/[_.-]+/g, ' ').trim();
  return text ? text[0].toUpperCase() + text.slice(1) : name;
}

/** What an intent is called. @param {string} type */
export const intentName = (type) => (type === 'agent_invoke' ? 'Answer a message' : words(type));

/** `liaison.insights` as somebody's name. @param {string | null | undefined} agentId */
export function agentName(agentId) {
  if (!agentId) return 'Nobody yet';
  const last = agentId.split('.').at(-1) ?? agentId;
  return words(last);
}

/** Which of the voices an agent speaks with. @param {string | null | undefined} agentId */
export function voice(agentId) {
  const known = ['guide', 'content', 'insights', 'journey', 'outcomes'];
  const last = (agentId ?? 'guide').split('.').at(-1) ?? '';
  return known.includes(last) ? last : 'other';
}

/** @param {string} type */
export function artifactKind(type) {
  const known = /** @type {Record<string, string>} */ ({
    file: 'File',
    parsed_file: 'What was read',
    data_quality: 'Data quality',
    query_result: 'Answer from data',
    profile: 'Profile',
    workflow: 'Workflow',
    sop: 'Procedure',
    roadmap: 'Roadmap',
    synthesis: 'Synthesis',
  });
  return known[type] ?? words(type);
}
