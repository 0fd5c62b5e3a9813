import { catalogue } from '#lib/claims/catalogue.ts';
import { likelyCause } from '#lib/report/cause.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import { matrix, type Matrix, type VersionRun } from '#lib/report/matrix.ts';
import { totalsOf, type Result } from '#lib/report/results.ts';

/** For the tests of the page: reports as a run would write them, about the claims of the catalogue. */

const known = catalogue().claims;

const start = Date.parse('2026-11-21T18:59:15.000Z');
const at = (ms: number): string => new Date(start + ms).toISOString();

const layerOf: Readonly<Record<Result['suite'], string>> = {
  '01-cluster': 'cluster',
  '02-istio': 'gateway',
  '03-vm': 'workload',
  '04-traffic': 'apps',
  '05-policy': 'policy',
};

/** A run of all claims, of which all passed but those that `others` tells otherwise about. */
export function sampleRun(others: Readonly<Record<string, Partial<Result>>> = {}): Conformance {
  const claims = known.map(({ id, suite, class: kind, statement, sources }, place): Result => ({
    ...{ id, suite, class: kind, statement, sources, layer: layerOf[suite], verdict: 'passed' },
    ...{ startedAt: at(60_000 + place * 700), durationMs: 600 },
    evidence: [{ what: 'the answer', value: '{\n  "status": 200\n}' }],
    waits: [
      { what: 'the command has ended', startedAt: at(60_100 + place * 700), ms: 300 },
      { what: 'a port answers', startedAt: at(60_450 + place * 700), ms: 12 },
    ],
    rerun: `npx vitest run -t ${id}`,
    ...others[id],
  }));
  return {
    schemaVersion: 1,
    startedAt: at(0),
    finishedAt: at(60_000 + known.length * 700 + 2000),
    lab: {
      ...{ name: 'conformance', provider: 'local', distribution: 'upstream', artifactSource: 'modules' },
      features: ['amd64-vm', 'upstream'],
    },
    measured: { istio: '1.27.9', envoy: '1.36.2', kubernetes: 'v1.34.4' },
    config: { istioVersion: '1.27.9' },
    selection: null,
    totals: totalsOf(claims),
    timeline: [
      { name: 'machines', startedAt: at(1000), ms: 1200 },
      {
        ...{ name: 'cluster', startedAt: at(2300), ms: 5600 },
        waits: [{ what: 'all nodes are Ready', startedAt: at(4000), ms: 3100 }],
      },
    ],
    restarts: [],
    errors: [],
    cause: likelyCause(claims, {}) ?? null,
    claims,
  };
}

/** What would end a page, start a script or leave an attribute, if it were not escaped. */
export const nasty = `</script></style><img src=x onerror="alert(1)"> 'it' & "that"\n<b>second line</b>`;

/** A run with three different failures. */
export const redRun = (): Conformance =>
  sampleRun({
    'traffic.vm-to-mesh.hello': {
      ...{ verdict: 'failed', reason: 'expected 503 to be 200', expected: '200', seen: `503 ${nasty}` },
      diagnostics: 'reports/diagnostics/traffic.vm-to-mesh.hello',
    },
    'vm.deb-contents': { verdict: 'broken', reason: nasty, evidence: [{ what: nasty, value: nasty }] },
    'policy.strict-rejects-plaintext-to-vm': {
      ...{ verdict: 'blocked', blockedBy: 'policy', durationMs: 0, waits: [], evidence: [] },
      reason: 'Layer policy is not up, so this claim was not looked at: it did not answer.',
    },
  });

/** Three versions, of which one claim fails in the second, and a fourth that left no report. */
export function sampleMatrix(): Matrix {
  const seen = { verdict: 'failed', reason: nasty } as const;
  const told = (version: string, report: Conformance): VersionRun => ({
    ...{
      version,
      istio: version,
      vmOs: 'debian-12',
      status: report.totals.failed > 0 ? 1 : 0,
      ms: 240_000,
      folder: version,
    },
    report: {
      ...report,
      measured: { istio: version, envoy: '1.36.2', vmOs: 'debian-12' },
      config: { istioVersion: version },
    },
  });
  return matrix(
    [
      told('1.24.0', sampleRun()),
      told('1.27.9', sampleRun({ 'traffic.vm-to-mesh.hello': seen })),
      told('master', sampleRun()),
      {
        version: '1.28.0',
        istio: '1.28.0',
        vmOs: 'debian-12',
        status: 2,
        ms: 800,
        folder: '1.28.0',
        said: `No such version: ${nasty}`,
      },
    ],
    known,
    { startedAt: new Date(start), finishedAt: new Date(start + 720_000), asked: [] },
  );
}
