import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { catalogue } from '#lib/claims/catalogue.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import { labPaths } from './lab-paths.ts';
import { matrixPage } from './matrix.ts';
import { page } from './page.ts';
import { nasty, redRun, sampleMatrix, sampleRun } from './sample.ts';
import { textIn, wellFormed } from './well-formed.ts';

const { sources } = catalogue();
const shown = (report: Conformance, more: Partial<Parameters<typeof page>[0]> = {}): string =>
  page({ report, sources, lab: labPaths(), folder: '/somewhere/reports', ...more });
const compared = { shown: sampleMatrix(), folder: '/somewhere/reports/matrix' };

const pages: readonly (readonly [name: string, text: () => string])[] = [
  ['a green run', () => shown(sampleRun())],
  ['a run with three different failures', () => shown(redRun())],
  ['a run after versions were compared', () => shown(sampleRun(), { matrix: compared })],
  ['a run that did not begin', () => shown({ ...sampleRun(), claims: [], timeline: [], errors: [nasty] })],
  ['the comparison of versions', () => matrixPage(sampleMatrix())],
];

describe.each(pages)('%s', (_, render) => {
  const text = render();

  test('is well-formed, and no id is there twice', () => {
    expect(wellFormed(text)).toEqual([]);
    const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(ids.filter((id, place) => ids.indexOf(id) !== place)).toEqual([]);
  });

  test('has only links that lead somewhere: to a place on it, a file beside it, or a source', () => {
    const ids = new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id));
    const links = [...text.matchAll(/ href="([^"]*)"/g)].map(([, href = '']) => href);
    const lost = links.filter((href) => href.startsWith('#') && !ids.has(href.slice(1)));
    expect(links.length).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    expect(links.filter((href) => !/^(#|https:\/\/|[\w%.-]+\/|[\w.-]+\.(json|md)$)/.test(href))).toEqual([]);
  });

  test('loads nothing, and lets a browser run no script but its own', () => {
    const scripts = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = '']) => script);
    expect(scripts).toHaveLength(1);
    const sum = createHash('sha256')
      .update(scripts[0] ?? '')
      .digest('base64');
    expect(text).toContain(`default-src &#39;none&#39;`);
    expect(text).toContain(`script-src &#39;sha256-${sum}&#39;`);
    expect(text).not.toMatch(/<(?:img|link|iframe|object|embed)\b|<script [^>]|\son[a-z]+="|@import|url\(/);
  });
});

