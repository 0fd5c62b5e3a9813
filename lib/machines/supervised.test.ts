import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attempt, run } from '#lib/base/command.ts';
import { endedIn, endOf, type EndedProgram } from '#lib/base/ended.ts';
import { temporary } from '#lib/base/temporary.ts';
import {
  finishScript,
  runScript,
  services,
  startWords,
  stateWords,
  statesIn,
  stopWords,
} from './supervised.ts';

let scratch: Awaited<ReturnType<typeof temporary>>;
let logs: string;

beforeEach(async () => {
  scratch = await temporary();
  logs = join(scratch.path, 'machines/k3s-master/var/log');
  await mkdir(logs, { recursive: true });
});

afterEach(async () => scratch[Symbol.asyncDispose]());

/** Runs a program as s6-supervise would: its run script, then its finish script with how it ended. */
async function lived(name: string, program: string, killedBy?: number): Promise<void> {
  const dir = join(scratch.path, name);
  await mkdir(dir, { recursive: true });
  const service = { name, words: ['sh', '-c', program], env: { WORD: "it's so" }, logs };
  await writeFile(join(dir, 'run'), runScript(service));
  await writeFile(join(dir, 'finish'), finishScript(service));
  const { code } = await attempt(['sh', 'run'], { cwd: dir });
  const how = killedBy === undefined ? [String(code), '0'] : ['256', String(killedBy)];
  await run(['sh', 'finish', ...how, name], { cwd: dir });
}

const trace = [
  'panic: no such thing',
  '',
  'goroutine 1 [running]:',
  'main.(*engine).start(0x1, {0x2, 0x3})',
  '\t/src/main.go:12 +0x1d',
  'created by main.main in goroutine 1',
  'exit status 2',
].join('\n');

describe('the end of a program', () => {
  test('is written down with its exit code, its time and its last line', async () => {
    await lived('etcd', 'echo first; echo "last of $WORD" >&2; exit 3');
    await lived('etcd', 'exit 4');
    await lived('kubelet', 'echo said', 9);

    const ended = endedIn(scratch.path);

    expect(ended.map(({ ranMs: _, at: __, ...rest }) => rest)).toEqual([
      { node: 'k3s-master', program: 'etcd', code: 3, said: "last of it's so" },
      { node: 'k3s-master', program: 'etcd', code: 4, said: '' },
      { node: 'k3s-master', program: 'kubelet', signal: 9, said: 'said' },
    ]);
    expect(Date.now() - Date.parse(ended[0]?.at ?? '')).toBeLessThan(60_000);
    expect(endOf({ ...(ended[0] as EndedProgram), ranMs: 10_049 })).toBe(
      "etcd on k3s-master ended with exit code 3 after 10.0 s (last of it's so)",
    );
    expect(endOf({ ...(ended[2] as EndedProgram), ranMs: 50 })).toBe(
      'kubelet on k3s-master ended by signal KILL after 0.1 s (said)',
    );
    expect(endedIn(scratch.path, Date.now() + 1000)).toEqual([]);
    expect(await readFile(join(logs, 'etcd.log'), 'utf8')).toBe("first\nlast of it's so\n");
  });

  test('is told by what was said before the trace that Go prints', async () => {
    await writeFile(join(scratch.path, 'trace'), trace);
    await lived('kubelet', `cat '${scratch.path}/trace'; exit 2`);

    expect(endedIn(scratch.path)[0]?.said).toBe('panic: no such thing');
  });

  test('is not written down when somebody stopped it', async () => {
    await mkdir(join(scratch.path, 'etcd'));
    await writeFile(join(scratch.path, 'etcd/stopped'), '');
    await lived('etcd', 'exit 1');

    expect(endedIn(scratch.path)).toEqual([]);
  });
});

