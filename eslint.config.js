import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Which folder (or file) may import what of lib/. An entry with a slash is a single file.
 * The order is the order of the building: each folder stands on those above it. The last row that fits counts.
 */
const mayImport = {
  'lib/base': [],
  'lib/artifacts': ['base'],
  'lib/machines': ['base', 'artifacts'],
  'lib/kube': ['base'],
  'lib/distribution': ['base', 'machines', 'kube', 'artifacts'],
  'lib/doctor': ['base', 'artifacts', 'machines'],
  'lib/probes': ['base', 'machines', 'kube'],
  'lib/layers': ['base', 'artifacts', 'machines', 'doctor', 'kube', 'distribution', 'probes'],
  'lib/diagnostics': ['base', 'machines', 'kube', 'probes', 'layers'],
  'lib/claims': ['base', 'kube', 'layers', 'diagnostics'],
  'lib/report': ['base', 'claims', 'layers/layer.ts'],
  'lib/report/page/browser': ['base', 'claims', 'report'],
  'lib/inert': ['base', 'machines', 'kube', 'layers', 'claims'],
  'lib/contract': ['base', 'machines', 'layers'],
  'lib/cli': ['*'],
  suites: ['base/deadlines.ts', 'base/settings.ts', 'base/until.ts', 'claims', 'layers', 'probes', 'kube'],
  'suites/global-setup.ts': ['base', 'claims', 'layers'],
  'vitest.falsify.config.ts': ['report'],
  'vitest.config.ts': ['report'],
  'vitest.contract.config.ts': ['base/deadlines.ts'],
};

/** Packages that have one door each, and the folders that hold it. */
const homes = {
  execa: ['lib/base'],
  'node:child_process': ['lib/base'],
  'p-wait-for': ['lib/base'],
  'node:timers/promises': ['lib/base'],
  '@kubernetes/client-node': ['lib/kube'],
  'allure-js-commons': ['lib/claims', 'lib/report'],
  'allure-vitest': ['lib/claims', 'lib/report'],
  zx: ['lib/cli'],
  'playwright-core': ['lib/report/page/browser'],
};

const literally = (text) => text.replaceAll('.', String.raw`\.`);

/** The patterns of no-restricted-imports for one row of the table. */
function restrictions(folder, allowed) {
  // from a folder inside, its own folder is reached from above
  const own = folder.startsWith('lib/') ? [folder.slice('lib/'.length)] : [];
  const entries = [...allowed, ...own].map((entry) =>
    entry.includes('/') ? `${literally(entry)}$` : `${entry}/`,
  );
  const patterns = [{ regex: String.raw`^\.\./`, message: 'Across folders write #lib/<folder>/<file>.ts.' }];
  if (!allowed.includes('*')) {
    patterns.push({
      regex: `^#lib/${entries.length > 0 ? `(?!${entries.join('|')})` : ''}`,
      message: `${folder} may import: ${allowed.join(', ') || 'nothing else of lib'}.`,
    });
  }
  for (const [name, folders] of Object.entries(homes)) {
    if (!folders.includes(folder)) {
      patterns.push({
        regex: `^${literally(name)}(/|$)`,
        message: `${name} is used in ${folders.join(' and ')} only.`,
      });
    }
  }
  return ['error', { patterns }];
}

const noTimers = {
  selector: 'CallExpression[callee.name=/^set(Timeout|Interval)$/]',
  message: 'Wait for something seen: until(what, look, good, { within }) of #lib/base/until.ts.',
};
const noLooseWaits = {
  selector: 'CallExpression[callee.object.name="vi"][callee.property.name=/^wait(For|Until)$/]',
  message: 'vi.waitFor takes false for an answer; use until(what, look, good, { within }).',
};
const noPoll = {
  selector: 'CallExpression[callee.object.name="expect"][callee.property.name="poll"]',
  message: 'expect.poll overruns its timeout; use until(what, look, good, { within }).',
};

const named = 'Name the deadline in lib/base/deadlines.ts: ours, which a patience stretches, or theirs.';
const ofNumbers = ':matches(Literal, BinaryExpression, CallExpression[callee.name=/^(seconds|minutes)$/])';
const noBareDeadlines = [
  `Property[key.name="within"] > ${ofNumbers}.value`,
  `AssignmentPattern[left.name="within"] > ${ofNumbers}.right`,
  `CallExpression[callee.object.name="AbortSignal"][callee.property.name="timeout"] > ${ofNumbers}.arguments`,
].map((selector) => ({ selector, message: named }));

/** What the script of the page may lean on; tsc knows the rest. */
const inBrowser = [
  ...['document', 'location', 'addEventListener', 'requestAnimationFrame', 'HTMLElement'],
  ...['HTMLDetailsElement', 'HTMLInputElement', 'HTMLSelectElement'],
];

export default defineConfig(
  { ignores: ['node_modules/', 'reports/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // these argue with the house style
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // the client of Kubernetes declares classes and takes literals
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-syntax': ['error', noTimers, noLooseWaits, noPoll, ...noBareDeadlines],
    },
  },
  {
    files: ['lib/report/page/client/*.js'],
    languageOptions: { globals: Object.fromEntries(inBrowser.map((name) => [name, 'readonly'])) },
  },
  {
    // what a test of the harness waits for is its own
    files: ['lib/**/*.test.ts', 'lib/contract/**/*.ts', 'lib/machines/multipass/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', noTimers, noLooseWaits, noPoll] },
  },
  {
    files: ['lib/base/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', noLooseWaits, noPoll, ...noBareDeadlines] },
  },
  {
    files: ['lib/base/**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', noLooseWaits, noPoll] },
  },
  ...Object.entries(mayImport).map(([folder, allowed]) => ({
    files: [folder.endsWith('.ts') ? folder : `${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': restrictions(folder, allowed) },
  })),
);
