import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { script } from './lab.ts';

/** The /etc of a host on which much else is configured. */
async function hostEtc(dir: string): Promise<string> {
  const etc = join(dir, 'host');
  for (const folder of ['alternatives', 'containerd', 'cni/net.d', 'ld.so.conf.d', 'ssl/certs'])
    await mkdir(join(etc, folder), { recursive: true });
  const files = {
    'nsswitch.conf': 'passwd: files sss\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n',
    'containerd/config.toml': 'disabled_plugins = ["cri"]\n',
    'cni/net.d/05-other.conflist': '{"name":"other"}',
    'ld.so.conf.d/cuda.conf': '/opt/cuda/lib64\n',
    'machine-id': 'that of the host\n',
    passwd: 'root:x:0:0::/root:/bin/bash\nsomebody:x:1000:1000::/home/somebody:/bin/zsh\n',
    protocols: 'tcp 6 TCP\n',
    'ssl/certs/ca-certificates.crt': 'a certificate\n',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(etc, name), content);
  // with systemd-resolved; what it leads to is not there
  await symlink('../run/systemd/resolve/stub-resolv.conf', join(etc, 'resolv.conf'));
  await symlink('/run/elsewhere/services', join(etc, 'services'));
  await symlink('/usr/sbin/iptables-nft', join(etc, 'alternatives/iptables'));
  await symlink('/opt/java/bin/java', join(etc, 'alternatives/java'));
  return etc;
}

test('the /etc of a node is its own, whatever is configured on the host', async () => {
  await using dir = await temporary();
  const from = await hostEtc(dir.path);
  const etc = join(dir.path, 'node');
  const hosts = join(dir.path, 'hosts');
  await writeFile(hosts, '127.0.0.1 localhost\n192.0.2.1 k3s-master\n');
  const make = async () => run(['bash', script('node-etc.sh'), etc, 'k3s-master', hosts, from]);
  const read = async (name: string): Promise<string> => readFile(join(etc, name), 'utf8');

  await make();

  expect(await read('hosts')).toContain('192.0.2.1 k3s-master');
  expect(await read('hostname')).toBe('k3s-master\n');
  expect(await read('resolv.conf')).toMatch(/^# no name server/);
  expect((await lstat(join(etc, 'resolv.conf'))).isFile()).toBe(true);
  expect(await read('nsswitch.conf')).toContain('hosts: files dns\n');
  expect(await read('nsswitch.conf')).not.toMatch(/sss|resolve|mymachines/);
  expect(await read('passwd')).not.toContain('somebody');
  expect(await read('group')).toContain('\nbin:x:2:\n');
  expect(await read('machine-id')).toMatch(/^[0-9a-f]{32}$/);
  expect(await read('protocols')).toBe('tcp 6 TCP\n');
  expect(await read('ssl/certs/ca-certificates.crt')).toBe('a certificate\n');
  expect(await readdir(join(etc, 'alternatives'))).toEqual(['iptables']);
  expect(await readlink(join(etc, 'alternatives/iptables'))).toBe('/usr/sbin/iptables-nft');
  expect(await readdir(join(etc, 'containerd'))).toEqual([]);
  expect(await readdir(join(etc, 'cni/net.d'))).toEqual([]);
  for (const name of ['services', 'ld.so.conf', 'ld.so.conf.d', 'ld.so.cache'])
    expect(await readdir(etc)).not.toContain(name);

  // a node that is started again
  const before = await read('machine-id');
  await writeFile(join(etc, 'kubernetes/kubelet.yaml'), 'kind: KubeletConfiguration\n');
  await make();
  expect(await read('machine-id')).toBe(before);
  expect(await read('kubernetes/kubelet.yaml')).toBe('kind: KubeletConfiguration\n');
});

test('a host without any of that gives nothing, and is no error', async () => {
  await using dir = await temporary();
  const hosts = join(dir.path, 'hosts');
  await writeFile(hosts, '127.0.0.1 localhost\n');
  await mkdir(join(dir.path, 'host'));
  const words = ['bash', script('node-etc.sh'), join(dir.path, 'node'), 'a', hosts, join(dir.path, 'host')];
  expect((await run(words)).stderr).toBe('');
});