test('a lab that is gone, and a line that was cut off, tell of no end', async () => {
  expect(endedIn(join(scratch.path, 'gone'))).toEqual([]);
  await writeFile(join(logs, 'ended.tsv'), 'etcd\t17\n\nkubelet\t1000\t3500\t1\t0\ta\tb\n');
  expect(endedIn(scratch.path)).toEqual([
    ...[
      {
        node: 'k3s-master',
        program: 'kubelet',
        at: '1970-01-01T00:00:03.500Z',
        ranMs: 2500,
        code: 1,
        said: 'a b',
      },
    ],
  ]);
});

describe('a service', () => {
  /** Words as they are, with the folder of services in ours and stand-ins for s6 that write down what is asked of them. */
  async function asked(
    words: readonly string[],
    standIns: Readonly<Record<string, string>>,
  ): Promise<string[]> {
    const bin = join(scratch.path, 'bin');
    const file = join(scratch.path, 'asked');
    await mkdir(bin, { recursive: true });
    await writeFile(file, '');
    for (const name of ['s6-svok', 's6-svc', 's6-svscanctl', 's6-svstat']) {
      const script = `#!/bin/sh\necho "${name} $*" >>'${file}'\n${standIns[name] ?? ''}\n`;
      await writeFile(join(bin, name), script);
      await chmod(join(bin, name), 0o755);
    }
    const here = words.map((word) => word.replaceAll(services, join(scratch.path, 'service')));
    const { stdout } = await run(here, { env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
    const said = (await readFile(file, 'utf8')).replaceAll(`${scratch.path}/`, '');
    return [...said.split('\n'), ...stdout.split('\n')].filter(Boolean);
  }
  const etcd = () => startWords({ name: 'etcd', words: ['etcd'], logs });

  test('is laid and its supervisor awaited when it is new', async () => {
    const known = `n=$(grep -c svok '${scratch.path}/asked'); [ "$n" -gt 2 ]`;
    const listens = `[ -e '${scratch.path}/up' ] || { touch '${scratch.path}/up'; exit 1; }`;
    expect(await asked(etcd(), { 's6-svok': known, 's6-svscanctl': listens })).toEqual([
      ...['s6-svok service/etcd', 's6-svok service/etcd'],
      ...['s6-svscanctl -a service', 's6-svscanctl -a service', 's6-svok service/etcd'],
    ]);
    expect(await readFile(join(scratch.path, 'service/etcd/run'), 'utf8')).toContain("exec 'env' 'etcd'");
  });

  test('is stopped and started when it is known', async () => {
    await mkdir(join(scratch.path, 'service/etcd'), { recursive: true });
    expect(await asked(etcd(), {})).toEqual([
      ...['s6-svok service/etcd', 's6-svc -wD -d service/etcd'],
      ...['s6-svok service/etcd', 's6-svc -u service/etcd'],
    ]);
  });

  test('is stopped for good, by either signal, and known as stopped', async () => {
    await mkdir(join(scratch.path, 'service/etcd'), { recursive: true });
    await mkdir(join(scratch.path, 'service/kubelet'));
    await mkdir(join(scratch.path, 'service/kube-proxy'));
    expect(await asked(stopWords('etcd', 'KILL'), {})).toContain('s6-svc -wD -Ok service/etcd');
    expect(await asked(stopWords('etcd', 'TERM'), {})).toContain('s6-svc -wD -d service/etcd');
    const one = '[ "$3" = kubelet ] && echo "true 47" || echo "false -1"';
    const lines = (await asked(stateWords(), { 's6-svstat': one })).filter((line) => !line.startsWith('s6-'));
    expect(statesIn(lines.join('\n'))).toEqual(
      new Map<string, object>([
        ['etcd', { state: 'stopped' }],
        ['kube-proxy', { state: 'ended' }],
        ['kubelet', { state: 'running', pid: 47 }],
      ]),
    );
  });

  test('that nobody started is no error to stop, and where there are none there are no states', async () => {
    expect(await asked(stopWords('etcd', 'KILL'), { 's6-svok': 'exit 1' })).toEqual(['s6-svok service/etcd']);
    expect(await asked(stateWords(), {})).toEqual([]);
  });
});
