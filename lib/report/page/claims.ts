import { clock } from '#lib/report/clock.ts';
import { duration } from '#lib/base/progress.ts';
import { suites } from '#lib/claims/catalogue.ts';
import { reasonBeside } from '#lib/report/reason.ts';
import { totalsOf, type Result } from '#lib/report/results.ts';
import { html, type Html } from './html.ts';
import { anchor, bundleLinks, filters, mark, prose, type Context } from './parts.ts';

/** Of so many claims a browser lays out only those that are on the screen; of fewer all, so that every place is exact. */
const manyClaims = 200;

/** Every claim of the catalogue, by suite, and what narrows them down. */
export function claimList(context: Context): Html {
  const { claims } = context.report;
  return html`${filters(claims.length, {
    verdict: Object.entries(totalsOf(claims)).flatMap(([verdict, count]) => (count > 0 ? [verdict] : [])),
    suite: suites.filter((suite) => claims.some((claim) => claim.suite === suite)),
    source: unique(claims.flatMap((claim) => claim.sources.map(({ source }) => source))),
    layer: unique(claims.flatMap(({ layer = 'none' }) => layer)),
  })}
  ${suites.map((suite) => {
    const own = claims.filter((claim) => claim.suite === suite);
    if (own.length === 0) return undefined;
    return html`<section
      class="suite${own.length > manyClaims && ' large'}"
      data-group
      aria-label="${suite}"
      style="--claims:${own.length}"
    >
      <h3>${suite} <span class="quiet">${brief(own)}</span></h3>
      ${own.map((claim) => entry(claim, context))}
    </section>`;
  })}`;
}

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();

/** "12 passed, 1 failed": only what there is. */
function brief(claims: readonly Result[]): string {
  const counts = Object.entries(totalsOf(claims)).filter(([, count]) => count > 0);
  return counts.map(([verdict, count]) => `${String(count)} ${verdict}`).join(', ');
}

function entry(claim: Result, context: Context): Html {
  const { id, verdict, suite, layer = 'none', statement, durationMs } = claim;
  const sources = [...new Set(claim.sources.map(({ source }) => source))].join(' ');
  return html`<details
    class="claim ${verdict}"
    data-entry
    id="${anchor(id)}"
    data-verdict="${verdict}"
    data-suite="${suite}"
    data-layer="${layer}"
    data-source="${sources}"
  >
    <summary>
      ${mark(verdict)}<code class="id">${id}</code><span class="statement">${prose(statement)}</span
      ><span class="verdict">${verdict}</span
      ><span class="took">${claim.startedAt === undefined ? '' : duration(durationMs)}</span>
    </summary>
    ${body(claim, context)}
  </details>`;
}

/** All that the run has to say about a claim. */
function body(claim: Result, context: Context): Html {
  const { evidence, waits, found = [], corrected, looksAt, disturbedBy = [] } = claim;
  return html`<dl>
    ${row('claim', prose(claim.statement))} ${corrected !== undefined && row('asserted', prose(corrected))}
    ${said(claim, context)}
    ${found.map(({ istio, seen }) => row(`differs in Istio ${istio.join(', ')}`, seen))}
    ${row(
      'looked at',
      [
        claim.startedAt === undefined
          ? 'not'
          : `${clock(claim.startedAt)}, for ${duration(claim.durationMs)}`,
        ...(claim.layer === undefined ? [] : [`on layer ${claim.layer}`]),
        ...(looksAt === undefined ? [] : ['this repository, not the lab']),
      ].join(', '),
    )}
    ${disturbedBy.map((died) => row('disturbed by', died))}
    ${waits.length > 0 && row('waited', waited(waits))}
    ${evidence.map(({ what, value }) => row(what, html`<pre tabindex="0">${value}</pre>`))}
  </dl>`;
}

/** What it waited for; the waits that were over at once are only counted. */
function waited(waits: Result['waits']): Html {
  const long = waits.filter(({ ms }) => ms >= 100);
  const rest = waits.length - long.length;
  return html`<ul class="waits">
    ${long.map(({ what, ms }) => html`<li><span class="number">${duration(ms)}</span> ${what}</li>`)}
    ${rest > 0 && html`<li class="quiet">${rest} of less than 0.1 s</li>`}
  </ul>`;
}

/** What came out, where the sentence stands, and how to look again: what a failure is read for. */
export function said(claim: Result, { report, sources, folder }: Context): Html {
  const { id, verdict, expected, seen, feature, blockedBy, diagnostics, rerun } = claim;
  const reason = reasonBeside(claim);
  const red = verdict === 'failed' || verdict === 'broken' || verdict === 'blocked';
  return html`${expected !== undefined && row('expected', html`<pre tabindex="0">${expected}</pre>`)}
  ${seen !== undefined && row('seen', html`<pre tabindex="0" class="seen">${seen}</pre>`)}
  ${reason !== undefined && row(red ? 'because' : 'reason', html`<span class="reason">${reason}</span>`)}
  ${feature !== undefined && row('lacks', feature)}
  ${blockedBy !== undefined && row('blocked by', `layer ${blockedBy}`)}
  ${red && report.cause?.claims.includes(id) && row('likely cause', report.cause.line)}
  ${row(
    'source',
    claim.sources.map(({ source, section }, place) => {
      const url = sources[source]?.url;
      const name = url === undefined ? html`${source}` : html`<a href="${url}">${source}</a>`;
      return html`${place > 0 && html`<br />`}${name}, “${section}”`;
    }),
  )}
  ${diagnostics !== undefined && row('diagnostics', bundleLinks(folder, diagnostics))}
  ${row('again', html`<code class="command">${rerun}</code>`)}`;
}

const row = (name: string, value: string | Html | readonly Html[]): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
