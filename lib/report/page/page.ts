import { relative } from 'node:path';
import { endOf } from '#lib/base/ended.ts';
import { duration } from '#lib/base/progress.ts';
import { clock } from '#lib/report/clock.ts';
import { withoutSecrets, type Conformance } from '#lib/report/conformance.ts';
import type { Matrix } from '#lib/report/matrix.ts';
import { asked, replacedIn } from '#lib/report/summary.ts';
import type { Result } from '#lib/report/results.ts';
import { claimList } from './claims.ts';
import { document } from './document.ts';
import { failures } from './failures.ts';
import { html, type Html } from './html.ts';
import type { LabPaths } from './lab-paths.ts';
import { matrixSection } from './matrix.ts';
import { claimLink, day, facts, mark, type Context } from './parts.ts';
import { picture } from './picture.ts';
import { timeline } from './timeline.ts';

/** What the page is made from. */
export interface PageData extends Context {
  lab: LabPaths;
  /** Claims by versions, when several were compared, and where that lies. */
  matrix?: { shown: Matrix; folder: string } | undefined;
}

/** The report of a run as a page to look at: one HTML file that opens from disk. */
export function page(data: PageData): string {
  const { lab, matrix, ...context } = withoutSecrets(data);
  const { report } = context;
  const wrong = failures(context);
  const body = html`<a class="skip" href="#claims">To the claims</a>
    ${head(report)}
    <nav aria-label="Sections">
      ${wrong && html`<a href="#wrong">What went wrong</a>`}
      <a href="#lab">The lab</a> ${matrix && html`<a href="#versions">Versions</a>`}
      <a href="#claims">Claims</a> <a href="#run">The run</a>
    </nav>
    <main>
      ${wrong}
      <section id="lab" aria-labelledby="lab-title">
        <h2 id="lab-title">The lab and its paths</h2>
        ${picture(lab, report.claims)}
      </section>
      ${matrix && matrixSection(matrix.shown, relative(context.folder, matrix.folder))}
      <section id="claims" aria-labelledby="claims-title">
        <h2 id="claims-title">Claims</h2>
        ${claimList(context)}
      </section>
      <section id="run" aria-labelledby="run-title">
        <h2 id="run-title">The run</h2>
        ${restarts(report)} ${timeline(report)}
      </section>
    </main>
    <footer>${foot(report)}</footer>`;
  return document({ title: `${headline(report)} · ${subject(report)}`, body });
}

/** What the run is about: what a reader looks for first when there are several such pages. */
const subject = ({ measured, lab }: Conformance): string =>
  measured['istio'] === undefined ? `lab ${lab.name || '(unknown)'}` : `Istio ${measured['istio']}`;

/** The outcome in a sentence. */
function headline({ totals, errors }: Conformance): string {
  const { passed, failed, broken, blocked } = totals;
  const looked = passed + failed + broken + blocked;
  const untold = broken + blocked;
  if (failed > 0) {
    const rest = untold > 0 ? `, ${String(untold)} could not be told` : '';
    return `${String(failed)} of ${String(looked)} claims ${failed === 1 ? 'does' : 'do'} not hold${rest}`;
  }
  if (untold > 0) return `${String(untold)} of ${String(looked)} claims could not be told`;
  if (errors.length > 0) return 'The run went wrong outside of its claims';
  if (passed === 0) return 'No claim was looked at';
  return passed === 1
    ? 'The one claim that was looked at holds'
    : `All ${String(passed)} claims that were looked at hold`;
}

/** The verdict that decides about the whole, for its colour. */
function overall({ totals, errors }: Conformance): Result['verdict'] {
  const worst = (['failed', 'broken', 'blocked'] as const).find((verdict) => totals[verdict] > 0);
  if (worst) return worst;
  if (errors.length > 0) return 'broken';
  return totals.passed > 0 ? 'passed' : 'not-selected';
}

function head(report: Conformance): Html {
  const { measured, lab, totals, selection, startedAt, finishedAt } = report;
  const counts = Object.entries(totals) as [Result['verdict'], number][];
  const replaced = replacedIn(report);
  return html`<header>
    <p class="subject">Conformance of VMs in an Istio mesh</p>
    <h1 class="${overall(report)}">${headline(report)}</h1>
    ${selection !== null && html`<p>Only a part was asked for: <code>${asked(selection)}</code></p>`}
    ${replaced.length > 0 && html`<p>Manifests that were replaced for this run: <code>${replaced.join(', ')}</code></p>`}
    <div class="share" aria-hidden="true">
      ${counts.map(([verdict, count]) => count > 0 && html`<i class="${verdict}" style="flex-grow:${count}"></i>`)}
    </div>
    <ul class="totals" aria-label="Claims by verdict">
      ${counts.map(
        ([verdict, count]) =>
          html`<li class="${verdict}" data-total="${verdict}" data-count="${count}">
            <button type="button" data-show="${verdict}" aria-pressed="false">
              ${mark(verdict)}<b>${count}</b> ${verdict}
            </button>
          </li>`,
      )}
    </ul>
    ${
      report.restarts.length > 0 &&
      html`<p><a href="#restarts">Programs of the lab died: ${report.restarts.length}</a></p>`
    }
    ${facts([
      ...Object.entries(measured),
      ['lab', [lab.name, lab.provider, lab.distribution].filter(Boolean).join(', ') || '(unknown)'],
      ['started', day(startedAt)],
      ['took', duration(Date.parse(finishedAt) - Date.parse(startedAt))],
    ])}
  </header>`;
}

/** What died in the lab and was started again, with the claims that were being looked at. */
function restarts({ restarts: all, claims }: Conformance): Html | undefined {
  if (all.length === 0) return undefined;
  return html`<div id="restarts" class="card blocked">
    <h3>Programs of the lab that died and were started again: ${all.length}</h3>
    <ul>
      ${all.map(
        (one) =>
          html`<li>
            ${clock(one.at)} ${endOf(one)}
            ${claims.filter(({ id }) => one.claims.includes(id)).map((claim) => html`${claimLink(claim)} `)}
          </li>`,
      )}
    </ul>
  </div>`;
}

function foot({ lab, config }: Conformance): Html {
  return html`<details>
      <summary>Settings and features of the lab</summary>
      <p>
        Features: ${lab.features.join(', ') || 'none'}. Artifacts from: ${lab.artifactSource || '(unknown)'}.
      </p>
      <pre tabindex="0">${JSON.stringify(config, undefined, 2)}</pre>
    </details>
    <p class="quiet">
      Versions are read from the running system. Beside this file:
      <a href="conformance.json">conformance.json</a>, <a href="summary.md">summary.md</a>,
      <a href="allure-report/index.html">Allure</a>.
    </p>`;
}
