import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalogue, suites } from './catalogue.ts';
import { implemented } from './implemented.ts';

describe('the catalogue of this project', () => {
  const { claims, has, get } = catalogue();

  test('has the 257 claims of the sources, in order of id', () => {
    const ids = claims.map(({ id }) => id);
    expect(ids).toHaveLength(257);
    expect(ids).toEqual([...ids].sort());
    const perSuite = suites.map((suite) => claims.filter((claim) => claim.suite === suite).length);
    expect(perSuite).toEqual([16, 48, 88, 69, 36]);
    expect(claims.filter((claim) => claim.class === 'core')).toHaveLength(115);
  });

  test('has every claim that a suite proves, and each is proved once and in its own suite', () => {
    const proofs = implemented();
    const ids = proofs.map(({ id }) => id);
    expect(ids.filter((id) => !has(id))).toEqual([]);
    expect(ids.filter((id, place) => ids.indexOf(id) !== place)).toEqual([]);
    expect(proofs.filter(({ id, file }) => !file.startsWith(get(id).suite))).toEqual([]);
  });

  test('says how a claim that the sources have wrong is asserted', () => {
    const wrong = claims.filter(({ assessment }) => assessment === 'documented-wrong');
    expect(wrong).toHaveLength(25);
    expect(wrong.filter(({ corrected }) => corrected === undefined)).toEqual([]);
  });

  test('names what is near to an unknown id', () => {
    expect(() => get('policy.strict-mtls-acepted')).toThrow('Near it: policy.strict-mtls-accepted');
  });
});

describe('a catalogue with a fault', () => {
  let folder: string;
  const good = {
    ...{ id: 'vm.one', statement: 'It works.', sources: [{ source: 'guide', section: 'a' }], how: ['look'] },
    ...{ falsifier: 'break it', versions: ['1.20.0'], needs: ['vm'], class: 'core', origin: 'stated' },
    ...{ assessment: 'expected', portable: true },
  };
  const write = (file: string, claims: unknown[]): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), JSON.stringify(claims));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'catalogue-'));
    writeFileSync(join(folder, 'sources.yaml'), 'guide: { title: A guide, sections: [a] }');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('none: it is read, split by topic or not', () => {
    write('03-vm/dns.yaml', [good]);
    write('05-policy.yaml', [{ ...good, id: 'policy.one' }]);
    expect(catalogue(folder).claims.map(({ id, suite }) => [id, suite])).toEqual([
      ['policy.one', '05-policy'],
      ['vm.one', '03-vm'],
    ]);
    expect(catalogue(folder, '03-vm').claims.map(({ id }) => id)).toEqual(['vm.one']);
  });

  test.each([
    ['an id twice', '03-vm/b.yaml', [good], '03-vm/b.yaml: the id vm.one is taken'],
    [
      'a missing field',
      '03-vm/b.yaml',
      [{ ...good, id: 'vm.two', falsifier: '' }],
      '(vm.two) lacks: falsifier.',
    ],
    ['no id', '03-vm/b.yaml', [{ ...good, id: undefined }], '03-vm/b.yaml, claim 1 (without id) lacks: id.'],
    [
      'an unknown prefix',
      '03-vm/b.yaml',
      [{ ...good, id: 'moon.one' }],
      'moon.one has an unknown prefix; known are cluster',
    ],
    [
      'the wrong suite',
      '03-vm/b.yaml',
      [{ ...good, id: 'obs.one' }],
      'obs.one belongs to 04-traffic, not to 03-vm.',
    ],
    [
      'a finding that is no list',
      '03-vm/b.yaml',
      [{ ...good, id: 'vm.two', found: 'a word' }],
      'found must be a list of { istio, seen }',
    ],
    [
      'a bound that is a number',
      '03-vm/b.yaml',
      [{ ...good, id: 'vm.two', since: 1.9 }],
      "(vm.two): since must be a version in quotes, such as '1.9' or '1.27.9'; got 1.9.",
    ],
    ['a file of no suite', '06-moon.yaml', [good], '06-moon.yaml belongs to no suite'],
    [
      'an unknown source',
      '03-vm/b.yaml',
      [{ ...good, id: 'vm.two', sources: [{ source: 'rumour', section: '' }] }],
      'vm.two cites rumour, which sources.yaml does not have',
    ],
    [
      'an unknown section',
      '03-vm/b.yaml',
      [{ ...good, id: 'vm.two', sources: [{ source: 'guide', section: 'b' }] }],
      'vm.two cites section "b" of guide, which has none of that name. Near it: "a".',
    ],
  ])('%s is named', (_, file, claims, message) => {
    write('03-vm/a.yaml', [good]);
    write(file, claims);
    expect(() => catalogue(folder)).toThrow(message);
  });
});
