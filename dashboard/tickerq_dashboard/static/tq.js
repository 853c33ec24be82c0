// @ts-check
import { Idiomorph } from "./vendor/idiomorph-0.8.0/idiomorph.esm.js";

/** What keeps a page as fresh as its `data-live` says, and nothing else: the pages are whole without it. */
/** @typedef {{ createHTML: (html: string) => string }} Rules */
/** @type {{ createPolicy: (name: string, rules: Rules) => Rules } | undefined} */
const trusted = /** @type {any} */ (window).trustedTypes;
const rules = { createHTML: (/** @type {string} */ html) => html };
const policy = trusted ? trusted.createPolicy("tq-fragment", rules) : rules;
const THIN = "\u202f";
const UNITS = /** @type {const} */ ([[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]);
const RESTING = 60, QUIET_AFTER = 300;

let etag = "", polling = 0, failures = 0, updated = Date.now(), acted = Date.now(), wrong = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let release = () => {};
const channel = "BroadcastChannel" in window ? new BroadcastChannel("tq:" + location.pathname + location.search) : null;

/** Whether the reader lets pages refresh themselves. */
const isLive = () => /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=live]"))?.checked ?? true;

/** As the server writes it: in one unit or two, and from two minutes on without the seconds. @param {number} seconds */
function age(seconds, units = 2) {
  const whole = Math.max(0, Math.floor(seconds)), parts = [];
  let left = whole < 120 ? whole : whole - whole % 60;
  for (const [size, unit] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(count + THIN + unit);
    else if (parts.length) break;
  }
  return parts.slice(0, units).join(" ") || "0" + THIN + "s";
}

function tell() {
  for (const node of document.querySelectorAll("time[data-v]")) {
    const seconds = (Date.now() - Date.parse(node.getAttribute("datetime") ?? "")) / 1000;
    const kind = node.getAttribute("data-v"), units = kind === "brief" ? 1 : 2;
    const said = kind === "for" ? age(seconds) : seconds < 0 ? "in " + age(-seconds, units) : age(seconds, units) + " ago";
    // A selection lies in the text node: it is not replaced, and not touched where nothing changes.
    if (node.firstChild && node.textContent !== said) node.firstChild.nodeValue = said;
  }
  const fresh = document.querySelector("[data-v=fresh]");
  if (!fresh) return;
  fresh.classList.toggle("wrong", wrong !== "");
  fresh.classList.toggle("off", !wrong && !isLive());
  fresh.textContent = wrong || `updated ${age((Date.now() - updated) / 1000)} ago${isLive() ? "" : ", paused"}`;
}

/** @param {string} html */
function take(html) {
  const page = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  const fresh = page.getElementById("live"), live = document.getElementById("live");
  if (!fresh || !live) return;
  const hadFocus = live.contains(document.activeElement), at = rowAt();
  Idiomorph.morph(live, fresh, {
    ignoreActiveValue: true,
    callbacks: {
      // What a person opened, typed or ticked stays.
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.nodeName === "DETAILS") && !(name === "tabindex" && node.nodeName === "H1") && !(["value", "checked", "selected"].includes(name) && node.matches("input:not([type=hidden]), select, option, textarea")),
      beforeNodeMorphed: (old) => !(old instanceof HTMLElement && old.matches("form") && old.contains(document.activeElement)),
    },
  });
  const counted = page.querySelector(".side .pages"), shown = document.querySelector(".side .pages");
  if (counted && shown) Idiomorph.morph(shown, counted);
  document.title = page.title;
  // What had the focus may be gone: the row that has come to its place has it then, or the page's head.
  if (hadFocus && document.activeElement === document.body) (linkOf(rows()[Math.min(at, rows().length - 1)]) ?? headed())?.focus({ preventScroll: true });
}

/** The page's head, where reading and the Tab key begin. */
function headed() {
  const head = /** @type {HTMLElement | null} */ (document.querySelector("main h1"));
  if (head) head.tabIndex = -1;
  return head;
}

