import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { run } from '#lib/base/command.ts';
import { fixture } from '#lib/base/paths.ts';
import { packagesFor, wanted } from './vm-image.ts';

test('a list of packages has comments and blank lines', () => {
  expect(wanted('# all\n\nsudo # for the prompt\n  curl\n')).toEqual(['sudo', 'curl']);
});

test('the packages of the VM hold what the agent, the article and the sidecar package need, once', async () => {
  const packages = packagesFor('x64', await readFile(fixture('vm/packages.txt'), 'utf8'));
  expect(packages).toEqual([...new Set(packages)]);
  expect(packages).toEqual(
    expect.arrayContaining([
      'linux-image-cloud-amd64',
      'qemu-guest-agent',
      'systemd-resolved',
      'iptables',
      'sudo',
      'python3',
      'bind9-dnsutils',
    ]),
  );
});

test('the VM of another architecture has the same packages, and its own kernel', async () => {
  const list = await readFile(fixture('vm/packages.txt'), 'utf8');
  const own = packagesFor('x64', list);

  expect(packagesFor('arm64', list).filter((name) => !own.includes(name))).toEqual([
    'linux-image-cloud-arm64',
  ]);
  expect(list).not.toMatch(/amd64|arm64/);
});

test.each(['customize.sh', 'initrd-init.sh'])('%s is a shell script', async (name) => {
  expect((await run(['sh', '-n', fixture('vm', name)])).code).toBe(0);
});
