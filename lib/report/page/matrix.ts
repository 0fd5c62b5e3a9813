import { duration } from '#lib/base/progress.ts';
import { suites } from '#lib/claims/catalogue.ts';
import { withoutSecrets } from '#lib/report/conformance.ts';
import { marks } from '#lib/report/marks.ts';
import { kinds, type Kind, type RunDiff } from '#lib/report/diff.ts';
import type { Matrix, MatrixClaim, MatrixVersion } from '#lib/report/matrix.ts';
import type { Result } from '#lib/report/results.ts';
import { document } from './document.ts';
import { html, trusted, type Html } from './html.ts';
import { anchor, day, facts, filters, mark, prose } from './parts.ts';

type Verdict = Result['verdict'];

/**
 * Claims by versions as a page to look at: one HTML file that opens from disk, and links to the page of each version.
 */
export function matrixPage(data: Matrix): string {
  const matrix = withoutSecrets(data);
  const { versions, claims, diffs, asked, startedAt, finishedAt } = matrix;
  const verdicts = unique(claims.flatMap(({ cells }) => Object.values(cells).map(({ verdict }) => verdict)));
  const title = headline(matrix);
  const regression = diffs.some((diff) => diff.regression) || versions.some(({ run }) => run === null);
  const body = html`<a class="skip" href="#claims">To the claims</a>
    <header>
      <p class="subject">Conformance of VMs in an Istio mesh, by versions</p>
      <h1 class="${regression ? 'failed' : 'passed'}">${title}</h1>
      ${asked.length > 0 && html`<p>Only a part was asked for: <code>${asked.join(' ')}</code></p>`}
      ${facts([
        ['versions', versions.map(({ version }) => version).join(', ')],
        ['started', day(startedAt)],
        ['took', duration(Date.parse(finishedAt) - Date.parse(startedAt))],
      ])}
    </header>
    <nav aria-label="Sections">
      <a href="#versions">Versions</a> <a href="#changes">What changed</a> <a href="#claims">Claims</a>
    </nav>
    <main>
      <section id="versions" aria-labelledby="versions-title">
        <h2 id="versions-title">Versions</h2>
        ${versionTable(versions, '')}
      </section>
      <section id="changes" aria-labelledby="changes-title">
        <h2 id="changes-title">What changed</h2>
        ${diffs.map(change)}
      </section>
      <section id="claims" aria-labelledby="claims-title">
        <h2 id="claims-title">Claims</h2>
        ${filters(claims.length, {
          differs: ['yes', 'no'],
          verdict: verdicts,
          suite: suites.filter((suite) => claims.some((claim) => claim.suite === suite)),
        })}
        ${table(claims, versions, { linked: 'pages', at: '' })}
      </section>
    </main>`;
  return document({ title, body });
}

/**
 * In the page of a run: the versions, and the claims that are not the same in all of them.
 *
 * @param at the folder of the matrix, relative to that of the page
 */
export function matrixSection({ versions, claims, startedAt }: Matrix, at: string): Html {
  const telling = claims.filter(
    ({ differs, bound }) => differs || bound?.outcome === 'proved' || bound?.outcome === 'contradicted',
  );
  const same = claims.filter(({ differs }) => !differs).length;
  return html`<section id="versions" aria-labelledby="versions-title">
    <h2 id="versions-title">
      Claims by versions
      <span class="quiet">compared ${day(startedAt)}, <a href="${at}/index.html">all of it</a></span>
    </h2>
    ${versionTable(versions, `${at}/`)}
    <p class="told">
      ${same} of ${claims.length} claims have the same verdict in all
      versions.${telling.length > 0 && ' Those that have not, and those whose versions are proved or contradicted:'}
    </p>
    ${telling.length > 0 && table(telling, versions, { linked: 'here', at: `${at}/` })}
  </section>`;
}

const unique = <T extends string>(values: readonly T[]): T[] => [...new Set(values)].sort();

function headline({ versions, claims }: Matrix): string {
  const missing = versions.filter(({ run }) => run === null).map(({ version }) => version);
  const differing = claims.filter(({ differs }) => differs).length;
  const told = `${String(versions.length)} versions, ${differing === 0 ? 'no claim differs' : `${String(differing)} ${differing === 1 ? 'claim differs' : 'claims differ'}`}`;
  return missing.length > 0 ? `${told}, no report from ${missing.join(', ')}` : told;
}

