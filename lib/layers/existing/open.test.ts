import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { labDir } from '#lib/base/paths.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { openLabFor } from '#lib/layers/open.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const here = 'KUBECONFIG EXISTING_KUBECONFIG EXISTING_CONTEXT EXISTING_VM EXISTING_YES EXISTING_MESH'.split(
  ' ',
);

test.each([
  [{}, 'LAB_PROVIDER=existing takes a kubeconfig, which EXISTING_KUBECONFIG names.'],
  [{ VM_OS: 'debian-13' }, 'VM_OS=debian-13 is for the local provider; a lab of LAB_PROVIDER=existing has'],
  [{ VM_OS: 'none' }, 'VM_OS=none is for the local provider; a lab of LAB_PROVIDER=existing has'],
  [{ KUBECONFIG: '/no/such' }, 'LAB_PROVIDER=existing takes one VM, as EXISTING_VM=user@host; it names 0.'],
  [{ KUBECONFIG: '/no/such', EXISTING_VM: 'a@b,c@d' }, 'it names 2.'],
  [{ EXISTING_KUBECONFIG: '/no/such', EXISTING_VM: 'a@b' }, 'There is no kubeconfig /no/such.'],
])('%o is refused before anything is made', async (env, message) => {
  await using folder = await temporary();
  for (const name of here) vi.stubEnv(name, '');
  vi.stubEnv('LAB_CACHE', join(folder.path, 'cache'));
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const failed = await openLabFor(
    readSettings({ ...process.env, LAB_PROVIDER: 'existing', LAB_NAME: 'away' }),
  ).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(RefusedError);
  expect((failed as Error).message).toContain(message);
  expect(exists(labDir('away'))).toBe(false);
});
