// Live pages: asks this page's own address for its events and puts what comes in place of what is there. Without it
// every page reads as it was when it was asked for.
(() => {
  "use strict";
  const live = document.querySelector("[data-live]");
  if (!live || !window.EventSource) return;
  const alive = document.getElementById("alive");

  const say = (words, lost) => {
    if (alive.textContent === words) return;
    alive.textContent = words;
    alive.classList.toggle("lost", lost);
    alive.hidden = false;
  };

  // Is the reader in the middle of something that a change would take away?
  const isBusy = () => {
    const focus = document.activeElement;
    const chosen = document.getSelection();
    const within = chosen && !chosen.isCollapsed && live.contains(chosen.anchorNode);
    return within || (live.contains(focus) && focus.matches("input, textarea, select"));
  };

  // What has a key keeps what the reader did to it: opened, scrolled, focused.
  const kept = () => {
    const opened = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
    const scrolled = [...live.querySelectorAll(".table[id]")].map((one) => [one.id, one.scrollLeft]);
    const focus = live.contains(document.activeElement) ? document.activeElement : null;
    const href = focus?.getAttribute("href");
    const folded = focus?.matches("summary") ? focus.parentElement.id : "";
    return () => {
      opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
      scrolled.forEach(([id, left]) => {
        const one = document.getElementById(id);
        if (one) one.scrollLeft = left;
      });
      if (focus?.id) document.getElementById(focus.id)?.focus({ preventScroll: true });
      else if (folded) document.getElementById(folded)?.querySelector("summary").focus({ preventScroll: true });
      else if (href) live.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    };
  };

  const show = (html) => {
    const before = new Map([...live.querySelectorAll("[data-key]")].map((one) => [one.dataset.key, one.textContent]));
    const restore = kept();
    live.replaceChildren(document.createRange().createContextualFragment(html));
    restore();
    live.querySelectorAll("[data-key]").forEach((one) => {
      if (before.has(one.dataset.key) && before.get(one.dataset.key) !== one.textContent) one.classList.add("changed");
    });
  };

  let waiting = "";
  const events = new EventSource(location.href);
  events.onopen = () => say("live", false);
  events.onmessage = ({ data }) => {
    say("live", false);
    waiting = data;
    if (!isBusy()) show(waiting);
  };
  events.onerror = () => say(events.readyState === EventSource.CLOSED ? "not live: reload the page" : "not live: trying again", true);
})();
