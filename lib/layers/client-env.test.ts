import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '#lib/base/command.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { temporary } from '#lib/base/temporary.ts';
import { clientEnv, clientSettings } from './client-env.ts';

test('a shell that sources the file has the programs of the lab before its own', async () => {
  await using folder = await temporary();
  const dir = join(folder.path, "a lab's folder");
  await writeAtomic(clientEnv({ dir }), clientSettings(`${dir}/kubeconfig`, [`${dir}/istio`, '/opt/k8s']));

  const words = ['bash', '-c', 'source "$1"; echo "$KUBECONFIG"; echo "$PATH"', '-', clientEnv({ dir })];
  const { stdout } = await run(['env', '-i', 'PATH=/usr/bin:/bin', ...words]);

  expect(stdout).toBe(`${dir}/kubeconfig\n${dir}/istio:/opt/k8s:/usr/bin:/bin\n`);
});