/** @param {string} html @param {number} at */
function show(html, at) {
  if (html) take(html);
  updated = at; wrong = ""; failures = 0;
  tell();
}

async function ask() {
  const began = Date.now(), live = document.getElementById("live");
  live?.setAttribute("aria-busy", "true");
  try {
    return await asking(began);
  } finally {
    live?.removeAttribute("aria-busy");
  }
}

/** @param {number} began */
async function asking(began) {
  const answer = await fetch(location.href, { headers: etag ? { "If-None-Match": etag } : {}, credentials: "same-origin", cache: "no-store" });
  if (answer.status === 401 || answer.status === 403) {
    wrong = "logged out: load the page again";
    tell();
    return false;
  }
  if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
  etag = answer.headers.get("ETag") ?? "";
  const html = answer.status === 304 ? "" : await answer.text();
  show(html, began);
  channel?.postMessage({ html, began });
  return true;
}

function pause() {
  const every = Number(document.getElementById("live")?.dataset.live ?? 0);
  if (failures) return Math.min(RESTING, 5 * 2 ** (failures - 1));
  const seconds = every > 1 && Date.now() - acted > QUIET_AFTER * 1000 ? RESTING : every;
  return seconds * (0.8 + Math.random() * 0.4);
}

/** @param {number} mine The polling that it belongs to: another one has begun, or none goes on, where it differs. */
async function turn(mine) {
  try {
    if (!(await ask())) return;
  } catch (error) {
    failures += 1;
    const code = /^\d+$/.test(/** @type {Error} */ (error).message) ? ` (${/** @type {Error} */ (error).message})` : "";
    wrong = `could not refresh${code}: trying again in ${Math.round(pause())} s`;
    tell();
  }
  if (mine === polling) timer = setTimeout(turn, pause() * 1000, mine);
}

/** Poll while this tab is seen; of several that show the same page, one does, and the others listen. */
function start() {
  stop();
  if (document.hidden || !isLive() || !Number(document.getElementById("live")?.dataset.live ?? 0)) return;
  const mine = polling, lead = () => { timer = setTimeout(turn, pause() * 1000, mine); };
  if (!navigator.locks) return lead();
  const away = new AbortController();
  release = () => away.abort();
  navigator.locks.request("tq:" + location.pathname + location.search, { signal: away.signal }, () => {
    lead();
    return new Promise((done) => away.signal.addEventListener("abort", () => done(undefined)));
  }).catch(() => {});
}

function stop() {
  polling += 1;
  clearTimeout(timer);
  release();
  release = () => {};
}

channel?.addEventListener("message", (event) => { if (isLive()) show(event.data.html, event.data.began); });
document.addEventListener("visibilitychange", start);
for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, () => { acted = Date.now(); }, { passive: true });
setInterval(() => { if (!document.hidden) tell(); }, 1000);

