import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { spawnDetached } from './command.ts';
import { endProcess, processesWith, processOf } from './processes.ts';
import { temporary } from './temporary.ts';
import { seconds, until } from './until.ts';

test('programs are found by a word in their environment, and no others', async () => {
  await using folder = await temporary();
  const [istioctl, log] = [join(folder.path, 'istioctl'), join(folder.path, 'log')];
  await copyFile('/bin/sleep', istioctl);
  const word = `KUBECONFIG=${folder.path}/kubeconfig`;
  const start = async (...words: string[]): Promise<number> =>
    spawnDetached(['env', ...words, '60'], { log });
  const ours = await start(word, istioctl);
  const others = [await start(word, 'sleep'), await start(`${word}.other`, istioctl)];
  try {
    const found = await until(
      'the program has started',
      async () => Promise.resolve(processesWith(word, ['istioctl', 'kubectl'])),
      (seen) => seen.length > 0,
      { within: seconds(10) },
    );
    expect(found).toEqual([processOf(ours)]);
  } finally {
    for (const pid of [ours, ...others]) endProcess(pid);
  }
});
