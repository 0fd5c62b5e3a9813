import { clock } from '#lib/report/clock.ts';
import { duration } from '#lib/base/progress.ts';
import type { Wait } from '#lib/base/until.ts';
import { suites } from '#lib/claims/catalogue.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import type { Span } from '#lib/report/lab-facts.ts';
import type { Result } from '#lib/report/results.ts';
import { html, type Html } from './html.ts';
import { anchor, claimLink } from './parts.ts';

/** Waits that are shorter are not drawn: there are many, and nobody would see them. */
const drawnFrom = 250;

/** A run of reports from before waits told when they began has none to draw. */
type Told = Pick<Wait, 'what' | 'ms'> & { startedAt?: string };

/** The run as it went: its layers and the claims of its suites on one axis, what they waited for, and the longest waits. */
export function timeline({ startedAt, finishedAt, timeline: layers, claims }: Conformance): Html {
  const from = Date.parse(startedAt);
  const all = Math.max(1, Date.parse(finishedAt) - from);
  const axis: Axis = {
    all,
    bar: (start, ms, kind, title, href) => {
      const left = ((Date.parse(start) - from) / all) * 100;
      const style = `left:${left.toFixed(3)}%;width:${((ms / all) * 100).toFixed(3)}%`;
      return href === undefined
        ? html`<i class="${kind}" style="${style}" title="${title}"></i>`
        : html`<a class="${kind}" style="${style}" title="${title}" href="${href}" tabindex="-1"></a>`;
    },
  };
  const own = layers.filter((layer) => layer.startedAt >= startedAt);
  const before = layers.filter((layer) => layer.startedAt < startedAt);
  return html`<div class="timeline">
      ${scale(axis)} ${own.map((layer) => layerRow(layer, axis))}
      ${suites.map((suite) =>
        suiteRow(
          suite,
          claims.filter((claim) => claim.suite === suite && claim.startedAt !== undefined),
          axis,
        ),
      )}
    </div>
    <p class="quiet">
      A bar is a layer being brought up or a claim being looked at; the thin line below it is time spent
      waiting for what must come true.
      ${
        before.length > 0 &&
        html` Stood already, from an earlier run: ${before.map(({ name }) => name).join(', ')}.`
      }
    </p>
    ${longest(layers, claims)}`;
}

interface Axis {
  /** Milliseconds. */
  all: number;
  /** A bar from an ISO time, for so many milliseconds. */
  bar(start: string, ms: number, kind: string, title: string, href?: string): Html;
}

/** The time since the start, at steps that a reader can count with. */
function scale({ all }: Axis): Html {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200].map((step) => step * 1000);
  const step = steps.find((one) => all / one <= 8) ?? all;
  const ticks = Array.from({ length: Math.floor(all / step) + 1 }, (_, place) => place * step);
  return html`<div class="row scale" aria-hidden="true">
    <span class="name"></span>
    <div class="track">
      ${ticks.map((ms) => html`<span style="left:${((ms / all) * 100).toFixed(3)}%">${short(ms)}</span>`)}
    </div>
  </div>`;
}

/** 90 000 -> "1:30" */
const short = (ms: number): string =>
  `${String(Math.floor(ms / 60_000))}:${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')}`;

function layerRow({ name, ms, startedAt, failed, waits = [] }: Span, axis: Axis): Html {
  const title = `layer ${name}: ${duration(ms)}${failed === undefined ? '' : `, failed: ${failed}`}`;
  return html`<div class="row">
    <span class="name">${name}</span>
    <div class="track">
      ${axis.bar(startedAt, ms, failed === undefined ? 'layer' : 'layer failed', title)}
      ${waited(waits, axis)}
    </div>
    <span class="took">${failed === undefined ? '' : '✗ '}${duration(ms)}</span>
  </div>`;
}

function suiteRow(suite: string, claims: readonly Result[], axis: Axis): Html | undefined {
  if (claims.length === 0) return undefined;
  const spent = claims.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return html`<div class="row">
    <span class="name">${suite}</span>
    <div class="track">
      ${claims.map(({ id, verdict, startedAt = '', durationMs }) =>
        axis.bar(
          startedAt,
          durationMs,
          verdict,
          `${id}: ${verdict}, ${duration(durationMs)}`,
          `#${anchor(id)}`,
        ),
      )}
      ${waited(
        claims.flatMap(({ waits }) => waits),
        axis,
      )}
    </div>
    <span class="took">${duration(spent)}</span>
  </div>`;
}

const waited = (waits: readonly Told[], axis: Axis): Html[] =>
  waits.flatMap(({ what, ms, startedAt }) =>
    startedAt === undefined || ms < drawnFrom
      ? []
      : [axis.bar(startedAt, ms, 'wait', `waited ${duration(ms)} for: ${what}`)],
  );

/** The ten longest waits of all: where the time of a run goes. */
function longest(layers: readonly Span[], claims: readonly Result[]): Html | undefined {
  const waits: (Told & { who: Html })[] = [
    ...layers.flatMap(({ name, waits: own = [] }) =>
      own.map((wait) => ({ ...wait, who: html`layer ${name}` })),
    ),
    ...claims.flatMap((claim) => claim.waits.map((wait) => ({ ...wait, who: claimLink(claim) }))),
  ];
  const shown = waits
    .filter(({ ms }) => ms >= 1000)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 10);
  if (shown.length === 0) return undefined;
  return html`<h3>Longest waits</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Longest waits">
      <table>
        <thead>
          <tr>
            <th scope="col">took</th>
            <th scope="col">waited for</th>
            <th scope="col">who</th>
            <th scope="col">at</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            ({ what, ms, who, startedAt }) =>
              html`<tr>
                <td class="number">${duration(ms)}</td>
                <td>${what}</td>
                <td>${who}</td>
                <td class="number">${startedAt === undefined ? '' : clock(startedAt)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
