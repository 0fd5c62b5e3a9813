import { ESLint } from 'eslint';
import { expect, test } from 'vitest';

// Type information is left out: seeded files do not exist, and the rules under test do not need it.
const eslint = new ESLint({
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return (result?.messages ?? []).map(({ message }) => message);
}

test.each([
  ['lib/base/seeded.ts', `import '#lib/kube/client.ts'`, 'lib/base may import: nothing else of lib.'],
  ['lib/kube/seeded.ts', `import '#lib/machines/machine.ts'`, 'lib/kube may import: base.'],
  [
    'lib/claims/seeded.ts',
    `import type { A } from '#lib/report/report.ts'`,
    'lib/claims may import: base, kube, layers, diagnostics.',
  ],
  ['lib/machines/local/seeded.ts', `import '../machine.ts'`, 'Across folders write #lib/'],
  ['lib/layers/seeded.ts', `import { execa } from 'execa'`, 'execa is used in lib/base only.'],
  ['lib/layers/seeded.ts', `import 'node:child_process'`, 'node:child_process is used in lib/base only.'],
  [
    'lib/layers/seeded.ts',
    `import '@kubernetes/client-node'`,
    '@kubernetes/client-node is used in lib/kube only.',
  ],
  ['lib/base/seeded.ts', `import { $ } from 'zx'`, 'zx is used in lib/cli only.'],
  ['suites/05-policy/seeded.test.ts', `import '#lib/machines/machine.ts'`, 'suites may import: '],
  ['suites/05-policy/seeded.test.ts', `import '#lib/base/command.ts'`, 'suites may import: '],
  ['suites/05-policy/seeded.test.ts', `import '../04-traffic/calls.ts'`, 'Across folders write #lib/'],
  ['suites/05-policy/seeded.test.ts', `setTimeout(() => {}, 1000)`, 'Wait for something seen'],
  [
    'suites/05-policy/seeded.test.ts',
    `await vi.waitFor(() => false)`,
    'vi.waitFor takes false for an answer',
  ],
  ['suites/05-policy/seeded.test.ts', `await look({ within: 20_000 })`, 'Name the deadline in'],
  ['lib/layers/seeded.ts', `await look({ within: minutes(2), every: 100 })`, 'Name the deadline in'],
  ['lib/layers/seeded.ts', `const wait = (within = 2 * 1000) => within`, 'Name the deadline in'],
  ['lib/base/seeded.ts', `AbortSignal.timeout(seconds(10))`, 'Name the deadline in'],
  ['suites/05-policy/seeded.test.ts', `await expect.poll(() => 1).toBe(1)`, 'expect.poll overruns'],
])('%s: %s is reported', async (file, code, message) => {
  expect(await complaints(file, code)).toEqual([expect.stringContaining(message)]);
});

test.each([
  ['lib/base/seeded.ts', `import { execa } from 'execa'; setTimeout(() => {}, 1)`],
  ['lib/layers/seeded.ts', `import '#lib/machines/machine.ts'`],
  ['lib/machines/local/seeded.ts', `import '#lib/machines/machine.ts'`],
  ['lib/cli/seeded.ts', `import { $ } from 'zx'; import '#lib/layers/lab.ts'`],
  [
    'suites/05-policy/seeded.test.ts',
    `import '#lib/base/until.ts'; import './calls.ts'; import '#lib/claims/claim.ts'`,
  ],
  ['lib/layers/seeded.ts', `await look({ within: ours.command }); AbortSignal.timeout(left)`],
  ['lib/layers/seeded.test.ts', `await look({ within: 50 })`],
  ['suites/global-setup.ts', `import '#lib/base/errors.ts'`],
])('%s: %s is allowed', async (file, code) => {
  expect(await complaints(file, code)).toEqual([]);
});
