import { join } from 'node:path';
import { attempt } from '#lib/base/command.ts';
import type { Within } from '#lib/base/deadline.ts';
import { readJson } from '#lib/base/files.ts';
import { reportsDir, root } from '#lib/base/paths.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import type { Ran } from './judge.ts';

const endOfClaim = /^\s+[✓✗!■○] (\S+)/;

/**
 * Runs the claims of a pattern on the lab, which is kept.
 *
 * @param onClaim called with its id when a claim has ended
 */
export async function vitest(
  pattern: string,
  within: Within,
  onClaim: (id: string) => void = () => undefined,
): Promise<Ran> {
  const started = performance.now();
  const before = new Date().toISOString();
  const words = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run', '-t', pattern];
  const heard = { last: started, silentMs: 0 };
  const { code, stderr, stdout } = await attempt(words, {
    cwd: root,
    within,
    env: { LAB_KEEP: 'always', NO_COLOR: '1' },
    onLine: (line) => {
      const now = performance.now();
      heard.silentMs = Math.max(heard.silentMs, now - heard.last);
      heard.last = now;
      const [, id] = endOfClaim.exec(line) ?? [];
      if (id !== undefined) onClaim(id);
    },
  });
  const found = readJson<Conformance>(join(reportsDir(), 'conformance.json'));
  const report = found && found.startedAt >= before ? found : undefined;
  const { silentMs } = heard;
  return { code, ms: performance.now() - started, silentMs, report, said: `${stderr}\n${stdout}` };
}
