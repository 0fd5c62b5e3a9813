import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { Stage, Status, type Attachment, type StepResult, type TestResult } from 'allure-js-commons';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { root } from '#lib/base/paths.ts';
import { redact } from '#lib/base/redact.ts';
import type { Source } from '#lib/claims/catalogue.ts';
import { withoutSecrets, type Conformance } from './conformance.ts';
import { askedVariant } from './diff.ts';
import type { Result } from './results.ts';

/** The label, and the parameter, that tells which version of Istio, and of the VM, a result is of. */
const versionLabel = 'istio';

const statusOf: Readonly<Record<Exclude<Result['verdict'], 'not-selected'>, Status>> = {
  passed: Status.PASSED,
  failed: Status.FAILED,
  broken: Status.BROKEN,
  blocked: Status.BROKEN,
  'not-applicable': Status.SKIPPED,
  'not-implemented': Status.SKIPPED,
};

const categories = [
  { name: 'Claims that do not hold', matchedStatuses: [Status.FAILED] },
  {
    name: 'Blocked by a layer',
    matchedStatuses: [Status.BROKEN],
    messageRegex: '.* so this claim was not looked at.*',
  },
  { name: 'The harness could not tell', matchedStatuses: [Status.BROKEN] },
  { name: 'Not implemented', matchedStatuses: [Status.SKIPPED], messageRegex: 'No suite proves it yet.*' },
  { name: 'Not applicable', matchedStatuses: [Status.SKIPPED] },
];

/**
 * Writes exactly one Allure result for each claim that was asked for, known by the claim's id.
 *
 * @param raw what allure-vitest left; its steps and attachments are kept, its verdicts are not
 * @param results the folder to write; what was in it is removed
 */
export async function writeAllureResults(
  report: Conformance,
  sources: Readonly<Record<string, Source>>,
  raw: string,
  results: string,
): Promise<void> {
  await rm(results, { recursive: true, force: true });
  await mkdir(results, { recursive: true });
  const told = await rawResults(raw);
  const version = askedVariant(report);
  for (const claim of report.claims) {
    if (claim.verdict === 'not-selected') continue;
    const result = allureResult(claim, statusOf[claim.verdict], told.get(claim.id), sources, {
      version,
      startOfRun: Date.parse(report.startedAt),
    });
    for (const [place, { what, value }] of [...claim.evidence, ...waited(claim)].entries()) {
      const source = `${version}-${claim.id}-${String(place)}-attachment.txt`;
      await writeFile(join(results, source), value);
      result.attachments.push({ name: what, source, type: 'text/plain' });
    }
    await keepAttachments(result, raw, results);
    await attachTimeline(claim, version, result, results);
    await writeFile(join(results, `${claim.id}-result.json`), JSON.stringify(withoutSecrets(result)));
  }
  const facts = { ...report.measured, lab: report.lab.name, provider: report.lab.provider };
  const lines = Object.entries(facts).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(results, 'environment.properties'), `${lines.join('\n')}\n`);
  await writeFile(join(results, 'categories.json'), JSON.stringify(categories));
}

/** The results of one version of Istio. */
export interface VersionResults {
  version: string;
  /** Their folder. */
  results: string;
  /** What is shown of it, such as the versions that were measured on its system. */
  facts: Readonly<Record<string, string>>;
}

/** What a run left for Allure, as a version among others. */
export function resultsOf(report: Conformance, results: string): VersionResults {
  const { name: lab, provider } = report.lab;
  return { version: askedVariant(report), results, facts: { ...report.measured, lab, provider } };
}

/** How many runs the history keeps: two months of nights, and some megabytes. */
const historyLimit = 60;

/**
 * Makes the HTML report, one file that opens without a server. A version is an environment of its own, and a claim of a
 * version has its trend over all runs of that version; a claim is the same test case in all of them, known by its id.
 *
 * @param history the file that runs are added to
 * @throws Error when there is none afterwards
 */
