import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { repack } from './repack.ts';

test('programs and architecture are replaced, and all else stays', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'repack-test-'));
  const program = join(dir, 'other');
  await writeFile(program, 'x'.repeat(3000));
  let control = '';
  let content = '';
  const run: Run = async (words) => {
    const root = join(dir, 'root');
    if (words.includes('--raw-extract')) {
      for (const folder of ['DEBIAN', 'bin']) await mkdir(join(root, folder), { recursive: true });
      const fields = ['Package: istio-sidecar', 'Architecture: amd64', 'Installed-Size: 10', ''];
      await writeFile(join(root, 'DEBIAN/control'), fields.join('\n'));
      await writeFile(join(root, 'bin/run'), '');
    } else {
      control = await readFile(join(root, 'DEBIAN/control'), 'utf8');
      content = await readFile(join(root, 'bin/run'), 'utf8');
    }
    return { stdout: '', stderr: '', code: 0, ms: 1 };
  };

  const file = await repack(
    'own.deb',
    { architecture: 'arm64', programs: { '/bin/run': program } },
    dir,
    run,
  );

  expect(file).toBe(join(dir, 'istio-sidecar-arm64.deb'));
  expect(control).toBe('Package: istio-sidecar\nArchitecture: arm64\nInstalled-Size: 13\n');
  expect(content).toHaveLength(3000);
  await rm(dir, { recursive: true });
});
