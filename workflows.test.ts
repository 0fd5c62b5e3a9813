import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readJson } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';

interface Workflow {
  jobs: Record<string, { steps: { name?: string; run?: string; uses?: string }[] }>;
}

const folder = join(root, '.github', 'workflows');
const workflows = readdirSync(folder);
const { scripts } = readJson<{ scripts: Record<string, string> }>(join(root, 'package.json')) ?? {
  scripts: {},
};

const stepsOf = (file: string) =>
  Object.values((parse(readFileSync(join(folder, file), 'utf8')) as Workflow).jobs).flatMap(
    ({ steps }) => steps,
  );

test('there is one for pull requests and one for the nights', () => {
  expect(workflows.sort()).toEqual(['nightly.yml', 'pull-request.yml']);
});

test.each(workflows)('every step of %s is a command that works by hand', (file) => {
  const commands = stepsOf(file).flatMap(({ run }) => run ?? []);
  expect(commands.length).toBeGreaterThan(3);
  // one command a step, with nothing in it that only GitHub can fill in
  expect(commands.filter((command) => /\$\{\{|\n/.test(command.trim()))).toEqual([]);
  const called = commands.flatMap((command) => [...command.matchAll(/npm run (?:--silent )?([\w:]+)/g)]);
  expect(called.map(([, script = '']) => script).filter((script) => !(script in scripts))).toEqual([]);
});

test.each(workflows)('every action of %s has a version', (file) => {
  const actions = stepsOf(file).flatMap(({ uses }) => uses ?? []);
  expect(actions.length).toBeGreaterThan(3);
  expect(actions.filter((action) => !/^[\w-]+(\/[\w-]+)+@v\d+(\.\d+)*$/.test(action))).toEqual([]);
});
