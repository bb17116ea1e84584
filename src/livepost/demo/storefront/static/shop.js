// The shop: shelves in place, a basket, an order, and what a real shop tells Livepost of all that.
import { click, forget, read, visitorId } from "/shop/static/desk.js";

const BASKET = "shop.basket";
const WHO = "shop.who";
const at = (id) => document.getElementById(id);
const currency = document.body.dataset.currency;
const dollars = (cents) => cents / 100;
const shown = (cents) => `$${dollars(cents).toFixed(2)}`;

// The snippet takes what was said before it came.
const say = (...told) => (window.livepost ||= []).push(told);

// Storage may be forbidden; then the basket lasts as long as the page.
const kept = {};
const load = (key, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? kept[key] ?? otherwise;
  } catch {
    return kept[key] ?? otherwise;
  }
};
const keep = (key, value) => {
  kept[key] = value;
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {}
};

const productOf = (id) => {
  const { product, name, category, cents } = document.querySelector(`[data-name][data-product="${CSS.escape(id)}"]`).dataset;
  return { product_id: product, name, category, price: dollars(cents), currency };
};

const seen = () => {
  const product = document.querySelector("article.product");
  if (product) return say("productViewed", productOf(product.dataset.product));
  const products = [...document.querySelectorAll("#shelf .card")].map((card, place) => {
    const { product_id, name, category, price } = productOf(card.dataset.product);
    return { product_id, name, category, price, position: place + 1 };
  });
  say("productListViewed", { list_id: "shelf", category: at("shelf").dataset.category || "Everything", products });
};

// Pages come from the server; with a script only the shelf is exchanged, so that the desk stays as it is.
const show = async (address) => {
  const reply = await fetch(address).catch(() => undefined);
  if (!reply?.ok) return location.assign(address);
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  at("shelf").replaceWith(document.adoptNode(page.getElementById("shelf")));
  document.title = page.title;
  scrollTo(0, 0);
  at("shelf").focus({ preventScroll: true });
};

const go = async (link, event) => {
  event.preventDefault();
  click(event);
  // Told at the click, not when the page has come.
  const { product } = link.dataset;
  if (product) say("productViewed", productOf(product));
  await show(link.href);
  history.pushState({}, "", link.href);
  if (!product) seen();
};

const basket = () => load(BASKET, []);
const items = () => basket().map(({ product, quantity }) => ({ ...product, quantity }));
const cents = () => basket().reduce((sum, { product, quantity }) => sum + Math.round(product.price * 100) * quantity, 0);

const add = (id, event) => {
  click(event);
  const product = productOf(id);
  const lines = basket();
  const line = lines.find((one) => one.product.product_id === id);
  if (line) line.quantity += 1;
  else lines.push({ product, quantity: 1 });
  keep(BASKET, lines);
  draw();
  say("productAdded", { ...product, quantity: 1 });
};

const remove = (id, event) => {
  click(event);
  const line = basket().find((one) => one.product.product_id === id);
  keep(BASKET, basket().filter((one) => one.product.product_id !== id));
  draw();
  at("basket-head").scrollIntoView({ block: "nearest" });
  say("productRemoved", { ...line.product, quantity: line.quantity });
};

const draw = () => {
  const lines = basket();
  const list = at("lines");
  list.replaceChildren();
  for (const { product, quantity } of lines) {
    const line = list.appendChild(document.createElement("li"));
    const called = line.appendChild(document.createElement("span"));
    called.textContent = `${quantity} × ${product.name}`;
    line.append(shown(Math.round(product.price * 100) * quantity));
    const button = line.appendChild(document.createElement("button"));
    button.type = "button";
    button.dataset.remove = product.product_id;
    button.textContent = "Take out";
    button.setAttribute("aria-label", `Take ${product.name.toLowerCase()} out of the basket`);
  }
  at("count").textContent = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  at("total").textContent = shown(cents());
  at("empty").hidden = lines.length > 0;
  at("sum").hidden = at("checkout").hidden = lines.length === 0;
  at("paying").hidden = true;
};

let orderId = "";

const checkout = (event) => {
  click(event);
  orderId = `web-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
  say("checkoutStarted", { order_id: orderId, value: dollars(cents()), currency, products: items() });
  at("checkout").hidden = true;
  at("paying").hidden = false;
  at("order").focus();
};

const order = (event) => {
  click(event);
  const bought = items();
  const dearest = bought.reduce((most, one) => (one.price * one.quantity > most.price * most.quantity ? one : most));
  const total = dollars(cents());
  say("orderCompleted", { order_id: orderId, total, currency, category: dearest.category, products: bought });
  keep(BASKET, []);
  draw();
  at("thanks").textContent = `Thank you: your order of $${total.toFixed(2)} is told.`;
};

const signIn = async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const said = { visitor: visitorId(), first_name: form.get("first_name").trim(), may_write: form.has("may_write") };
  const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) };
  const reply = await fetch("/shop/visitor", asked).catch(() => undefined);
  const told = await reply?.json().catch(() => undefined);
  if (!reply?.ok) {
    at("refused").textContent = `You are not signed in: ${told?.detail ?? "the shop does not answer; try again"}.`;
    return;
  }
  at("refused").textContent = "";
  keep(WHO, told.first_name);
  greet();
  say("identify", told.user_id);
  read(told.position, event.timeStamp);
};

const signOut = () => {
  keep(WHO, "");
  keep(BASKET, []);
  greet();
  draw();
  forget();
  say("reset");
  say("page");
};

const greet = () => {
  const who = load(WHO, "");
  at("who").textContent = who;
  at("signed-in").hidden = !who;
  at("sign-in").hidden = Boolean(who);
};

document.addEventListener("click", (event) => {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[data-in-place]");
  const button = event.target.closest("button");
  if (link) go(link, event);
  else if (button?.dataset.add) add(button.dataset.add, event);
  else if (button?.dataset.remove) remove(button.dataset.remove, event);
});
at("checkout").addEventListener("click", checkout);
at("order").addEventListener("click", order);
at("sign-in").addEventListener("submit", signIn);
at("sign-out").addEventListener("click", signOut);
addEventListener("popstate", async () => {
  await show(location.href);
  seen();
});

document.documentElement.classList.add("scripted");
draw();
greet();
seen();
