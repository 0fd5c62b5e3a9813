import { join } from 'node:path';
import { interactive } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { root } from '#lib/base/paths.ts';
import { subjectNames } from '#lib/contract/subjects.ts';

const usage = `npm run contract -- <provider> [<words for vitest>]
  looks whether the machines of a provider keep what every provider promises; providers: ${subjectNames.join(', ')}`;

try {
  const [provider = '', ...words] = process.argv.slice(2);
  if (!subjectNames.includes(provider)) throw new RefusedError(usage);
  endWithNpm();
  process.env['CONTRACT_PROVIDER'] = provider;
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(root, 'vitest.contract.config.ts');
  process.exitCode = await interactive([process.execPath, vitest, 'run', '--config', config, ...words]);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