describe('the page of a run', () => {
  test('has every claim of the catalogue once, and counts as conformance.json does', () => {
    const report = redRun();
    const text = shown(report);
    const entries = [...text.matchAll(/data-entry\s+id="claim-([^"]*)"\s+data-verdict="([^"]*)"/g)];
    const told = new Map(entries.map(([, id = '', verdict]) => [id, verdict]));
    expect(entries).toHaveLength(report.claims.length);
    expect(told).toEqual(new Map(report.claims.map(({ id, verdict }) => [id, verdict])));
    const totals = [...text.matchAll(/data-total="([^"]*)"\s+data-count="(\d+)"/g)];
    expect(Object.fromEntries(totals.map(([, verdict, count]) => [verdict, Number(count)]))).toEqual(
      report.totals,
    );
  });

  test('tells of a failure what it claims, what was expected and seen, where it stands, and how to look again', () => {
    const text = textIn(shown(redRun()));
    const card = text.slice(text.indexOf('What went wrong'), text.indexOf('The lab and its paths'));
    for (const word of [
      'From the VM, GET http://helloworld.sample.svc:5000/hello returns 200',
      'expected 200',
      'seen 503',
      'likely cause layer workload',
      'istio-vms-1.20 , “checking vm to mesh connectivity”',
      'npx vitest run -t traffic.vm-to-mesh.hello',
      'reports/diagnostics/traffic.vm-to-mesh.hello/',
      'Layer policy is not up, so this claim was not looked at',
    ])
      expect(card).toContain(word);
  });

  test('says in its first words how it ended', () => {
    const title = (report: Conformance): string | undefined =>
      /<title>(.*)<\/title>/.exec(shown(report))?.[1];
    const all = sampleRun();
    const untold = { verdict: 'broken', reason: 'no answer' } as const;
    const none = Object.fromEntries(all.claims.map(({ id }) => [id, { verdict: 'not-selected' as const }]));
    expect(title(all)).toBe(
      `All ${String(all.claims.length)} claims that were looked at hold · Istio 1.27.9`,
    );
    expect(title(redRun())).toBe(
      `1 of ${String(all.claims.length)} claims does not hold, 2 could not be told · Istio 1.27.9`,
    );
    expect(title(sampleRun({ 'vm.hosts-file': untold }))).toMatch(/^1 of \d+ claims could not be told/);
    expect(title({ ...all, errors: ['it died'] })).toMatch(/^The run went wrong outside of its claims/);
    expect(title({ ...sampleRun(none), measured: {} })).toBe('No claim was looked at · lab conformance');
  });

  test('says which manifests were replaced for the run', () => {
    const overlay = { folder: '/somewhere/overlay', files: ['05-policy/strict.yaml'] };
    const text = textIn(shown({ ...sampleRun(), config: { overlay } }));
    expect(text).toContain('Manifests that were replaced for this run: 05-policy/strict.yaml');
  });

  test('links to the bundle from where it lies', () => {
    const root = new URL('../../../reports', import.meta.url).pathname;
    expect(shown(redRun(), { folder: root })).toContain(
      'href="diagnostics/traffic.vm-to-mesh.hello/index.txt"',
    );
    expect(shown(redRun(), { folder: `${root}/matrix/master` })).toContain(
      'href="../../diagnostics/traffic.vm-to-mesh.hello/"',
    );
  });

  test('shows what a run has seen as it was seen, whatever is in it', () => {
    const text = shown(redRun());
    expect(text).not.toContain('<img');
    expect(text).not.toContain('<b>second');
    expect(textIn(text)).toContain(nasty.replaceAll(/\s+/g, ' '));
  });

  test('withholds secrets, even those that a report has by mistake', () => {
    const token = `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJ2bSJ9'.repeat(2)}.c2lnbmF0dXJl`;
    const text = shown(
      sampleRun({ 'vm.hosts-file': { verdict: 'failed', reason: `sent ${token}`, seen: token } }),
    );
    expect(text).toContain('(token withheld)');
    expect(text).not.toContain('c2lnbmF0dXJl');
  });

  test('tells a layer that stood before the run apart, and one that did not come up', () => {
    const { timeline, ...rest } = sampleRun();
    const text = shown({
      ...rest,
      timeline: [
        { name: 'machines', startedAt: '2026-11-20T10:00:00.000Z', ms: 1000 },
        ...timeline.slice(1),
        { name: 'istio', startedAt: '2026-11-21T18:59:30.000Z', ms: 900, failed: 'istiod is not ready' },
      ],
    });
    expect(textIn(text)).toContain('Stood already, from an earlier run: machines.');
    expect(text).toContain('title="layer istio: 0.9 s, failed: istiod is not ready"');
    expect(text).not.toContain('title="layer machines');
  });

  test('draws what was waited for where that was, and names the longest', () => {
    const long = { what: 'the unit is active', startedAt: '2026-11-21T19:00:15.000Z', ms: 9000 };
    const text = shown(sampleRun({ 'life.unit-restarts': { waits: [long] } }));
    expect(text).toMatch(
      /class="wait" style="left:\d+\.\d+%;width:\d+\.\d+%" title="waited 9.0 s for: the unit is active"/,
    );
    expect(textIn(text)).toMatch(/Longest waits .*9\.0 s the unit is active ✓ life\.unit-restarts/);
  });

  test('shows a report of before waits told when they began', () => {
    const report = sampleRun();
    const old = JSON.parse(
      JSON.stringify(report).replaceAll(/"startedAt":"[^"]*","ms":12/g, '"ms":12'),
    ) as Conformance;
    expect(wellFormed(shown(old))).toEqual([]);
  });
});

describe('the comparison of versions', () => {
  test('has a row for each claim, a cell for each version that left a report, and a link to it there', () => {
    const text = matrixPage(sampleMatrix());
    const rows = text.match(/<tr\s+data-entry/g) ?? [];
    expect(rows).toHaveLength(catalogue().claims.length);
    expect(text).toContain('href="1.27.9/index.html#claim-traffic.vm-to-mesh.hello"');
    expect(text).not.toContain('href="1.28.0/index.html');
    expect(textIn(text)).toContain('4 versions, 1 claim differs, no report from 1.28.0');
    expect(textIn(text)).toContain('1.24.0 → 1.27.9 ✗ a regression');
  });

  test('in the page of a run has the claims that differ, which lead to the claims of that page', () => {
    const text = shown(sampleRun(), { matrix: compared });
    const section = text.slice(text.indexOf('id="versions"'), text.indexOf('id="claims"'));
    expect(section).toContain('href="#claim-traffic.vm-to-mesh.hello"');
    expect(section).toContain('href="matrix/1.27.9/index.html#claim-traffic.vm-to-mesh.hello"');
    expect(section.match(/<th scope="row">\s*<a href="#claim-/g)).toHaveLength(1);
  });
});
