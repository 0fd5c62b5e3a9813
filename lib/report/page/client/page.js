// What the page does once it is open: it narrows the claims down, and lets the keyboard do everything.
// Everything to be seen is in the page already, so without this script it still tells all.
(() => {
  'use strict';

  /** @typedef {{ element: HTMLElement, text: string | undefined }} Entry */

  const form = /** @type {HTMLFormElement} */ (document.getElementById('filters'));
  const search = /** @type {HTMLInputElement} */ (form.querySelector('[name=q]'));
  const selects = [...form.querySelectorAll('select')];
  const count = /** @type {HTMLOutputElement} */ (document.getElementById('count'));
  const nothing = /** @type {HTMLElement} */ (document.getElementById('nothing'));
  const groups = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-group]'))];
  const shortcuts = [...document.querySelectorAll('button[data-show]')];
  /** @type {Entry[]} */
  const entries = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-entry]'))].map(
    (element) => ({ element, text: undefined }),
  );

  /** All that is said about a claim, read when somebody searches for the first time. @param {Entry} entry */
  const textOf = (entry) => (entry.text ??= (entry.element.textContent ?? '').toLowerCase());

  const words = () => search.value.toLowerCase().split(/\s+/).filter(Boolean);

  /** Shows the claims that have all words and fit all choices, and says how many they are. */
  function narrow() {
    const wanted = words();
    const chosen = selects.filter(({ value }) => value !== '').map(({ name, value }) => ({ name, value }));
    let shown = 0;
    for (const entry of entries) {
      const { dataset } = entry.element;
      const fits =
        chosen.every(({ name, value }) => (dataset[name] ?? '').split(' ').includes(value)) &&
        wanted.every((word) => textOf(entry).includes(word));
      entry.element.hidden = !fits;
      if (fits) shown += 1;
    }
    for (const group of groups) group.hidden = !group.querySelector('[data-entry]:not([hidden])');
    nothing.hidden = shown > 0;
    const all = entries.length;
    count.value = shown === all ? `${String(all)} claims` : `${String(shown)} of ${String(all)} claims`;
    const verdict = selects.find(({ name }) => name === 'verdict')?.value;
    for (const button of shortcuts)
      button.setAttribute('aria-pressed', String(button.getAttribute('data-show') === verdict));
  }

  function clear() {
    form.reset();
    narrow();
  }

  /** Opens the claim that the address names, whatever hides it. */
  function follow() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id ? document.getElementById(id) : null;
    if (!target?.matches('[data-entry]')) return;
    if (target.hidden) clear();
    if (target instanceof HTMLDetailsElement) target.open = true;
    target.scrollIntoView();
    // on its way there the browser may have laid out what it only guessed the size of
    requestAnimationFrame(() => {
      target.scrollIntoView();
    });
    doorOf(target)?.focus({ preventScroll: true });
  }

  /** What of an entry takes the focus. @param {HTMLElement | undefined} entry */
  const doorOf = (entry) =>
    /** @type {HTMLElement | null | undefined} */ (entry?.querySelector('summary, a'));

  /** Goes to the next shown claim, or the one before. @param {number} by */
  function step(by) {
    const shown = entries.filter(({ element }) => !element.hidden).map(({ element }) => element);
    const at = shown.findIndex((element) => element.contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by;
    doorOf(shown[next])?.focus();
  }

  form.addEventListener('input', narrow);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const first = entries.find(({ element }) => !element.hidden)?.element;
    if (!first) return;
    if (first instanceof HTMLDetailsElement) first.open = true;
    doorOf(first)?.focus();
  });
  for (const button of document.querySelectorAll('button.clear'))
    button.addEventListener('click', () => {
      clear();
      search.focus();
    });
  for (const button of shortcuts)
    button.addEventListener('click', () => {
      const verdict = selects.find(({ name }) => name === 'verdict');
      if (!verdict) return;
      const asked = button.getAttribute('data-show') ?? '';
      verdict.value = verdict.value === asked ? '' : asked;
      narrow();
      if (verdict.value) document.getElementById('claims')?.scrollIntoView();
    });

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (key === '/' && !typing) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (key === 'Escape') {
      clear();
    } else if (key === 'ArrowDown' || key === 'ArrowUp') {
      const onEntry = target instanceof HTMLElement && target.closest('[data-entry]') !== null;
      if (target !== search && !(onEntry && target.matches('summary, a'))) return;
      event.preventDefault();
      step(key === 'ArrowDown' ? 1 : -1);
    }
  });

  addEventListener('hashchange', follow);
  // a browser that goes back keeps what was typed
  narrow();
  follow();
})();
