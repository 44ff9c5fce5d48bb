// Keeps what is shown fresh, searches what is there, and copies commands. Without it every page works, and stands still.
"use strict";

(() => {
  const page = document.body.dataset.page;
  const connection = document.getElementById("connection");
  const said = document.getElementById("said");
  const liveButton = document.getElementById("live");
  document.documentElement.classList.add("scripted");

  // ---- times: exact for programs, "how long ago" for people

  const agoOf = (then, now) => {
    const seconds = Math.max(0, Math.floor((now - then) / 1000));
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60]]) {
      if (seconds >= 2 * size) return `${Math.floor(seconds / size)}${unit} ago`;
    }
    return seconds < 10 ? "just now" : `${seconds}s ago`;
  };
  const clock = (moment) => new Date(moment).toLocaleTimeString();
  const tellTimes = (root) => {
    const now = Date.now();
    for (const time of root.querySelectorAll("time[datetime]")) {
      const told = agoOf(Date.parse(time.dateTime), now);
      if (time.textContent !== told) {
        if (!time.title) time.title = time.textContent;
        time.textContent = told;
      }
    }
  };

  // ---- what was asked last, and what became of it

  const POLL = 30000;
  const SOON = 5000;
  const AGAIN = 3000;
  const LONGEST = 15000;
  const GAP = page === "fleet" ? 1500 : 1000;
  let freshAt = Date.now();
  let askedAt = freshAt;
  let lost = false;
  let lostAt = 0;
  let on = true;
  let everything = false;
  let deaf = false;

  const tellLost = () => {
    connection.textContent = `No connection since ${clock(lostAt)}. What is shown is from ${clock(freshAt)}; trying again.`;
    connection.hidden = false;
  };
  const failed = () => {
    // What happened meanwhile nobody told.
    everything = true;
    if (!lost) {
      lost = true;
      lostAt = Date.now();
      tellLost();
    }
  };
  const arrived = () => {
    freshAt = Date.now();
    if (!lost) return;
    lost = false;
    connection.textContent = "";
    connection.hidden = true;
    say("Connected again.");
  };
  let saidAt = 0;
  const say = (text) => {
    // Whoever listens is not to be flooded.
    if (Date.now() - saidAt < 4000) return;
    saidAt = Date.now();
    said.textContent = text;
  };

  // One answer at a time, none waited for without end; null where there was none, or nothing is new.
  const tags = new Map();
  const ask = async (address) => {
    const headers = tags.has(address) ? { "if-none-match": tags.get(address) } : {};
    let response;
    askedAt = Date.now();
    try {
      response = await fetch(address, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(LONGEST) });
    } catch {
      failed();
      return null;
    }
    if (response.type === "opaqueredirect" || response.status === 401) {
      // The session is over: the server says where to go.
      location.reload();
      return null;
    }
    if (response.status === 304) {
      arrived();
      return null;
    }
    if (!(response.ok || response.status === 404)) {
      failed();
      return null;
    }
    let text;
    try {
      text = await response.text();
    } catch {
      failed();
      return null;
    }
    tags.clear();
    if (response.headers.get("etag")) tags.set(address, response.headers.get("etag"));
    arrived();
    return new DOMParser().parseFromString(text, "text/html");
  };

  // ---- parts: what has changed is replaced, and nothing else moves

  const before = new Map();
  for (const part of document.querySelectorAll("[data-part]")) before.set(part.dataset.part, part.innerHTML);
  const take = (fresh) => {
    let changed = false;
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const name = part.dataset.part;
      const html = part.innerHTML;
      const here = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
      if (!here) return null;
      if (before.get(name) === html) continue;
      before.set(name, html);
      replaceIn(here, part);
      changed = true;
    }
    return changed;
  };
  const replaceIn = (here, part) => {
    const open = new Set([...here.querySelectorAll("details[id]")].filter((one) => one.open).map((one) => one.id));
    const shut = new Set([...here.querySelectorAll("details[id]")].filter((one) => !one.open).map((one) => one.id));
    const inside = here.contains(document.activeElement) ? places(here).indexOf(document.activeElement) : -1;
    here.replaceChildren(...part.childNodes);
    for (const one of here.querySelectorAll("details[id]")) {
      if (open.has(one.id)) one.open = true;
      if (shut.has(one.id)) one.open = false;
    }
    prepare(here);
    if (inside >= 0) (places(here)[inside] || document.getElementById("main")).focus({ preventScroll: true });
  };
  const places = (root) => [...root.querySelectorAll("a[href], button:not([hidden]), summary, [tabindex]")];

  const prepare = (root) => {
    for (const button of root.querySelectorAll("button.copy")) button.hidden = false;
    tellTimes(root);
  };

  // ---- refreshing

  const changedKeys = new Set();
  let running = false;
  let timer = 0;
  let startedAt = 0;

  const refresh = (delay) => {
    if (!on || document.hidden) {
      everything = true;
      return;
    }
    if (timer || running) {
      timer = timer || -1;
      return;
    }
    timer = setTimeout(run, Math.max(delay, GAP - (Date.now() - startedAt)));
  };
  const run = async () => {
    timer = 0;
    running = true;
    startedAt = Date.now();
    try {
      await (page === "fleet" ? refreshFleet() : refreshPage());
    } finally {
      running = false;
    }
    // What came meanwhile, and another look after what takes long.
    if (timer === -1 || changedKeys.size) {
      timer = 0;
      refresh(Math.max(GAP, 3 * (Date.now() - startedAt)));
    }
  };
  const refreshPage = async () => {
    everything = false;
    changedKeys.clear();
    const fresh = await ask(location.pathname + location.search);
    if (!fresh) return;
    // Parts that were not there before: the page has another shape now.
    if (take(fresh) === null || partsOf(fresh) !== partsOf(document)) rebuild(fresh);
  };
  const partsOf = (root) => [...root.querySelectorAll("[data-part]")].map((one) => one.dataset.part).join();
  const rebuild = (fresh) => {
    const main = document.getElementById("main");
    const top = scrollY;
    replaceIn(main, fresh.getElementById("main"));
    document.title = fresh.title;
    before.clear();
    for (const part of fresh.querySelectorAll("[data-part]")) before.set(part.dataset.part, "");
    scrollTo(0, top);
  };

  // ---- the fleet

  const search = document.getElementById("q");
  const count = document.getElementById("count");
  const rowsOf = (root) => root.querySelector("[data-rows]");
  const byKey = new Map();
  const texts = new Map();
  let asked = search ? search.value.trim() : "";
  const known = () => {
    byKey.clear();
    texts.clear();
    for (const row of rowsOf(document).rows) byKey.set(row.dataset.key, row);
  };
  const textOf = (row) => {
    let text = texts.get(row);
    if (text === undefined) {
      const cells = row.cells;
      texts.set(row, (text = `${row.dataset.key} ${cells[2].textContent}`.toLowerCase()));
    }
    return text;
  };
  const parameters = (keys) => {
    const query = new URLSearchParams(location.search);
    if (asked) query.set("q", asked);
    else query.delete("q");
    for (const key of keys) query.append("key", key);
    return `/parts/fleet?${query}`;
  };
  const refreshFleet = async () => {
    const keys = everything || changedKeys.size > 100 ? [] : [...changedKeys];
    const whole = keys.length === 0;
    everything = false;
    changedKeys.clear();
    const fresh = await ask(parameters(keys));
    if (!fresh) return;
    take(fresh);
    const table = fresh.querySelector("table.fleet");
    const here = document.querySelector("table.fleet");
    here.dataset.complete = table.dataset.complete;
    here.dataset.found = table.dataset.found;
    if (whole) takeAll(fresh);
    else takeRows(fresh, keys);
    narrow();
  };
  const takeAll = (fresh) => {
    const rows = rowsOf(fresh);
    const focused = document.activeElement?.closest?.("tr[data-key]")?.dataset.key;
    prepare(rows);
    rowsOf(document).replaceWith(rows);
    known();
    if (focused && byKey.has(focused)) byKey.get(focused).querySelector("a").focus({ preventScroll: true });
  };
  const takeRows = (fresh, keys) => {
    const fetched = new Map([...rowsOf(fresh).rows].map((row) => [row.dataset.key, row]));
    for (const key of keys) {
      const row = fetched.get(key);
      const old = byKey.get(key);
      if (row && old) {
        const focused = old.contains(document.activeElement);
        prepare(row);
        row.classList.add("new");
        old.replaceWith(row);
        texts.delete(old);
        byKey.set(key, row);
        if (focused) row.querySelector("a").focus({ preventScroll: true });
      } else if (row) {
        // Where it belongs only the server knows.
        everything = true;
      } else if (old) {
        old.remove();
        byKey.delete(key);
      }
    }
    if (everything) refresh(0);
    if (fetched.size === 1) {
      const [[key, row]] = fetched;
      say(`${key}: ${row.cells[0].textContent.trim()}`);
    } else if (fetched.size) say(`${fetched.size} apps have changed.`);
  };
  // What is here is searched here; the server is asked where it knows more.
  const narrow = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    for (const row of rowsOf(document).rows) {
      const found = words.every((word) => textOf(row).includes(word));
      if (row.hidden === found) row.hidden = !found;
      if (found) seen += 1;
    }
    const table = document.querySelector("table.fleet");
    const number = table.dataset.complete === "true" ? seen : Number(table.dataset.found);
    const filtered = words.length > 0 || new URLSearchParams(location.search).get("state");
    const told = `${number} ${number === 1 ? "app" : "apps"}${filtered ? " found" : ""}`;
    if (count.textContent !== told) count.textContent = told;
  };
  let typing = 0;
  const typed = () => {
    const text = search.value.trim();
    const query = new URLSearchParams(location.search);
    if (text) query.set("q", text);
    else query.delete("q");
    query.delete("page");
    history.replaceState(null, "", query.size ? `/?${query}` : "/");
    for (const link of document.querySelectorAll(".chips a, .fleet thead a")) {
      const to = new URL(link.href);
      if (text) to.searchParams.set("q", text);
      else to.searchParams.delete("q");
      link.href = to.pathname + to.search;
    }
    const table = document.querySelector("table.fleet");
    if (table.dataset.complete === "true" && text.toLowerCase().startsWith(asked.toLowerCase())) {
      narrow();
      return;
    }
    clearTimeout(typing);
    typing = setTimeout(async () => {
      asked = text;
      const fresh = await ask(parameters([]));
      if (!fresh || asked !== search.value.trim()) return;
      take(fresh);
      Object.assign(table.dataset, fresh.querySelector("table.fleet").dataset);
      takeAll(fresh);
      narrow();
    }, 150);
  };
  if (search) {
    known();
    search.addEventListener("input", typed);
    search.form.addEventListener("submit", (event) => {
      event.preventDefault();
      typed();
    });
    document.addEventListener("keydown", (event) => {
      const inField = event.target.closest?.("input, textarea, select");
      if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        search.focus();
        search.select();
      }
      if (event.key === "Escape" && event.target === search && search.value) {
        search.value = "";
        typed();
      }
    });
  }

  // ---- the stream: while the page is seen; a browser has six connections to a server, for all of its tabs

  const LISTENS = page === "fleet" || page === "app" || page === "repairs";
  let stream = null;
  let reopening = 0;
  const happened = (event) => {
    let told;
    try {
      told = JSON.parse(event.data);
    } catch {
      return;
    }
    if (page === "app" && told.app !== document.body.dataset.app) return;
    if (page === "fleet") changedKeys.add(told.app);
    refresh(250);
    // A story is written down a moment after its transition.
    if (page === "app") setTimeout(() => refresh(0), 2500);
  };
  const listen = () => {
    if (!LISTENS || stream || !on || document.hidden) return;
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("transition", happened);
    stream.addEventListener("open", () => {
      if (!deaf) return;
      deaf = false;
      // What happened while nobody listened.
      everything = true;
      refresh(0);
    });
    const broken = () => {
      hush();
      // The server may be gone, or only the stream: a fetch tells, and goes on telling.
      deaf = true;
      reopening = setTimeout(listen, AGAIN);
      everything = true;
      refresh(0);
    };
    stream.addEventListener("end", broken);
    stream.addEventListener("error", broken);
  };
  const hush = () => {
    clearTimeout(reopening);
    if (stream) stream.close();
    stream = null;
  };

  const seen = () => {
    if (document.hidden || !on) {
      hush();
      return;
    }
    listen();
    everything = true;
    refresh(0);
  };
  document.addEventListener("visibilitychange", seen);
  addEventListener("pageshow", (event) => event.persisted && seen());
  addEventListener("pagehide", hush);

  // The net under the stream: a connection that died without a word, and pages that have no events.
  const often = () => {
    if (document.querySelector("[data-asking]")) return 1500;
    if (lost) return AGAIN;
    return deaf || page === "services" ? SOON : POLL;
  };
  const poll = () => {
    if (!on || document.hidden) return;
    if (Date.now() - askedAt < often()) return;
    everything = true;
    refresh(0);
  };
  setInterval(poll, 1000);
  setInterval(() => {
    if (!document.hidden) tellTimes(document);
  }, 10000);

  if (page === "follower") {
    // As soon as the copy that acts can be asked, its page is here.
    setInterval(async () => {
      if (!document.hidden && (await fetch(location.href, { cache: "no-store" }).catch(() => null))?.ok) location.reload();
    }, 5000);
    on = false;
  } else if (liveButton) {
    liveButton.hidden = false;
    liveButton.addEventListener("click", () => {
      on = !on;
      liveButton.setAttribute("aria-pressed", String(on));
      if (!on) {
        connection.hidden = true;
        lost = false;
      }
      seen();
    });
  } else {
    on = false;
  }

  // ---- copying

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    const done = await copied(button.dataset.copy, button);
    saidAt = 0;
    say(done ? "Copied." : "It is marked: copy it with the keyboard.");
    if (!done) return;
    const label = button.firstChild;
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = "Copy"), 2000);
  });
  const copied = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without TLS, away from the loopback, a browser has no clipboard for pages.
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand("copy");
    }
  };

  prepare(document);
  listen();
})();
