import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { checks as all } from './checks.ts';
import { inWords, type Asked, type Check, type Finding } from './finding.ts';
import type { Host } from './host.ts';

/**
 * Looks at this host, at everything at once, without a change to it.
 *
 * @returns a finding or more for each check that such a run asks
 */
export async function examine(asked: Asked, host: Host, checks: readonly Check[] = all): Promise<Finding[]> {
  const chosen = checks.filter(({ when }) => when?.(asked) ?? true);
  return (await Promise.all(chosen.map(async (check) => lookedAt(check, host, asked)))).flat();
}

async function lookedAt(check: Check, host: Host, asked: Asked): Promise<Finding[]> {
  const { what, takes = [], root } = check;
  const absent = takes.filter((program) => !host.has(program));
  if (absent.length > 0)
    return [{ what, state: 'unknown', found: `not looked at, as ${absent.join(', ')} is not installed yet` }];
  if (root && !host.root) return [{ what, state: 'unknown', found: 'not looked at, as that takes root' }];
  try {
    return await check.look(host, asked);
  } catch (error) {
    return [{ what, state: 'lacking', found: `could not be looked at: ${messageOf(error)}` }];
  }
}

/** Whether a run would fail. */
export const isLacking = ({ state }: Finding): boolean => state === 'lacking';

/** @throws RefusedError with a line for each thing that a run would fail for, as doctor has them */
export function refuseLacking(findings: readonly Finding[]): void {
  const lacking = findings.filter(isLacking);
  if (lacking.length === 0) return;
  throw new RefusedError(
    `This machine is not fit for a run (\`npm run lab -- doctor\` shows all that was looked at):\n${lacking.map((one) => `  ${inWords(one)}`).join('\n')}`,
  );
}
