/** Elements of the document. Text is always added as text, so user input cannot become markup. */

const SVG = "http://www.w3.org/2000/svg";

export function el(name, about = {}, ...children) {
  return filled(document.createElement(name), about, children);
}

export function svg(name, about = {}, ...children) {
  return filled(document.createElementNS(SVG, name), about, children);
}

function filled(node, about, children) {
  for (const [name, value] of Object.entries(about)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The text, its telephone numbers never broken over two lines. */
export const withUnbrokenPhones = (text) =>
  text.split(/(\+38 \(\d{3}\) [\d-]+)/).map((part, n) => (n % 2 ? el("span", { class: "phone" }, part) : part));

/** Put the children in place, unless `key` says that they are there already. */
export function put(node, key, make) {
  if (node.shownKey === key) return;
  node.shownKey = key;
  node.replaceChildren(...[make()].flat().filter(Boolean));
}

let quiet = 0;

/** Say something that goes away by itself; screen readers hear it. */
export function showToast(text, kind = "good") {
  const said = document.getElementById("toast");
  said.className = kind;
  said.textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => said.replaceChildren(), 6000);
}

export function debounce(delay, act) {
  let timer = 0;
  return (...words) => {
    clearTimeout(timer);
    timer = setTimeout(act, delay, ...words);
  };
}

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
