import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exists } from './files.ts';
import { tryLock, withLock } from './lock.ts';
import { processOf } from './processes.ts';
import { temporary } from './temporary.ts';

describe('a lock', () => {
  test('lets one holder in at a time', async () => {
    await using dir = await temporary();
    const path = join(dir.path, 'lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> =>
      withLock(path, 'the thing', async () => {
        inside += 1;
        most = Math.max(most, inside);
        await Promise.resolve();
        inside -= 1;
      });
    await Promise.all([work(), work(), work()]);
    expect(most).toBe(1);
    expect(exists(path)).toBe(false);
  });

  test('of a process that is gone is taken over', async () => {
    await using dir = await temporary();
    const path = join(dir.path, 'lock');
    await writeFile(path, JSON.stringify({ pid: process.pid, started: 'another time' }));
    await expect(withLock(path, 'the thing', async () => Promise.resolve('done'), 1000)).resolves.toBe(
      'done',
    );
  });

  test('that is held tells by whom', async () => {
    await using dir = await temporary();
    const path = join(dir.path, 'lock');
    await expect(tryLock(path)).resolves.toBe('us');
    await expect(tryLock(path)).resolves.toEqual(processOf(process.pid));
  });

  test('is let go of when the work fails', async () => {
    await using dir = await temporary();
    const path = join(dir.path, 'lock');
    await expect(withLock(path, 'the thing', async () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    expect(exists(path)).toBe(false);
  });
});
