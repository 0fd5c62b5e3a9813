import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { seconds, until } from '#lib/base/until.ts';
import { watched } from './watched.ts';

let lab: Awaited<ReturnType<typeof temporary>>;

beforeEach(async () => {
  lab = await temporary();
  mkdirSync(join(lab.path, 'machines/k3s-master/var/log'), { recursive: true });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await lab[Symbol.asyncDispose]();
});

/** As its supervisor writes down that it ended just now. */
const ends = (program: string, ranMs: number, said: string): void => {
  const line = [program, Date.now() - ranMs, Date.now(), 1, 0, said].join('\t');
  appendFileSync(join(lab.path, 'machines/k3s-master/var/log/ended.tsv'), `${line}\n`);
};

const forever = async (): Promise<boolean> =>
  until('what never comes', async () => Promise.resolve(false), Boolean, { within: seconds(100) });

test('what cannot stay up ends the wait, by its name and with what it said last', async () => {
  const notes: string[] = [];
  const began = performance.now();
  const up = watched(
    lab.path,
    (text) => notes.push(text),
    async () => {
      for (let n = 0; n < 5; n += 1) ends('kube-apiserver', 1000, 'no etcd');
      return forever();
    },
  );

  await expect(up).rejects.toThrow(
    'kube-apiserver on k3s-master does not stay up: it ended 5 times without running for 10 s. Last, kube-apiserver on k3s-master ended with exit code 1 after 1.0 s (no etcd).',
  );
  expect(performance.now() - began).toBeLessThan(5000);
  expect(notes.at(-1)).toBe(
    'kube-apiserver on k3s-master ended with exit code 1 after 1.0 s (no etcd); started again',
  );
});

test('what ended and was started again is told, and nothing is called off', async () => {
  const notes: string[] = [];
  const work = async (): Promise<string> => {
    ends('kube-scheduler', 10_050, 'failed to wait for apiserver');
    await until(
      'it is told',
      async () => Promise.resolve(notes.length),
      (n) => n === 1,
      { within: seconds(10) },
    );
    return 'up';
  };

  await expect(watched(lab.path, (text) => notes.push(text), work)).resolves.toBe('up');
  expect(process.stderr.write).toHaveBeenCalledWith(
    expect.stringMatching(
      /kube-scheduler on k3s-master ended .*failed to wait for apiserver\); its supervisor starts it again/,
    ),
  );
});

test('an error names what ended meanwhile, and is left alone when nothing did', async () => {
  const failing = async (): Promise<never> =>
    Promise.reject(new Error('Waited 120 s for: all nodes are Ready.'));
  await expect(watched(lab.path, () => undefined, failing)).rejects.toThrow(/Ready\.$/);
  await expect(
    watched(
      lab.path,
      () => undefined,
      async () => {
        for (const ran of [11_000, 12_000]) ends('kubelet', ran, 'no containerd');
        return failing();
      },
    ),
  ).rejects.toThrow(
    'Waited 120 s for: all nodes are Ready. Meanwhile kubelet on k3s-master ended with exit code 1 after 12.0 s (no containerd), 2 times in all.',
  );
});
