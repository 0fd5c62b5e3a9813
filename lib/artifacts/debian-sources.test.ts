import { expect, test } from 'vitest';
import { CommandError, type Run } from '#lib/base/command.ts';
import { debianKeyring, debianSources, keyMissing } from './debian-sources.ts';

const signed = `deb [signed-by=${debianKeyring}]`;

/** A host whose apt knows these sources, each as `<origin> <address> <release>`; it learns of them with the first update. */
function host(known: readonly string[], { updated = true } = {}): { run: Run; asked: string[] } {
  const asked: string[] = [];
  let lists = updated;
  const run: Run = async (words) => {
    asked.push(words.slice(0, 2).join(' '));
    if (words[1] === 'update') lists = true;
    const wanted = words.find((word) => word.startsWith('Origin: '))?.slice('Origin: '.length);
    const found = known.filter((line) => line.split(' ')[0] === wanted);
    const lines = words[1] === 'indextargets' && lists ? found : [];
    const stdout = lines.map((line) => `${line.slice(line.indexOf(' ') + 1)}\n`).join('');
    return Promise.resolve({ stdout, stderr: '', code: 0, ms: 1 });
  };
  return { run, asked };
}

const debian = (suite: string): string[] => [
  `Debian http://mirror.test/debian/ ${suite}`,
  `Debian http://mirror.test/debian/ ${suite}-updates`,
  `Debian http://mirror.test/debian-security/ ${suite}-security`,
];
const debian12 = debian('bookworm');
const ubuntu = (name: string): string[] => [
  `Ubuntu http://mirror.test/ubuntu/ ${name}`,
  `Ubuntu http://mirror.test/ubuntu/ ${name}-updates`,
  `Ubuntu http://security.ubuntu.test/ubuntu/ ${name}-security`,
];
const docker = (system: string, name: string): string => `Docker https://docker.test/linux/${system} ${name}`;

test.each([
  ['Debian 12', debian12],
  ['Debian 13', debian('trixie')],
  ["Debian 13 with Docker's packages", [docker('debian', 'trixie'), ...debian('trixie')]],
  ['Debian as its name goes on', debian('stable')],
])('%s has the mirrors that it uses itself, for any release', async (_, known) => {
  const { lines, suites } = await debianSources('debian-13', 'auto', host(known).run);
  expect(lines).toEqual([
    `${signed} http://mirror.test/debian trixie main`,
    `${signed} http://mirror.test/debian trixie-updates main`,
    `${signed} http://mirror.test/debian-security trixie-security main`,
  ]);
  expect(suites).toEqual(['trixie main', 'trixie-updates main', 'trixie-security main']);
});

test('a host without lists fetches them first', async () => {
  const { run, asked } = host(debian12, { updated: false });
  const { lines } = await debianSources('debian-12', 'auto', run);
  expect(lines[0]).toBe(`${signed} http://mirror.test/debian bookworm main`);
  expect(asked).toEqual(['apt-get indextargets', 'apt-get update', 'apt-get indextargets']);
});

test('a host whose Debian has no security archive gets what its mirror has', async () => {
  const { suites } = await debianSources('debian-12', 'auto', host(debian12.slice(0, 1)).run);
  expect(suites).toEqual(['bookworm main', 'bookworm-updates main']);
});

test.each([
  ['Ubuntu 22.04', ubuntu('jammy')],
  ['Ubuntu 24.04', ubuntu('noble')],
  ['Ubuntu 26.04', ubuntu('resolute')],
  ["Ubuntu 24.04 with Docker's packages", [docker('ubuntu', 'noble'), ...ubuntu('noble')]],
])('%s has no Debian source, so it is Debian itself', async (_, known) => {
  const { lines, why } = await debianSources('debian-12', 'auto', host(known).run);
  expect(lines).toEqual([
    `${signed} http://ftp.debian.org/debian bookworm main`,
    `${signed} http://ftp.debian.org/debian bookworm-updates main`,
    `${signed} http://security.debian.org/debian-security bookworm-security main`,
  ]);
  expect(why).toBe('this host has no package source of Debian');
});

test('a mirror that is told is asked alone', async () => {
  const { run, asked } = host(debian12);
  const { lines } = await debianSources('debian-12', 'https://other.test/debian', run);
  expect(lines).toEqual([
    `${signed} https://other.test/debian bookworm main`,
    `${signed} https://other.test/debian bookworm-updates main`,
    `${signed} https://other.test/debian-security bookworm-security main`,
  ]);
  expect(asked).toEqual([]);
});

// what apt said on Debian 12, and what apt with sqv says on Debian 13
test.each([
  "W: GPG error: http://mirror.test/debian trixie InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 6ED0E7B82643E131\nE: The repository 'http://mirror.test/debian trixie InRelease' is not signed.",
  "W: OpenPGP signature verification failed: http://mirror.test/debian trixie InRelease: Sub-process /usr/bin/sqv returned an error code (1), error message is: Missing key 4CB50190207B4758A3F73A796ED0E7B82643E131, which is needed to verify signature.\nE: The repository 'http://mirror.test/debian trixie InRelease' is not signed.",
])('a keyring that is older than the release is named', (stderr) => {
  const failed = (said: string): CommandError =>
    new CommandError(['mmdebstrap'], 'Exit status 25', { stdout: '', stderr: said, code: 25, ms: 1 });

  expect(keyMissing(failed(stderr), 'debian-13')?.message).toContain(
    '/usr/share/keyrings/debian-archive-keyring.gpg lacks the key that debian-13 is signed with',
  );
  expect(keyMissing(failed('E: Unable to fetch some archives'), 'debian-13')).toBeUndefined();
  expect(keyMissing(new Error('called off'), 'debian-13')).toBeUndefined();
});