/** What each version came to. */
function versionTable(versions: readonly MatrixVersion[], at: string): Html {
  const shown = (Object.keys(marks) as Verdict[]).filter((verdict) =>
    versions.some(({ run }) => (run?.totals[verdict] ?? 0) > 0),
  );
  return scrolling(
    'Versions',
    html`<table class="versions">
      <thead>
        <tr>
          <th scope="col">version</th>
          <th scope="col">measured</th>
          ${shown.map((verdict) => html`<th scope="col" class="${verdict} number">${mark(verdict)}${verdict}</th>`)}
          <th scope="col" class="number">took</th>
        </tr>
      </thead>
      <tbody>
        ${versions.map(
          ({ version, folder, run, measured, ms, errors, said, replaced }) =>
            html`<tr>
              <th scope="row">${run ? html`<a href="${at}${pageOf(folder)}">${version}</a>` : version}</th>
              <td>
                ${
                  measured['istio'] !== undefined &&
                  html`Istio ${measured['istio']}, Envoy ${measured['envoy'] ?? '?'}, VM
                  ${measured['vmOs'] ?? '?'}`
                }
                ${said !== null && html`<span class="failed word">✗ no report: ${said}</span>`}
                ${errors.map((error) => html`<div class="broken word">! ${error}</div>`)}
                ${replaced.length > 0 && html`<div class="quiet">replaced: ${replaced.join(', ')}</div>`}
              </td>
              ${shown.map(
                (verdict) =>
                  html`<td class="number ${(run?.totals[verdict] ?? 0) > 0 ? verdict : 'none'}">
                    ${run?.totals[verdict] ?? '–'}
                  </td>`,
              )}
              <td class="number">${duration(ms)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
}

/** Where the id of a claim leads, if anywhere, and where the folders of the versions are. */
interface Links {
  linked: 'here' | 'pages';
  at: string;
}

/** One row for each claim, one column for each version. */
function table(claims: readonly MatrixClaim[], versions: readonly MatrixVersion[], links: Links): Html {
  const looked = versions.filter(({ run }) => run !== null);
  return scrolling(
    'Claims by versions',
    html`<table class="matrix">
      <thead>
        <tr>
          <th scope="col">claim</th>
          ${looked.map(({ version }) => html`<th scope="col">${version}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${claims.map((claim) => row(claim, looked, links))}
      </tbody>
    </table>`,
  );
}

function row(claim: MatrixClaim, versions: readonly MatrixVersion[], { linked, at }: Links): Html {
  const { id, suite, statement, cells, differs, bound } = claim;
  const verdicts = unique(Object.values(cells).map(({ verdict }) => verdict)).join(' ');
  const name = html`<code>${id}</code>`;
  // its own page has the claims, and a row of it is no second place for one of them
  const place =
    linked === 'pages' &&
    html` data-entry id="${anchor(id)}" data-verdict="${verdicts}" data-suite="${suite}"
    data-differs="${differs ? 'yes' : 'no'}"`;
  return html`<tr${place}>
    <th scope="row">
      ${linked === 'here' ? html`<a href="#${anchor(id)}">${name}</a>` : name}
      <span class="quiet">${prose(statement)}</span> ${bound && bounds(bound)}
    </th>
    ${versions.map(({ version, folder }) => {
      const cell = cells[version];
      if (!cell) return html`<td data-version="${version}">–</td>`;
      const { verdict, reason, durationMs } = cell;
      const word = html`${mark(verdict)}${verdict}`;
      return html`<td class="${verdict}" data-version="${version}" title="${reason ?? duration(durationMs)}">
        <a href="${at}${pageOf(folder)}#${anchor(id)}">${word}</a>
      </td>`;
    })}
  </tr>`;
}

/** "since 1.22: proved" */
function bounds({ since, until, outcome, contradictedBy }: NonNullable<MatrixClaim['bound']>): Html {
  const range = [
    ...(since === undefined ? [] : [`since ${since}`]),
    ...(until === undefined ? [] : [`until ${until}`]),
  ].join(', ');
  const against = contradictedBy.length > 0 ? ` by ${contradictedBy.join(', ')}` : '';
  return html`<span class="bound ${outcome === 'contradicted' ? 'failed' : ''}"
    >${range}: ${outcome.replaceAll('-', ' ')}${against}</span
  >`;
}

/** What is different in the later of two versions. */
function change({ from, to, regression, changes, timings, newErrors, cause }: RunDiff): Html {
  const nothing = changes.length + timings.length + newErrors.length === 0;
  return html`<article class="card ${regression ? 'failed' : 'passed'}">
    <h3>
      ${from.name} → ${to.name}
      <span class="verdict"
        >${regression ? '✗ a regression' : nothing ? '✓ no difference' : '✓ no regression'}</span
      >
    </h3>
    ${newErrors.map((error) => html`<p>Outside of any claim: ${error}</p>`)}
    ${cause !== null && regression && html`<p>Likely cause: ${cause}.</p>`}
    ${kinds.map((kind) => changed(kind, changes))}
    ${
      timings.length > 0 &&
      group(
        'other time, by more than noise',
        timings.map(
          ({ id, what, fromMs, toMs }) =>
            html`<li>
              <a href="#${anchor(id)}"><code>${id}</code></a> ${what} ${duration(fromMs)} → ${duration(toMs)}
            </li>`,
        ),
        true,
      )
    }
  </article>`;
}

/** The kinds of change that one reads a comparison for; the others are there to be opened. */
const telling = new Set<Kind>(['newly-failing', 'otherwise-red', 'fixed']);

function changed(kind: Kind, changes: RunDiff['changes']): Html | undefined {
  const own = changes.filter((one) => one.kind === kind);
  if (own.length === 0) return undefined;
  const items = own.map(
    ({ id, from, to, reason }) =>
      html`<li>
        <a href="#${anchor(id)}"><code>${id}</code></a>
        <span class="${from} word">${mark(from)}${from}</span> →
        <span class="${to} word">${mark(to)}${to}</span>
        ${reason !== null && html`<div class="quiet reason">${reason}</div>`}
      </li>`,
  );
  return group(kind.replaceAll('-', ' '), items, telling.has(kind));
}

const group = (title: string, items: readonly Html[], open: boolean): Html =>
  html`<details class="changes" ${open && trusted(' open')}>
    <summary>${title} (${items.length})</summary>
    <ul>
      ${items}
    </ul>
  </details>`;

const pageOf = (folder: string): string =>
  `${folder.split('/').map(encodeURIComponent).join('/')}/index.html`;

const scrolling = (name: string, content: Html): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${name}">${content}</div>`;
