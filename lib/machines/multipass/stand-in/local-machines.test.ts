import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt, type Run } from '#lib/base/command.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';
import { multipass } from '#lib/machines/multipass/cli.ts';
import { localMachines } from './local-machines.ts';
import { clientFolder, standIn } from './service.ts';

test('instances of a lab that is ending can be deleted, so that another of its name begins anew', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'backing-'));
  let ending = false;
  const machine = { name: 'one', address: async () => Promise.resolve('192.0.2.1') };
  const local = {
    launch: async () => Promise.resolve(),
    machine: () => machine,
  } as unknown as MachineProvider;
  const backend = localMachines(
    async () => (ending ? Promise.reject(new Error('Lab any does not stand')) : Promise.resolve(local)),
    ['one'],
  );
  const service = await standIn(dir, backend);
  const env = { ...service.env, PATH: `${clientFolder}:${process.env['PATH'] ?? ''}` };
  const run: Run = async (words, options = {}) => attempt(words, { ...options, env });
  const cli = multipass(run);
  const size = { cpus: 1, memoryMiB: 1024, diskGiB: 5 };
  await cli.launch({ image: '24.04', name: 'any-one', size, cloudInit: '' }, { within: 20_000 });

  ending = true;
  await run(['multipass', 'delete', '--purge', 'any-one']);

  expect(await cli.list()).toEqual([]);
  await service.close();
  await rm(dir, { recursive: true });
});
