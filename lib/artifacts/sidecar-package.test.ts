import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { control, packageFiles, packDeb } from './sidecar-package.ts';

test('the package holds the six files of packaging.mk, and the scripts that go with them', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'deb-test-'));
  const [istio, envoy] = [join(dir, 'istio'), join(dir, 'envoy')];
  await mkdir(join(istio, 'packaging'), { recursive: true });
  await mkdir(envoy);
  const sources = { istio, envoy };
  for (const { from, source } of packageFiles) await writeFile(join(sources[from], source), source);
  await writeFile(join(istio, 'packaging/postinst.sh'), '#!/bin/bash');
  let seen: string[] = [];
  let words: readonly string[] = [];
  const run: Run = async (asked) => {
    words = asked;
    const root = asked.at(-2) ?? '';
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    const listed = files
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return `${((await stat(path)).mode & 0o777).toString(8)} ${path.slice(root.length)}`;
      });
    seen = (await Promise.all(listed)).sort();
    expect(await readFile(join(root, 'DEBIAN/conffiles'), 'utf8')).toBe(
      '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json\n/var/lib/istio/envoy/sidecar.env\n',
    );
    return { stdout: '', stderr: '', code: 0, ms: 1 };
  };

  await packDeb('1.27.9', sources, join(dir, 'out'), run);

  expect(words.slice(0, 4)).toEqual(['dpkg-deb', '--root-owner-group', '-Znone', '--build']);
  expect(seen).toEqual([
    '644 /DEBIAN/conffiles',
    '644 /DEBIAN/control',
    '644 /lib/systemd/system/istio.service',
    '644 /var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
    '644 /var/lib/istio/envoy/sidecar.env',
    '755 /DEBIAN/postinst',
    '755 /usr/local/bin/envoy',
    '755 /usr/local/bin/istio-start.sh',
    '755 /usr/local/bin/pilot-agent',
  ]);
  await rm(dir, { recursive: true });
});

test('its version is that of Istio, and it asks for what packaging.mk asks for', () => {
  const fields = control('1.27.9', 120_000).split('\n');

  expect(fields).toContain('Package: istio-sidecar');
  expect(fields).toContain('Version: 1.27.9');
  expect(fields).toContain('Depends: iproute2, iptables, sudo, hostname');
  expect(fields).toContain('Installed-Size: 120000');
});
