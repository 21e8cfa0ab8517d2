/** Elements of the document. Text is always added as text, so user input cannot become markup. */

const SVG = "http://www.w3.org/2000/svg";

export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The text with elements that keep each telephone number on one line. */
export const withUnbrokenPhones = (text) =>
  text.split(/(\+38 \(\d{3}\) [\d-]+)/).map((part, n) => (n % 2 ? el("span", { class: "phone" }, part) : part));

/** Replace the children, unless the node already has the content of this `key`. */
export function put(node, key, render) {
  if (node.contentKey === key) return;
  node.contentKey = key;
  node.replaceChildren(...[render()].flat().filter(Boolean));
}

let toastTimer = 0;

/** Show a message for some seconds; screen readers announce it. */
export function showToast(text, kind = "good") {
  const toast = document.getElementById("toast");
  toast.className = kind;
  toast.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.replaceChildren(), 6000);
}
