import { clock } from '#lib/report/clock.ts';
import { relative, resolve } from 'node:path';
import { root } from '#lib/base/paths.ts';
import type { Source } from '#lib/claims/catalogue.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import { marks } from '#lib/report/marks.ts';
import type { Result } from '#lib/report/results.ts';
import { html, type Html } from './html.ts';

/** What every part of the page may want to know. */
export interface Context {
  report: Conformance;
  sources: Readonly<Record<string, Source>>;
  /** The folder that the page lies in: links to what lies beside it start there. */
  folder: string;
}

/** The place of a claim on the page. */
export const anchor = (id: string): string => `claim-${id}`;

/** The mark of a verdict, for the eye; the verdict stands beside it in words. */
export const mark = (verdict: Result['verdict']): Html =>
  html`<span class="mark" aria-hidden="true">${marks[verdict]}</span>`;

/** A link to a claim, with its verdict. */
export const claimLink = ({ id, verdict }: Pick<Result, 'id' | 'verdict'>): Html =>
  html`<a class="claim-link ${verdict}" href="#${anchor(id)}"
    >${mark(verdict)}${id}<span class="sr">, ${verdict}</span></a
  >`;

/** The links to what was collected when a claim failed, as the run's own folder has it. */
export function bundleLinks(folder: string, diagnostics: string): Html {
  const to = relative(folder, resolve(root, diagnostics)).split('/').map(encodeURIComponent).join('/');
  return html`<a href="${to}/">${diagnostics}/</a> (<a href="${to}/index.txt">index</a>,
    <a href="${to}/timeline.txt">timeline</a>)`;
}

/** A sentence of the catalogue: what stands between backticks is code. */
export const prose = (text: string): Html =>
  html`${text
    .split(/(`[^`\n]+`)/)
    .map((part) => (/^`.+`$/.test(part) ? html`<code>${part.slice(1, -1)}</code>` : part))}`;

/** What is known of a whole run or more, in a line or two. */
export const facts = (rows: readonly (readonly [name: string, value: string])[]): Html =>
  html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

/**
 * What narrows the entries of a page down: a search, and a choice for each thing that they are known by.
 *
 * @param all how many entries there are
 * @param choices the values by name; an entry tells its own in `data-<name>`, parted by blanks
 */
export const filters = (all: number, choices: Readonly<Record<string, readonly string[]>>): Html =>
  html`<form id="filters" role="search" aria-label="Claims" autocomplete="off">
    <label class="search"
      ><span class="sr">Search the claims</span
      ><input type="search" name="q" placeholder="Search all that is said" /><kbd>/</kbd></label
    >
    ${Object.entries(choices).map(
      ([name, values]) =>
        html`<label
          ><span>${name}</span>
          <select name="${name}">
            <option value="">all</option>
            ${values.map((value) => html`<option>${value}</option>`)}
          </select></label
        >`,
    )}
    <button type="button" class="clear">Clear <kbd>Esc</kbd></button>
    <output id="count" role="status">${all} claims</output>
    <p id="nothing" hidden>No claim fits. <button type="button" class="clear">Show all</button></p>
  </form>`;

/** "2026-11-21 19:02:26 UTC" of an ISO time. */
export const day = (time: string): string => `${time.slice(0, 10)} ${clock(time)} UTC`;
