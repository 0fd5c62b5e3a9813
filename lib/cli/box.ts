import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownArchitecture } from '#lib/artifacts/architecture.ts';
import { hostPackages } from '#lib/artifacts/host-packages.ts';
import { debianReleases, type DebianRelease } from '#lib/artifacts/debian-sources.ts';
import { istioSource } from '#lib/artifacts/source.ts';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { cacheDir, fixture, reportsDir } from '#lib/base/paths.ts';
import { say, step } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { programs } from '#lib/layers/programs.ts';
import { bootBox, type Box } from './box/boot.ts';
import { boxImage, projectFolder } from './box/image.ts';
import { projectDisk } from './box/project-disk.ts';
import { changed, trial } from './box/trial.ts';

const usage = `npm run box -- <${debianReleases.join('|')}> [<command> [<words>…]]
  boots another kind of host (its own kernel, systemd, cgroup version 2, systemd-resolved, AppArmor) and runs a command
  in a copy of this checkout there, as root; without one, what a change of the local provider is tried with: doctor, the
  layers up to gateway, the claims of suites 1 and 2 that need no VM, down, and that nothing is left behind.
  Emulated, that takes about an hour. What the suites report is put into ${join(reportsDir(), 'box-<name>')}.`;

/** What is set in the box: emulated within the emulation a VM would miss limits of its own systemd. */
const settings = [
  ...['LAB_PROVIDER=local', 'VM_OS=none', 'LAB_KEEP=always', 'ARTIFACT_SOURCE=modules'],
  `LAB_CACHE=${projectFolder}/cache`,
];

const inProject = (words: readonly string[]): string[] => [
  ...['env', '-C', `${projectFolder}/project`, ...settings, ...words],
];

/** Runs a command in the box and shows what it says. @returns its exit code */
async function shown(box: Box, words: readonly string[], within: Within): Promise<number> {
  const { code } = await box.ssh.exec(inProject(words), {
    within,
    onLine: (line) => process.stdout.write(`  ${line}\n`),
  });
  return code;
}

/** @returns what went wrong, a line each */
async function tried(box: Box, reports: string): Promise<string[]> {
  const wrong: string[] = [];
  const state = async (): Promise<string> => {
    const script = await readFile(fixture('box/host-state.sh'));
    return (await box.ssh.exec(['bash', '-s'], { input: script, within: ours.boxStep })).stdout;
  };
  const before = await state();
  for (const [i, { title, words, within, expectedMs }] of trial.entries()) {
    const code = await step(title, { i: i + 1, n: trial.length + 1, expectedMs }, async () =>
      shown(box, words, within),
    );
    if (code !== 0) wrong.push(`${title}: exit code ${String(code)}`);
  }
  const report = await box.ssh.exec(['cat', `${projectFolder}/project/reports/conformance.json`]);
  await mkdir(reports, { recursive: true });
  if (report.code === 0) await writeFile(join(reports, 'conformance.json'), report.stdout);
  const left = await step('what is left behind', { i: trial.length + 1, n: trial.length + 1 }, async () =>
    changed(before, await state()),
  );
  return [...wrong, ...left.map((line) => `left behind or changed: ${line}`)];
}

async function inBox(os: DebianRelease, command: readonly string[]): Promise<number> {
  const asked = readSettings();
  await hostPackages(ownArchitecture);
  const image = await boxImage(os, asked.lab.debianMirror);
  // all that a lab takes is in the cache before it is copied
  const modules = { ...asked, lab: { ...asked.lab, artifactSource: 'modules' as const } };
  await programs(modules, await istioSource(modules), { ownVm: false });
  await mkdir(cacheDir(), { recursive: true });
  const scratch = await mkdtemp(join(cacheDir(), 'box-'));
  let box: Box | undefined;
  try {
    const project = await step('Disk of the project', { expectedMs: 60_000 }, async (note) =>
      projectDisk(scratch, note),
    );
    await rm(join(scratch, 'staging'), { recursive: true });
    box = await step(`Booting ${os}`, { expectedMs: 60_000 }, async () => bootBox(image, project, scratch));
    say(`The box is at ${box.login}`);
    if (command.length > 0) return await shown(box, command, ours.boxCommand);
    const wrong = await tried(box, join(reportsDir(), `box-${os}`));
    for (const line of wrong) say(line);
    say(
      wrong.length === 0
        ? `${os}: all of it passed, and nothing was left behind.`
        : `${os}: ${String(wrong.length)} went wrong.`,
    );
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await box?.end();
    await rm(scratch, { recursive: true, force: true });
  }
}

const [os = '', ...command] = process.argv.slice(2);
try {
  endWithNpm();
  const known = debianReleases.find((one) => one === os);
  if (known === undefined) throw new RefusedError(usage);
  process.exitCode = await inBox(known, command);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
