import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { spawnDetached } from './command.ts';
import { tryLock } from './lock.ts';
import { hasProc, processTable, procTable, psTable, type Ps } from './process-table.ts';
import { descendantsOf, endProcess, isAlive, processesWith, processOf } from './processes.ts';
import { temporary } from './temporary.ts';
import { seconds, until } from './until.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const tables = [
  ['/proc', procTable()],
  ['ps', psTable()],
] as const;

test.each(tables)('%s tells of this process, and of the one that started it', (_, table) => {
  const us = table.of(process.pid);
  expect(us).toMatchObject({ parent: process.ppid, command: expect.stringMatching(/node/) as string });
  expect(us?.started).toMatch(/^\S+$/);
  expect(table.of(process.ppid)).toBeDefined();
  expect(table.of(4_194_305)).toBeUndefined();
});

test.each(tables)('%s tells what a process has started', async (_, table) => {
  await using folder = await temporary();
  const pid = await spawnDetached(['sh', '-c', 'sleep 61 & wait'], { log: join(folder.path, 'log') });
  const below = await until(
    'the child has started',
    async () => Promise.resolve(descendantsOf(pid, table)),
    (seen) => seen.length === 1,
    { within: seconds(10) },
  );
  expect(table.of(below[0]?.pid ?? 0)?.parent).toBe(pid);
  for (const one of [...below, { pid }]) endProcess(one.pid);
});

/** As the ps of macOS says it, of a machine with four processes. */
const said =
  '    1     0 Ss   Mon Nov  2 08:00:01 2026 /sbin/launchd\n' +
  '  501     1 S+   Mon Nov  2 09:10:11 2026 node /Users/me/my lab/vitest run\n' +
  '  502   501 Z    Mon Nov  2 09:10:12 2026 (git)\n' +
  '  503   501 S    Mon Nov  2 09:10:13 2026 /opt/bin/kubectl get pods KUBECONFIG=/tmp/a PATH=/bin\n' +
  '  504   501 S    Mon Nov  2 09:10:13 2026 /opt/bin/kubectl get pods KUBECONFIG=/tmp/ab PATH=/bin\n' +
  '  505   501 S    Mon Nov  2 09:10:13 2026 /bin/sleep 9 KUBECONFIG=/tmp/a\n';

test('what ps says on macOS is understood, and a zombie runs no more', () => {
  const asked: string[] = [];
  const ask: Ps = (words) => {
    asked.push(words.join(' '));
    return said;
  };
  const table = psTable(ask);
  expect(table.of(501)).toEqual({
    parent: 1,
    started: 'Mon-Nov-2-09:10:11-2026',
    command: 'node /Users/me/my lab/vitest run',
  });
  expect(processOf(502, table)).toBeUndefined();
  expect(descendantsOf(1, table).map(({ pid }) => pid)).toEqual([501, 503, 504, 505]);
  expect(processesWith('KUBECONFIG=/tmp/a', ['kubectl'], table).map(({ pid }) => pid)).toEqual([503]);
  expect(asked[0]).toBe('-p 501 -ww -o pid= -o ppid= -o stat= -o lstart= -o command=');
  expect(asked.at(-2)).toMatch(/^-A -E -ww /);
});

test('the table is that of /proc where there is one, and else that of ps', () => {
  expect([hasProc('/proc'), hasProc('/nowhere')]).toEqual([true, false]);
  const [byFiles, byPs] = [processTable('/proc'), processTable('/nowhere')];
  expect(byFiles.of(process.pid)?.started).toMatch(/^\d+$/);
  expect(byPs.of(process.pid)?.started).toMatch(/^\w{3}-\w{3}-\d+-[\d:]+-\d{4}$/);
});

test('without /proc a lock has a holder, who is known to have ended', async () => {
  await using folder = await temporary();
  vi.stubEnv('ISTIO_VM_CONFORMANCE_PROC', '/nowhere');
  const path = join(folder.path, 'lock');
  expect(await tryLock(path)).toBe('us');
  expect(await tryLock(path)).toMatchObject({ pid: process.pid });
  const pid = await spawnDetached(['sleep', '61'], { log: join(folder.path, 'log') });
  const other = processOf(pid);
  expect(isAlive(other)).toBe(true);
  endProcess(pid);
  await until(
    'it has ended',
    async () => Promise.resolve(isAlive(other)),
    (alive) => !alive,
    {
      within: seconds(10),
    },
  );
});

test('without ps either it says so', () => {
  vi.stubEnv('PATH', '/nowhere');
  expect(() => psTable().of(1)).toThrow('This machine has no /proc, and ps could not be started');
});
