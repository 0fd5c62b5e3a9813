import { expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { debianKeyring, debianSources } from './debian-sources.ts';

const signed = `deb [signed-by=${debianKeyring}]`;

/** A host whose apt knows these sources, each as `<address> <release>`; it learns of them with the first update. */
function host(known: readonly string[], { updated = true } = {}): { run: Run; asked: string[] } {
  const asked: string[] = [];
  let lists = updated;
  const run: Run = async (words) => {
    asked.push(words.slice(0, 2).join(' '));
    if (words[1] === 'update') lists = true;
    const stdout = words[1] === 'indextargets' && lists ? known.map((line) => `${line}\n`).join('') : '';
    return Promise.resolve({ stdout, stderr: '', code: 0, ms: 1 });
  };
  return { run, asked };
}

const debian12 = [
  'http://mirror.test/debian/ bookworm',
  'http://mirror.test/debian/ bookworm-updates',
  'http://mirror.test/debian-security/ bookworm-security',
];

test('a Debian host has the mirrors that it uses itself, for any release', async () => {
  const { lines, suites } = await debianSources('debian-13', 'auto', host(debian12).run);
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

// apt lists only what says that it is of Debian
test.each(['Ubuntu 22.04', 'Ubuntu 24.04', 'Ubuntu 26.04', "Ubuntu with Docker's packages"])(
  '%s has no Debian source, so it is Debian itself',
  async () => {
    const { lines, why } = await debianSources('debian-12', 'auto', host([]).run);
    expect(lines).toEqual([
      `${signed} http://ftp.debian.org/debian bookworm main`,
      `${signed} http://ftp.debian.org/debian bookworm-updates main`,
      `${signed} http://security.debian.org/debian-security bookworm-security main`,
    ]);
    expect(why).toBe('this host has no package source of Debian');
  },
);

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