export async function generateAllureReport(
  runs: readonly VersionResults[],
  output: string,
  history: string,
): Promise<void> {
  await rm(output, { recursive: true, force: true });
  await mkdir(dirname(output), { recursive: true });
  const config = join(output, '..', '.allurerc.mjs');
  const options = { singleFile: true, reportLanguage: 'en', groupBy: ['suite', 'layer'] };
  const plain = {
    name: 'Conformance of VMs in an Istio mesh',
    output,
    historyPath: history,
    historyLimit,
    plugins: { awesome: { options } },
  };
  const versions = runs.map(({ version, facts }) => ({ version, facts }));
  // only a module can say which results belong to an environment
  await writeFile(
    config,
    `const has = (version) => ({ labels }) =>
  labels.some(({ name, value }) => name === '${versionLabel}' && value === version);
const environments = ${JSON.stringify(versions)}.map(({ version, facts }) => [
  'istio-' + version.replaceAll('.', '-'),
  { name: 'Istio ' + version, variables: facts, matcher: has(version) },
]);
export default { ...${JSON.stringify(plain)}, environments: Object.fromEntries(environments) };
`,
  );
  try {
    const allure = join(root, 'node_modules', 'allure', 'cli.js');
    const folders = runs.map(({ results }) => results);
    await run([process.execPath, allure, 'generate', '--config', config, '--output', output, ...folders], {
      within: ours.packing,
    });
  } finally {
    await rm(config, { force: true });
  }
  if (!existsSync(join(output, 'index.html')))
    throw new Error(`allure generate left no index.html in ${output}.`);
}

/** What the claim waited for and how long, as an attachment of its own; none when it waited for nothing. */
function waited({ waits }: Result): { what: string; value: string }[] {
  if (waits.length === 0) return [];
  return [{ what: 'waits', value: waits.map(({ what, ms }) => `${String(ms)} ms  ${what}\n`).join('') }];
}

async function rawResults(folder: string): Promise<Map<string, TestResult>> {
  if (!existsSync(folder)) return new Map();
  const files = (await readdir(folder)).filter((file) => file.endsWith('-result.json'));
  const found = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as TestResult),
  );
  return new Map(found.map((result) => [result.name ?? '', result]));
}

function allureResult(
  claim: Result,
  status: Status,
  raw: TestResult | undefined,
  sources: Readonly<Record<string, Source>>,
  { version, startOfRun }: { version: string; startOfRun: number },
): TestResult {
  const { id, suite, layer, statement, reason, expected, seen, verdict } = claim;
  const start = claim.startedAt === undefined ? startOfRun : Date.parse(claim.startedAt);
  const sides = [
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    ...(seen === undefined ? [] : [`seen: ${seen}`]),
  ];
  const label = (name: string, value: string) => ({ name, value });
  return {
    // of several versions in one report none may take the place of another
    uuid: `${version}-${id}`,
    historyId: id,
    testCaseId: id,
    fullName: id,
    name: id,
    description: [
      statement,
      ...claim.sources.map(({ source, section }) => `${source}, "${section}"`),
      claim.rerun,
    ].join('\n\n'),
    status,
    statusDetails: reason === undefined ? {} : { message: reason, trace: sides.join('\n') },
    stage: Stage.FINISHED,
    start,
    stop: start + claim.durationMs,
    labels: [
      label('suite', suite),
      label('layer', layer ?? 'none'),
      label('severity', claim.class === 'core' ? 'critical' : 'normal'),
      label('tag', verdict),
      label('framework', 'vitest'),
      label(versionLabel, version),
    ],
    links: claim.sources.flatMap(({ source, section }) => {
      const url = sources[source]?.url;
      return url === undefined ? [] : [{ type: 'link', name: `${source}: ${section}`, url }];
    }),
    parameters: [{ name: versionLabel, value: version }],
    steps: raw?.steps ?? [],
    attachments: raw?.attachments ?? [],
  };
}

/** What happened around a failure goes with it, where the page can show it; the rest of the bundle lies beside. */
async function attachTimeline(
  { id, diagnostics }: Result,
  version: string,
  { attachments }: TestResult,
  results: string,
): Promise<void> {
  const timeline = diagnostics === undefined ? undefined : resolve(root, diagnostics, 'timeline.txt');
  if (timeline === undefined || !existsSync(timeline)) return;
  const source = `${version}-${id}-timeline-attachment.txt`;
  await copyFile(timeline, join(results, source));
  attachments.push({ name: 'timeline', source, type: 'text/plain' });
}

async function keepAttachments(
  result: { attachments: Attachment[]; steps: StepResult[] },
  raw: string,
  results: string,
): Promise<void> {
  for (const { source } of result.attachments) {
    const from = join(raw, source);
    if (!existsSync(from)) continue;
    const to = join(results, source);
    if (['.txt', '.json', '.yaml', '.html'].includes(extname(source)))
      await writeFile(to, redact(await readFile(from, 'utf8')));
    else await copyFile(from, to);
  }
  for (const step of result.steps) await keepAttachments(step, raw, results);
}
