import type { Result } from '#lib/report/results.ts';
import { said } from './claims.ts';
import { html, type Html } from './html.ts';
import { anchor, claimLink, mark, prose, type Context } from './parts.ts';

/** What went wrong, the whole of it before anything else: nothing when nothing did. */
export function failures(context: Context): Html | undefined {
  const { claims, errors, cause } = context.report;
  const of = (verdict: Result['verdict']): Result[] => claims.filter((claim) => claim.verdict === verdict);
  const looked = [...of('failed'), ...of('broken')];
  const blocked = of('blocked');
  if (looked.length + blocked.length + errors.length === 0) return undefined;
  return html`<section id="wrong" aria-labelledby="wrong-title">
    <h2 id="wrong-title">What went wrong</h2>
    ${cause && html`<p class="cause"><strong>Likely cause:</strong> ${cause.line}.</p>`}
    ${errors.map((error) => html`<p class="card broken"><strong>Outside of any claim:</strong> ${error}</p>`)}
    ${looked.map((claim) => card(claim, context))} ${reasons(blocked)}
  </section>`;
}

function card(claim: Result, context: Context): Html {
  const { id, verdict, statement, corrected } = claim;
  return html`<article class="card ${verdict}">
    <h3>
      ${mark(verdict)}<a href="#${anchor(id)}"><code>${id}</code></a> <span class="verdict">${verdict}</span>
    </h3>
    <p>${prose(corrected ?? statement)}</p>
    <dl>${said(claim, context)}</dl>
  </article>`;
}

/** Claims that were blocked for the same reason are told once. */
function reasons(blocked: readonly Result[]): Html[] {
  const told = [...new Set(blocked.map(({ reason = '' }) => reason))];
  return told.map((reason) => {
    const own = blocked.filter((claim) => (claim.reason ?? '') === reason);
    return html`<article class="card blocked">
      <h3>${mark('blocked')}${own.length} <span class="verdict">blocked</span></h3>
      <p class="reason">${reason}</p>
      <p class="ids">${own.map((claim) => html`${claimLink(claim)} `)}</p>
    </article>`;
  });
}