/** Lax, so that a page which a link in an e-mail opens is in the reader's zone. @param {string} name @param {string} value */
const keep = (name, value) => { document.cookie = `${name}=${encodeURIComponent(value)}; path=${document.body.dataset.path ?? "/"}; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`; };
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement)) return;
  if (field.name === "shortcuts") {
    keep("tq_shortcuts", field.checked ? "on" : "off");
    document.body.toggleAttribute("data-shortcuts", field.checked);
  }
  if (field.name === "live") {
    keep("tq_live", field.checked ? "on" : "off");
    start();
    tell();
  }
  if (field.name !== "theme") return;
  keep("tq_theme", field.value);
});
document.addEventListener("focusin", (event) => {
  // A browser scrolls to what has the focus, but not to a part of a drawing.
  if (event.target instanceof SVGElement) event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
  const list = document.getElementById("zones");
  if (!list || list.childElementCount || !(event.target instanceof HTMLInputElement) || event.target.name !== "zone") return;
  for (const zone of ["UTC", ...Intl.supportedValuesOf("timeZone")]) list.append(Object.assign(document.createElement("option"), { value: zone }));
});
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-zone]")) return;
  event.preventDefault();
  choose(/** @type {HTMLInputElement} */ (form.elements.namedItem("zone")));
});
/** Keep a zone that the server knows; say of another one that there is none. @param {HTMLInputElement} field */
async function choose(field) {
  const there = await fetch(`?zone=${encodeURIComponent(field.value)}`, { method: "HEAD", credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (there?.status === 400) {
    field.setCustomValidity("There is no such time zone. Write one such as Asia/Kolkata.");
    field.reportValidity();
    return;
  }
  keep("tq_zone", field.value);
  location.reload();
}
document.addEventListener("input", (event) => { if (event.target instanceof HTMLInputElement && event.target.name === "zone") event.target.setCustomValidity(""); });
/** @type {EventTarget | null} */
let pressed = null;
/** One zone is typed over another: a list that is filtered by "UTC" has nothing else. A second click puts the caret. */
document.addEventListener("mousedown", (event) => {
  const field = event.target, again = field === pressed;
  pressed = field;
  if (again || !(field instanceof HTMLInputElement) || !field.name.endsWith("zone")) return;
  event.preventDefault();
  field.focus();
  field.select();
});
/** What a button copies is the text of the element that it names; where a page may not write to the clipboard, it is selected. */
document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("button[data-copy]")) : null;
  const node = document.getElementById(button?.dataset.copy ?? ""), word = button?.firstChild;
  if (!node || !word) return;
  try {
    await navigator.clipboard.writeText(node.textContent ?? "");
    word.nodeValue = "Copied";
  } catch {
    getSelection()?.selectAllChildren(node);
    word.nodeValue = "Selected";
  }
  setTimeout(() => { word.nodeValue = "Copy"; }, 2000);
});
/** Keyboard shortcuts: an element with `data-keys` is gone to by them; the rest moves in lists. The help page names all. */
const TYPING = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]", SEQUENCE_MS = 1500;
let first = "", firstAt = 0;
/** @type {Element | null} */
let lastTicked = null;
/** Where the focus was before a shortcut led to a field. @type {Element | null} */
let before = null;
const rows = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#live .rows.cards > tbody > tr")].filter((row) => row.querySelector("a")));
/** @param {Element | null | undefined} row */
const box = (row) => /** @type {HTMLInputElement | null | undefined} */ (row?.querySelector("input[type=checkbox]"));
/** @param {Element | null | undefined} row */
const linkOf = (row) => /** @type {HTMLElement | null | undefined} */ (row?.querySelector("th a, a"));
/** The number of the row that has the focus, or -1. */
const rowAt = () => rows().findIndex((row) => row.contains(document.activeElement));
/** @param {number} by */
function move(by) {
  const all = rows(), at = rowAt();
  linkOf(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))])?.focus();
}
/** @param {boolean} range */
function tick(range) {
  const all = rows(), at = rowAt(), here = box(all[at]);
  if (!here) return;
  const from = range && lastTicked ? all.findIndex((row) => row === lastTicked) : -1;
  if (from < 0) here.click();
  else for (const row of all.slice(Math.min(from, at), Math.max(from, at) + 1)) if (!box(row)?.checked) box(row)?.click();
  lastTicked = all[at];
}
function nextTheme() {
  const themes = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("input[name=theme]")]);
  themes[(themes.findIndex((each) => each.checked) + 1) % themes.length]?.click();
}
/** Follow what leads somewhere or asks first; go to a field, or to a button that acts, which Enter then presses. @param {string} keys */
function follow(keys) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`[data-keys="${CSS.escape(keys)}"]`)]);
  // What acts on ticked rows is not shown while there are none.
  const node = all.find((each) => each.checkVisibility()) ?? all.find((each) => !each.matches(".bulk button"));
  if (!node) return false;
  if (node.matches("a, .bulk button")) node.click();
  else {
    const menu = node.closest("details");
    if (menu) menu.open = true;
    before = document.activeElement;
    node.focus();
  }
  return true;
}
/** Leave a field that a shortcut led to, for where one was before. @param {HTMLElement} field */
function leave(field) {
  const menu = field.closest("details"), there = before instanceof HTMLElement && before.isConnected && before !== document.body;
  if (menu) menu.open = false;
  /** @type {HTMLElement | null} */ (there ? before : headed())?.focus({ preventScroll: true });
}
/** @type {Record<string, () => void>} */
const KEYS = { j: () => move(1), k: () => move(-1), x: () => tick(false), X: () => tick(true), t: nextTheme, p: () => /** @type {HTMLInputElement | null} */ (document.querySelector(".side input[name=live]"))?.click() };
addEventListener("keydown", (event) => {
  const from = event.target;
  if (!("shortcuts" in document.body.dataset) || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (from instanceof HTMLElement && from.matches(TYPING)) {
    if (event.key === "Escape" && from.matches("[data-keys]")) leave(from);
    return;
  }
  if (event.key === "Shift") return;
  const keys = first && event.timeStamp - firstAt < SEQUENCE_MS ? `${first} ${event.key}` : event.key;
  first = keys === "g" ? "g" : "";
  firstAt = event.timeStamp;
  if (keys in KEYS) KEYS[keys]();
  else if (!follow(keys)) return;
  event.preventDefault();
});
/** The fields of a cron expression are kept in step with its text; the server does the same without this. */
const whole = /** @type {HTMLInputElement | null} */ (document.getElementById("f-expression"));
const parts = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(".cronparts label > input")]);
whole?.addEventListener("input", () => {
  const fields = whole.value.trim().split(/\s+/), missing = parts.length - fields.length;
  parts.forEach((part, at) => { part.value = missing === 0 || missing === 1 ? fields[at - missing] ?? "" : ""; });
});
for (const part of parts) part.addEventListener("input", () => {
  const [second, ...others] = parts.map((each) => each.value.replace(/\s+/g, ""));
  if (whole && (second || others.some((each) => each))) whole.value = [...(second ? [second] : []), ...others.map((each) => each || "*")].join(" ");
});
/** A form that shows what will happen shows it anew while one types; its button does the same without this. */
const form = document.querySelector("form[data-review]");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let looking;
let asked = 0;
async function review() {
  const panel = document.getElementById("review"), mine = ++asked;
  if (!(form instanceof HTMLFormElement) || !panel) return;
  const sent = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  sent.set("step", "review");
  panel.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: sent, credentials: "same-origin", headers: { "X-Requested-With": "fetch" } });
    const html = await answer.text();
    if (!answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
    const fresh = page.getElementById("review");
    if (fresh) Idiomorph.morph(panel, fresh, { callbacks: { beforeAttributeUpdated: (name, node) => !(name === "open" && node.nodeName === "DETAILS") } });
  } catch { /* The button remains. */ } finally {
    if (mine === asked) panel.removeAttribute("aria-busy");
  }
}
form?.addEventListener("input", () => { clearTimeout(looking); looking = setTimeout(review, 400); });
/** A menu of what is rarely done closes by Escape, and by a click beside it. */
const menus = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.rest[open]"));
addEventListener("pointerdown", (event) => {
  for (const menu of menus()) if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});
/** Where a page of this site, the way back or a reload has led here, reading and the Tab key go on at the head. */
const way = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0]);
const isFromHere = way && (way.type !== "navigate" || document.referrer.startsWith(location.origin));
if (isFromHere && !location.hash && document.activeElement === document.body) headed()?.focus({ preventScroll: true });
for (const box of document.querySelectorAll(".log.box")) box.scrollTop = box.scrollHeight;
tell();
start();
