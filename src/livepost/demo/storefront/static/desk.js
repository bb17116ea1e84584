// The desk beside the shop: asks the shop's server for the visitor's next mail whenever the snippet was acknowledged, and
// each second, since time alone sends mails too; changes the page in place and says how long that took since the click.
const POLL_MS = 1000;
const STATES = {
  none: "Not yet",
  waiting: "Waiting",
  pending: "On its way",
  claimed: "On its way",
  in_flight: "On its way",
  sent: "Sent",
  skipped: "Not sent",
  failed: "Failed",
  unknown: "Unknown",
  held: "Held",
};

let visitor = "";
let clicked;
let known = "";
let changed = 0;
let asking = false;
let next = null;
const before = new Map();
const at = (id) => document.getElementById(id);

// What changes next is due to this click; `timeStamp` is the event's, on the clock of performance.now().
export const click = (event) => {
  clicked = event.timeStamp;
};

export const visitorId = () => visitor;

// Read what was written at a position; `since` is when whatever led to it was clicked.
export const read = async (position, since) => {
  if (asking) {
    next = { position, since: next?.since ?? since };
    return;
  }
  asking = true;
  await ask(position, since).catch(() => undefined);
  asking = false;
  if (next) {
    const { position, since } = next;
    next = null;
    read(position, since);
  }
};

export const forget = () => {
  visitor = known = "";
  clicked = undefined;
  next = null;
  before.clear();
};

const ask = async (position, since) => {
  const whose = visitor;
  if (!whose) return;
  const reply = await fetch(`/shop/desk?visitor=${whose}&wait=${position}`);
  if (!reply.ok || whose !== visitor) return;
  const desk = await reply.json();
  const { letter, features, segments, campaigns } = desk;
  tell(desk);
  const told = JSON.stringify([{ ...letter, due_in_s: 0 }, features, segments.map(withoutText), campaigns.map(withoutText)]);
  if (told !== known) {
    known = told;
    mark(features, segments, campaigns);
    write(letter);
    changed = performance.now();
  }
  // A look by the clock may have brought the change before this answer did.
  if (changed > since) at("took").textContent = `${Math.round(changed - since)} ms from click to change`;
};

// Sentences carry values that go by themselves ("since", "hours ago"); a change is one of state.
const withoutText = ({ name, state }) => [name, state];

const tell = ({ letter, shop_ms, segments, campaigns }) => {
  const state = STATES[letter.state] ?? letter.state;
  const when = letter.due === null ? "" : `goes ${clock(letter.due)} shop time, in ${Math.ceil(letter.due_in_s)} s`;
  at("state").textContent = state;
  at("when").textContent = when;
  at("strip-state").textContent = when ? `in ${Math.ceil(letter.due_in_s)} s` : state;
  set("reason", letter.text);
  at("clock").textContent = `It is ${clock(shop_ms)} there.`;
  document.querySelector(".letter").dataset.state = letter.state;
  lines("segments", segments);
  lines("campaigns", campaigns);
};

const clock = (ms) =>
  new Date(ms).toLocaleString("en-GB", { weekday: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" }) + " UTC";

// A status is read out when it changes, so it is touched only then.
const set = (id, text) => {
  if (at(id).textContent !== text) at(id).textContent = text;
};

const lines = (id, standings) => {
  const list = at(id);
  standings.forEach(({ name, state, text }, place) => {
    const line = list.children[place] ?? list.appendChild(document.createElement("li"));
    line.dataset.state = state;
    line.textContent = id === "campaigns" ? `${name}: ${text}` : text;
  });
};

const mark = (features, segments, campaigns) => {
  const list = at("features");
  list.replaceChildren();
  for (const { name, value } of features) {
    const term = document.createElement("dt");
    const told = document.createElement("dd");
    term.textContent = name;
    told.textContent = value;
    told.classList.toggle("changed", isNew(`feature ${name}`, value));
    list.append(term, told);
  }
  for (const [id, standings] of Object.entries({ segments, campaigns })) {
    standings.forEach(({ name, state }, place) => {
      const line = at(id).children[place];
      line.classList.toggle("changed", isNew(`${id} ${name}`, state));
    });
  }
};

const isNew = (name, value) => {
  const was = before.get(name);
  before.set(name, value);
  return was !== undefined && was !== value;
};

// The frame runs no script; its links lead nowhere, so that the letter stays where it is.
const write = (letter) => {
  set("subject", letter.problem ? `This mail cannot be made: ${letter.problem}` : letter.subject);
  set("strip-subject", letter.subject);
  const frame = at("letter");
  const page = frame.contentDocument?.documentElement;
  if (!page) return;
  page.innerHTML = letter.html;
  for (const link of page.querySelectorAll("[href]")) link.removeAttribute("href");
  frame.style.height = `${page.scrollHeight}px`;
};

document.addEventListener("livepost", ({ detail }) => {
  visitor = detail.anonymousId;
  const covered = clicked !== undefined && detail.sentAt >= clicked;
  read(detail.position, covered ? clicked : undefined);
  if (covered) clicked = undefined;
});
at("letter").addEventListener("load", () => {
  known = "";
});
setInterval(() => document.hidden || asking || read(-1), POLL_MS);
