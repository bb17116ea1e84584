// Livepost in the browser: tells the collector what happens on a page. No dependency, no cookie.
//
//   <script src="https://livepost.example/livepost.js" data-write-key="lp_write_..." async></script>
//
// Calls go into a queue first, one entry of localStorage each, so that a reload or a second tab loses nothing and no
// two writers meet; from there in pieces to /v1/batch next to this file, as text/plain (no preflight). An entry leaves
// the queue only when the collector has answered for it: what is sent twice has the same messageId and counts once.
// Served without the lines that are comments (livepost/collect/snippet.py), so a comment has its line for itself.
(() => {
  "use strict";
  const script = document.currentScript;
  const early = window.livepost;
  if (!script || (early && !Array.isArray(early))) return;

  const VERSION = "0.1.0";
  // Bounds: the queue (calls, characters), one call and one piece (bytes; the collector takes 32 KB a call, a browser
  // 64 KB of what outlives its page), one request and one pause (ms).
  const MAX_CALLS = 500;
  const MAX_CHARS = 400000;
  const MAX_CALL_BYTES = 32000;
  const MAX_PIECE_CALLS = 50;
  const MAX_PIECE_BYTES = 60000;
  const MAX_REQUEST_MS = 20000;
  const MAX_BACKOFF_MS = 300000;
  const MAX_PAUSE_MS = 3600000;
  // Calls that follow each other closely travel together; the page may say otherwise.
  const GATHER_MS = 200;
  const BACKOFF_MS = 1000;

  const QUEUE = "livepost.queue.";
  const ME = "livepost.me";
  const PAUSE = "livepost.pause";
  const CONSENT_EVENT = "Segment Consent Preference Updated";
  // Segment's ecommerce events, version 2; each gives a word, `Product Viewed` the word `productViewed`.
  const ECOMMERCE = {
    Product: "Viewed,Clicked,Added,Removed,Shared,Reviewed,List Viewed,List Filtered,Added to Wishlist,Removed from Wishlist",
    Products: "Searched",
    Promotion: "Viewed,Clicked",
    Cart: "Viewed,Shared",
    Checkout: "Started,Step Viewed,Step Completed",
    "Payment Info": "Entered",
    Order: "Updated,Completed,Refunded,Cancelled",
    Coupon: "Entered,Applied,Denied,Removed",
    Wishlist: "Product Added to Cart",
  };
  // What a browser with Global Privacy Control does not allow, whatever the page was told.
  const REFUSED = /^(sale|sharing|marketing|advertising)$/i;

  const { writeKey, consent: asked, autoPage, gather = GATHER_MS } = script.dataset;
  const collector = new URL("v1/batch", script.src).href;
  const required = asked === "required";
  const privacy = navigator.globalPrivacyControl === true;

  // `memory` holds what storage does not take, `waiting` what waits for consent; `own` are the keys of this page's
  // calls, `flying` those of what is under way.
  const memory = {};
  let waiting = {};
  const own = new Set();
  const flying = new Set();
  let me;
  let count = 0;
  let most = MAX_PIECE_CALLS;
  let tries = 0;
  let timer = 0;
  let isSending = false;
  let isStopped = false;
  let referrer = document.referrer;
  let tcf;
  let at;

  const warn = (told) => console.warn("livepost:", told);

  // Nothing of ours may break the page.
  const guard = (work) => (...given) => {
    try {
      return work(...given);
    } catch (error) {
      warn(error);
    }
  };

  // crypto.randomUUID is there on https only.
  const uuid = () =>
    crypto.randomUUID?.() ??
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");

  // Storage may be forbidden or full: then `attempt` gives undefined, and memory serves as long as the page lives.
  const attempt = (work) => {
    try {
      return work();
    } catch {}
  };

  const textOf = (key) => waiting[key] ?? memory[key] ?? attempt(() => localStorage.getItem(key)) ?? "";

  const write = (key, text) => {
    delete memory[key];
    if (!isOpen()) waiting[key] = text;
    else if (!attempt(() => [localStorage.setItem(key, text)])) memory[key] = text;
  };

  const forget = (key) => {
    own.delete(key);
    delete waiting[key];
    delete memory[key];
    attempt(() => localStorage.removeItem(key));
  };

  const queued = () =>
    [...(attempt(() => Object.keys(localStorage)) ?? []), ...Object.keys(memory), ...Object.keys(waiting)]
      .filter((key) => key.startsWith(QUEUE))
      .sort();

  // Who this is: {id, user, told: consent as it was told, dropped: calls lost since the last one}. Tabs share it, so
  // it is read anew for each call.
  const save = () => write(ME, JSON.stringify(me));

  const begin = (told) => {
    forget(ME);
    me = { id: uuid(), told };
    save();
  };

  const refresh = () => {
    me = attempt(() => JSON.parse(textOf(ME)));
    if (!me?.id) begin();
  };

  // May anything be stored and sent? Where consent is required: once any purpose was allowed.
  const isOpen = () => !required || Object.values(me.told ?? {}).includes(true);

  const where = () => ({
    path: location.pathname,
    referrer,
    search: location.search,
    title: document.title,
    url: location.origin + location.pathname + location.search,
  });

  const campaign = () => {
    const found = {};
    new URLSearchParams(location.search).forEach((value, key) => {
      const word = key.startsWith("utm_") && key.slice(4);
      if (word) found[word === "campaign" ? "name" : word] = value;
    });
    return Object.keys(found).length ? found : undefined;
  };

  const call = (type, parts, context) => {
    refresh();
    enqueue({
      type,
      messageId: uuid(),
      timestamp: new Date().toISOString(),
      anonymousId: me.id,
      userId: me.user,
      ...parts,
      context: {
        page: where(),
        userAgent: navigator.userAgent,
        locale: navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
        library: { name: "livepost.js", version: VERSION },
        campaign: campaign(),
        globalPrivacyControl: privacy || undefined,
        tcString: tcf?.tcString,
        dropped: me.dropped || undefined,
        ...context,
      },
    });
  };

  const enqueue = (told) => {
    // After a refusal nothing is kept, not even in memory.
    if (!isOpen() && me.told) return;
    const text = JSON.stringify(told);
    if (sizeOf(text) > MAX_CALL_BYTES) {
      me.dropped = (me.dropped || 0) + 1;
      save();
      return warn(`dropped a call of more than ${MAX_CALL_BYTES} bytes`);
    }
    me.dropped = 0;
    const key = QUEUE + Date.now() + (1e6 + count++) + told.messageId;
    own.add(key);
    write(key, text);
    trim();
    save();
    soon();
  };

  const sizeOf = (text) => new Blob([text]).size;

  // The oldest go first, and the next call tells how many did.
  const trim = () => {
    let room = MAX_CHARS;
    queued()
      .reverse()
      .forEach((key, place) => {
        room -= textOf(key).length;
        if (place < MAX_CALLS && room >= 0) return;
        me.dropped += 1 + (attempt(() => JSON.parse(textOf(key)).context.dropped) || 0);
        forget(key);
      });
  };

  const piece = (isOwn) => {
    const keys = [];
    let room = MAX_PIECE_BYTES;
    for (const key of queued()) {
      const text = textOf(key);
      if (waiting[key] || flying.has(key) || !text || (isOwn && !own.has(key))) continue;
      room -= sizeOf(text) + 1;
      if (keys.length && (keys.length >= most || room < 0)) break;
      keys.push(key);
    }
    return keys;
  };

  const bodyOf = (keys) => {
    keys.forEach((key) => flying.add(key));
    const head = JSON.stringify({ writeKey, sentAt: new Date().toISOString() }).slice(0, -1);
    return `${head},"batch":[${keys.map(textOf)}]}`;
  };

  const pause = () => Math.min(Math.max(textOf(PAUSE) - Date.now(), 0), MAX_PAUSE_MS);

  const soon = (ms = gather) => {
    timer ||= setTimeout(() => flush().catch(warn), ms);
  };

  // One request at a time, in all tabs where the browser has locks; elsewhere equal messageIds count once.
  const flush = async () => {
    timer = 0;
    if (isSending || isStopped || !piece().length) return;
    if (pause()) return soon(pause());
    isSending = true;
    const locked = navigator.locks?.request("livepost", { ifAvailable: true }, (lock) => lock && post());
    await (locked?.catch(() => post()) ?? post());
    isSending = false;
    if (piece().length) soon(GATHER_MS);
  };

  const post = async (isOwn) => {
    const keys = piece(isOwn);
    if (!keys.length) return;
    const sentAt = performance.now();
    const anonymousId = me.id;
    const signal = AbortSignal.timeout?.(MAX_REQUEST_MS);
    const asked = { method: "POST", body: bodyOf(keys), keepalive: true, credentials: "omit", signal };
    const reply = await fetch(collector, asked).catch(() => undefined);
    keys.forEach((key) => flying.delete(key));
    settle(keys, reply?.status, reply?.headers.get("Retry-After"));
    // Whoever wants to read what was just written may: whose it is, and the position to wait for.
    const position = Number(reply?.headers.get("X-Livepost-Position"));
    if (reply?.ok) document.dispatchEvent(new CustomEvent("livepost", { detail: { anonymousId, position, sentAt } }));
  };

  // 200 is the end of it. Of a refused piece halves are tried, until the one call that is wrong is alone and dropped.
  // A wrong key keeps all for the next page. Anything else is tried again, later each time.
  const settle = (keys, status, retryAfter) => {
    if (status === 200) {
      [...keys, PAUSE].forEach(forget);
      tries = 0;
      most = MAX_PIECE_CALLS;
    } else if (status === 400 || status === 413) {
      most = keys.length >> 1 || MAX_PIECE_CALLS;
      if (keys.length > 1) return;
      warn(`refused (${status}): ${textOf(keys[0])}`);
      forget(keys[0]);
    } else if (status === 401) {
      isStopped = true;
      warn("unknown write key; nothing sent");
    } else {
      const backoff = Math.min(BACKOFF_MS * 2 ** tries++, MAX_BACKOFF_MS) * (0.5 + Math.random());
      write(PAUSE, `${Date.now() + Math.max(backoff, retryAfter * 1000 || 0)}`);
    }
  };

  // A hidden page may never come back, but can still hear the answer; a page that goes cannot, and its pieces stay in
  // the queue for the next page to send again. What other pages made is left to those.
  const leave = (isGoing) => {
    if (isStopped || pause()) return;
    if (!isGoing) return void post(true).catch(warn);
    let keys = piece(true);
    while (keys.length && navigator.sendBeacon(collector, bodyOf(keys))) keys = piece(true);
  };

  const page = (name, properties) => {
    if (name instanceof Object) [name, properties] = [undefined, name];
    call("page", { name, properties: { ...where(), ...properties } });
  };

  const track = (event, properties) => call("track", { event, properties });

  // Another user than before is another person: nothing may join the two.
  const identify = (user, traits) => {
    if (user instanceof Object) [user, traits] = [undefined, user];
    refresh();
    if (user) {
      if (me.user && me.user !== `${user}`) reset();
      me.user = `${user}`;
      save();
    }
    call("identify", { traits });
  };

  const reset = () => {
    begin();
    if (privacy && isOpen()) consent();
  };

  // Consent is told when it changes, not with each call: an old choice kept in a browser must not undo an unsubscribe
  // made elsewhere since. Only `true` allows. With Global Privacy Control sale and sharing are refused, and nothing
  // here allows marketing or advertising; what this browser allowed before is taken back.
  const consent = (choice = {}) => {
    refresh();
    const wasOpen = isOpen();
    const told = { ...me.told };
    for (const purpose in choice) {
      const isAllowed = choice[purpose];
      if (isAllowed == null || (isAllowed && privacy && REFUSED.test(purpose))) continue;
      told[purpose] = isAllowed === true;
    }
    if (privacy) {
      told.sale = told.sharing = false;
      for (const purpose in told) if (REFUSED.test(purpose)) told[purpose] = false;
    }
    if (JSON.stringify(told) === JSON.stringify(me.told ?? {})) return;
    const isRefusal = required && !Object.values(told).includes(true);
    const tell = () => call("track", { event: CONSENT_EVENT }, { consent: { categoryPreferences: told } });
    if (isRefusal) {
      queued().forEach(forget);
      if (wasOpen) tell();
      return begin(told);
    }
    const held = waiting;
    waiting = {};
    me.told = told;
    save();
    tell();
    delete held[ME];
    for (const key in held) write(key, held[key]);
  };

  const clicked = (event) => {
    const element = event.target.closest?.("[data-livepost-track]");
    if (!element) return;
    const properties = JSON.parse(element.dataset.livepostProps || "{}");
    for (const { name, value } of element.attributes) {
      if (name.startsWith("data-livepost-prop-")) properties[name.slice(19).replace(/-/g, "_")] = value;
    }
    track(element.dataset.livepostTrack, properties);
  };

  // Routers replace the state for other reasons too, and set the title after it: a page view is another address, seen
  // when the router is done.
  const moved = guard(() => {
    const { url } = where();
    if (url === at) return;
    referrer = at ?? referrer;
    at = url;
    page();
  });

  const watchPages = () => {
    const movedSoon = () => setTimeout(moved);
    for (const name of ["pushState", "replaceState"]) {
      const original = history[name];
      history[name] = function (...given) {
        movedSoon();
        return original.apply(this, given);
      };
    }
    addEventListener("popstate", movedSoon);
    // A page drawn in advance is seen when it is shown.
    if (document.prerendering) document.addEventListener("prerenderingchange", moved, { once: true });
    else moved();
  };

  const shownAgain = (event) => {
    if (!event.persisted) return;
    flying.clear();
    soon();
    if (autoPage !== "false") page();
  };

  const start = guard(() => {
    const words = { page, track, identify, consent, reset, push: ([word, ...given]) => livepost[word](...given) };
    for (const thing in ECOMMERCE) {
      for (const happening of ECOMMERCE[thing].split(",")) {
        const event = `${thing} ${happening}`;
        const word = event[0].toLowerCase() + event.slice(1).replace(/ (.)/g, (_, letter) => letter.toUpperCase());
        words[word] = (properties) => track(event, properties);
      }
    }
    const livepost = { version: VERSION };
    for (const word in words) livepost[word] = guard(words[word]);
    window.livepost = livepost;
    refresh();
    if (privacy && isOpen()) consent();
    // What a consent manager of IAB's framework knows goes along with each call, as it is.
    window.__tcfapi?.("addEventListener", 2, (told) => (tcf = told));
    early?.forEach(livepost.push);
    document.addEventListener("click", guard(clicked), true);
    document.addEventListener("visibilitychange", () => document.hidden && guard(leave)());
    addEventListener("pagehide", () => guard(leave)(true));
    addEventListener("pageshow", guard(shownAgain));
    // What an earlier page left behind.
    soon();
    if (autoPage !== "false") watchPages();
  });
  start();
})();
